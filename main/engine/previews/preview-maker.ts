/** Makes the previews of all cameras: keyframes in, pictures in packs out, one short decoder at a time (docs/design/previews.md). */
import type { MessagePort } from 'node:worker_threads';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { LiveSubscription, StreamKey } from '../ports/ingest.ts';
import type { PreviewPacks } from '../storage/preview-pack.ts';
import { PictureDecoder, type RunFfmpeg } from './picture-decoder.ts';
import { PreviewFeed } from './preview-feed.ts';
import type { KeyframeBatch } from './preview-queue.ts';

/** Longest a keyframe waits for its batch to fill: batches of half a minute took half as much CPU again per picture. Whoever looks for a picture of the last minute hurries it. */
const MAX_WAIT_MS = 60_000;
/** How often waits are looked at. */
const LOOK_MS = 1_000;
/** A batch takes well under a second; a decoder that takes this long hangs. */
const DECODER_LIMIT_MS = 20_000;
/** A feed that ended is asked for again: the ingest thread is being restarted. */
const RESUBSCRIBE_MS = 2_000;

export interface PreviewMakerParts {
  readonly subscribe: (subscription: LiveSubscription) => MessagePort;
  readonly runFfmpeg: RunFfmpeg;
  readonly packs: PreviewPacks;
  /** Where a camera's previews go at the moment; null while there is no disk for them. */
  readonly rootOf: (cameraId: CameraId) => string | null;
  /** Rate of a camera's recorded footage in bytes per second; null while unknown. */
  readonly footageBytesPerSecond: (cameraId: CameraId) => number | null;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What has been done since the start. */
export interface PreviewCounts {
  readonly made: number;
  /** Keyframes that could not be decoded. */
  readonly undecoded: number;
  /** Keyframes given up because too many waited, or because no disk took the pictures. */
  readonly dropped: number;
}

export class PreviewMaker {
  readonly #parts: PreviewMakerParts;
  readonly #decoder: PictureDecoder;
  readonly #feeds = new Map<CameraId, PreviewFeed>();
  #wanted = new Map<CameraId, StreamKey>();
  readonly #stop = new AbortController();
  readonly #stopLooking: () => void;
  readonly #resubscribes = new Set<() => void>();
  #working: Promise<void> | null = null;
  /** Callers of `flush`, by camera: answered when nothing of that camera waits or is being made. */
  readonly #flushes = new Map<CameraId, (() => void)[]>();
  #current: CameraId | null = null;
  /** Cameras whose last batch failed: said once, and once when it works again. */
  readonly #failing = new Set<CameraId>();
  #counts = { made: 0, undecoded: 0, dropped: 0 };

  constructor(parts: PreviewMakerParts) {
    this.#parts = parts;
    this.#decoder = new PictureDecoder(parts.runFfmpeg);
    this.#stopLooking = parts.clock.every(LOOK_MS, () => this.#stir());
  }

