/** Moves one segment at a time to another disk: reserve, copy, commit, unlink (docs/design/storage.md, "Several disks"). */
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RootId } from '../../../shared/model/ids.ts';
import { type EpochMs, utcDay } from '../../../shared/time.ts';
import type { GarbageKeeper } from './garbage-keeper.ts';
import { journalDayFile, readJournalDay } from './journal.ts';
import type { MovableSegment } from './moves.read.ts';
import type { SegmentMove } from './moves.write.ts';
import type { RootList, RootPlace } from './root-list.ts';
import { CopyStalled, copyWithinLimit, type Pace, STAGING_FILE } from './segment-copy.ts';
import { encodeSegmentName } from './segment-name.ts';
import type { ArchiveThreads } from './threads.ts';

/** After each of these the process may die; tests do so. */
export type MoveStep = 'reserved' | 'copied' | 'committed' | 'unlinked';

export interface SegmentMovesParts {
  readonly threads: () => ArchiveThreads;
  readonly roots: Pick<RootList, 'writable'>;
  readonly garbage: GarbageKeeper;
}

export class SegmentMoves {
  readonly #parts: SegmentMovesParts;
  /** Sizes of the journal days that this life has copied, by disk and file: a day that has not grown is there whole. */
  readonly #journaled = new Map<string, number>();
  /** Called after each step. */
  onStep: ((step: MoveStep) => Promise<void> | void) | null = null;

  constructor(parts: SegmentMovesParts) {
    this.#parts = parts;
  }

  /** The oldest footage of a disk, locked or not. */
  async oldest(rootId: RootId, limit: number): Promise<readonly MovableSegment[]> {
    return await this.#parts.threads().readAtStart((maintenance) => maintenance.oldestOn(rootId, limit));
  }

  async bytesBefore(rootId: RootId, beforeMs: EpochMs): Promise<number> {
    return await this.#parts.threads().readAtStart((maintenance) => maintenance.bytesBefore(rootId, beforeMs));
  }

  async rootsWithFootage(): Promise<readonly { readonly rootId: RootId; readonly bytes: number }[]> {
    return await this.#parts.threads().readAtStart((maintenance) => maintenance.rootsWithFootage());
  }

  /** From now on timelines say that the footage of these disks is not here. */
  async tellAbsent(rootIds: readonly RootId[]): Promise<void> {
    const runs = rootIds.length === 0 ? [] : await this.#parts.threads().readAtStart((maintenance) => maintenance.runsOnRoots(rootIds));
    await this.#parts.threads().read((reader) => reader.setAbsent(runs));
  }

  /**
   * Moves a segment; false where it is not there any more, or a disk is not. Playback that has the old file open reads on in it. Rejects as `copySegment`;
   * what a failure leaves of the copy is taken away where the disk lets us, else it is garbage that waits.
   */
  async move(segment: MovableSegment, fromRootId: RootId, toRootId: RootId, pace: Pace): Promise<boolean> {
    return await this.#parts.garbage.inTurn(async () => {
      const { threads, garbage } = this.#parts;
      const [from, to] = [this.#place(fromRootId), this.#place(toRootId)];
      if (from === null || to === null) return false;
      const { cameraId, stream, session, sequence } = segment;
      const file = encodeSegmentName({ ...segment, startMs: segment.nameMs });
      const move: SegmentMove = { ref: { cameraId, stream, session, sequence }, sizeBytes: segment.sizeBytes, fromRootId, toRootId, path: file };
      await this.#copyJournal(from, to, segment);
      if (!(await threads().write((writer) => writer.reserveMove(move)))) return false;
      await this.onStep?.('reserved');
      try {
        await copyWithinLimit(from, to, file, segment.sizeBytes, pace);
        await this.onStep?.('copied');
        if (!(await threads().write((writer) => writer.commitMove(move)))) throw new Error('the segment was deleted while it was moved');
      } catch (error) {
        // The reservation stays: the copy is garbage, and goes when the disk answers again.
        if (error instanceof CopyStalled) throw error;
        await rm(path.join(to.path, STAGING_FILE), { force: true }).catch(() => undefined);
        await garbage.unlink(toRootId, [file]);
        throw error;
      }
      await this.onStep?.('committed');
      await garbage.unlink(fromRootId, [file]);
      await this.onStep?.('unlinked');
      return true;
    });
  }

  #place(rootId: RootId): RootPlace | null {
    const root = this.#parts.roots.writable().find((one) => one.rootId === rootId);
    return root === undefined ? null : { rootId, path: root.path };
  }

  /** What happened on the days of a segment goes to its new disk before it does, so that a rebuild of that disk alone knows it (I5). A line on two disks is one happening. */
  async #copyJournal(from: RootPlace, to: RootPlace, { cameraId, nameMs, endMs }: MovableSegment): Promise<void> {
    for (const day of new Set([utcDay(nameMs), utcDay(endMs)])) {
      const file = journalDayFile(cameraId, day);
      const size = await stat(path.join(from.path, file)).then((found) => found.size, () => 0);
      const key = `${to.rootId} ${from.rootId} ${file}`;
      if (size === 0 || this.#journaled.get(key) === size) continue;
      const { happenings } = readJournalDay(from.path, cameraId, day);
      await this.#parts.threads().write((writer) => writer.copyHappenings(happenings, to.path));
      this.#journaled.set(key, size);
    }
  }
}
