/** CPU time and memory of process trees, from Linux's /proc; the benchmarks that need it say so elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';

/** Kernel ticks per second in /proc/PID/stat (USER_HZ, 100 on every Linux this runs on). */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of the process, and of its reaped children. */
  readonly cpuSeconds: number;
}

function readStat(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, also spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    const [parent = 0, own = 0, system = 0, reapedOwn = 0, reapedSystem = 0] = [fields[1], fields[11], fields[12], fields[13], fields[14]];
    return { pid, parent, cpuSeconds: (own + system + reapedOwn + reapedSystem) / TICKS_PER_SECOND };
  } catch {
    return null;
  }
}

/** The process and all its descendants. */
function tree(root: number): Stat[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => readStat(Number(name))).filter((stat) => stat !== null);
  const members = new Set([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const { pid, parent } of all) {
      if (members.has(parent) && !members.has(pid)) {
        members.add(pid);
        grew = true;
      }
    }
  }
  return all.filter(({ pid }) => members.has(pid));
}

/** CPU seconds used so far by a process tree, reaped children included. */
export function cpuSecondsOf(root: number): number {
  return tree(root).reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

export interface ProcessMemory {
  readonly pid: number;
  /** Last part of the program's name, as /proc/PID/cmdline has it. */
  readonly program: string;
  /** Proportional set size: shared pages count by share. */
  readonly pssBytes: number;
}

/** What each process of a tree holds, the root first; those that ended meanwhile are missing. */
export function memoryOf(root: number): readonly ProcessMemory[] {
  return tree(root)
    .flatMap(({ pid }) => {
      try {
        const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
        const program = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0', 1)[0]?.split('/').at(-1) ?? '';
        return kib === undefined ? [] : [{ pid, program, pssBytes: Number(kib) * 1024 }];
      } catch {
        return [];
      }
    })
    .toSorted((one, other) => Number(other.pid === root) - Number(one.pid === root));
}
