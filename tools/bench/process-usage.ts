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
  /** Proportional set size: shared pages count by share, also those shared with processes outside the tree. */
  readonly pssBytes: number;
  /** Pages of no file, or of a file and changed: relocations, heaps, stacks. */
  readonly anonymousBytes: number;
  /** Unchanged pages of programs and libraries, by path. */
  readonly fileBytes: ReadonlyMap<string, number>;
}

/** What each process of a tree holds, the root first; those that ended meanwhile are missing. */
export function memoryOf(root: number): readonly ProcessMemory[] {
  return tree(root)
    .flatMap(({ pid }) => {
      try {
        const program = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0', 1)[0]?.split('/').at(-1) ?? '';
        return [{ pid, program, ...sumOf(readFileSync(`/proc/${pid}/smaps`, 'utf8')) }];
      } catch {
        return [];
      }
    })
    .toSorted((one, other) => Number(other.pid === root) - Number(one.pid === root));
}

/** Sums over /proc/PID/smaps (proc_pid_smaps(5)). */
function sumOf(smaps: string): Pick<ProcessMemory, 'pssBytes' | 'anonymousBytes' | 'fileBytes'> {
  const fileBytes = new Map<string, number>();
  let [pssBytes, anonymousBytes, residentBytes, file] = [0, 0, 0, ''];
  for (const line of smaps.split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/.exec(line);
    if (mapping !== null) file = mapping[1] ?? '';
    const [, name, kib] = /^(Rss|Pss|Anonymous): +(\d+) kB/.exec(line) ?? [];
    const bytes = Number(kib ?? 0) * 1024;
    if (name === 'Rss') residentBytes = bytes;
    else if (name === 'Pss') pssBytes += bytes;
    else if (name === 'Anonymous') {
      anonymousBytes += bytes;
      if (file.startsWith('/')) fileBytes.set(file, (fileBytes.get(file) ?? 0) + residentBytes - bytes);
    }
  }
  return { pssBytes, anonymousBytes, fileBytes };
}

/**
 * What these processes would hold if nothing else ran: their own pages, and of each file the pages of the process that uses most of it.
 * More than the sum of their PSS by what others on the machine share (a simulator under the same Node).
 */
export function aloneBytes(processes: readonly ProcessMemory[]): number {
  const files = new Map<string, number>();
  for (const { fileBytes } of processes) for (const [file, bytes] of fileBytes) files.set(file, Math.max(files.get(file) ?? 0, bytes));
  const shared = [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
  return processes.reduce((sum, { anonymousBytes }) => sum + anonymousBytes, shared);
}
