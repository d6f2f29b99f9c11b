/** One still of a camera: a picture, or a sentence why there is none; the password stays out of arguments and errors (R7). */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { grabStill } from '../../main/engine/ffmpeg/jobs.ts';
import { type PorchlightError, describeError } from '../../shared/errors.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { childrenOf } from './recorder-rig.ts';

const PASSWORD = 'rote-Tonne-12';
let simulator: SimulatorProcess;

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'test', '--discovery-port', '0', '--password', PASSWORD]);
});
afterAll(async () => {
  await simulator.stop();
});

function input(password: string) {
  const camera = simulator.cameras[0];
  if (camera === undefined) throw new Error('no camera');
  return { url: camera.rtspMain, username: camera.username, password, transport: 'tcp' } as const;
}

const failureOf = (still: Promise<unknown>): Promise<PorchlightError> => still.then(() => Promise.reject(new Error('a picture came')), (error: PorchlightError) => error);

it('is a JPEG, and no argument holds the password meanwhile', async () => {
  const grabbed = grabStill('ffmpeg', input(PASSWORD), systemClock);
  let over = false;
  void grabbed.finally(() => (over = true)).catch(() => undefined);
  const seen = new Set<string>();
  while (!over) {
    for (const pid of await childrenOf(process.pid)) if (pid !== simulator.child.pid) seen.add(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    await systemClock.sleep(20);
  }
  const jpeg = await grabbed;
  expect([jpeg[0], jpeg[1], jpeg.at(-2), jpeg.at(-1)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
  expect([...seen].some((line) => line.includes('image2pipe'))).toBe(true);
  expect([...seen].join()).not.toContain(PASSWORD);
});

it('is refused with a sentence and without the password', async () => {
  const error = await failureOf(grabStill('ffmpeg', input('falsche-Tonne'), systemClock));
  expect(error.kind).toBe('no-video');
  expect(String(error.cause)).toContain('401');
  expect(describeError(error) + String(error.cause) + (error.stack ?? '')).not.toContain('falsche-Tonne');
});

it('says when there is no ffmpeg', async () => {
  expect((await failureOf(grabStill('/nowhere/ffmpeg', input(PASSWORD), systemClock))).kind).toBe('ffmpeg-missing');
});
