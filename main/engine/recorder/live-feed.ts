/** The last group of pictures in memory, and everybody who watches: nothing queues without bound (C3, R1). */
import type { MessagePort } from 'node:worker_threads';
import type { EpochMs } from '../../../shared/time.ts';
import type { LiveMessage } from '../ports/ingest.ts';
import type { SessionFragment, SessionInit } from './media.ts';
import { PictureGroup } from './picture-group.ts';

/** A keyframe distance of ten seconds at 16 Mbit/s, with sound; a longer group is forgotten rather than kept. */
const MAX_GROUP_BYTES = 24 * 1024 * 1024;

interface Subscriber {
  readonly port: MessagePort;
  readonly keyframesOnly: boolean;
  /** The init it was sent last. */
  initId: number | null;
  /** It must be given a keyframe before anything else. */
  waiting: boolean;
}

export class LiveFeed {
  readonly #subscribers = new Set<Subscriber>();
  readonly #group = new PictureGroup();
  #waitingSinceMs: EpochMs | null;
  /** Footage is being kept: previews are made of nothing else. */
  #kept = true;

  constructor(nowMs: EpochMs) {
    this.#waitingSinceMs = nowMs;
  }

  /** Whether somebody watches who wants every frame as it comes. */
  get hasViewers(): boolean {
    return Array.from(this.#subscribers).some((subscriber) => !subscriber.keyframesOnly);
  }

  /** Sends the current group of pictures, then everything as it comes, until the port closes. */
  add(port: MessagePort, keyframesOnly: boolean): void {
    const subscriber: Subscriber = { port, keyframesOnly, initId: null, waiting: true };
    this.#subscribers.add(subscriber);
    port.on('close', () => this.#subscribers.delete(subscriber));
    // A port that is read keeps the thread alive and tells of its end.
    port.on('message', () => undefined);
    if (this.#waitingSinceMs !== null) send(port, { type: 'wait', sinceMs: this.#waitingSinceMs });
    for (const fragment of this.#group.fragments) this.#give(subscriber, fragment);
  }

  /**
   * `drained` is false while the receiving thread does not keep up: viewers then wait for a keyframe after it does. `kept`
   * is false while nothing is to be kept of the camera: who makes pictures for the disk then gets none.
   */
  take(fragment: SessionFragment, drained: boolean, kept = true): void {
    this.#kept = kept;
    if (fragment.keyframe) this.#group.clear();
    if (this.#group.fragments.length > 0 || fragment.keyframe) {
      this.#group.add(fragment);
      if (this.#group.sizeBytes > MAX_GROUP_BYTES) this.#group.clear();
    }
    this.#waitingSinceMs = null;
    for (const subscriber of this.#subscribers) {
      if (drained) this.#give(subscriber, fragment);
      else subscriber.waiting = true;
    }
  }

  /** There is nothing to show: the stream ended at `sinceMs`. */
  wait(sinceMs: EpochMs): void {
    this.#group.clear();
    if (this.#waitingSinceMs !== null) return;
    this.#waitingSinceMs = sinceMs;
    for (const subscriber of this.#subscribers) {
      subscriber.waiting = true;
      send(subscriber.port, { type: 'wait', sinceMs });
    }
  }

  close(): void {
    for (const { port } of this.#subscribers) port.close();
    this.#subscribers.clear();
    this.#group.clear();
  }

  #give(subscriber: Subscriber, fragment: SessionFragment): void {
    if (fragment.keyframe) subscriber.waiting = false;
    if (subscriber.waiting || (subscriber.keyframesOnly && !(fragment.keyframe && this.#kept))) return;
    this.#introduce(subscriber, fragment.init);
    // Everybody gets bytes of their own: these are lent.
    const bytes = fragment.bytes.slice();
    send(
      subscriber.port,
      { type: 'fragment', initId: fragment.init.initId, bytes, keyframe: fragment.keyframe, video: fragment.video, baseWallMs: fragment.wallMs, baseMediaMs: fragment.startMediaMs, endMs: fragment.wallMs + (fragment.endMediaMs - fragment.startMediaMs) },
      bytes,
    );
  }

  #introduce(subscriber: Subscriber, init: SessionInit): void {
    if (subscriber.initId === init.initId) return;
    subscriber.initId = init.initId;
    const bytes = init.bytes.slice();
    send(subscriber.port, { type: 'init', initId: init.initId, bytes }, bytes);
  }
}

function send(port: MessagePort, message: LiveMessage, moved?: Uint8Array): void {
  port.postMessage(message, moved === undefined ? [] : [moved.buffer as ArrayBuffer]);
}
