/** One segment file while it is written: made durable from its name on, then in steps of a second (DESIGN.md section 4, "Create"). */
import type { Stats } from 'node:fs';
import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import type { RootId } from '../../../shared/model/ids.ts';
import { errorCode, syncFolder } from '../core/atomic-file.ts';
import { diskError, makeFolder, readIdentity } from './root.ts';
import { segmentFileName, segmentFolder, type SegmentName } from './segment-name.ts';

export interface SegmentPlace {
  readonly rootId: RootId;
  readonly rootPath: string;
}

/** Every method rejects with what `diskError` makes of the system's error. */
export class SegmentFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #place: SegmentPlace;
  readonly #rootPath: string;
  #sizeBytes = 0;
  #harm: 'taken' | 'changed' | null = null;

  /** Which file it is, whatever its name leads to later. */
  readonly #own: Pick<Stats, 'ino' | 'dev'>;

  private constructor(filePath: string, handle: FileHandle, own: Pick<Stats, 'ino' | 'dev'>, place: SegmentPlace) {
    this.path = filePath;
    this.#handle = handle;
    this.#own = { ino: own.ino, dev: own.dev };
    this.#place = place;
    this.#rootPath = place.rootPath;
  }

  /**
   * Creates the file, which must not exist, with `head` in it; name, folders and content are durable when it resolves.
   * The root's identity is read first, so that an unmounted disk's empty folder is never written to (`disk-missing`, `disk-wrong`).
   */
  static async create(place: SegmentPlace, name: SegmentName, head: Uint8Array): Promise<SegmentFile> {
    try {
      const found = await readIdentity(place.rootPath);
      if (found !== place.rootId) throw Object.assign(new Error(`disk ${found} is where ${place.rootId} should be`), { code: 'ENODEV' });
      const folder = path.join(place.rootPath, ...segmentFolder(name).split('/'));
      await makeFolder(folder);
      const filePath = path.join(folder, segmentFileName(name));
      const handle = await open(filePath, 'wx', 0o644);
      const own = await handle.stat().catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
      const file = new SegmentFile(filePath, handle, own, place);
      try {
        await file.append([head]);
        await file.#handle.sync();
        await syncFolder(folder);
      } catch (error) {
        await file.discard();
        throw error;
      }
      return file;
    } catch (error) {
      throw diskError(error, place.rootPath);
    }
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Writes all of `parts` at the end; goes on after a short write. */
  async append(parts: readonly Uint8Array[]): Promise<void> {
    try {
      // Written on behind another end than ours, it would have a hole or somebody else's bytes in it.
      if ((await this.#handle.stat()).size !== this.#sizeBytes) throw this.#harmed('changed');
      let rest = [...parts];
      while (rest.length > 0) {
        const { bytesWritten } = await this.#handle.writev(rest, this.#sizeBytes);
        this.#sizeBytes += bytesWritten;
        rest = dropBytes(rest, bytesWritten);
        if (bytesWritten === 0 && rest.length > 0) throw Object.assign(new Error('the disk took nothing'), { code: 'ENOSPC' });
      }
    } catch (error) {
      throw diskError(error, this.#rootPath);
    }
  }

  /** What somebody else did to the file, on a disk that is well: deleted, renamed or replaced it (`taken`), cut it short or wrote to it. Nothing in it can be counted on. */
  get harm(): 'taken' | 'changed' | null {
    return this.#harm;
  }

  /** What was appended before survives a power cut when it resolves, under the file's name. */
  async sync(): Promise<void> {
    try {
      await this.#handle.datasync();
      await this.#requireInPlace();
    } catch (error) {
      throw diskError(error, this.#rootPath);
    }
  }

  /** A file that somebody deletes goes on taking bytes, which nobody will ever read. */
  async #requireInPlace(): Promise<void> {
    const named = await stat(this.path).catch(() => null);
    if (named !== null && named.ino === this.#own.ino && named.dev === this.#own.dev) return;
    // A whole disk that is away says so itself.
    if ((await readIdentity(this.#rootPath)) !== this.#place.rootId) throw Object.assign(new Error('another disk is there'), { code: 'ENODEV' });
    throw this.#harmed('taken');
  }

  #harmed(harm: 'taken' | 'changed'): PorchlightError {
    this.#harm = harm;
    return new PorchlightError('disk-failing', `A file of footage was ${harm === 'changed' ? 'changed' : 'taken away'} while Porchlight wrote it (${this.path}). Keep other programs out of that folder.`);
  }

  /** Cuts the file back, for a file that a full disk left with half a fragment at its end. */
  async truncate(sizeBytes: number): Promise<void> {
    try {
      await this.#handle.truncate(sizeBytes);
      this.#sizeBytes = sizeBytes;
    } catch (error) {
      throw diskError(error, this.#rootPath);
    }
  }

  /** Synced with its length, and closed. */
  async close(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
    } catch (error) {
      await this.abandon();
      throw diskError(error, this.#rootPath);
    }
  }

  /** Closes and removes a file in which nothing is whole, as far as the disk lets us. */
  async discard(): Promise<void> {
    await this.abandon();
    try {
      await unlink(this.path);
    } catch (error) {
      if (errorCode(error) === '') throw error;
    }
  }

  /** Closes without a promise about the content; what is whole in it is found by the next start. */
  async abandon(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (error) {
      if (errorCode(error) === '') throw error;
    }
  }
}

function dropBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = count;
  for (const part of parts) {
    if (skip >= part.length) skip -= part.length;
    else {
      rest.push(skip > 0 ? part.subarray(skip) : part);
      skip = 0;
    }
  }
  return rest;
}
