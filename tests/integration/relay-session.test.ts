/** Sessions through a real relay over real sockets, the viewer's end by WebCrypto as in a window. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { cameraNumber } from '../../shared/relay/derive.ts';
import { freshnessLevel } from '../../shared/relay/freshness.ts';
import { acceptSession } from '../../shared/relay/session-home.ts';
import type { HomeSession, ViewerSession } from '../../shared/relay/session-types.ts';
import { openSession } from '../../shared/relay/session-viewer.ts';
import { homeOptions, type Household, send, viewerOptions } from '../../main/engine/relay/testing/session-pair.ts';
import { type Hop, openHop, realClock, WaitingHome } from '../support/relay-wire.ts';
import { waitFor } from '../support/wait.ts';

const gate = await cameraNumber(nodeSuite, 'gate');
const LIVE = { kind: 'live', stream: 1 } as const;

let relay: RunningRelay;
let ending: AbortController;
let closing: (() => unknown)[];

beforeEach(async () => {
  relay = await startRelay();
  ending = new AbortController();
  closing = [];
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  ending.abort();
  await relay.stop();
});

interface Watching {
  readonly home: HomeSession;
  readonly viewer: ViewerSession;
  readonly hop: Hop;
  /** When each live chunk that came had been sent. */
  readonly ages: number[];
  readonly answers: { readonly id: number; readonly atMs: number; readonly bytes: number }[];
  readonly closed: { home: string | null; viewer: string | null };
}

async function watching(): Promise<Watching> {
  const keys = async (bytes: Uint8Array): Promise<readonly [Household['home'], Household['home']]> => [await nodeSuite.importKeyPair(bytes), await webSuite.importKeyPair(bytes)];
  const [[ownHome], [deviceAtHome, device]] = [await keys(nodeSuite.random(32)), await keys(nodeSuite.random(32))];
  const house: Household = { suite: nodeSuite, home: ownHome, device: deviceAtHome, psk: nodeSuite.random(32), token: nodeSuite.random(16) };
  const waiting = await WaitingHome.at(relay.url, house.token, ending.signal);
  const hop = await openHop(relay.port);
  const { sessionKey, ...wires } = await waiting.meet(hop.url, ending.signal);
  const options = { clock: realClock, ...wires, sessionKey };
  const [home, viewer] = await Promise.all([acceptSession(homeOptions(house, options)), openSession({ ...viewerOptions(house, options), suite: webSuite, own: device })]);
  const closed: Watching['closed'] = { home: null, viewer: null };
  home.onClose((reason) => (closed.home = reason));
  viewer.onClose((reason) => (closed.viewer = reason));
  const asked: Uint8Array[] = [];
  home.onMessage((frame) => asked.push(frame));
  const [ages, answers]: [number[], { id: number; atMs: number; bytes: number }[]] = [[], []];
  viewer.onMessage(({ head, payload }) => {
    const { type, id, atMs } = head as { type: string; id: number; atMs: number };
    if (type === 'chunk') ages.push(performance.now() - atMs);
    else answers.push({ id, atMs: performance.now(), bytes: payload?.length ?? 0 });
  });
  viewer.send({ head: { type: 'open', stream: 1, name: 'live', input: { cameraId: 'gate' }, credits: 8 }, payload: null });
  await waitFor('the question', () => asked.length === 1);
  closing.push(() => waiting.close(), () => hop.close(), () => home.close('The test is over.'), () => viewer.close('The test is over.'));
  return { home, viewer, hop, ages, answers, closed };
}

/** 30 frames a second; drops to the next keyframe where there is no room. Returns how many were sent. */
async function film({ home }: Watching, seconds: number, bytesPerS: number): Promise<number> {
  let [sent, isDropping] = [0, false];
  const startMs = performance.now();
  for (let number = 0; number < seconds * 30; number += 1) {
    const isKey = number % 30 === 0;
    if (isKey || !isDropping) isDropping = !send(home, LIVE, gate, { type: 'chunk', stream: 1, atMs: performance.now() }, new Uint8Array(((isKey ? 4 : 1) * bytesPerS) / 33));
    if (!isDropping) sent += 1;
    const waitMs = startMs + ((number + 1) * 1000) / 30 - performance.now();
    if (waitMs > 0) await new Promise<void>((resolve) => realClock.after(waitMs, resolve));
  }
  return sent;
}

