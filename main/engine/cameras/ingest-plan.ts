/** From configured cameras to the streams the ingest thread should keep open: the whole desired set, as a pure function. */
import type { Camera, StreamConfig, StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { MINUTE_MS, type DurationMs } from '../../../shared/time.ts';
import type { IngestStream, StreamKeep } from '../ports/ingest.ts';

export interface IngestPlanFacts {
  readonly cameras: readonly Camera[];
  /** By camera; missing or null where none is stored. */
  readonly passwords: ReadonlyMap<CameraId, string | null>;
  /** Where a camera's footage goes now; null while there is no disk for it, which keeps its stream open for watching. */
  readonly rootFor: (cameraId: CameraId) => { readonly rootId: RootId; readonly rootPath: string } | null;
  /** The last session of a stream on disk when the engine started; 0 where there is none. */
  readonly lastSession: (cameraId: CameraId, kind: StreamKind) => number;
  /** What of a camera is written down now; null, or not given: everything. */
  readonly keepOf?: (camera: Camera) => StreamKeep | null;
}

/** Main streams always, sub streams where there are any (for the grid and previews); nothing of a paused camera, whose connection is closed. */
export function ingestStreams(facts: IngestPlanFacts): IngestStream[] {
  return facts.cameras
    .filter((camera) => camera.paused === null)
    .flatMap((camera) =>
      camera.streams.map((stream) => ({
        cameraId: camera.id,
        kind: stream.kind,
        url: stream.url,
        username: camera.username,
        password: camera.username === null ? null : (facts.passwords.get(camera.id) ?? null),
        transport: stream.transport,
        videoCodec: stream.videoCodec,
        sound: soundOf(camera, stream),
        record: camera.recorded.includes(stream.kind) ? facts.rootFor(camera.id) : null,
        rotationOffsetMs: rotationOffsetMs(camera.id, stream.kind),
        afterSession: facts.lastSession(camera.id, stream.kind),
        keep: facts.keepOf?.(camera) ?? null,
      })),
    );
}

/** MP4 holds AAC as it is; everything else is made playable on the way. */
function soundOf(camera: Camera, stream: StreamConfig): IngestStream['sound'] {
  if (stream.audioCodec === null || !camera.recordSound) return 'none';
  return stream.audioCodec === 'aac' ? 'copy' : 'transcode';
}

/**
 * When in the minute a stream begins new segments. From its name, not its place in the list: adding or removing a camera
 * must not restart the others.
 */
export function rotationOffsetMs(cameraId: CameraId, kind: StreamKind): DurationMs {
  // FNV-1a, mixed once more because ids differ in few bits.
  let hash = 0x811c9dc5;
  for (const sign of `${cameraId}/${kind}`) hash = Math.imul(hash ^ (sign.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  return Math.floor((hash / 0x1_0000_0000) * MINUTE_MS);
}
