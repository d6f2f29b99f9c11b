/** The ingest thread's entry: no database, no folder walks, nothing but cameras and their own files (R2). */
import { flushCompileCache } from 'node:module';
import type { MessagePort } from 'node:worker_threads';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { ReceivedBytes } from '../../../shared/model/recording-mode.ts';
import { systemClock } from '../core/clock.ts';
import { exposeWorker } from '../core/worker-rpc.ts';
import type { IngestNotice, IngestSettings, IngestStream, LiveSubscription, OpenSegment, StreamKeep, StreamKey } from '../ports/ingest.ts';
import { IngestStreams } from './ingest.ts';

/** What the thread tells its owner: notices, and a beat that the owner answers while it keeps up. */
export type WorkerNotice = { readonly notice: IngestNotice } | { readonly beat: number };

export interface IngestWorkerApi {
  configure(streams: readonly IngestStream[], settings: IngestSettings): Promise<void>;
  keep(cameraId: CameraId, keep: StreamKeep | null): void;
  received(): readonly (StreamKey & ReceivedBytes)[];
  retry(cameraId: CameraId): void;
  openSegment(key: StreamKey): Promise<OpenSegment | null>;
  subscribe(subscription: LiveSubscription, port: MessagePort): void;
  /** The owner has handled everything that was sent before this beat. */
  heard(beat: number): void;
  stop(): Promise<void>;
}

const BEAT_MS = 500;
/** Two seconds of messages may wait in the owner's queue; live pictures are then dropped up to a keyframe. */
const BEATS_BEHIND = 4;

let beat = 0;
let heard = 0;
const streams = new IngestStreams(systemClock, (notice) => send({ notice }), () => beat - heard < BEATS_BEHIND);
const stopBeats = systemClock.every(BEAT_MS, () => {
  beat += 1;
  send({ beat });
});

const send = exposeWorker<WorkerNotice>({
  configure: async (wanted, settings) => {
    await streams.configure(wanted, settings);
    // What this thread compiled serves the next life's start (engine-main.ts).
    flushCompileCache();
  },
  keep: (cameraId, keep) => streams.keep(cameraId, keep),
  received: () => streams.received(),
  retry: (cameraId) => streams.retry(cameraId),
  openSegment: (key) => streams.openSegment(key),
  subscribe: (subscription, port) => streams.subscribe(subscription, port),
  heard: (number) => {
    heard = Math.max(heard, number);
  },
  stop: async () => {
    stopBeats();
    await streams.stop();
  },
} satisfies IngestWorkerApi);