const percentile = (values: readonly number[], share: number): number => values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? Number.NaN;

describe('a session through the relay', () => {
  it('carries 16 MB whole and in order, and ends at both ends with the reason given', async () => {
    const { home, viewer, answers, closed } = await watching();
    for (let id = 10; id < 26; id += 1) viewer.send({ head: { type: 'request', id, name: 'timeline.drawn', input: {} }, payload: null });
    let id = 10;
    const fill = (): void => {
      for (; id < 26 && home.line.queuedBytes < 2_000_000; id += 1) send(home, { kind: 'bulk', id }, 0, { type: 'result', id, value: {} }, new Uint8Array(1_000_000).fill(id));
    };
    await new Promise<void>((resolve) => realClock.after(100, resolve));
    home.line.onRoom(fill);
    fill();
    await waitFor('all of it', () => answers.length === 16 || closed.viewer !== null);
    expect(answers.map((answer) => [answer.id, answer.bytes])).toEqual(Array.from({ length: 16 }, (_, at) => [10 + at, 1_000_000]));
    const endedMs = performance.now();
    home.close('This device was removed at home.');
    await waitFor('the viewer to hear it', () => closed.viewer !== null);
    expect(performance.now() - endedMs).toBeLessThan(1_000);
    expect(closed).toEqual({ home: 'This device was removed at home.', viewer: 'This device was removed at home.' });
  });

  it('shows new frames over a line of half the rate, whatever its sockets would hold', async () => {
    const stage = await watching();
    stage.hop.shape.bytesPerS = 250_000;
    const filming = film(stage, 7, 500_000);
    await new Promise<void>((resolve) => realClock.after(3_000, resolve));
    const askedMs = performance.now();
    stage.viewer.send({ head: { type: 'request', id: 7, name: 'previews.at', input: { cameraId: 'gate' } }, payload: null });
    await new Promise<void>((resolve) => realClock.after(200, resolve));
    send(stage.home, { kind: 'previews', id: 7 }, gate, { type: 'result', id: 7, value: {} }, new Uint8Array(15_000));
    const sent = await filming;
    await waitFor('the last frame', () => stage.ages.length === sent);
    // Every keyframe at least; half of what there is at most.
    expect(sent).toBeGreaterThanOrEqual(7);
    expect(sent).toBeLessThan(105);
    expect(percentile(stage.ages, 0.99)).toBeLessThan(1_000);
    expect((stage.answers[0]?.atMs ?? Number.NaN) - askedMs).toBeLessThan(2_000);
    expect(freshnessLevel(stage.viewer.freshness.ageMs())).toBe('fresh');
    expect(stage.closed).toEqual({ home: null, viewer: null });
  });

  it('that stalls costs another session nothing, and keeps little waiting at home', async () => {
    const [stalled, good] = [await watching(), await watching()];
    stalled.hop.shape.isStalled = true;
    const [, sent] = await Promise.all([film(stalled, 4, 100_000), film(good, 4, 100_000)]);
    await waitFor('the last frame', () => good.ages.length === sent);
    expect(sent).toBe(120);
    expect(percentile(good.ages, 0.99)).toBeLessThan(1_000);
    expect(stalled.ages.length).toBeLessThan(60);
    expect(stalled.home.line.droppedLive).toBeGreaterThan(1);
    expect(stalled.home.line.queuedBytes).toBeLessThan(2_000_000);
    expect(freshnessLevel(stalled.viewer.freshness.ageMs())).toBe('blank');
  });

  it('that is changed on its way by a bit ends at once', async () => {
    const stage = await watching();
    expect(await film(stage, 1, 100_000)).toBe(30);
    await waitFor('the frames', () => stage.ages.length === 30);
    stage.hop.shape.flipsNext = true;
    void film(stage, 1, 100_000);
    await waitFor('the end', () => stage.closed.viewer !== null && stage.closed.home !== null);
    expect(stage.closed.viewer).toMatch(/not sealed by the other end|closed/);
    expect(stage.viewer.freshness.ageMs()).toBe(Number.POSITIVE_INFINITY);
  });
});
