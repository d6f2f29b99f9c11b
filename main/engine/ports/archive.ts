/** What the index of footage is asked and told: types only (docs/design/storage.md). */
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { CameraCoverage } from '../../../shared/model/coverage.ts';
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import type { CameraEvent, CameraTimeline, Span, TimelineGap } from '../../../shared/model/timeline.ts';
import type { EpochMs, TimeRange } from '../../../shared/time.ts';
import type { StreamKey } from './ingest.ts';

/** A closed segment and where its file is. */
export interface LocatedSegment {
  readonly segment: Segment;
  /** Null while the disk that holds it is not here. */
  readonly path: string | null;
}

export interface StreamTail extends StreamKey {
  readonly session: number;
  readonly sequence: number;
  readonly endMs: EpochMs;
}

export interface StreamUsage extends StreamKey {
  readonly rootId: RootId;
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly oldestMs: EpochMs;
}

/** Bytes of a camera's previews on a disk. */
export interface PreviewUsage {
  readonly rootId: RootId;
  readonly cameraId: CameraId;
  readonly sizeBytes: number;
}

/** Questions; answered by a connection that cannot write. */
export interface ArchiveReader {
  timeline(query: { readonly cameraIds: readonly CameraId[]; readonly startMs: EpochMs; readonly endMs: EpochMs; readonly maxItems: number }): Promise<readonly CameraTimeline[]>;
  /** The same as columns (shared/contract/timeline-columns.ts), cameras in the order asked for, and the bounds of all footage of theirs. */
  drawnTimeline(query: { readonly cameraIds: readonly CameraId[]; readonly startMs: EpochMs; readonly endMs: EpochMs; readonly maxItems: number }): Promise<{ readonly columns: Uint8Array<ArrayBuffer>; readonly bounds: TimeRange | null }>;
  bounds(cameraIds: readonly CameraId[]): Promise<TimeRange | null>;
  /** What was recorded of each day; `now` holds what has no row yet. In the order asked. */
  dayCoverage(query: { readonly cameraIds: readonly CameraId[]; readonly days: readonly TimeRange[]; readonly nowMs: EpochMs; readonly now: readonly { readonly cameraId: CameraId; readonly spans: readonly Span[]; readonly gaps: readonly TimelineGap[] }[] }): Promise<readonly CameraCoverage[]>;
  /** The segment that covers a moment; the newest (session, sequence) where a clock step made two cover it. */
  segmentAt(key: StreamKey, atMs: EpochMs): Promise<LocatedSegment | null>;
  /** The segment that follows one in time: the next in its session, else the first that starts at or after its end. */
  segmentAfter(key: StreamKey, previous: { readonly session: number; readonly sequence: number; readonly endMs: EpochMs }): Promise<LocatedSegment | null>;
  /** The first segment that starts at or after a moment. */
  firstSegmentFrom(key: StreamKey, atMs: EpochMs): Promise<LocatedSegment | null>;
  /** The same among footage on disks that are here. */
  firstSegmentHere(key: StreamKey, atMs: EpochMs): Promise<LocatedSegment | null>;
  /** The gap that covers a moment. */
  gapAt(key: StreamKey, atMs: EpochMs): Promise<Gap | null>;
  /** With `nowMs`, `endMs` is where footage ended before that moment, whichever session it is of: a clock that was wrong for a life may have put its footage years away. */
  streamTails(nowMs?: EpochMs): Promise<readonly StreamTail[]>;
  /** The newest of a range, oldest first. */
  events(query: { readonly cameraIds: readonly CameraId[]; readonly startMs: EpochMs; readonly endMs: EpochMs; readonly limit: number }): Promise<readonly CameraEvent[]>;
  usage(): Promise<readonly StreamUsage[]>;
  /** Counted from the folders, some minutes ago at most. */
  previewUsage(): Promise<readonly PreviewUsage[]>;
}

/** Changes; one writer, in order, each durable when its promise resolves. */
export interface ArchiveWriter {
  /** The file must be closed and synced (I1). */
  insertSegment(segment: Segment): Promise<void>;
  /** The journal line is written and synced before the row. */
  insertGap(gap: Gap): Promise<void>;
  insertEvent(event: CameraEvent): Promise<void>;
  /** Writes <root>/<camera>/camera.json, for a rebuild. */
  describeCamera(camera: { readonly id: CameraId; readonly name: string; readonly streams: readonly StreamKind[] }): Promise<void>;
}
