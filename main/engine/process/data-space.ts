/**
 * Room for Porchlight's own data on a disk that others fill: a file of a few megabytes is kept, and given up when a start meets a full
 * disk. Recording can begin then, and with it what makes room.
 */
import { randomFillSync } from 'node:crypto';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { errorCode } from '../core/atomic-file.ts';

const FILE = 'room-for-a-start';
/** The index's log, signs of life, the log file and settings of many starts. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** The reserve is for full disks; it fills none. */
const FREE_FOR_RESERVE_BYTES = 40 * RESERVE_BYTES;
/** Below this the owner is told: settings can hardly be kept, and rows of footage wait. */
const TIGHT_BYTES = 4 * 1024 * 1024;

/** Whether an error says that a disk is full. */
export function saysFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error)) || (error instanceof PorchlightError && error.kind === 'disk-full');
}

/** Gives the reserve up; false where there is none. */
export async function giveUpReserve(dataDir: string): Promise<boolean> {
  const file = path.join(dataDir, FILE);
  if ((await stat(file).catch(() => null)) === null) return false;
  await rm(file, { force: true });
  return true;
}

export class DataSpace {
  readonly #dataDir: string;
  #problem: string | null = null;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** What the owner has to know; null where there is room. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Looks how much room there is; with `mayKeep`, keeps the reserve where there is much. True when `problem` is another than before. */
  async look(mayKeep: boolean): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#dataDir);
    const freeBytes = bavail * bsize;
    if (mayKeep && freeBytes > FREE_FOR_RESERVE_BYTES) await keepReserve(path.join(this.#dataDir, FILE));
    const before = this.#problem;
    this.#problem = freeBytes >= TIGHT_BYTES ? null : `The disk with Porchlight’s own data (${this.#dataDir}) is full. Recording goes on, but changes to cameras and settings may be lost. Make room on it.`;
    return before !== this.#problem;
  }
}

/** Bytes that no file system stores as fewer. */
async function keepReserve(file: string): Promise<void> {
  if ((await stat(file).catch(() => null)) !== null) return;
  const draft = `${file}.new`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile(randomFillSync(Buffer.allocUnsafe(RESERVE_BYTES)));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
