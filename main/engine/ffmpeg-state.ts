/**
 * Which ffmpeg is used at the moment, and why none is where there is none. What was found is remembered with the file's
 * size and time, so that a restart records at once and the check of version and abilities follows beside it.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../shared/errors.ts';
import { readIfThere, replaceFile } from './core/atomic-file.ts';
import type { Logger } from './core/logger.ts';
import { type FfmpegBinary, findFfmpeg } from './ffmpeg/binary.ts';

export interface FfmpegStateParts {
  readonly dataDir: string;
  readonly binDir: string | null;
  readonly setting: () => string | null;
  readonly log: Logger;
}

interface Remembered {
  readonly setting: string | null;
  readonly binDir: string | null;
  readonly file: string;
  readonly found: FfmpegBinary;
}

export class FfmpegState {
  readonly #parts: FfmpegStateParts;
  #found: FfmpegBinary | null = null;
  #problem: PorchlightError | null = null;
  #looks: Promise<unknown> = Promise.resolve();

  constructor(parts: FfmpegStateParts) {
    this.#parts = parts;
  }

  get found(): FfmpegBinary | null {
    return this.#found;
  }

  get problem(): PorchlightError | null {
    return this.#problem;
  }

  /** The program's path. Throws the problem where there is none. */
  require(): string {
    if (this.#found === null) throw this.#problem ?? new PorchlightError('ffmpeg-missing', 'ffmpeg has not been found yet. Try again in a moment.');
    return this.#found.ffmpegPath;
  }

  /** Takes what an earlier life found, where the file is still the same; false where it has to be looked for. */
  async recall(): Promise<boolean> {
    const text = await readIfThere(this.#memory);
    const remembered = text === null ? null : parse(text);
    if (remembered === null || remembered.setting !== this.#parts.setting() || remembered.binDir !== this.#parts.binDir) return false;
    if ((await describeFile(remembered.found.ffmpegPath)) !== remembered.file) return false;
    this.#found = remembered.found;
    return true;
  }

  /** Looks again; true when what is used is another now. One look after the other, so that one that began with older settings has not the last word. */
  refresh(): Promise<boolean> {
    const done = this.#looks.then(() => this.#look());
    this.#looks = done.catch(() => undefined);
    return done;
  }

  async #look(): Promise<boolean> {
    const before = JSON.stringify([this.#found, this.#problem?.message]);
    const setting = this.#parts.setting();
    try {
      this.#found = await findFfmpeg({ setting, binDir: this.#parts.binDir });
      this.#problem = null;
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      this.#found = null;
      this.#problem = error;
    }
    const changed = JSON.stringify([this.#found, this.#problem?.message]) !== before;
    if (changed && this.#problem !== null) this.#parts.log.warn('no ffmpeg', this.#problem);
    if (changed && this.#found !== null) await this.#remember(setting, this.#found);
    return changed;
  }

  get #memory(): string {
    return path.join(this.#parts.dataDir, 'ffmpeg.json');
  }

  async #remember(setting: string | null, found: FfmpegBinary): Promise<void> {
    this.#parts.log.info(`ffmpeg ${found.version} at ${found.ffmpegPath}`);
    const file = await describeFile(found.ffmpegPath);
    if (file === null) return;
    const remembered: Remembered = { setting, binDir: this.#parts.binDir, file, found };
    await replaceFile(this.#memory, JSON.stringify(remembered)).catch((error: unknown) => this.#parts.log.warn('the place of ffmpeg could not be noted', error));
  }
}

/** Path, size and time of a program, found along PATH where it is only a name; null where there is none. */
async function describeFile(program: string): Promise<string | null> {
  const folders = path.isAbsolute(program) ? [''] : (process.env['PATH'] ?? '').split(path.delimiter);
  for (const folder of folders) {
    const file = path.join(folder, program);
    const entry = await stat(file).catch(() => null);
    if (entry?.isFile() === true) return `${file} ${entry.size} ${entry.mtimeMs}`;
  }
  return null;
}

function parse(text: string): Remembered | null {
  try {
    const value = JSON.parse(text) as Partial<Remembered>;
    return typeof value.file === 'string' && typeof value.found?.ffmpegPath === 'string' ? (value as Remembered) : null;
  } catch {
    return null;
  }
}
