/**
 * What the ingest thread is told and what it tells: types only, so that recorder, catalog, playback, previews and
 * motion can speak of the same things without importing each other (docs/design/recording.md).
 */
import type { MessagePort } from 'node:worker_threads';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import type { ReceivedBytes } from '../../../shared/model/recording-mode.ts';
import type { Keyframe, Segment } from '../../../shared/model/segment.ts';
import type { RtspTransport, StreamKind, StreamStatus, VideoCodec } from '../../../shared/model/camera.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';

/** One stream the ingest thread keeps open. */
export interface IngestStream {
  readonly cameraId: CameraId;
  readonly kind: StreamKind;
  /** Without user information; the password goes to ffmpeg on stdin only. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly transport: RtspTransport;
  readonly videoCodec: VideoCodec;
  readonly sound: 'none' | 'copy' | 'transcode';
  /** Null keeps the stream open for live and previews without writing it down. */
  readonly record: { readonly rootId: RootId; readonly rootPath: string } | null;
  /** Seconds of the minute at which this stream starts new segments, so that disks are not hit by all at once. */
  readonly rotationOffsetMs: DurationMs;
  /** The stream's last session on disk: new ones get larger numbers, also when the clock went back in between. */
  readonly afterSession?: number;
  /** What of it is written down; absent or null: everything. A change of it alone ends no session. */
  readonly keep?: StreamKeep | null;
}

/** What of a stream is written down while not everything is. The connection stays open, and live works. */
export interface StreamKeep {
  /** How much of what came last is kept in memory, from a keyframe on, as far as its bounds allow. */
  readonly preRollMs: DurationMs;
  /** Footage is written from `preRollMs` before `fromMs` on, until the first keyframe at or after `untilMs`; null: none. */
  readonly window: { readonly fromMs: EpochMs; readonly untilMs: EpochMs } | null;
  /** When everything or more is wanted again: from that moment on footage is written, also where this is told a moment later. Null: not known. */
  readonly restsUntilMs: EpochMs | null;
  /** Of the gap between (`not-scheduled`). */
  readonly detail: string;
}

export interface IngestSettings {
  readonly ffmpegPath: string;
  /** Where pids of children are noted, for the reaper of the next life. */
  readonly dataDir: string;
}

/** The segment being written; readable up to `flushedBytes`. Times may still move by a few ms until it closes. */
export interface OpenSegment {
  readonly path: string;
  readonly session: number;
  readonly sequence: number;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly initBytes: number;
  readonly flushedBytes: number;
  readonly keyframes: readonly Keyframe[];
}

export interface StreamKey {
  readonly cameraId: CameraId;
  readonly stream: StreamKind;
}

/** From the ingest thread, in order. */
export type IngestNotice =
  | ({ readonly type: 'status'; readonly status: StreamStatus; readonly sinceMs: EpochMs; readonly problem: { readonly cause: GapCause; readonly detail: string } | null } & StreamKey)
  | { readonly type: 'segment-closed'; readonly segment: Segment }
  /** A failing disk promised to keep footage up to `endMs` in a file that is not closed: its segment comes when the disk takes footage again, or with the next start. */
  | ({ readonly type: 'footage-held'; readonly endMs: EpochMs } & StreamKey)
  /** No footage is being written from `sinceMs` on. A later notice of the same outage with the same `sinceMs` knows the cause better; with a later one, it begins another part of the outage. */
  | ({ readonly type: 'outage-began'; readonly sinceMs: EpochMs; readonly cause: GapCause; readonly detail: string } & StreamKey)
  /** Footage is written again; its first frame is at `atMs`. Also sent for the first frame after a start (`sinceMs` null: the catalog knows where footage ended). */
  | ({ readonly type: 'outage-ended'; readonly sinceMs: EpochMs | null; readonly atMs: EpochMs; readonly cause: GapCause | null; readonly detail: string } & StreamKey)
  | { readonly type: 'root-problem'; readonly rootId: RootId; readonly cause: GapCause; readonly detail: string }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string };

/** On a live feed's port, from the ingest thread. Buffers are transferred. */
export type LiveMessage =
  /** ftyp + moov. */
  | { readonly type: 'init'; readonly initId: number; readonly bytes: Uint8Array }
  /** One whole moof + mdat. `baseWallMs` is the wall time of media time `baseMediaMs` (see shared/contract/media.ts). */
  | { readonly type: 'fragment'; readonly initId: number; readonly bytes: Uint8Array; readonly keyframe: boolean; readonly video: boolean; readonly baseWallMs: EpochMs; readonly baseMediaMs: DurationMs; readonly endMs: EpochMs }
  | { readonly type: 'wait'; readonly sinceMs: EpochMs };

export interface LiveSubscription extends StreamKey {
  /** Only video fragments that start with a keyframe, of footage that is kept (`StreamKeep`): for previews, which lie on the disk too. */
  readonly keyframesOnly: boolean;
}

/** What the rest of the engine asks of the ingest thread. `configure` is the whole desired set; it is compared with what runs. */
export interface Ingest {
  configure(streams: readonly IngestStream[], settings: IngestSettings): Promise<void>;
  /** Changes what is written of a camera's streams, without a break of what goes on. Null: everything. */
  keep(cameraId: CameraId, keep: StreamKeep | null): Promise<void>;
  /** What came in on each stream since the thread began, of those that were ever open. */
  received(): Promise<readonly (StreamKey & ReceivedBytes)[]>;
  /** Tries a refused or waiting stream again at once. */
  retry(cameraId: CameraId): Promise<void>;
  /** The open segment of a stream with everything received so far written out; null when none is open. */
  openSegment(key: StreamKey): Promise<OpenSegment | null>;
  /** The current group of pictures comes first, then everything as it arrives, until the port is closed. */
  subscribe(subscription: LiveSubscription): MessagePort;
  onNotice(listener: (notice: IngestNotice) => void): () => void;
  /** Ends every session, closes and syncs every file; the last `segment-closed` notices come before it resolves. */
  stop(): Promise<void>;
}
