/** A session over lines that are slow, far, stalled or silent: what is seen stays new, and what waits stays bounded. */
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { FakeClock, Line, type LineShape } from '../../main/engine/relay/testing/session-line.ts';
import { household, type Pair, type PairOptions, send, startPair } from '../../main/engine/relay/testing/session-pair.ts';
import { cameraNumber } from './derive.ts';
import { freshnessLevel } from './freshness.ts';

const LIVE = { kind: 'live', stream: 1 } as const;
const gate = await cameraNumber(nodeSuite, 'gate');

interface Scene {
  readonly clock: FakeClock;
  readonly line: Line;
  readonly pair: Pair;
}

async function scene(shape: Partial<LineShape>, more: Partial<PairOptions> = {}): Promise<Scene> {
  const clock = new FakeClock();
  const line = new Line(clock, shape);
  const pair = await startPair(await household(), line, clock, more);
  for (const stream of [1, 2]) pair.viewer.send({ head: { type: 'open', stream, name: stream === 1 ? 'live' : 'playback', input: { cameraId: 'gate' }, credits: 8 }, payload: null });
  await clock.until('the streams are open', () => pair.asked.length === 2);
  return { clock, line, pair };
}

/**
 * A camera of 30 frames a second with a keyframe each second. As the media of a session do: drops to the next keyframe
 * where there is no room, and falls to a sub stream of an eighth when more than a fifth was dropped within 5 s.
 */
class LiveCamera {
  readonly #scene: Scene;
  readonly #startMs: number;
  #number = 0;
  #isDropping = false;
  #droppedLately = 0;
  #bytesPerS: number;
  sent = 0;

  constructor(stage: Scene, bytesPerS: number) {
    this.#scene = stage;
    this.#startMs = stage.clock.nowMs();
    this.#bytesPerS = bytesPerS;
    this.#next();
  }

