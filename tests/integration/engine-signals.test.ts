/** Signals to the engine's process that no supervisor sent: it stands still for a while, or is asked to end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { systemClock } from '../../main/engine/core/clock.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';

let simulator: Simulator;
let engine: TestEngine;
let cameraId: CameraId;

beforeAll(async () => {
  const size = { width: 320, height: 180, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.65.2'], source: 'test', main: size, sub: null, audio: 'none', discovery: false });
  engine = await TestEngine.started();
  cameraId = (await engine.add(forceUnwrap('the simulator has one', simulator.cameras[0]))).id;
  await engine.footage(cameraId, 3);
});
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

describe('an engine', () => {
  test('that stood still for eight seconds blames no disk, and goes on with what waited', async () => {
    const { pid } = engine;
    process.kill(pid, 'SIGSTOP');
    await systemClock.sleep(8_000);
    process.kill(pid, 'SIGCONT');
    const sinceMs = Date.now();
    await engine.footage(cameraId, 3);
    expect(engine.pid).toBe(pid);
    expect((await engine.timeline(cameraId)).spans.at(-1)?.endMs).toBeGreaterThan(sinceMs - 4_000);
    expect((await engine.timeline(cameraId)).gaps.map(({ cause }) => cause)).not.toContain('disk-too-slow');
  });

  test('that somebody else asks to end is back by itself, and the gap does not say that the owner closed it', async () => {
    const { pid } = engine;
    const sinceMs = Date.now();
    process.kill(pid, 'SIGTERM');
    await engine.closedGap(cameraId, 'porchlight-failed', sinceMs);
    expect(engine.pid).not.toBe(pid);
  });
});
