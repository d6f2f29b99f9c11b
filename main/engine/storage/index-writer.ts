/** The changes to the index: what the writer thread does, each in a transaction of its own or shared with those that arrived together. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import { inTransaction, openOrReplace, setAside, type WritableDb } from './database.ts';
import { LostFootage } from './lost-footage.write.ts';
import { happeningWriter, type HappeningWriter } from './happenings.write.ts';
import { appendMissing, appendToJournal, type Happening, makeFolderSync, moveWaiting } from './journal.ts';
import { moveWriter, type MoveWriter, type SegmentMove } from './moves.write.ts';
import type { SegmentRef } from './segment-ref.ts';
import { type PackedSegment, segmentWriter, type SegmentWriter } from './segments.write.ts';
import { idRegistry, type IdRegistry } from './stream-ids.ts';

/** A file that is about to be unlinked. */
export interface GarbageFile {
  readonly rootId: RootId;
  /** Relative to the root, with `/`. */
  readonly path: string;
}

export interface RemovedSegment extends TimeRange, GarbageFile {
  readonly cameraId: CameraId;
}

export interface OpenReport {
  /** The damaged database under its new name, or null. */
  readonly setAside: string | null;
}

/** What goes into one transaction. */
export interface Change {
  readonly segments?: readonly PackedSegment[];
  readonly remove?: readonly SegmentRef[];
  readonly happenings?: readonly Happening[];
}

interface Statements {
  readonly segments: SegmentWriter;
  readonly happenings: HappeningWriter;
  readonly ids: IdRegistry;
  readonly moves: MoveWriter;
}

export class IndexWriter {
  readonly #file: string;
  /** Where journal lines go while `journalBase` is null or fails. */
  readonly #waiting: string;
  /** Null where a damaged index could not be replaced yet. */
  #connection: WritableDb | null;
  #statements: Statements;
  readonly opened: OpenReport;

  constructor(file: string, waiting: string, nowMs: EpochMs) {
    this.#file = file;
    this.#waiting = waiting;
    const { db, setAside: aside } = openOrReplace(file, nowMs);
    this.#connection = db;
    this.#statements = prepare(db);
    this.opened = { setAside: aside };
  }

  get #db(): WritableDb {
    if (this.#connection === null) throw new PorchlightError('database-corrupt', 'The index of footage is being replaced. Try again in a moment.');
    return this.#connection;
  }

