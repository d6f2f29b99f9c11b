/** What the viewer takes in: what it asked for, of the camera it asked for, by the way it belongs to. */
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { FakeClock, Line } from '../../main/engine/relay/testing/session-line.ts';
import { household, type Pair, send, startPair } from '../../main/engine/relay/testing/session-pair.ts';
import { cameraNumber } from './derive.ts';
import { Asked, cameraAskedBy } from './session-asked.ts';
import type { Lane } from './session-types.ts';

const [gate, yard] = [await cameraNumber(nodeSuite, 'gate'), await cameraNumber(nodeSuite, 'yard')];
const BYTES = new Uint8Array(500);

async function asking(): Promise<{ readonly clock: FakeClock; readonly pair: Pair }> {
  const clock = new FakeClock();
  const line = new Line(clock);
  const pair = await startPair(await household(), line, clock);
  pair.viewer.send({ head: { type: 'open', stream: 1, name: 'live', input: { cameraId: 'gate' }, credits: 8 }, payload: null });
  pair.viewer.send({ head: { type: 'open', stream: 2, name: 'live', input: { cameraId: 'yard' }, credits: 8 }, payload: null });
  pair.viewer.send({ head: { type: 'request', id: 3, name: 'previews.at', input: { cameraId: 'gate' } }, payload: null });
  pair.viewer.send({ head: { type: 'request', id: 4, name: 'timeline', input: { cameraIds: ['gate', 'yard'] } }, payload: null });
  await clock.until('all was asked', () => pair.asked.length === 4);
  return { clock, pair };
}

const live = (stream: number): Lane => ({ kind: 'live', stream });
const control: Lane = { kind: 'control' };
const chunk = (stream: number): unknown => ({ type: 'chunk', stream, chunk: { kind: 'media' } });
const result = (id: number): unknown => ({ type: 'result', id, value: null });

type Said = readonly [name: string, lane: Lane, camera: number, head: unknown, payload: Uint8Array | null];

const WRONG: readonly Said[] = [
  ['a chunk of another camera', live(1), yard, chunk(1), BYTES],
  ['a chunk of no camera', live(1), 0, chunk(1), BYTES],
  ['an init of another camera', live(1), yard, { type: 'chunk', stream: 1, chunk: { kind: 'init' } }, BYTES],
  ['a chunk on the lane of another stream', live(2), gate, chunk(1), BYTES],
  ['a chunk among control', control, gate, chunk(1), BYTES],
  ['a chunk of a stream that was not asked for', live(9), gate, chunk(9), BYTES],
  ['a preview of another camera', { kind: 'previews', id: 3 }, yard, result(3), BYTES],
  ['a preview of no camera', { kind: 'previews', id: 3 }, 0, result(3), BYTES],
  ['a preview on another lane', { kind: 'previews', id: 4 }, gate, result(3), BYTES],
  ['an answer with bytes among control', control, gate, result(3), BYTES],
  ['an answer without bytes of another camera', control, yard, result(3), null],
  ['an answer of one camera to a question of several', { kind: 'bulk', id: 4 }, gate, result(4), BYTES],
  ['an answer to nothing', control, 0, result(77), null],
  ['a failure of another camera', control, yard, { type: 'failure', id: 3, error: {} }, null],
  ['a failure with bytes', { kind: 'bulk', id: 3 }, gate, { type: 'failure', id: 3, error: {} }, BYTES],
  ['an event with bytes', { kind: 'bulk', id: 3 }, 0, { type: 'event', name: 'x', value: null }, BYTES],
  ['an event of one camera', control, gate, { type: 'event', name: 'x', value: null }, null],
  ['the end of a stream with bytes', live(1), gate, { type: 'closed', stream: 1, error: null }, BYTES],
  ['a question', control, 0, { type: 'request', id: 1, name: 'x', input: {} }, null],
  ['a head that is none', control, 0, null, null],
  ['a stream without a number', live(1), gate, chunk(Number.NaN), BYTES],
  ['a stream with a name', live(1), gate, { type: 'chunk', stream: '1', chunk: {} }, BYTES],
];

