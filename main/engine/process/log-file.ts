/** The engine's log on disk, <data>/logs/porchlight.log: appended in order, rotated by size, and never a reason to fail. */
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { LogEntry, LogSink } from '../core/logger.ts';
import { errorCode } from '../core/atomic-file.ts';

export interface LogFile {
  readonly sink: LogSink;
  /** The newest lines, oldest first. */
  recent(): readonly string[];
  /** Writes what is queued and closes the file. */
  close(): Promise<void>;
}

/** Five files of 2 MB: weeks of a healthy home, hours of a very sick one. */
const ROTATE_BYTES = 2 * 1024 * 1024;
const KEPT_FILES = 5;
const RECENT_LINES = 500;
/** Lines waiting for a disk that is stuck; more are counted and dropped. */
const MAX_QUEUED_LINES = 5_000;

/** Opens the log. Lines above debug also go to `echo` where one is given. */
export async function openLogFile(folder: string, clock: Clock, echo: ((line: string) => void) | null = null): Promise<LogFile> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const writer = new RotatingWriter(path.join(folder, 'porchlight.log'));
  const recent: string[] = [];
  return {
    sink: (entry) => {
      const line = formatLine(entry, clock.nowMs());
      recent.push(line);
      if (recent.length > RECENT_LINES) recent.shift();
      if (entry.level === 'debug') return;
      writer.add(line);
      echo?.(line);
    },
    recent: () => recent,
    close: () => writer.close(),
  };
}

function formatLine(entry: LogEntry, nowMs: number): string {
  const scope = entry.scope === '' ? '' : ` ${entry.scope}:`;
  return `${new Date(nowMs).toISOString()} ${entry.level.toUpperCase()}${scope} ${entry.message.replaceAll('\n', ' | ')}`;
}

class RotatingWriter {
  readonly #file: string;
  #queue: string[] = [];
  #dropped = 0;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #handle: FileHandle | null = null;
  #sizeBytes = 0;

  constructor(file: string) {
    this.#file = file;
  }

  add(line: string): void {
    if (this.#queue.length >= MAX_QUEUED_LINES) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(line);
    if (!this.#busy) {
      this.#busy = true;
      this.#writing = this.#drain();
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle?.close().catch(() => undefined);
    this.#handle = null;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const lines = this.#queue.splice(0);
      if (this.#dropped > 0) lines.push(`(${this.#dropped} lines were dropped because the log could not be written fast enough)`);
      this.#dropped = 0;
      // A full or missing disk must not end the recorder for want of a log.
      await this.#write(`${lines.join('\n')}\n`).catch(() => undefined);
    }
    this.#busy = false;
  }

  async #write(text: string): Promise<void> {
    this.#handle ??= await this.#open();
    await this.#handle.appendFile(text);
    this.#sizeBytes += Buffer.byteLength(text);
    if (this.#sizeBytes >= ROTATE_BYTES) await this.#rotate();
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#file, 'a', 0o600);
    this.#sizeBytes = (await handle.stat()).size;
    return handle;
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
    for (let index = KEPT_FILES - 2; index >= 0; index -= 1) {
      const from = index === 0 ? this.#file : `${this.#file}.${index}`;
      await rename(from, `${this.#file}.${index + 1}`).catch((error: unknown) => {
        if (errorCode(error) !== 'ENOENT') throw error;
      });
    }
  }
}
