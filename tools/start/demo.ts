/** The demo's cameras: the simulator as a child of its own, which the app meets as it meets any camera. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import type { CameraToAdd } from '../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../shared/errors.ts';

export interface DemoCameras {
  readonly cameras: readonly CameraToAdd[];
  /** Ends the simulator and waits for it. */
  stop(): Promise<void>;
}

const CAMERA_COUNT = 4;
/** The scenes are rendered once and kept; on a slow machine the first time takes a while. */
const START_LIMIT_MS = 120_000;

/** Starts the simulator and waits until its cameras answer, or `signal` aborts. */
export async function startDemoCameras(root: string, signal: AbortSignal): Promise<DemoCameras> {
  const args = [path.join(root, 'tools/sim/main.ts'), '--json', '--cameras', String(CAMERA_COUNT)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: process.platform !== 'win32' });
  const stop = (): Promise<void> => endChild(child);
  try {
    return { cameras: await firstAnswer(child, signal), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first line of JSON on stdout names the cameras. */
function firstAnswer(child: ChildProcess, signal: AbortSignal): Promise<readonly CameraToAdd[]> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new PorchlightError('internal', `The simulated cameras did not start (${why}).`));
    };
    const timer = setTimeout(() => fail('they took too long'), START_LIMIT_MS);
    signal.addEventListener('abort', () => fail('you ended it'), { once: true });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`exit code ${code}`));
    if (child.stdout === null) {
      fail('no output');
      return;
    }
    createInterface({ input: child.stdout }).on('line', (line) => {
      const cameras = camerasIn(line);
      if (cameras === null) return;
      clearTimeout(timer);
      resolve(cameras);
    });
  });
}

function camerasIn(line: string): readonly CameraToAdd[] | null {
  if (!line.startsWith('{')) return null;
  const value = JSON.parse(line) as { readonly cameras?: readonly Record<string, unknown>[] };
  return value.cameras?.map(toCamera) ?? null;
}

function toCamera(camera: Record<string, unknown>): CameraToAdd {
  const text = (name: string): string | null => (typeof camera[name] === 'string' ? camera[name] : null);
  return { name: text('name'), address: text('onvifUrl') ?? text('rtspMain') ?? '', username: text('username'), password: text('password') };
}

function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