describe('what was not asked for', { timeout: 30_000 }, () => {
  it.each(WRONG)('%s ends the session and is not shown', async (_, lane, camera, head, payload) => {
    const { clock, pair } = await asking();
    send(pair.home, lane, camera, head, payload);
    await clock.until('the viewer ended it', () => pair.viewerClosed !== null, 1_000);
    expect(pair.viewerClosed).toMatch(/^(?:Something|A message).*\.$/);
    expect(pair.delivered).toEqual([]);
    await clock.until('the home knows', () => pair.homeClosed !== null, 1_000);
  });

  it('is also what was answered already', async () => {
    const { clock, pair } = await asking();
    for (let time = 0; time < 2; time += 1) send(pair.home, { kind: 'previews', id: 3 }, gate, result(3), BYTES);
    await clock.until('the viewer ended it', () => pair.viewerClosed !== null, 1_000);
    expect(pair.delivered).toHaveLength(1);
  });

  it('is also what a frame holds that cannot be read', async () => {
    const { clock, pair } = await asking();
    pair.home.sendSealed({ lane: control, camera: 0, ptsMs: 0, frame: Uint8Array.of(0, 0, 0, 9, 1) });
    await clock.until('the viewer ended it', () => pair.viewerClosed !== null, 1_000);
    expect(pair.viewerClosed).toBe('A message came that could not be read.');
  });
});

describe('what was asked for', { timeout: 30_000 }, () => {
  it('is delivered, errors with or without their camera', async () => {
    const { clock, pair } = await asking();
    const said: readonly Omit<Said, never>[] = [
      ['', control, 0, { type: 'welcome', version: 1 }, null],
      ['', live(1), gate, chunk(1), BYTES],
      ['', live(2), yard, chunk(2), BYTES],
      ['', { kind: 'previews', id: 3 }, gate, result(3), BYTES],
      ['', control, 0, { type: 'failure', id: 4, error: {} }, null],
      ['', live(1), 0, { type: 'closed', stream: 1, error: null }, null],
      ['', live(2), yard, { type: 'closed', stream: 2, error: null }, null],
    ];
    for (const [, lane, camera, head, payload] of said) send(pair.home, lane, camera, head, payload);
    await clock.until('it came', () => pair.delivered.length === said.length, 1_000);
    expect(pair.viewerClosed).toBeNull();
  });

  it('is let go by when the viewer closed the stream meanwhile, still checked, and refused after its end', async () => {
    const { clock, pair } = await asking();
    pair.viewer.send({ head: { type: 'close', stream: 1 }, payload: null });
    send(pair.home, live(1), gate, chunk(1), BYTES);
    send(pair.home, live(1), gate, { type: 'closed', stream: 1, error: null }, null);
    send(pair.home, live(2), yard, chunk(2), BYTES);
    await clock.until('the other stream goes on', () => pair.delivered.length === 1, 1_000);
    send(pair.home, live(1), gate, chunk(1), BYTES);
    await clock.until('the viewer ended it', () => pair.viewerClosed !== null, 1_000);
  });
});

describe('a message is about', { timeout: 30_000 }, () => {
  it('the camera that its input names, one or none', () => {
    expect(cameraAskedBy({ type: 'open', stream: 1, input: { cameraId: 'gate' } })).toBe('gate');
    expect(cameraAskedBy({ type: 'request', id: 1, input: { cameraIds: ['gate'] } })).toBeNull();
    for (const head of [null, 'x', {}, { type: 'credit', input: { cameraId: 'gate' } }, { type: 'open' }, { type: 'request', input: { cameraId: 7 } }]) expect(cameraAskedBy(head)).toBeNull();
  });

  it('remembered for a bounded number of closed streams', () => {
    const asked = new Asked();
    for (let stream = 1; stream <= 2_000; stream += 1) {
      asked.asks({ type: 'open', stream }, 5);
      asked.asks({ type: 'close', stream }, 0);
    }
    const late = (stream: number): string => asked.judge({ head: { type: 'chunk', stream }, payload: null }, 1 + stream, 5).verdict;
    expect([late(1), late(2_000)]).toEqual(['refuse', 'ignore']);
  });
});
