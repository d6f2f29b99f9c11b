/** One live picture: the ingest feed passed on in chunks, as fast as the viewer grants credits, never with a queue that grows (docs/design/playback.md, "Live"). */
import type { MessagePort } from 'node:worker_threads';
import type { MediaChunk } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import { concatBytes } from '../../../shared/media/boxes.ts';
import type { LiveMessage, LiveSubscription, StreamKey } from '../ports/ingest.ts';
import type { MediaSink, MediaStream } from '../ports/media.ts';

/** A group of pictures of ten seconds of 4K at 16 Mbit/s fits; what is larger is not worth catching up with. */
const MAX_QUEUED_BYTES = 24 * 1024 * 1024;
/** Waiting fragments go out together up to this size: a chunk costs one credit, however many fragments it holds. */
const MAX_CHUNK_BYTES = 1024 * 1024;

type Fragment = Extract<LiveMessage, { type: 'fragment' }>;
type Init = Extract<LiveMessage, { type: 'init' }>;

export interface LiveParts {
  readonly key: StreamKey;
  readonly credits: number;
  readonly subscribe: (subscription: LiveSubscription) => MessagePort;
  readonly sink: MediaSink;
}

/** Opens a live stream; it closes itself with `connection-lost` when the feed ends. */
export function openLive(parts: LiveParts): MediaStream {
  return new LiveStream(parts);
}

class LiveStream implements MediaStream {
  readonly #sink: MediaSink;
  readonly #port: MessagePort;
  #credits: number;
  #init: Init | null = null;
  #sentInitId: number | null = null;
  /** What waits for credits: whole fragments that follow what was sent, or a newer group of pictures from its keyframe on. */
  #queue: Fragment[] = [];
  #queuedBytes = 0;
  /** What comes cannot be shown without what was dropped: nothing is kept before the next keyframe. */
  #skipping = true;
  #closed = false;

  constructor(parts: LiveParts) {
    this.#sink = parts.sink;
    this.#credits = parts.credits;
    this.#port = parts.subscribe({ ...parts.key, keyframesOnly: false });
    this.#port.on('message', (message: LiveMessage) => this.#take(message));
    this.#port.on('close', () => this.#feedEnded());
  }

  addCredits(credits: number): void {
    this.#credits += credits;
    this.#flush();
  }

  control(): void {
    // Live has no position to steer.
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#port.close();
  }

  #feedEnded(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#sink.closed(new PorchlightError('connection-lost', 'The live picture has ended. Open the camera again to go on.'));
  }

  #take(message: LiveMessage): void {
    if (this.#closed) return;
    switch (message.type) {
      case 'init':
        this.#init = message;
        this.#forget();
        this.#skipping = true;
        break;
      case 'wait':
        this.#forget();
        this.#skipping = true;
        this.#sink.chunk({ kind: 'wait', sinceMs: message.sinceMs }, null);
        break;
      case 'fragment':
        this.#enqueue(message);
        this.#flush();
        break;
    }
  }

  #enqueue(fragment: Fragment): void {
    if (fragment.keyframe) {
      // Latest wins: a viewer that has not taken the old group of pictures by now gets the new one.
      this.#forget();
      this.#skipping = false;
    }
    if (this.#skipping) return;
    if (this.#queuedBytes + fragment.bytes.length > MAX_QUEUED_BYTES) {
      this.#forget();
      this.#skipping = true;
      return;
    }
    this.#queue.push(fragment);
    this.#queuedBytes += fragment.bytes.length;
  }

  #flush(): void {
    while (!this.#closed && this.#queue.length > 0 && this.#credits > 0) {
      const initId = this.#queue[0]?.initId;
      if (initId !== this.#sentInitId) {
        const init = this.#init;
        if (init === null || init.initId !== initId) {
          this.#forget();
          this.#skipping = true;
          return;
        }
        this.#credits -= 1;
        this.#sentInitId = init.initId;
        // A copy: the buffer goes to the viewer, and the same init may be wanted again.
        this.#sink.chunk({ kind: 'init', initId: init.initId }, new Uint8Array(init.bytes));
        continue;
      }
      this.#credits -= 1;
      const { head, payload } = this.#nextChunk();
      this.#sink.chunk(head, payload);
    }
  }

  #nextChunk(): { head: MediaChunk; payload: Uint8Array } {
    let count = 0;
    let bytes = 0;
    let endMs = 0;
    for (const fragment of this.#queue) {
      if (count > 0 && bytes + fragment.bytes.length > MAX_CHUNK_BYTES) break;
      count += 1;
      bytes += fragment.bytes.length;
      if (fragment.video) endMs = Math.max(endMs, fragment.endMs);
    }
    const taken = this.#queue.splice(0, count);
    this.#queuedBytes -= bytes;
    const [first] = taken;
    if (first === undefined) throw new Error('a chunk of no fragments');
    return {
      head: { kind: 'media', initId: first.initId, seekId: 0, baseWallMs: first.baseWallMs, baseMediaMs: first.baseMediaMs, keyframe: first.keyframe, endMs: endMs === 0 ? first.endMs : endMs },
      payload: taken.length === 1 ? first.bytes : concatBytes(taken.map((fragment) => fragment.bytes)),
    };
  }

  #forget(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }
}
