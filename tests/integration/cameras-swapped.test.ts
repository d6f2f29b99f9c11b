/** Another camera at a camera's address that takes its password: recorded first, asked at once, and what was recorded of it is marked. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

let simulator: Simulator;
let engine: TestEngine;

/** The same ports at each address, as cameras of one kind have. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.67.2');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  const [httpPort, rtspPort] = [await freePort(), await freePort()];
  simulator = await startSimulator({ cameras: 2, hosts: ['127.0.67.2', '127.0.67.3'], httpPort, rtspPort, source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  engine = await TestEngine.started();
});
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

test('every second of another camera that was recorded before it was known is marked, and nothing of the camera itself', async () => {
  const [own, stranger] = simulator.cameras.map((camera) => forceUnwrap('two cameras', camera));
  if (own === undefined || stranger === undefined) throw new Error('two cameras were asked for');
  const { id } = await engine.add(own);
  const before = await engine.footage(id, 3);
  const place = own.host;
  await own.moveTo('127.0.67.4');
  await stranger.setQuirk('password', own.password);
  await stranger.moveTo(place);
  await waitFor('the word that another camera answers', async () => /Another camera answers at 127\.0\.67\.2/.test((await engine.status(id)).problem?.sentence ?? ''), 40_000);
  const { events, spans } = await waitFor('its footage', async () => {
    const timeline = await engine.timeline(id);
    return (timeline.spans.at(-1)?.startMs ?? 0) > before.endMs ? timeline : null;
  });
  const mark = forceUnwrap('it is marked at once', events.find(({ kind }) => kind === 'other-camera'));
  const after = forceUnwrap('recording did not wait for the answer', spans.at(-1));
  expect(after.startMs).toBeGreaterThan(before.endMs);
  expect(mark.startMs).toBeLessThanOrEqual(after.startMs);
  expect(mark.startMs).toBeGreaterThan(forceUnwrap('its own footage', spans[0]).endMs - 500);
  // Asked when it begins to send, not at the next glance.
  expect(mark.endMs - after.startMs).toBeLessThan(6_000);
  await engine.footage(id, 6);
  // Its own camera is back: the mark reaches up to there.
  await stranger.moveTo('127.0.67.3');
  await own.moveTo(place);
  const backMs = Date.now();
  await waitFor('its own pictures', async () => ((await engine.timeline(id)).spans.at(-1)?.startMs ?? 0) > backMs - 1_000, 40_000);
  await waitFor('all to be well', async () => (await engine.status(id)).problem === null, 40_000);
  await engine.footage(id, 12);
  const now = await engine.timeline(id);
  const marks = now.events.filter(({ kind }) => kind === 'other-camera').toSorted((a, b) => a.startMs - b.startMs);
  for (const [index, { startMs }] of marks.slice(1).entries()) expect(Math.abs(startMs - (marks[index]?.endMs ?? 0))).toBeLessThan(2);
  const strangers = forceUnwrap('what the stranger sent', now.spans.at(-2));
  expect(marks[0]?.startMs).toBeLessThanOrEqual(strangers.startMs);
  expect(marks.at(-1)?.endMs ?? 0).toBeGreaterThanOrEqual(strangers.endMs);
  expect(marks.at(-1)?.endMs ?? Infinity).toBeLessThanOrEqual(forceUnwrap('its own again', now.spans.at(-1)).startMs);
}, 180_000);
