/** Which children we started, by pid and start time, so that an orphan of an earlier life is recognised and ended (R5). */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere } from '../core/atomic-file.ts';
import { runToEnd } from './process.ts';

const FILE = 'children.txt';

/** What tells a process from a later one with the same pid: boot id and start time; null when there is no such process or the system does not say. */
export async function processIdentity(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    try {
      const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')]);
      // The name in parentheses may hold spaces; start time is field 22, a zombie (Z) is no longer running.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? null : `${boot.trim()}/${fields[19] ?? ''}`;
    } catch {
      return null;
    }
  }
  if (process.platform === 'win32') return null;
  const run = await runToEnd('ps', ['-o', 'lstart=', '-p', String(pid)], 3_000);
  return run.ok && run.stdout.trim() !== '' ? run.stdout.trim().replaceAll(' ', '_') : null;
}

/** The ledger of one engine life. Writes are in order and never awaited by the recorder. */
export class ChildLedger {
  readonly #file: string;
  readonly #children = new Map<number, string>();
  #last: Promise<void> = Promise.resolve();

  constructor(dataDir: string) {
    this.#file = path.join(dataDir, FILE);
  }

  /** Kills every child of an earlier life that still runs; returns their pids. Call once, before the first child. */
  async reapOrphans(): Promise<number[]> {
    const killed: number[] = [];
    for (const line of ((await readIfThere(this.#file)) ?? '').split('\n')) {
      const [pidText, identity] = line.split(' ');
      const pid = Number(pidText);
      if (!Number.isSafeInteger(pid) || pid <= 1 || pid === process.pid || identity === undefined) continue;
      if ((await processIdentity(pid)) !== identity) continue;
      try {
        process.kill(pid, 'SIGKILL');
        killed.push(pid);
      } catch {
        // It ended by itself in the meantime.
      }
    }
    await this.#write();
    return killed;
  }

  async add(pid: number): Promise<void> {
    const identity = await processIdentity(pid);
    if (identity === null) return;
    this.#children.set(pid, identity);
    await this.#write();
  }

  async remove(pid: number): Promise<void> {
    if (this.#children.delete(pid)) await this.#write();
  }

  #write(): Promise<void> {
    const text = Array.from(this.#children, ([pid, identity]) => `${pid} ${identity}\n`).join('');
    // A ledger that cannot be written (full disk) must not stop a recorder: it is the second net, not the first.
    this.#last = this.#last.then(() => writeFile(this.#file, text, { mode: 0o600 })).catch(() => undefined);
    return this.#last;
  }
}
