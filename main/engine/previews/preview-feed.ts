/** One camera's keyframes as they arrive from the ingest thread, those that become previews put in its queue. */
import type { MessagePort } from 'node:worker_threads';
import { MalformedMediaError } from '../../../shared/media/boxes.ts';
import { parseFragment } from '../../../shared/media/fragment.ts';
import { type InitSegment, parseInit, videoTrackOf } from '../../../shared/media/init.ts';
import { ticksToMs } from '../../../shared/media/keyframe-index.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { LiveMessage, LiveSubscription, StreamKey } from '../ports/ingest.ts';
import { videoOf } from './picture-decoder.ts';
import { FIRST_PACE, nextPace, type PreviewPace } from './preview-pace.ts';
import { PreviewQueue } from './preview-queue.ts';

export interface PreviewFeedParts {
  readonly key: StreamKey;
  readonly clock: Clock;
  readonly subscribe: (subscription: LiveSubscription) => MessagePort;
  /** Something may be due earlier than thought: the camera went offline, a batch is full. */
  readonly onDue: () => void;
  /** The feed ended without having been closed: the ingest thread is gone, or the stream is. */
  readonly onEnded: () => void;
}

export class PreviewFeed {
  readonly key: StreamKey;
  readonly queue = new PreviewQueue();
  readonly #parts: PreviewFeedParts;
  readonly #port: MessagePort;
  #init: InitSegment | null = null;
  #pace: PreviewPace = FIRST_PACE;
  #closed = false;

  constructor(parts: PreviewFeedParts) {
    this.#parts = parts;
    this.key = parts.key;
    this.#port = parts.subscribe({ ...parts.key, keyframesOnly: true });
    this.#port.on('message', (message: LiveMessage) => this.#take(message));
    this.#port.on('close', () => {
      if (!this.#closed) parts.onEnded();
      this.#closed = true;
    });
  }

  /** ffmpeg's -q:v for the next batch. */
  get quality(): number {
    return this.#pace.quality;
  }

  /** Learns from what a batch came to: mean size of its JPEGs, and the rate of the camera's footage in bytes per second (null while unknown). */
  learn(meanJpegBytes: number, footageBytesPerSecond: number | null): void {
    this.#pace = nextPace(this.#pace, meanJpegBytes, footageBytesPerSecond);
  }

  /** Takes nothing more; what waits stays in the queue. */
  close(): void {
    this.#closed = true;
    this.#port.close();
  }

  #take(message: LiveMessage): void {
    if (this.#closed) return;
    switch (message.type) {
      case 'init':
        this.#init = parsedOrNull(message.bytes);
        this.queue.setInit(message.bytes);
        this.#parts.onDue();
        break;
      case 'wait':
        // The picture of an offline camera is its last one.
        this.queue.hurry();
        this.#parts.onDue();
        break;
      case 'fragment':
        if (message.keyframe && message.video) this.#keyframe(message);
        break;
    }
  }

  #keyframe(message: Extract<LiveMessage, { type: 'fragment' }>): void {
    const atMs = this.#init === null ? null : pictureTimeMs(message, this.#init);
    if (atMs === null || !this.queue.wants(atMs, this.#pace.stepMs)) return;
    this.queue.add({ atMs, fragment: message.bytes }, this.#pace.stepMs, this.#parts.clock.monotonicMs());
    this.#parts.onDue();
  }
}

function parsedOrNull(init: Uint8Array): InitSegment | null {
  try {
    return parseInit(init);
  } catch (error) {
    if (error instanceof MalformedMediaError) return null;
    throw error;
  }
}

/** Wall time of the fragment's first picture; null where it has none. */
function pictureTimeMs(message: Extract<LiveMessage, { type: 'fragment' }>, init: InitSegment): EpochMs | null {
  try {
    const video = videoTrackOf(init);
    const track = videoOf(parseFragment(message.bytes, init), init);
    const [first] = track?.samples ?? [];
    if (video === null || track === null || first === undefined) return null;
    return message.baseWallMs + ticksToMs(track.baseDecodeTime + first.compositionOffsetTicks, video.timescale) - message.baseMediaMs;
  } catch (error) {
    if (error instanceof MalformedMediaError) return null;
    throw error;
  }
}