  get counts(): PreviewCounts {
    const waiting = [...this.#feeds.values()].reduce((sum, feed) => sum + feed.queue.dropped, 0);
    return { ...this.#counts, dropped: this.#counts.dropped + waiting };
  }

  /** The whole desired set: one stream per camera, its sub stream where that is connected. Compared with what runs. */
  configure(cameras: readonly StreamKey[]): void {
    if (this.#stop.signal.aborted) return;
    this.#wanted = new Map(cameras.map((key) => [key.cameraId, key]));
    for (const [cameraId, feed] of this.#feeds) {
      if (this.#wanted.get(cameraId)?.stream !== feed.key.stream) this.#forget(cameraId, feed);
    }
    for (const key of this.#wanted.values()) if (!this.#feeds.has(key.cameraId)) this.#subscribe(key);
  }

  /** Makes what waits of a camera now; resolves when it is on disk or has failed, at once where nothing waits. */
  async flush(cameraId: CameraId): Promise<void> {
    const feed = this.#feeds.get(cameraId);
    if (feed === undefined || (feed.queue.waiting === 0 && this.#current !== cameraId)) return;
    feed.queue.hurry();
    await new Promise<void>((resolve) => {
      this.#flushes.set(cameraId, [...(this.#flushes.get(cameraId) ?? []), resolve]);
      this.#stir();
    });
  }

  /** Stops listening and ends the decoder that runs; what waits is given up: it can be seen in the footage. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#stopLooking();
    for (const cancel of this.#resubscribes) cancel();
    for (const feed of this.#feeds.values()) feed.close();
    await this.#working;
    this.#feeds.clear();
    for (const cameraId of [...this.#flushes.keys()]) this.#answer(cameraId);
  }

  #subscribe(key: StreamKey): void {
    try {
      const feed = new PreviewFeed({
        key,
        clock: this.#parts.clock,
        subscribe: this.#parts.subscribe,
        onDue: () => this.#stir(),
        onEnded: () => {
          this.#forget(key.cameraId, feed);
          this.#resubscribe(key);
        },
      });
      this.#feeds.set(key.cameraId, feed);
    } catch (error) {
      this.#parts.log.warn('no keyframes for previews', error);
      this.#resubscribe(key);
    }
  }

  #resubscribe(key: StreamKey): void {
    const cancel = this.#parts.clock.after(RESUBSCRIBE_MS, () => {
      this.#resubscribes.delete(cancel);
      const wanted = this.#wanted.get(key.cameraId);
      if (wanted !== undefined && !this.#feeds.has(key.cameraId)) this.#subscribe(wanted);
    });
    this.#resubscribes.add(cancel);
  }

  #forget(cameraId: CameraId, feed: PreviewFeed): void {
    if (this.#feeds.get(cameraId) !== feed) return;
    this.#feeds.delete(cameraId);
    this.#counts.dropped += feed.queue.dropped + feed.queue.waiting;
    feed.close();
    if (this.#current !== cameraId) this.#answer(cameraId);
  }

  #stir(): void {
    if (this.#working !== null || this.#stop.signal.aborted || this.#mostDue() === null) return;
    const work = this.#work().finally(() => {
      this.#working = null;
    });
    this.#working = work;
  }

  /** The feed whose due batch has waited longest. */
  #mostDue(): PreviewFeed | null {
    const nowMs = this.#parts.clock.monotonicMs();
    let most: { feed: PreviewFeed; sinceMs: DurationMs } | null = null;
    for (const feed of this.#feeds.values()) {
      const sinceMs = feed.queue.dueSinceMs(nowMs, MAX_WAIT_MS);
      if (sinceMs !== null && (most === null || sinceMs < most.sinceMs)) most = { feed, sinceMs };
    }
    return most?.feed ?? null;
  }

  async #work(): Promise<void> {
    for (let feed = this.#mostDue(); feed !== null && !this.#stop.signal.aborted; feed = this.#mostDue()) {
      const batch = feed.queue.take();
      const { cameraId } = feed.key;
      this.#current = cameraId;
      if (batch !== null && batch.keyframes.length > 0) await this.#make(feed, batch);
      this.#current = null;
      if (this.#feeds.get(cameraId)?.queue.dueSinceMs(this.#parts.clock.monotonicMs(), MAX_WAIT_MS) === null || !this.#feeds.has(cameraId)) this.#answer(cameraId);
    }
  }

  /** Never rejects: previews are worth nobody's footage, so a failure is said once and the next batch is tried. */
  async #make(feed: PreviewFeed, batch: KeyframeBatch): Promise<void> {
    const { cameraId } = feed.key;
    const rootPath = this.#parts.rootOf(cameraId);
    if (rootPath === null) {
      this.#counts.dropped += batch.keyframes.length;
      return;
    }
    const limit = new AbortController();
    const cancel = this.#parts.clock.after(DECODER_LIMIT_MS, () => limit.abort());
    try {
      const { previews, problem } = await this.#decoder.decode(batch, feed.quality, AbortSignal.any([limit.signal, this.#stop.signal]));
      this.#counts.undecoded += batch.keyframes.length - previews.length;
      if (previews.length > 0) {
        await this.#parts.packs.append(rootPath, cameraId, previews);
        this.#counts.made += previews.length;
        const meanBytes = previews.reduce((sum, preview) => sum + preview.jpeg.length, 0) / previews.length;
        feed.learn(meanBytes, this.#parts.footageBytesPerSecond(cameraId));
      }
      this.#tell(cameraId, previews.length === 0 ? new Error(problem) : null);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#counts.dropped += batch.keyframes.length;
      this.#tell(cameraId, error);
    } finally {
      cancel();
    }
  }

  #tell(cameraId: CameraId, failure: unknown): void {
    const failed = failure !== null;
    if (failed === this.#failing.has(cameraId)) return;
    if (failed) {
      this.#failing.add(cameraId);
      this.#parts.log.warn(`previews of ${cameraId} fail; each further batch is tried`, failure);
    } else {
      this.#failing.delete(cameraId);
      this.#parts.log.info(`previews of ${cameraId} are made again`);
    }
  }

  #answer(cameraId: CameraId): void {
    const waiting = this.#flushes.get(cameraId) ?? [];
    this.#flushes.delete(cameraId);
    for (const resolve of waiting) resolve();
  }
}
