/**
 * One Porchlight per data folder. The lock is a file that names its holder by process id, start time and boot, so that a
 * lock left by a crash is seen to be nobody's, even after its process id was given to somebody else.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { errorCode, readIfThere } from '../core/atomic-file.ts';

export interface DataLock {
  /** Gives the folder free. */
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** When the process started, in the system's own terms; empty where it cannot be told. */
  readonly started: string;
}

const ATTEMPTS = 5;

/** Takes the folder's lock, or throws `data-in-use` while a living process holds it. */
export async function lockDataFolder(dataDir: string): Promise<DataLock> {
  const file = path.join(dataDir, 'porchlight.lock');
  const own = JSON.stringify({ pid: process.pid, started: (await processStarted(process.pid)) ?? '' } satisfies Holder);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await tryCreate(file, own)) return { release: () => release(file, own) };
    const seen = await readIfThere(file);
    if (seen === null) continue;
    const holder = parseHolder(seen);
    if (holder !== null && (await isAlive(holder))) {
      throw new PorchlightError('data-in-use', `Porchlight is already running with this data folder (${dataDir}), as process ${holder.pid}. Use that one, or close it first.`);
    }
    await setAside(file, seen);
  }
  throw new PorchlightError('data-in-use', `Another Porchlight is starting with this data folder (${dataDir}). Use that one, or close it first.`);
}

/** Whether a living process holds the folder's lock. */
export async function isDataFolderInUse(dataDir: string): Promise<boolean> {
  const holder = parseHolder((await readIfThere(path.join(dataDir, 'porchlight.lock'))) ?? '');
  return holder !== null && (await isAlive(holder));
}

/** The whole content appears at once under the final name: a half-written lock cannot be read. */
async function tryCreate(file: string, content: string): Promise<boolean> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, content, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (errorCode(error) !== 'EPERM' && errorCode(error) !== 'ENOTSUP') throw error;
    return await createWithoutLinks(file, content);
  } finally {
    await rm(draft, { force: true });
  }
}

/** For file systems without hard links (exFAT). */
async function createWithoutLinks(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead holder's lock away. If somebody living took it in the meantime, it is put back. */
async function setAside(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readIfThere(aside)) !== stale) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function release(file: string, own: string): Promise<void> {
  if ((await readIfThere(file)) === own) await rm(file, { force: true });
}

function parseHolder(text: string): Holder | null {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    return typeof value.pid === 'number' && typeof value.started === 'string' ? { pid: value.pid, started: value.started } : null;
  } catch {
    return null;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
  }
  const started = await processStarted(holder.pid);
  return started !== null && (holder.started === '' || started === '' || started === holder.started);
}

/**
 * When a process started: text to compare only. Null when there is no such process (or a zombie), '' where it cannot be
 * told without running another program; there a process id given anew within the same boot counts as the holder.
 */
async function processStarted(pid: number): Promise<string | null> {
  return process.platform === 'linux' ? await linuxStarted(pid) : '';
}

/** Fields 3 (state) and 22 (start in clock ticks since boot) of /proc/<pid>/stat (proc_pid_stat(5)), and the boot. */
async function linuxStarted(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = (await readIfThere('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
    return fields[0] === 'Z' || fields[0] === 'X' ? null : `${boot}/${fields[19] ?? ''}`;
  } catch {
    return null;
  }
}