  get #sql(): Statements {
    // They are of the connection, and gone with it.
    void this.#db;
    return this.#statements;
  }

  /** Applies changes in one transaction. */
  apply(changes: readonly Change[]): void {
    inTransaction(this.#db, () => {
      for (const change of changes) {
        for (const ref of change.remove ?? []) this.#sql.segments.remove(ref, false);
        this.#sql.segments.insertAll(change.segments ?? []);
        for (const happening of change.happenings ?? []) this.#sql.happenings.insert(happening);
      }
    });
  }

  /** Rows that say what is not on the disk are replaced by what is; what they lose becomes gaps, journaled before their rows. */
  correct(change: Change, journalBase: string | null): void {
    const lost = new LostFootage(this.#db, change.remove ?? []);
    this.apply([change]);
    const happenings = lost.lostAfter(change.segments ?? []).map((gap): Happening => ({ type: 'gap', gap }));
    this.journal(happenings, journalBase);
    this.apply([{ happenings }]);
  }

  /** Appends and syncs journal lines, to the waiting folder where `journalBase` is null or does not take them. Comes before the rows (I5). */
  journal(happenings: readonly Happening[], journalBase: string | null): void {
    if (happenings.length === 0) return;
    if (journalBase !== null && existsSync(journalBase)) {
      try {
        appendToJournal(journalBase, happenings);
        return;
      } catch {
        // A disk that is full, read-only or gone; the lines are moved when it is back. A line written twice is one happening.
      }
    }
    makeFolderSync(this.#waiting);
    appendToJournal(this.#waiting, happenings);
  }

  /**
   * A lock set or taken off: its line goes to every disk that takes it, so that no disk's footage is without it, and is synced before its row
   * (I4, I5). Throws the system's error where no place took it.
   */
  hold(happening: Happening, journalBases: readonly string[]): void {
    const took = journalBases.filter((base) => {
      try {
        if (!existsSync(base)) return false;
        appendToJournal(base, [happening]);
        return true;
      } catch {
        return false;
      }
    });
    if (took.length === 0) this.journal([happening], null);
    this.apply([{ happenings: [happening] }]);
  }

  /** Takes lines that waited for a disk to its journals; here, because only this thread adds to them. */
  moveWaiting(rootPath: string): void {
    moveWaiting(this.#waiting, rootPath);
  }

  /** Segments' rows to garbage in one transaction: the first step of deleting (I2). What is locked stays, whoever asks and whatever was planned before. */
  discard(refs: readonly SegmentRef[]): readonly RemovedSegment[] {
    return inTransaction(this.#db, () =>
      refs.flatMap((ref) => {
        if (this.#sql.happenings.isLocked(ref)) return [];
        const removed = this.#sql.segments.remove(ref, true);
        return removed === null ? [] : [{ ...removed, rootId: removed.rootId as RootId, cameraId: ref.cameraId }];
      }),
    );
  }

  /** The last step of deleting: the files are unlinked and their folders synced. */
  dropGarbage(files: readonly GarbageFile[]): void {
    const drop = this.#db.prepare('DELETE FROM garbage WHERE path = ? AND root_id = (SELECT id FROM roots WHERE root_id = ?)');
    inTransaction(this.#db, () => {
      for (const file of files) drop.run(file.path, file.rootId);
    });
  }

  /** Files without a row of their own that are to be unlinked. */
  addGarbage(files: readonly GarbageFile[]): void {
    const add = this.#db.prepare('INSERT INTO garbage (root_id, path) VALUES (?, ?) ON CONFLICT DO NOTHING');
    inTransaction(this.#db, () => {
      for (const file of files) add.run(this.#sql.ids.root(file.rootId), file.path);
    });
  }

  /** The first step of moving a segment (moves.write.ts). */
  reserveMove(move: SegmentMove): boolean {
    return inTransaction(this.#db, () => this.#sql.moves.reserve(move));
  }

  /** The step that moves it. */
  commitMove(move: SegmentMove): boolean {
    return inTransaction(this.#db, () => this.#sql.moves.commit(move));
  }

  /** Journal lines of a disk whose footage moves, on the disk it moves to; here, because only this thread adds to journals. */
  copyHappenings(happenings: readonly Happening[], rootPath: string): void {
    appendMissing(rootPath, happenings);
  }

  /** Every file of this root has been read into this database. */
  markIndexed(rootId: RootId, nowMs: EpochMs): void {
    inTransaction(this.#db, () => void this.#db.prepare('UPDATE roots SET indexed_ms = ? WHERE id = ?').run(nowMs, this.#sql.ids.root(rootId)));
  }

  prune(cameraId: CameraId, beforeMs: EpochMs): void {
    inTransaction(this.#db, () => this.#sql.happenings.prune(cameraId, beforeMs));
  }

  /** Computes spans, coverage and sums anew from the segments of all streams. */
  rederive(rederiveAll: (db: WritableDb) => void): void {
    inTransaction(this.#db, () => rederiveAll(this.#db));
  }

  /** Sets a damaged database aside and begins an empty one; where that fails, what comes next tries again. Every reader must have let go of it. */
  replace(nowMs: EpochMs): string {
    this.close();
    const aside = setAside(this.#file, nowMs);
    const { db } = openOrReplace(this.#file, nowMs);
    this.#statements = prepare(db);
    this.#connection = db;
    return path.basename(aside);
  }

  close(): void {
    const connection = this.#connection;
    this.#connection = null;
    try {
      connection?.close();
    } catch {
      // A damaged database may fail even to close; its file is set aside all the same.
    }
  }
}

function prepare(db: WritableDb): Statements {
  return { segments: segmentWriter(db), happenings: happeningWriter(db), ids: idRegistry(db), moves: moveWriter(db) };
}
