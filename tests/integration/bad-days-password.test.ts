/** Bad days of passwords: a wrong one when a camera is added, and one that is changed at the camera while it is recorded. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forceUnwrap } from '../../shared/result.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const PASSWORD = 'the-right-one-88';
const WRONG = 'not-the-right-one';
const CHANGED = 'changed-at-the-camera';
/** Cameras lock everybody out after five wrong logins, some after three (docs/design/cameras.md). */
const MAX_WRONG_LOGINS = 2;

let simulator: Simulator;
let engine: TestEngine;

const camera = (position: number): SimCamera => forceUnwrap('the simulator has as many', simulator.cameras[position]);

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 3, hosts: ['127.0.62.2', '127.0.62.3', '127.0.62.4'], password: PASSWORD, source: 'test', main: size, sub: { ...size, width: 352, height: 198, kbps: 120 }, audio: 'none', discovery: false });
  engine = await TestEngine.started();
});

afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

describe.concurrent('a password', () => {
  test('that is wrong when adding over ONVIF is said in one sentence, sent at most twice, and locks nobody out', async () => {
    const one = camera(0);
    await one.setQuirk('lockout', 3);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await expect(engine.add(one, WRONG)).rejects.toMatchObject({ kind: 'wrong-password', message: expect.stringMatching(/^The camera at 127\.0\.62\.2(:\d+)? .*password/) });
    }
    expect(one.wrongLogins).toBeLessThanOrEqual(MAX_WRONG_LOGINS);
    expect(one.wrongLogins).toBeGreaterThan(0);
    expect((await engine.ask('cameras.list', {})).filter((listed) => listed.camera.deviceUrl === one.onvifUrl)).toEqual([]);
    const added = await engine.add(one);
    await engine.footage(added.id, 2);
  });

  test('that is wrong when adding an rtsp:// address is treated the same', async () => {
    const two = camera(1);
    const add = (password: string) => engine.ask('cameras.add', { target: { kind: 'address', address: two.rtspUrl() }, credentials: { username: two.username, password }, name: null });
    for (let attempt = 0; attempt < 3; attempt += 1) await expect(add(WRONG)).rejects.toMatchObject({ kind: 'wrong-password', message: expect.stringContaining('password') });
    expect(two.wrongLogins).toBeLessThanOrEqual(MAX_WRONG_LOGINS);
    expect(two.wrongLogins).toBeGreaterThan(0);
    await engine.footage((await add(PASSWORD)).id, 2);
  });

  test('that is changed at the camera stops it with a sentence and few attempts, and the new one brings it back at once', async () => {
    const three = camera(2);
    const { id } = await engine.add(three);
    await engine.footage(id, 3);
    expect(three.wrongLogins).toBe(0);
    const changedMs = Date.now();
    await three.setQuirk('password', CHANGED);
    const status = await waitFor('the sentence', async () => {
      const now = await engine.status(id);
      return now.problem?.cause === 'camera-refused' ? now : null;
    });
    expect(status).toMatchObject({ recording: false, problem: { sentence: expect.stringMatching(/127\.0\.62\.4 does not accept the password any more\. Enter the new one/) } });
    // Once more after a minute, for a camera that refuses while it boots, and then not again until it is told to.
    await waitFor('it to be left alone', async () => (await engine.status(id)).state === 'refused', 100_000);
    await waitFor('both streams to have given up', async () => (await engine.status(id)).streams.every((stream) => stream.state === 'refused'), 30_000);
    // Each of the two streams asked twice.
    expect(three.wrongLogins).toBeLessThanOrEqual(2 * MAX_WRONG_LOGINS);
    const before = three.wrongLogins;
    const told = Date.now();
    await engine.ask('cameras.setCredentials', { cameraId: id, credentials: { username: three.username, password: CHANGED } });
    const gap = await engine.closedGap(id, 'camera-refused', changedMs);
    expect(gap.startMs).toBeGreaterThan(changedMs - 1_500);
    expect(gap.endMs).toBeLessThan(told + 10_000);
    expect(three.wrongLogins).toBe(before);
    expect(await engine.status(id)).toMatchObject({ state: 'live', recording: true, problem: null });
  }, 180_000);
});

test('no password is in the log, right or wrong', async () => {
  const log = await engine.log();
  expect(log).toContain('session ended');
  for (const password of [WRONG, PASSWORD, CHANGED]) expect(log).not.toContain(password);
});
