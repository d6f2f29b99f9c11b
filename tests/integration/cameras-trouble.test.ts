/** Cameras that answer and cannot be recorded: the engine says which of it, goes on asking, and follows streams to new addresses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import type { QuirkName, QuirkValue } from '../../tools/sim/quirks.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const ROLES = ['elsewhere', 'gone', 'picture files', 'sound only', 'recorder'] as const;
type Role = (typeof ROLES)[number];

let simulator: Simulator;
let engine: TestEngine;

const camera = (role: Role): SimCamera => forceUnwrap('every role has a camera', simulator.cameras[ROLES.indexOf(role)]);

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: ROLES.length, names: ROLES, hosts: ROLES.map((_role, index) => `127.0.61.${index + 2}`), source: 'test', main: size, sub: null, audio: 'pcma', discovery: false });
  engine = await TestEngine.started();
});
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

async function addByRtsp(role: Role): Promise<CameraId> {
  const { username, password } = camera(role);
  return (await engine.ask('cameras.add', { target: { kind: 'address', address: camera(role).rtspUrl('main') }, credentials: { username, password }, name: role })).id;
}

/** Waits for the sentence, then for the footage once the cause is gone. */
async function saysAndRecovers(role: Role, quirk: QuirkName, value: QuirkValue, off: QuirkValue, sentence: RegExp): Promise<void> {
  const id = await addByRtsp(role);
  await engine.footage(id, 2);
  await camera(role).setQuirk(quirk, value);
  await waitFor(`the sentence ${sentence.source}`, async () => sentence.test((await engine.status(id)).problem?.sentence ?? ''), 60_000);
  expect((await engine.status(id)).state).not.toBe('refused');
  await camera(role).setQuirk(quirk, off);
  const sinceMs = Date.now();
  await engine.ask('cameras.retry', { cameraId: id });
  await waitFor('footage again', async () => ((await engine.timeline(id)).spans.at(-1)?.endMs ?? 0) > sinceMs + 1_000, 60_000);
  expect((await engine.status(id)).problem).toBeNull();
}

describe.concurrent('a camera', () => {
  test('whose streams have other addresses after an update is recorded there', async () => {
    const { id } = await engine.add(camera('elsewhere'));
    await engine.footage(id, 2);
    await camera('elsewhere').setQuirk('stream-path', 'firmware-2/live');
    // What comes first may still be the old session's.
    const movedMs = await waitFor('the new address', async () => {
      const { camera: now } = forceUnwrap('it is on the list', (await engine.ask('cameras.list', {})).find((one) => one.camera.id === id));
      return new URL(now.streams[0]?.url ?? '').pathname === '/firmware-2/live/main' ? Date.now() : null;
    }, 60_000);
    await waitFor('footage from the new address', async () => ((await engine.timeline(id)).spans.at(-1)?.endMs ?? 0) > movedMs + 1_000, 30_000);
  }, 90_000);

  test('that is a recorder of three is recorded as three, after one question', async () => {
    await camera('recorder').setQuirk('video-sources', 3);
    await camera('recorder').setQuirk('video-source-names', 'Front door,Yard,Barn');
    await engine.add(camera('recorder'));
    const { host } = camera('recorder');
    const own = (await engine.ask('cameras.list', {})).filter((one) => new URL(one.camera.streams[0]?.url ?? '').hostname === host);
    expect(own.map((one) => one.camera.name)).toEqual(['Front door', 'Yard', 'Barn']);
    for (const one of own) await engine.footage(one.camera.id, 2);
    for (const source of [1, 2, 3]) expect(camera('recorder').sendLogOf(source).length).toBeGreaterThan(0);
  }, 90_000);

  test('that knows its stream no more says so', async () => {
    await saysAndRecovers('gone', 'answer-404', true, false, /has no such stream any more/);
  }, 150_000);

  test('that sends MJPEG now says what can be kept', async () => {
    await saysAndRecovers('picture files', 'mjpeg-only', true, false, /sends a kind of video that Porchlight cannot keep\. Set it to H\.264 or H\.265/);
  }, 150_000);

  test('that sends no video any more says so', async () => {
    await saysAndRecovers('sound only', 'no-video', true, false, /sends no video any more/);
  }, 150_000);
});
