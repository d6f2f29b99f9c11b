/** Owns what the fault suite knows of processes: which are the product's, whoever their parent is by now, and what they hold. From Linux's /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { waitFor } from '../../tests/support/wait.ts';

/** Set in the product's environment, which every process it starts inherits, also those that lose their parent. */
export const MARK = 'PORCHLIGHT_FAULTS_RUN';

export interface OwnProcess {
  readonly pid: number;
  readonly parent: number;
  /** Arguments, one space between. */
  readonly command: string;
}

/** Every living process that carries this mark; a zombie is none. */
export function processesOf(mark: string): readonly OwnProcess[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`${MARK}=${mark}`)) return [];
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') return [];
      return [{ pid: Number(name), parent: Number(parent), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }];
    } catch {
      // It ended meanwhile, or is not ours to look at.
      return [];
    }
  });
}

export const isEngine = ({ command }: OwnProcess): boolean => command.includes('engine-main');
/** The recorders' own argument; batches of previews are ffmpeg too. */
export const isRecorder = ({ command }: OwnProcess): boolean => command.includes('frag_every_frame') && !command.includes('setpriv');

/** Those that are still there when they had `limitMs` to end. */
export async function leftOver(mark: string, limitMs: number): Promise<readonly OwnProcess[]> {
  await waitFor('no process to be left', () => processesOf(mark).length === 0, limitMs, 100).catch(() => undefined);
  return processesOf(mark);
}

/** Ends what a failed round left; by their ids. */
export function endAll(processes: readonly OwnProcess[]): void {
  for (const { pid } of processes) signal(pid, 'SIGKILL');
}

/** Sends a signal; false where there is no such process any more. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

export interface Holdings {
  readonly pid: number;
  readonly residentBytes: number;
  readonly descriptors: number;
}

/** What a process holds. Throws where it is gone. */
export function holdingsOf(pid: number): Holdings {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { pid, residentBytes: Number(kib ?? 0) * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** Addresses (IPv4) that a process is connected to. */
export function remoteAddressesOf(pid: number): readonly string[] {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  }));
  // proc_net_tcp: the third word is the peer, its bytes as one number of this machine's order; the tenth is the socket's inode.
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1).flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const peer = words[2]?.split(':')[0] ?? '';
    return inodes.has(words[9] ?? '') && peer.length === 8 ? [[6, 4, 2, 0].map((at) => Number.parseInt(peer.slice(at, at + 2), 16)).join('.')] : [];
  });
}
