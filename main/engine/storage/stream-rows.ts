/** The rows of one stream on one disk, as they were at one moment, by the hour folder in which each says its file lies. */
import { HOUR_MS } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import type { ReadableDb } from './database.ts';
import type { RootPlace } from './root-list.ts';
import type { HourNames } from './hour-names.ts';
import { encodeSegmentName } from './segment-name.ts';
import { idLookup } from './stream-ids.ts';

export interface RowFact {
  readonly id: number;
  readonly session: number;
  readonly sequence: number;
  readonly nameMs: number;
  readonly sizeBytes: number;
}

type RawRow = readonly [id: number, session: number, sequence: number, nameMs: number, sizeBytes: number];

export class StreamRows {
  readonly #key: StreamKey;
  readonly #hours: Map<number, readonly RawRow[]>;

  private constructor(key: StreamKey, rows: readonly RawRow[]) {
    this.#key = key;
    this.#hours = Map.groupBy(rows, ([, , , nameMs]) => Math.floor(nameMs / HOUR_MS));
  }

  static read(db: ReadableDb, root: RootPlace, key: StreamKey): StreamRows {
    const ids = idLookup(db);
    const [streamId, rootId] = [ids.stream(key.cameraId, key.stream), ids.root(root.rootId)];
    // The plus keeps the disk's own index out of it: nearly every row is on the one disk.
    const select = db.prepare('SELECT id, session, sequence, name_ms, size_bytes FROM segments WHERE stream_id = ? AND +root_id = ?').raw();
    return new StreamRows(key, streamId === null || rootId === null ? [] : (select.all(streamId, rootId) as RawRow[]));
  }

  /** Takes out the rows of an hour folder, by the names of their files in it. */
  take(hour: HourNames): Map<string, RowFact> {
    const at = hour.startMs / HOUR_MS;
    const rows = this.#hours.get(at) ?? [];
    this.#hours.delete(at);
    return new Map(rows.map((row) => [hour.name(row[3], row[1], row[2]), factOf(row)]));
  }

  /** Rows that were not taken: their folders are not there. */
  left(): readonly RowFact[] {
    return [...this.#hours.values()].flat().map(factOf);
  }

  /** Path of a row's file, relative to the root. */
  pathOf({ session, sequence, nameMs }: RowFact): string {
    return encodeSegmentName({ ...this.#key, session, sequence, startMs: nameMs });
  }
}

function factOf([id, session, sequence, nameMs, sizeBytes]: RawRow): RowFact {
  return { id, session, sequence, nameMs, sizeBytes };
}
