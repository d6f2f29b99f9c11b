/** Constant rate: what a relay sees of a session does not depend on what the camera sees. */
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { FakeClock, Line } from '../../main/engine/relay/testing/session-line.ts';
import { household, type Pair, send, startPair } from '../../main/engine/relay/testing/session-pair.ts';
import { cameraNumber } from './derive.ts';
import { MAX_RECORD_BYTES } from './protocol.ts';
import { slotMsOf } from './session-pace.ts';

const gate = await cameraNumber(nodeSuite, 'gate');

interface Seen {
  readonly toViewer: readonly string[];
  readonly toHome: readonly string[];
  readonly shown: number;
  readonly pair: Pair;
}

/** 20 s of a live picture; `sizeOf` its fragments, four a second. What was on the wire, as times and sizes. */
async function watch(sizeOf: (number: number) => number, constantBytesPerS: number | null, seconds = 20): Promise<Seen> {
  const clock = new FakeClock();
  const line = new Line(clock, { delayMs: 25, bytesPerS: 2_000_000 });
  line.toViewer.isKeeping = line.toHome.isKeeping = true;
  const pair = await startPair(await household(), line, clock, constantBytesPerS === null ? {} : { constantBytesPerS });
  pair.viewer.send({ head: { type: 'open', stream: 1, name: 'live', input: { cameraId: 'gate' }, credits: 8 }, payload: null });
  await clock.until('the stream is open', () => pair.asked.length === 1);
  const startMs = clock.nowMs();
  let answered = 0;
  for (let number = 0; number < seconds * 4; number += 1) {
    // Motion comes at odd moments too.
    send(pair.home, { kind: 'live', stream: 1 }, gate, { type: 'chunk', stream: 1, number }, new Uint8Array(sizeOf(number)));
    for (let step = 0; step < 25; step += 1) {
      await clock.advance(10);
      // As a player does: a credit for every chunk that came.
      for (; answered < pair.delivered.length; answered += 1) pair.viewer.send({ head: { type: 'credit', stream: 1, credits: 1 }, payload: null });
    }
  }
  const shape = (seen: readonly { readonly atMs: number; readonly bytes: Uint8Array }[]): string[] =>
    seen.filter(({ atMs }) => atMs >= startMs).map(({ atMs, bytes }) => `${(atMs - startMs).toFixed(3)} ms: ${bytes.length}`);
  return { toViewer: shape(line.toViewer.seen), toHome: shape(line.toHome.seen), shown: pair.delivered.length, pair };
}

const still = (): number => 4_000;
const motion = (number: number): number => (number % 16 > 9 ? 90_000 : 6_000) + ((number * 7_919) % 9_000);

describe('at a constant rate', { timeout: 30_000 }, () => {
  it('sizes and times on the wire are the same with motion and without, both ways, and all of it is shown', async () => {
    const [quiet, busy] = [await watch(still, 500_000), await watch(motion, 500_000)];
    expect(busy.toViewer).toEqual(quiet.toViewer);
    expect(busy.toHome).toEqual(quiet.toHome);
    expect(quiet.toViewer.filter((what) => what.endsWith(`: ${MAX_RECORD_BYTES}`)).length / 20).toBeCloseTo(500_000 / MAX_RECORD_BYTES, 0);
    for (const { shown, pair } of [quiet, busy]) {
      expect(shown).toBeGreaterThanOrEqual(79);
      expect([pair.homeClosed, pair.viewerClosed, pair.home.line.droppedLive]).toEqual([null, null, 0]);
    }
  });

  it('that was not asked for, they differ: the test can see motion', async () => {
    const [quiet, busy] = [await watch(still, null, 3), await watch(motion, null, 3)];
    expect(busy.toViewer).not.toEqual(quiet.toViewer);
    expect(busy.toViewer.length).toBeGreaterThan(quiet.toViewer.length);
  });

  it('that is none, the session ends', async () => {
    expect([0, 16_383, 16_384, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, Number.NaN].map((rate) => slotMsOf(rate) !== null)).toEqual([false, false, true, true, false, false]);
    const clock = new FakeClock();
    const line = new Line(clock);
    const pair = await startPair(await household(), line, clock, { constantBytesPerS: 100 });
    await clock.until('the home ended it', () => pair.homeClosed !== null, 1_000);
    expect(pair.homeClosed).toBe('The device asked for a rate that is none.');
  });

  it('nothing is left running when the session is over', async () => {
    const clock = new FakeClock();
    const line = new Line(clock);
    const pair = await startPair(await household(), line, clock, { constantBytesPerS: 500_000 });
    await clock.advance(1_000);
    pair.viewer.close('Enough seen.');
    await clock.until('the home heard it', () => pair.homeClosed !== null, 1_000);
    expect(pair.homeClosed).toBe('Enough seen.');
    await clock.advance(1_000);
    expect(clock.pendingTimers).toBe(0);
  });
});
