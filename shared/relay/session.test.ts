/** An honest session over a line in memory: everything arrives, in order, and an end is final. */
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { FakeClock, Line, watched } from '../../main/engine/relay/testing/session-line.ts';
import { household, LOG_HEAD, type Pair, type PairOptions, send, startPair } from '../../main/engine/relay/testing/session-pair.ts';
import { utf8 } from '../../main/engine/rpc/channels/text-codec.ts';
import { decodeFrame } from '../contract/frame.ts';
import { cameraNumber } from './derive.ts';
import type { CryptoSuite } from './suite.ts';

interface Started {
  readonly clock: FakeClock;
  readonly line: Line;
  readonly pair: Pair;
  /** Key pairs that were made. */
  readonly keyPairs: () => number;
}

async function started(suite: CryptoSuite, more: Partial<PairOptions> = {}): Promise<Started> {
  const watch = watched(suite);
  let keyPairs = 0;
  const counting: CryptoSuite = { ...watch.suite, generateKeyPair: () => ((keyPairs += 1), watch.suite.generateKeyPair()) };
  const clock = new FakeClock(() => watch.isIdle());
  const line = new Line(clock);
  return { clock, line, pair: await startPair(await household(counting), line, clock, more), keyPairs: () => keyPairs };
}

const SUITES = [
  { name: 'node:crypto', suite: nodeSuite },
  { name: 'WebCrypto', suite: webSuite },
];

describe.each(SUITES)('a session by $name', { timeout: 30_000 }, ({ suite }) => {
  it('carries every lane in its order', async () => {
    const { clock, pair } = await started(suite);
    const { home, viewer, delivered } = pair;
    expect(viewer.logHead).toEqual(LOG_HEAD);
    expect(viewer.homeWallMs).toBe(1_700_000_000_000);
    const gate = await cameraNumber(suite, 'gate');
    const yard = await cameraNumber(suite, 'yard');
    viewer.send({ head: { type: 'hello', version: 1 }, payload: null });
    viewer.send({ head: { type: 'open', stream: 1, name: 'live', input: { cameraId: 'gate' }, credits: 8 }, payload: null });
    viewer.send({ head: { type: 'open', stream: 2, name: 'playback', input: { cameraId: 'yard' }, credits: 8 }, payload: null });
    viewer.send({ head: { type: 'request', id: 3, name: 'previews.at', input: { cameraId: 'yard' } }, payload: null });
    viewer.send({ head: { type: 'request', id: 4, name: 'timeline.drawn', input: { cameraIds: ['gate', 'yard'] } }, payload: null });
    await clock.until('the questions arrived', () => pair.asked.length === 5);
    expect(pair.asked.map((frame) => (decodeFrame(frame as Uint8Array, utf8).head as { type: string }).type)).toEqual(['hello', 'open', 'open', 'request', 'request']);

    const sized = (bytes: number, fill: number): Uint8Array => new Uint8Array(bytes).fill(fill);
    expect(send(home, { kind: 'control' }, 0, { type: 'welcome', version: 1 })).toBe(true);
    for (let number = 0; number < 20; number += 1) {
      expect(send(home, { kind: 'live', stream: 1 }, gate, { type: 'chunk', stream: 1, number }, sized(40_000, number))).toBe(true);
      send(home, { kind: 'playback', stream: 2 }, yard, { type: 'chunk', stream: 2, number }, sized(120_000 + number, number));
      await clock.advance(10);
    }
    send(home, { kind: 'previews', id: 3 }, yard, { type: 'result', id: 3, value: {} }, sized(9_000, 1));
    send(home, { kind: 'bulk', id: 4 }, 0, { type: 'result', id: 4, value: {} }, sized(300_000, 2));
    send(home, { kind: 'live', stream: 1 }, 0, { type: 'closed', stream: 1, error: null }, null, true);
    await clock.until('all of it came', () => delivered.length === 44);

    const chunks = (stream: number): readonly (readonly [number, number, boolean])[] =>
      delivered.flatMap(({ head, payload }) => {
        const chunk = head as { type: string; stream: number; number: number };
        return chunk.type === 'chunk' && chunk.stream === stream ? [[chunk.number, payload?.length ?? 0, payload?.every((byte) => byte === chunk.number) ?? false] as const] : [];
      });
    expect(chunks(1)).toEqual(Array.from({ length: 20 }, (_, number) => [number, 40_000, true]));
    expect(chunks(2)).toEqual(Array.from({ length: 20 }, (_, number) => [number, 120_000 + number, true]));
    expect([pair.homeClosed, pair.viewerClosed]).toEqual([null, null]);
    expect(home.line.queuedBytes).toBe(0);
  });

  it('ends with the reason at both ends, and delivers nothing afterwards', async () => {
    const { clock, line, pair } = await started(suite);
    send(pair.home, { kind: 'control' }, 0, { type: 'event', name: 'x', value: 1 });
    pair.home.close('This device was removed at home.');
    expect(send(pair.home, { kind: 'control' }, 0, { type: 'event', name: 'x', value: 2 })).toBe(false);
    await clock.until('the viewer heard it', () => pair.viewerClosed !== null);
    expect([pair.homeClosed, pair.viewerClosed]).toEqual(['This device was removed at home.', 'This device was removed at home.']);
    expect(pair.delivered.map(({ head }) => (head as { value: number }).value)).toEqual([1]);
    expect([line.home.closedReason, line.viewer.closedReason]).toEqual(['over', 'over']);
    expect(pair.viewer.freshness.ageMs()).toBe(Number.POSITIVE_INFINITY);
    await clock.advance(2_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('changes its keys under traffic in both directions and loses nothing', async () => {
    const { clock, pair, keyPairs } = await started(suite, { viewerLimits: { rekeyAfterBytes: 400_000, rekeyAfterMs: 700 } });
    const before = keyPairs();
    const asked = 300;
    for (let id = 1; id <= asked; id += 1) {
      pair.viewer.send({ head: { type: 'request', id, name: 'cameras.list', input: {} }, payload: null });
      send(pair.home, { kind: 'control' }, 0, { type: 'event', name: 'n', value: { id, text: 'x'.repeat(9_000) } });
      await clock.advance(7);
    }
    await clock.until('all of it came', () => pair.asked.length === asked && pair.delivered.length === asked);
    expect(pair.delivered.map(({ head }) => (head as { value: { id: number } }).value.id)).toEqual(Array.from({ length: asked }, (_, at) => at + 1));
    expect([pair.homeClosed, pair.viewerClosed]).toEqual([null, null]);
    // Each handshake makes one at either end.
    expect((keyPairs() - before) / 2).toBeGreaterThan(5);
  });
});
