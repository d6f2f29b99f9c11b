/** Files that a failing disk kept as they were when it failed: made whole when that disk takes footage again, whichever stream's it is (I3). */
import { unpackKeyframes } from '../../../shared/media/keyframe-index.ts';
import type { RootId } from '../../../shared/model/ids.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { IngestNotice } from '../ports/ingest.ts';
import type { SegmentPlace } from '../storage/segment-file.ts';
import type { SegmentName } from '../storage/segment-name.ts';
import { recoverFile } from '../storage/segment-recovery.ts';

interface Leftover {
  readonly place: SegmentPlace;
  readonly name: SegmentName;
}

/** One for all streams: a recorder may end and another begin while its disk is away. */
export class Leftovers {
  readonly #notify: (notice: IngestNotice) => void;
  #files: readonly Leftover[] = [];
  #recovering: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(notify: (notice: IngestNotice) => void) {
    this.#notify = notify;
  }

  /** Files are being made whole just now. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** This file is closed, and nobody writes to it any more. */
  add(place: SegmentPlace, name: SegmentName): void {
    this.#files = [...this.#files, { place, name }];
  }

  /** A new file was created on this disk: each of its files is trimmed, closed with its tail, and told as a segment. What cannot be is tried again with its next file, and at the next start. */
  takeBack(rootId: RootId): void {
    if (this.#files.length === 0) return;
    const files = Map.groupBy(this.#files, ({ place }) => place.rootId === rootId);
    const due = files.get(true) ?? [];
    this.#files = files.get(false) ?? [];
    this.#waiting += due.length;
    this.#recovering = this.#recovering.then(async () => {
      for (const { place, name } of due) {
        await this.#recover(place, name);
        this.#waiting -= 1;
      }
    });
  }

  /** Resolves when nothing is being made whole. */
  async idle(): Promise<void> {
    await this.#recovering;
  }

  async #recover(place: SegmentPlace, name: SegmentName): Promise<void> {
    try {
      const recovered = await recoverFile(place.rootPath, place.rootId, name, true);
      if (recovered.kind !== 'whole' && recovered.kind !== 'cut') return;
      const { packed, ...facts } = recovered.segment;
      this.#notify({ type: 'segment-closed', segment: { ...facts, keyframes: unpackKeyframes(packed) } });
    } catch (error) {
      // The disk is no better yet: again with its next file. What is gone was never promised.
      if (!['', 'ENOENT'].includes(errorCode(error))) this.add(place, name);
      this.#notify({ type: 'log', level: 'warn', message: `A file of ${name.cameraId} that a failing disk held cannot be taken back: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
}
