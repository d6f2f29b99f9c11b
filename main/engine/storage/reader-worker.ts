/** A reader thread: answers questions on a connection that cannot write. */
import { workerData } from 'node:worker_threads';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import { exposeWorker, moving } from '../core/worker-rpc.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { AbsentFootage } from './absent-footage.ts';
import { openForReading, type ReadableDb } from './database.ts';
import { type DayCoverageQuery, dayCoverageReader } from './day-coverage.read.ts';
import { bytesTouched, locksInForce } from './locks.read.ts';
import type { AbsentRuns } from './moves.read.ts';
import { newestDayStartMs, type RetentionFacts, retentionFacts } from './retention.read.ts';
import { segmentReader, type SegmentReader } from './segments.read.ts';
import { mappingAll, mappingSqlite } from './sqlite-errors.ts';
import { idLookup } from './stream-ids.ts';
import { type TimelineQuery, timelineReader, type TimelineReader } from './timeline.read.ts';

interface Open {
  readonly db: ReadableDb;
  readonly segments: SegmentReader;
  readonly timeline: TimelineReader;
  readonly dayCoverage: ReturnType<typeof dayCoverageReader>;
}

let open: Open | null = null;
/** Outlives an index that is replaced: whoever told it tells it anew then. */
const absent = new AbsentFootage();

function ask<T>(question: (open: Open) => T): T {
  const from = open;
  if (from === null) throw new PorchlightError('database-corrupt', 'The index of footage is being replaced. Try again in a moment.');
  return mappingSqlite(() => question(from));
}

const api = {
  open: (): void => {
    open?.db.close();
    const db = openForReading((workerData as { readonly file: string }).file);
    const ids = idLookup(db);
    open = { db, segments: segmentReader(db, ids), timeline: timelineReader(db, ids, absent), dayCoverage: dayCoverageReader(db, ids) };
  },
  /** Lets go of the database, so that it can be replaced. */
  release: (): void => {
    open?.db.close();
    open = null;
  },
  timeline: (query: TimelineQuery) => ask(({ timeline }) => timeline.timeline(query)),
  drawnTimeline: (query: TimelineQuery) => {
    const drawn = ask(({ timeline }) => timeline.drawn(query));
    return moving(drawn, [drawn.columns.buffer]);
  },
  bounds: (cameraIds: readonly CameraId[]): TimeRange | null => ask(({ timeline }) => timeline.bounds(cameraIds)),
  events: (query: Omit<TimelineQuery, 'maxItems'> & { readonly limit: number }) => ask(({ timeline }) => timeline.events(query)),
  dayCoverage: (query: DayCoverageQuery) => ask(({ dayCoverage }) => dayCoverage(query)),
  segmentAt: (key: StreamKey, atMs: EpochMs) => ask(({ segments }) => segments.at(key, atMs)),
  segmentAfter: (key: StreamKey, previous: { readonly session: number; readonly sequence: number; readonly endMs: EpochMs }) => ask(({ segments }) => segments.after(key, previous)),
  firstSegmentFrom: (key: StreamKey, atMs: EpochMs) => ask(({ segments }) => segments.firstFrom(key, atMs)),
  firstSegmentOn: (key: StreamKey, atMs: EpochMs, rootIds: readonly RootId[]) => ask(({ segments }) => segments.firstOn(key, atMs, rootIds)),
  setAbsent: (runs: readonly AbsentRuns[]): void => absent.set(runs),
  gapAt: (key: StreamKey, atMs: EpochMs) => ask(({ segments }) => segments.gapAt(key, atMs)),
  locks: () => ask(({ db }) => locksInForce(db)),
  bytesTouched: (cameraId: CameraId, range: TimeRange): number => ask(({ db }) => bytesTouched(db, cameraId, range)),
  usage: () => ask(({ segments }) => segments.usage()),
  retentionFacts: (): RetentionFacts => ask(({ db }) => retentionFacts(db)),
  newestDayStartMs: (): EpochMs | null => ask(({ db }) => newestDayStartMs(db)),
};

export type ReaderApi = typeof api;
exposeWorker(mappingAll(api));
