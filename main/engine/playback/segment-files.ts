/** Open segment files and their inits, shared by all playback streams: a small, bounded cache of handles with positional reads. */
import { type FileHandle, open } from 'node:fs/promises';
import nodePath from 'node:path';
import { type InitSegment, parseInit } from '../../../shared/media/init.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import { readIdentity } from '../storage/root.ts';

/** 16 pictures playing at once, each with the next segment's file open already. */
const MAX_HANDLES = 32;
/** A deleted file's space comes back when its last handle closes; scrubbing returns to a file within seconds. */
const IDLE_CLOSE_MS = 10_000;

interface OpenFile {
  readonly opening: Promise<FileHandle>;
  /** Counted from before it is open, so that nobody closes what somebody waits for. */
  readers: number;
  usedMs: number;
  /** Taken out of the cache; closes when its last reader is done. */
  dropped: boolean;
  init: FileInit | null;
}

/** ftyp + moov of a segment. */
export interface FileInit {
  readonly bytes: Uint8Array;
  readonly parsed: InitSegment;
}

export class SegmentFiles {
  readonly #clock: Clock;
  readonly #rootPaths: () => readonly string[];
  /** By path, the least recently used first. */
  readonly #files = new Map<string, OpenFile>();
  readonly #closing = new Set<Promise<void>>();
  #stopSweep: (() => void) | null = null;
  #closed = false;

  /** `rootPaths`: the disks in use, for files that moved from one to another since their path was asked for. */
  constructor(clock: Clock, rootPaths: () => readonly string[] = () => []) {
    this.#clock = clock;
    this.#rootPaths = rootPaths;
  }

  /**
   * Up to `length` bytes from `position`, in a buffer of their own; fewer where the file ends. Rejects with the system's error
   * (ENOENT where the file is gone, ENODEV where its disk is).
   */
  async read(path: string, position: number, length: number): Promise<Uint8Array> {
    return await this.#with(path, async (handle) => await readFully(handle, position, length));
  }

  /** The first `initBytes` of a segment, parsed; read once per open file. Rejects with the system's error or MalformedMediaError. */
  async init(path: string, initBytes: number): Promise<FileInit> {
    return await this.#with(path, async (handle, file) => {
      if (file.init === null) {
        const bytes = await readFully(handle, 0, initBytes);
        file.init = { bytes, parsed: parseInit(bytes) };
      }
      return file.init;
    });
  }

  /** Current size of the file in bytes. */
  async size(path: string): Promise<number> {
    return await this.#with(path, async (handle) => (await handle.stat()).size);
  }

  /** How many files are open or being opened. */
  get openCount(): number {
    return this.#files.size;
  }

  /** Closes every file; one that is being read closes by itself when that is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweep?.();
    this.#stopSweep = null;
    for (const path of [...this.#files.keys()]) this.#drop(path);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  async #with<T>(path: string, use: (handle: FileHandle, file: OpenFile) => Promise<T>): Promise<T> {
    const file = this.#open(path);
    file.readers += 1;
    file.usedMs = this.#clock.monotonicMs();
    try {
      return await use(await file.opening, file);
    } finally {
      file.readers -= 1;
      if (file.dropped && file.readers === 0) this.#closeHandle(file);
    }
  }

  #open(path: string): OpenFile {
    const known = this.#files.get(path);
    if (known !== undefined) {
      this.#files.delete(path);
      this.#files.set(path, known);
      return known;
    }
    if (this.#closed) throw new Error('the segment files are closed');
    const file: OpenFile = { opening: openWherever(path, this.#rootPaths()), readers: 0, usedMs: 0, dropped: false, init: null };
    this.#files.set(path, file);
    file.opening.catch(() => {
      if (this.#files.get(path) === file) this.#files.delete(path);
    });
    this.#stopSweep ??= this.#clock.every(IDLE_CLOSE_MS / 2, () => this.#sweep());
    const oldest = this.#files.keys().next();
    if (this.#files.size > MAX_HANDLES && oldest.done !== true) this.#drop(oldest.value);
    return file;
  }

  #sweep(): void {
    const limitMs = this.#clock.monotonicMs() - IDLE_CLOSE_MS;
    for (const [path, file] of this.#files) if (file.readers === 0 && file.usedMs < limitMs) this.#drop(path);
    if (this.#files.size > 0) return;
    this.#stopSweep?.();
    this.#stopSweep = null;
  }

  #drop(path: string): void {
    const file = this.#files.get(path);
    this.#files.delete(path);
    if (file === undefined) return;
    file.dropped = true;
    if (file.readers === 0) this.#closeHandle(file);
  }

  #closeHandle(file: OpenFile): void {
    // What could not be opened or will not close has nothing left to lose: it was only read from.
    this.#track(file.opening.then(async (handle) => await handle.close()).catch(() => undefined));
  }

  #track(work: Promise<void>): void {
    this.#closing.add(work);
    void work.then(() => this.#closing.delete(work));
  }
}

async function readFully(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  // Not from Node's pool: the bytes are handed over to the viewer with their buffer.
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === length ? bytes : bytes.subarray(0, done);
}

/** A moved segment keeps its name relative to its root, and its bytes: a file that is gone is looked for on the other disks. */
async function openWherever(file: string, rootPaths: readonly string[]): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    const root = rootPaths.find((one) => file.startsWith(one + nodePath.sep));
    if (errorCode(error) !== 'ENOENT' || root === undefined) throw error;
    for (const other of rootPaths) {
      const handle = other === root ? null : await open(nodePath.join(other, nodePath.relative(root, file)), 'r').catch(() => null);
      if (handle !== null) return handle;
    }
    await readIdentity(root).catch((cause: unknown) => {
      throw Object.assign(new Error(`the disk of ${file} is not here`, { cause }), { code: 'ENODEV' });
    });
    throw error;
  }
}