  #next(): void {
    const { clock, pair } = this.#scene;
    const isKey = this.#number % 30 === 0;
    if (this.#number % 150 === 0) {
      if (this.#droppedLately > 30) this.#bytesPerS = 62_500;
      this.#droppedLately = 0;
    }
    // A keyframe is as long as four others.
    const size = Math.round((this.#bytesPerS / 33) * (isKey ? 4 : 1));
    this.#isDropping = (this.#isDropping && !isKey) || !send(pair.home, LIVE, gate, { type: 'chunk', stream: 1, atMs: clock.nowMs(), isKey }, new Uint8Array(size));
    if (this.#isDropping) this.#droppedLately += 1;
    else this.sent += 1;
    this.#number += 1;
    clock.after(this.#startMs + (this.#number * 1000) / 30 - clock.nowMs(), () => this.#next());
  }
}

/** How old each live frame was when it came. */
function ages({ clock, pair }: Scene): number[] {
  const found: number[] = [];
  const push = pair.delivered.push.bind(pair.delivered);
  pair.delivered.push = (...messages) => {
    for (const { head } of messages) {
      const { type, stream, atMs } = head as { type: string; stream: number; atMs: number };
      if (type === 'chunk' && stream === 1) found.push(clock.nowMs() - atMs);
    }
    return push(...messages);
  };
  return found;
}

const percentile = (values: readonly number[], share: number): number => values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? Number.NaN;

describe('a line of 250 KB/s under a camera of 500 KB/s', { timeout: 30_000 }, () => {
  it('shows frames younger than a second, and lets answers, previews and playback through', async () => {
    const stage = await scene({ bytesPerS: 250_000, delayMs: 20 });
    const { clock, pair } = stage;
    const age = ages(stage);
    const camera = new LiveCamera(stage, 500_000);
    const waits: number[] = [];
    const previewWaits: number[] = [];
    let isFull = false;
    for (let id = 10; id < 70; id += 1) {
      const askedMs = clock.nowMs();
      const isPreview = id % 2 === 0;
      const before = pair.asked.length;
      pair.viewer.send({ head: { type: 'request', id, name: isPreview ? 'previews.at' : 'cameras.list', input: isPreview ? { cameraId: 'gate' } : {} }, payload: null });
      await clock.until('the question came', () => pair.asked.length > before);
      // As playback does: more of it while less than 512 KB wait.
      if (pair.home.line.queuedBytes < 512 * 1024) send(pair.home, { kind: 'playback', stream: 2 }, gate, { type: 'chunk', stream: 2 }, new Uint8Array(300_000));
      isFull ||= pair.home.line.queuedBytes > 256 * 1024;
      const answer = { type: 'result', id, value: 'x'.repeat(1_000) };
      if (isPreview) send(pair.home, { kind: 'previews', id }, gate, answer, new Uint8Array(15_000));
      else send(pair.home, { kind: 'control' }, 0, answer);
      await clock.until('the answer came', () => pair.delivered.some(({ head }) => (head as { type: string; id: number }).type === 'result' && (head as { id: number }).id === id));
      (isPreview ? previewWaits : waits).push(clock.nowMs() - askedMs);
      await clock.advance(500 - ((clock.nowMs() - askedMs) % 500));
    }
    expect([pair.homeClosed, pair.viewerClosed]).toEqual([null, null]);
    // At least five a second, once it fell to the sub stream.
    expect(age.length).toBeGreaterThan(5 * 25);
    expect(camera.sent - age.length).toBeLessThan(40);
    expect(pair.home.line.droppedLive).toBeGreaterThan(2);
    expect(isFull).toBe(true);
    expect(percentile(age, 0.99)).toBeLessThan(1_000);
    expect(percentile(age, 0.5)).toBeLessThan(700);
    expect(Math.max(...waits)).toBeLessThan(1_000);
    expect(Math.max(...previewWaits)).toBeLessThan(2_000);
    expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('fresh');
    expect(pair.home.line.rateBytesPerS).toBeGreaterThan(200_000);
    expect(pair.home.line.rateBytesPerS).toBeLessThan(320_000);
  });

  it('also when the line becomes that slow in the middle', async () => {
    const stage = await scene({ bytesPerS: 4_000_000, delayMs: 20 });
    const { clock, line, pair } = stage;
    const age = ages(stage);
    void new LiveCamera(stage, 500_000);
    send(pair.home, { kind: 'playback', stream: 2 }, gate, { type: 'chunk', stream: 2 }, new Uint8Array(6_000_000));
    await clock.advance(10_000);
    expect(pair.home.line.windowBytes).toBeGreaterThan(300_000);
    expect(percentile(age, 1 - 1 / age.length)).toBeLessThan(1_000);
    line.toViewer.shape.bytesPerS = 250_000;
    await clock.advance(5_000);
    age.splice(0);
    await clock.advance(20_000);
    expect(age.length).toBeGreaterThan(40);
    expect(percentile(age, 0.99)).toBeLessThan(1_000);
    expect([pair.homeClosed, pair.viewerClosed]).toEqual([null, null]);
  });
});

describe('a line of 2 MB/s, 250 ms away each way', { timeout: 30_000 }, () => {
  it('carries a camera of 500 KB/s whole, and is used by playback for most of what it can', async () => {
    const stage = await scene({ bytesPerS: 2_000_000, delayMs: 250 });
    const { clock, pair } = stage;
    const age = ages(stage);
    void new LiveCamera(stage, 500_000);
    await clock.advance(10_000);
    // The first two seconds are spent on learning what the line can do.
    expect(age.length).toBeGreaterThan(240);
    expect(percentile(age, 0.99)).toBeLessThan(1_000);
    let played = 0;
    const startMs = clock.nowMs();
    pair.delivered.splice(0);
    while (clock.nowMs() - startMs < 10_000) {
      if (pair.home.line.queuedBytes < 512 * 1024) send(pair.home, { kind: 'playback', stream: 2 }, gate, { type: 'chunk', stream: 2 }, new Uint8Array(200_000));
      await clock.advance(20);
    }
    played = pair.delivered.filter(({ head }) => (head as { stream: number }).stream === 2).length * 200_000;
    expect(played / 10).toBeGreaterThan(300_000);
    expect(percentile(age, 0.99)).toBeLessThan(1_000);
  });
});

describe('a viewer that stalls', { timeout: 30_000 }, () => {
  it('is owed a bounded queue, and costs the session when answers pile up', async () => {
    const { clock, line, pair } = await scene({});
    line.toHome.isStalled = true;
    let taken = 0;
    for (let number = 0; number < 400; number += 1) {
      if (send(pair.home, LIVE, gate, { type: 'chunk', stream: 1, number }, new Uint8Array(50_000))) taken += 1;
      await clock.advance(10);
    }
    // A window in flight, and not more than that behind it.
    expect(taken * 50_000).toBeLessThan(3 * 96 * 1024);
    expect(pair.home.line.queuedBytes).toBeLessThan(96 * 1024);
    expect(pair.home.line.droppedLive).toBe(400 - taken);
    for (let piece = 0; piece < 30 && pair.homeClosed === null; piece += 1) send(pair.home, { kind: 'playback', stream: 2 }, gate, { type: 'chunk', stream: 2 }, new Uint8Array(500_000));
    expect(pair.homeClosed).toBe('Too much was waiting for this device.');
    expect(pair.home.line.queuedBytes).toBe(0);
  });

  it('is let go after 15 s of silence, and told nothing meanwhile', async () => {
    const { clock, line, pair } = await scene({});
    line.toHome.isStalled = true;
    await clock.advance(14_000);
    expect(pair.homeClosed).toBeNull();
    await clock.advance(2_000);
    expect(pair.homeClosed).toBe('The device has not said anything for too long.');
  });
});

describe('the sign of life', { timeout: 30_000 }, () => {
  it('of an honest line half a second away is never grey', async () => {
    const { clock, pair } = await scene({ delayMs: 250 });
    let oldest = 0;
    for (let step = 0; step < 1_000; step += 1) {
      await clock.advance(20);
      oldest = Math.max(oldest, pair.viewer.freshness.ageMs());
    }
    expect(oldest).toBeLessThan(1_500);
    expect(oldest).toBeGreaterThan(500);
    expect(pair.home.line.roundTripMs).toBeCloseTo(500, 1);
  });

  it('of a home that falls silent is grey within 1.5 s, blank within 3 s, and ends the session', async () => {
    const { clock, line, pair } = await scene({});
    let beats = 0;
    pair.viewer.freshness.onBeat(() => (beats += 1));
    await clock.advance(5_000);
    expect(beats).toBeGreaterThan(8);
    expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('fresh');
    line.toViewer.isStalled = true;
    await clock.advance(1_510);
    expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('grey');
    await clock.advance(1_500);
    expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('blank');
    expect(pair.viewerClosed).toBeNull();
    await clock.advance(13_000);
    expect(pair.viewerClosed).toBe('The home has not answered for too long.');
  });

  it('is blank where a relay delays everything evenly by 10 s, although something comes all the time', async () => {
    const stage = await scene({});
    const { clock, line, pair } = stage;
    const age = ages(stage);
    void new LiveCamera(stage, 100_000);
    await clock.advance(2_000);
    expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('fresh');
    line.toViewer.shape.delayMs = 10_000;
    await clock.advance(9_900);
    expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('blank');
    age.splice(0);
    for (let step = 0; step < 100; step += 1) {
      await clock.advance(100);
      expect(freshnessLevel(pair.viewer.freshness.ageMs())).toBe('blank');
    }
    expect(age.length).toBeGreaterThan(10);
    expect(pair.viewerClosed).toBeNull();
  });
});

describe('keys', { timeout: 30_000 }, () => {
  it('that the viewer does not change in time end the session at home, by time and by bytes', async () => {
    const byTime = await scene({}, { homeLimits: { rekeyDueMs: 20_000 } });
    await byTime.clock.advance(19_000);
    expect(byTime.pair.homeClosed).toBeNull();
    await byTime.clock.advance(2_000);
    expect(byTime.pair.homeClosed).toMatch(/did not change the keys in time/);
    const byBytes = await scene({}, { homeLimits: { rekeyDueBytes: 1_000_000 } });
    for (let number = 0; number < 40; number += 1) {
      send(byBytes.pair.home, LIVE, gate, { type: 'chunk', stream: 1, number }, new Uint8Array(30_000));
      await byBytes.clock.advance(20);
    }
    expect(byBytes.pair.homeClosed).toMatch(/did not change the keys in time/);
    expect(byBytes.pair.viewerClosed).not.toBeNull();
  });

  it('are changed by time on a line that carries nothing but signs of life', async () => {
    const { clock, pair } = await scene({}, { viewerLimits: { rekeyAfterMs: 5_000 }, homeLimits: { rekeyDueMs: 7_000 } });
    await clock.advance(60_000);
    expect([pair.homeClosed, pair.viewerClosed]).toEqual([null, null]);
  });
});
