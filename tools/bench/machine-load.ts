/** How busy the whole machine was during a run: figures of a shared machine mean little without it. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

interface CpuTimes {
  readonly busy: number;
  readonly stolen: number;
  readonly all: number;
}

/** Ticks of all cores since boot (proc(5), /proc/stat). */
function readTimes(): CpuTimes {
  const ticks = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = ticks;
  const all = ticks.reduce((sum, each) => sum + each, 0);
  return { busy: all - idle - waiting, stolen, all };
}

/** Starts watching; the answer says in a sentence how busy the machine was since then. */
export function watchLoad(): () => string {
  const before = readTimes();
  return () => {
    const now = readTimes();
    const share = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(1, whole))} %`;
    const all = now.all - before.all;
    return `Machine: ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${share(now.busy - before.busy, all)} busy during this run with everything that ran on it, ${share(now.stolen - before.stolen, all)} taken by its host.`;
  };
}

/** Starts watching; the answer is the share of all cores' time, 0 to 1, that was busy or taken by the host since then. */
export function watchBusyShare(): () => number {
  const before = readTimes();
  return () => {
    const now = readTimes();
    return (now.busy - before.busy) / Math.max(1, now.all - before.all);
  };
}
