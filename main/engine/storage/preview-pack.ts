/** Preview packs on disk: appended in batches, synced, trimmed after a fault, read through a small cache of their indexes. */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { isMissing, syncFolder } from '../core/atomic-file.ts';
import { EMPTY_INDEX, type PackedPreview, PackIndex, scanPack } from './preview-index.ts';
import { decodePackName, isDayName, packHourMs, packPath, previewFolder } from './preview-name.ts';
import { encodeRecord, pictureOf } from './preview-record.ts';
import { makeFolder, readIdentity } from './root.ts';

/** Four days of one camera, or an hour of a whole street: about 100 kB each. */
const CACHED_INDEXES = 96;

export interface NewPreview {
  readonly atMs: EpochMs;
  readonly jpeg: Uint8Array;
}

export interface PackPicture {
  readonly atMs: EpochMs;
  readonly jpeg: Uint8Array;
}

/** The packs of every camera on every root. One instance per engine: it knows what it has indexed. */
export class PreviewPacks {
  /** By path, the least recently used first. */
  readonly #indexes = new Map<string, PackIndex>();
  /** By camera: appends run one after another. */
  readonly #appends = new Map<CameraId, Promise<void>>();

  /**
   * Adds pictures of one camera to the packs of their hours under `rootPath`; durable when it resolves. Rejects with PorchlightError
   * `disk-missing` or `disk-wrong` where the root is not there, ForeignPackError where a pack is not this camera's, or the system's error;
   * then the pack holds whole records only, some of these among them.
   */
  async append(rootPath: string, cameraId: CameraId, previews: readonly NewPreview[]): Promise<void> {
    const before = this.#appends.get(cameraId) ?? Promise.resolve();
    const mine = before.then(() => this.#append(rootPath, cameraId, previews));
    const settled = mine.catch(() => undefined);
    this.#appends.set(cameraId, settled);
    try {
      await mine;
    } finally {
      if (this.#appends.get(cameraId) === settled) this.#appends.delete(cameraId);
    }
  }

  async #append(rootPath: string, cameraId: CameraId, previews: readonly NewPreview[]): Promise<void> {
    const byHour = new Map<EpochMs, NewPreview[]>();
    for (const preview of previews) {
      const hourMs = packHourMs(preview.atMs);
      const sameHour = byHour.get(hourMs);
      if (sameHour === undefined) byHour.set(hourMs, [preview]);
      else sameHour.push(preview);
    }
    for (const [hourMs, sameHour] of byHour) await this.#appendHour(rootPath, packPath(rootPath, cameraId, hourMs), cameraId, sameHour);
  }

  async #appendHour(rootPath: string, file: string, cameraId: CameraId, previews: readonly NewPreview[]): Promise<void> {
    const handle = await openForAppend(rootPath, file);
    try {
      const { size } = await handle.stat();
      const index = await this.#indexOf(handle, file, cameraId, size);
      if (size > index.validBytes) await handle.truncate(index.validBytes);
      let at = index.validBytes;
      const added: PackedPreview[] = [];
      const records = previews.map((preview) => {
        const record = encodeRecord(cameraId, preview.atMs, preview.jpeg);
        added.push({ atMs: preview.atMs, offsetBytes: at, recordBytes: record.length });
        at += record.length;
        return record;
      });
      try {
        await writeAt(handle, Buffer.concat(records), index.validBytes);
        await handle.datasync();
      } catch (error) {
        // A full disk leaves half a record; the next append would trim it, but the space is wanted now.
        await handle.truncate(index.validBytes).catch(() => undefined);
        throw error;
      }
      this.#remember(file, index.extended(added, at));
    } finally {
      await handle.close();
    }
  }

  /** The index of a camera's pack for an hour; null where there is no such pack. Rejects with ForeignPackError or the system's error. */
  async index(rootPath: string, cameraId: CameraId, hourMs: EpochMs): Promise<PackIndex | null> {
    const file = packPath(rootPath, cameraId, hourMs);
    const handle = await openIfThere(file);
    if (handle === null) {
      this.#indexes.delete(file);
      return null;
    }
    try {
      return await this.#indexOf(handle, file, cameraId, (await handle.stat()).size);
    } finally {
      await handle.close();
    }
  }

  /**
   * The pictures of `wanted`, which the index of this pack gave, in their order; null for each whose record is damaged, not
   * this camera's, or gone.
   */
  async read(rootPath: string, cameraId: CameraId, hourMs: EpochMs, wanted: readonly PackedPreview[]): Promise<readonly (PackPicture | null)[]> {
    const file = packPath(rootPath, cameraId, hourMs);
    const handle = await openIfThere(file);
    if (handle === null) return wanted.map(() => null);
    try {
      const pictures: (PackPicture | null)[] = [];
      for (const preview of wanted) pictures.push(await readPicture(handle, cameraId, preview));
      return pictures;
    } finally {
      await handle.close();
    }
  }

  /** The hours a camera has packs for under a root, newest first, read from the folders only as far as they are asked for. */
  async *hoursNewestFirst(rootPath: string, cameraId: CameraId): AsyncGenerator<EpochMs> {
    const folder = previewFolder(rootPath, cameraId);
    const days = (await namesIn(folder)).filter(isDayName).sort().reverse();
    for (const day of days) {
      const names = (await namesIn(path.join(folder, day))).sort().reverse();
      for (const name of names) {
        const hourMs = decodePackName(`${day}/${name}`);
        if (hourMs !== null) yield hourMs;
      }
    }
  }

  async #indexOf(handle: FileHandle, file: string, cameraId: CameraId, sizeBytes: number): Promise<PackIndex> {
    const known = this.#indexes.get(file) ?? EMPTY_INDEX;
    // Smaller than what was indexed: it was replaced or cut, so nothing known of it counts.
    const trusted = known.validBytes <= sizeBytes ? known : EMPTY_INDEX;
    const index = trusted.validBytes === sizeBytes ? trusted : await scanPack(handle, file, cameraId, sizeBytes, trusted);
    this.#remember(file, index);
    return index;
  }

  #remember(file: string, index: PackIndex): void {
    this.#indexes.delete(file);
    this.#indexes.set(file, index);
    const oldest = this.#indexes.keys().next();
    if (this.#indexes.size > CACHED_INDEXES && oldest.done !== true) this.#indexes.delete(oldest.value);
  }
}

async function readPicture(handle: FileHandle, cameraId: CameraId, preview: PackedPreview): Promise<PackPicture | null> {
  const record = Buffer.allocUnsafeSlow(preview.recordBytes);
  const { bytesRead } = await handle.read(record, 0, record.length, preview.offsetBytes);
  const jpeg = bytesRead === record.length ? pictureOf(record, cameraId, preview.atMs) : null;
  return jpeg === null ? null : { atMs: preview.atMs, jpeg };
}

async function openIfThere(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A new pack's folders are made only under a root that is there: an unmounted disk's mount point stays empty. */
async function openForAppend(rootPath: string, file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDWR);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await readIdentity(rootPath);
  await makeFolder(path.dirname(file));
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o644);
  await syncFolder(path.dirname(file));
  return handle;
}

async function writeAt(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
