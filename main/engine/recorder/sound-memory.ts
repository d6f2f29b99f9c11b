/**
 * Streams that announce sound and send none, so that their next session asks for pictures alone and starts at once:
 * <data>/silent-sound.txt, a line per stream. Losing it costs a camera two seconds at its next start.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere } from '../core/atomic-file.ts';
import type { StreamKey } from '../ports/ingest.ts';

const FILE = 'silent-sound.txt';

export class SoundMemory {
  readonly #file: string;
  readonly #silent: Set<string>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, silent: Set<string>) {
    this.#file = file;
    this.#silent = silent;
  }

  /** Reads what the last life knew. */
  static async open(dataDir: string): Promise<SoundMemory> {
    const file = path.join(dataDir, FILE);
    const text = (await readIfThere(file).catch(() => null)) ?? '';
    return new SoundMemory(file, new Set(text.split('\n').filter((line) => line !== '')));
  }

  isSilent(key: StreamKey): boolean {
    return this.#silent.has(lineOf(key));
  }

  /** Notes what was found out; nobody waits for the disk. */
  note(key: StreamKey, silent: boolean): void {
    if (silent === this.isSilent(key)) return;
    if (silent) this.#silent.add(lineOf(key));
    else this.#silent.delete(lineOf(key));
    this.#writing = this.#writing.then(() => writeFile(this.#file, [...this.#silent].map((line) => `${line}\n`).join(''), { mode: 0o600 })).catch(() => undefined);
  }

  /** Resolves when all that was noted is written. */
  async close(): Promise<void> {
    await this.#writing;
  }
}

function lineOf(key: StreamKey): string {
  return `${key.cameraId}/${key.stream}`;
}
