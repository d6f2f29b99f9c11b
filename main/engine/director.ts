/** Tells the ingest thread and the previews what is wanted, from cameras, passwords, disks and ffmpeg as they are now; and why, where something is not recorded on purpose. */
import type { Camera, StreamKind } from '../../shared/model/camera.ts';
import type { GapCause } from '../../shared/model/gap.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { ingestStreams } from './cameras/ingest-plan.ts';
import type { CameraRegistry } from './cameras/registry.ts';
import type { Logger } from './core/logger.ts';
import type { FfmpegState } from './ffmpeg-state.ts';
import type { Ingest, StreamKeep, StreamKey } from './ports/ingest.ts';
import type { PreviewMaker } from './previews/preview-maker.ts';
import type { RootPlace } from './storage/root-list.ts';

export interface DirectorParts {
  readonly registry: Pick<CameraRegistry, 'list' | 'login'>;
  readonly ingest: Pick<Ingest, 'configure'>;
  readonly previews: Pick<PreviewMaker, 'configure'>;
  readonly ffmpeg: Pick<FfmpegState, 'found' | 'problem'>;
  /** Where a camera's footage goes now; null where no disk can take any, which is so for all or for none. */
  readonly rootForRecording: (cameraId: CameraId) => RootPlace | null;
  /** Of every stream on disk, as the engine found it: new sessions get larger numbers, also where the clock went back (T1). */
  readonly lastSessions: readonly (StreamKey & { readonly session: number })[];
  /** Why there is none, asked only then. */
  readonly whyNoRoot: () => GapCause;
  /** What of a camera is written down now; null: everything. */
  readonly keepOf?: (camera: Camera) => StreamKeep | null;
  /** Why nothing of a camera is to be written down now, disk or not; null where something is. */
  readonly restsBecause?: (camera: Camera) => string | null;
  readonly dataDir: string;
  readonly log: Logger;
  /** From now on this stream is not written down, and the recorder cannot know why. */
  readonly onPlannedOutage: (outage: PlannedOutage) => void;
  /** That reason holds no longer. */
  readonly onPlannedOutageOver: (outage: PlannedOutage) => void;
}

export interface PlannedOutage extends StreamKey {
  readonly cause: GapCause;
  readonly detail: string;
}

export class Director {
  readonly #parts: DirectorParts;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  /** Streams that are not written down, by what was told. */
  #told: ReadonlyMap<string, PlannedOutage> = new Map();
  #recorded: readonly StreamKey[] = [];
  #configured = false;

  constructor(parts: DirectorParts) {
    this.#parts = parts;
  }

  /** Resolves when what is wanted now has been told. Calls while one runs are answered by one more run. */
  async apply(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    await this.#running;
  }

  /** Nothing is told any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#tell();
      }
    } catch (error) {
      this.#parts.log.error('recording could not be set up', error);
    } finally {
      this.#running = null;
    }
  }

  async #tell(): Promise<void> {
    const { registry, ingest, previews, ffmpeg, rootForRecording, dataDir } = this.#parts;
    const cameras = registry.list();
    const { keepOf = () => null, restsBecause = () => null } = this.#parts;
    // Without ffmpeg nothing can run; what ran with an earlier one goes on until it is found again.
    if (ffmpeg.found === null) {
      if (!this.#configured) this.#tellOutages(plannedOutages(cameras, { cause: 'porchlight-failed', detail: ffmpeg.problem?.message ?? 'ffmpeg was not found' }, [], restsBecause));
      return;
    }
    const passwords = new Map(await Promise.all(cameras.map(async (camera) => [camera.id, await this.#password(camera.id)] as const)));
    const places = new Map(cameras.map((camera) => [camera.id, rootForRecording(camera.id)]));
    const homeless = [...places.values()].includes(null);
    const rootFor = (cameraId: CameraId) => {
      const root = places.get(cameraId) ?? null;
      return root === null ? null : { rootId: root.rootId, rootPath: root.path };
    };
    this.#tellOutages(plannedOutages(cameras, homeless ? { cause: this.#parts.whyNoRoot(), detail: 'There was no disk that could take footage.' } : null, this.#recorded, restsBecause));
    const lastSession = (cameraId: CameraId, kind: StreamKind): number => Math.max(0, ...this.#parts.lastSessions.filter((tail) => tail.cameraId === cameraId && tail.stream === kind).map((tail) => tail.session));
    this.#configured = true;
    await ingest.configure(ingestStreams({ cameras, passwords, rootFor, lastSession, keepOf }), { ffmpegPath: ffmpeg.found.ffmpegPath, dataDir });
    this.#recorded = homeless ? [] : cameras.filter((camera) => camera.paused === null).flatMap((camera) => camera.recorded.map((stream) => ({ cameraId: camera.id, stream })));
    previews.configure(cameras.filter((camera) => camera.paused === null).map(previewStream));
  }

  #tellOutages(outages: readonly PlannedOutage[]): void {
    const now = new Map(outages.map((outage) => [`${outage.cameraId}/${outage.stream}/${outage.cause}`, outage]));
    for (const [key, outage] of this.#told) if (!now.has(key)) this.#parts.onPlannedOutageOver(outage);
    for (const [key, outage] of now) if (!this.#told.has(key)) this.#parts.onPlannedOutage(outage);
    this.#told = now;
  }

  /** A keyring that is locked costs its cameras a refusal with a sentence, not the others their recording. */
  async #password(cameraId: CameraId): Promise<string | null> {
    try {
      return (await this.#parts.registry.login(cameraId))?.password ?? null;
    } catch (error) {
      this.#parts.log.warn(`the password of ${cameraId} could not be read`, error);
      return null;
    }
  }
}

/** What is not written down on purpose, or because nothing can be (`wanting`: a disk, ffmpeg). `before`: what was written until now. Pure. */
export function plannedOutages(cameras: readonly Camera[], wanting: Pick<PlannedOutage, 'cause' | 'detail'> | null, before: readonly StreamKey[], restsBecause: (camera: Camera) => string | null = () => null): readonly PlannedOutage[] {
  const wanted = cameras.flatMap((camera) =>
    camera.recorded.flatMap((stream): readonly PlannedOutage[] => {
      if (camera.paused !== null) return [{ cameraId: camera.id, stream, cause: 'paused-by-you', detail: 'You paused this camera.' }];
      const rests = wanting === null ? null : restsBecause(camera);
      if (rests !== null) return [{ cameraId: camera.id, stream, cause: 'not-scheduled', detail: rests }];
      return wanting === null ? [] : [{ cameraId: camera.id, stream, ...wanting }];
    }),
  );
  const dropped = before
    .filter((key) => !cameras.some((camera) => camera.id === key.cameraId && camera.recorded.includes(key.stream)))
    .map(({ cameraId, stream }): PlannedOutage => ({ cameraId, stream, cause: 'paused-by-you', detail: 'You stopped the recording of this stream.' }));
  return [...wanted, ...dropped];
}

/** Previews come from the small stream where there is one (docs/design/previews.md). */
function previewStream(camera: Camera): StreamKey {
  return { cameraId: camera.id, stream: camera.streams.some((stream) => stream.kind === 'sub') ? 'sub' : 'main' };
}
