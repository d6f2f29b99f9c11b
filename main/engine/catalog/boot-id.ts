/** Names this start of the computer, so that a crash of the program and a loss of power can be told apart. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import type { EpochMs } from '../../../shared/time.ts';
import { runToEnd } from '../ffmpeg/process.ts';

/** Linux and macOS give an id; elsewhere the moment of the start serves (see `sameBoot`). */
export async function readBootId(nowMs: EpochMs): Promise<string> {
  try {
    if (process.platform === 'linux') return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    if (process.platform === 'darwin') {
      const { stdout } = await runToEnd('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], SYSCTL_TIMEOUT_MS);
      if (stdout.trim() !== '') return stdout.trim();
    }
  } catch {
    // A sandbox may hide either; the moment of the start is always known.
  }
  return `booted-${Math.round(nowMs - bootClockMs())}`;
}

const SYSCTL_TIMEOUT_MS = 5_000;
/** Clocks are set by a second now and then; no computer starts twice within this. */
const SAME_START_MS = 20_000;

/** Whether two ids name the same start of the computer. */
export function sameBoot(a: string, b: string): boolean {
  const [atMs, otherMs] = [a, b].map((id) => (id.startsWith('booted-') ? Number(id.slice('booted-'.length)) : Number.NaN));
  return a === b || Math.abs((atMs ?? Number.NaN) - (otherMs ?? Number.NaN)) < SAME_START_MS;
}

/** Milliseconds since the computer started, sleep included (CLOCK_BOOTTIME on Linux, its like elsewhere). */
export function bootClockMs(): number {
  return os.uptime() * 1_000;
}

/** Whether the monotonic clock stands still while the computer sleeps: not on Windows, whose performance counter goes on. */
export const MONOTONIC_STOPS_IN_SLEEP = process.platform !== 'win32';
