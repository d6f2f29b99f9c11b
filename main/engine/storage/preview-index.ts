/** Which previews a pack holds and where, found by hopping from header to header, and kept in typed arrays. */
import type { FileHandle } from 'node:fs/promises';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import { decodeHeader, findMagic, RECORD_HEADER_BYTES } from './preview-record.ts';

/** One preview in a pack: `offsetBytes` and `sizeBytes` are those of the whole record. */
export interface PackedPreview {
  readonly atMs: EpochMs;
  readonly offsetBytes: number;
  readonly recordBytes: number;
}

/** The pack holds a record of another camera: nothing of it may be shown (docs/design/previews.md, P1). */
export class ForeignPackError extends Error {
  constructor(file: string, found: string) {
    super(`the preview pack ${file} holds a picture of ${found}`);
    this.name = 'ForeignPackError';
  }
}

/** Read at once while scanning, some forty records of 6 kB: a pack of an hour takes fifty reads instead of one for each of its 1,800 headers; a larger window measured no faster. */
const WINDOW_BYTES = 256 * 1024;

/** The previews of one pack in the order of time. Immutable; growth makes a new one. */
export class PackIndex {
  /** Where the last whole record ends; what lies behind is torn and is cut off before the next record is added. */
  readonly validBytes: number;
  readonly #previews: readonly PackedPreview[];

  constructor(previews: readonly PackedPreview[], validBytes: number) {
    const ordered = previews.every((preview, at) => at === 0 || (previews[at - 1]?.atMs ?? 0) <= preview.atMs);
    this.#previews = ordered ? previews : [...previews].sort((a, b) => a.atMs - b.atMs);
    this.validBytes = validBytes;
  }

  get all(): readonly PackedPreview[] {
    return this.#previews;
  }

  get newest(): PackedPreview | null {
    return this.#previews.at(-1) ?? null;
  }

  /** The preview nearest to a moment; the earlier one of two that are equally near. */
  nearest(atMs: EpochMs): PackedPreview | null {
    const after = this.#firstFrom(atMs);
    const next = this.#previews[after];
    const previous = this.#previews[after - 1];
    if (previous === undefined || next === undefined) return previous ?? next ?? null;
    return atMs - previous.atMs <= next.atMs - atMs ? previous : next;
  }

  within(range: TimeRange): readonly PackedPreview[] {
    return this.#previews.slice(this.#firstFrom(range.startMs), this.#firstFrom(range.endMs));
  }

  /** This index and what was found behind its end. */
  extended(more: readonly PackedPreview[], validBytes: number): PackIndex {
    return new PackIndex([...this.#previews, ...more], validBytes);
  }

  #firstFrom(atMs: EpochMs): number {
    let low = 0;
    let high = this.#previews.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#previews[middle]?.atMs ?? Infinity) < atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const EMPTY_INDEX = new PackIndex([], 0);

/**
 * Finds the records of a pack of `sizeBytes` from where `known` ends. Damaged bytes between records are passed over; a
 * record whose end is not there yet is left out. Throws ForeignPackError where a record names another camera than `cameraId`.
 */
export async function scanPack(handle: FileHandle, file: string, cameraId: CameraId, sizeBytes: number, known: PackIndex = EMPTY_INDEX): Promise<PackIndex> {
  const window = new ReadWindow(handle, known.validBytes, sizeBytes);
  const found: PackedPreview[] = [];
  let validBytes = known.validBytes;
  for (let at = validBytes; at + RECORD_HEADER_BYTES <= sizeBytes; ) {
    const header = decodeHeader(await window.read(at, RECORD_HEADER_BYTES));
    if (header === null) {
      at = await nextMagic(window, at + 1, sizeBytes);
      continue;
    }
    if (header.cameraId !== cameraId) throw new ForeignPackError(file, header.cameraId);
    const recordBytes = RECORD_HEADER_BYTES + header.sizeBytes;
    if (at + recordBytes > sizeBytes) {
      // Torn, or a header's bytes inside damage: whole records may still follow.
      at = await nextMagic(window, at + 1, sizeBytes);
      continue;
    }
    found.push({ atMs: header.atMs, offsetBytes: at, recordBytes });
    at += recordBytes;
    validBytes = at;
  }
  return found.length === 0 ? known : known.extended(found, validBytes);
}

async function nextMagic(window: ReadWindow, from: number, sizeBytes: number): Promise<number> {
  for (let at = from; at < sizeBytes; ) {
    const bytes = await window.read(at, Math.min(WINDOW_BYTES, sizeBytes - at));
    if (bytes.length < 4) return sizeBytes;
    const found = findMagic(bytes, 0);
    if (found >= 0) return at + found;
    at += bytes.length - 3;
  }
  return sizeBytes;
}

/** Positional reads of a file through one buffer. */
class ReadWindow {
  readonly #handle: FileHandle;
  readonly #sizeBytes: number;
  readonly #buffer: Buffer;
  #startBytes = 0;
  #bytes = 0;

  constructor(handle: FileHandle, fromBytes: number, sizeBytes: number) {
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
    this.#buffer = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, sizeBytes - fromBytes));
  }

  /** Up to `length` bytes from `at`, valid until the next call; fewer where the file ends. */
  async read(at: number, length: number): Promise<Buffer> {
    if (at < this.#startBytes || at + length > this.#startBytes + this.#bytes) {
      this.#startBytes = at;
      this.#bytes = 0;
      const wanted = Math.min(WINDOW_BYTES, this.#sizeBytes - at);
      while (this.#bytes < wanted) {
        const { bytesRead } = await this.#handle.read(this.#buffer, this.#bytes, wanted - this.#bytes, at + this.#bytes);
        if (bytesRead === 0) break;
        this.#bytes += bytesRead;
      }
    }
    const from = at - this.#startBytes;
    return this.#buffer.subarray(from, Math.min(from + length, this.#bytes));
  }
}
