/** One WebCodecs decoder that survives errors, parameter changes and overload: it always goes on at a keyframe. */
import type { InitTrack } from '../../shared/media/init.ts';
import type { DurationMs, EpochMs } from '../../shared/time.ts';
import type { EncodedUnit } from './demux.ts';

/** A decoded picture; whoever receives it closes it. Its wall time is its timestamp. */
export interface DecodedPicture {
  readonly frame: VideoFrame;
  readonly wallMs: EpochMs;
  readonly durationMs: DurationMs;
}

export interface PictureDecoderOptions {
  /** Trade smoothness for latency: live. */
  readonly live: boolean;
  readonly onPicture: (picture: DecodedPicture) => void;
  /** There is room for more in the decoder. */
  readonly onDequeue?: () => void;
  /** The codec cannot be decoded here at all. */
  readonly onUnsupported: () => void;
}

/** Pictures waiting in a live decoder at which a newer group of pictures takes the place of what waits. */
const LIVE_BEHIND = 12;
/** Pictures waiting in a live decoder for so long: it cannot keep up, so the rest of the group is left out. A burst at the start or after a stall is worked off sooner. */
const LIVE_OVERLOADED = 45;
const LIVE_OVERLOADED_MS = 3_000;
const LIVE_CAUGHT_UP = 3;
/** Pictures waiting in a decoder at a seek from which on forgetting them is quicker than letting them come: a reset sets the decoder up anew (5 to 15 ms). */
const WORTH_A_RESET = 4;
/** Errors in a row, without one picture under these parameters ever, before the browser's own decoder is tried, and before it is given up. */
const FAILURES_TOLERATED = 4;
const MICROSECONDS_PER_MS = 1000;
/** Seeks that are told apart; far more than can be on their way, and less than half a millisecond together. */
const ROUNDS = 400;

/** Whether this browser's WebCodecs decodes the track; asked at run time, never guessed from the platform. */
export async function canDecode(track: InitTrack): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') return false;
  try {
    return (await VideoDecoder.isConfigSupported(configOf(track, false, false))).supported === true;
  } catch {
    return false;
  }
}

function configOf(track: InitTrack, live: boolean, software: boolean): VideoDecoderConfig {
  return {
    codec: track.codec,
    ...(track.description.length === 0 ? {} : { description: track.description }),
    ...(track.width > 0 ? { codedWidth: track.width, codedHeight: track.height } : {}),
    ...(software ? { hardwareAcceleration: 'prefer-software' } : {}),
    optimizeForLatency: live,
  };
}

export class PictureDecoder {
  readonly #options: PictureDecoderOptions;
  #decoder: VideoDecoder | null = null;
  #track: InitTrack | null = null;
  #needsKeyframe = true;
  /** Since when pictures wait in a live decoder; null when it keeps up. */
  #lateSinceMs: number | null = null;
  /** Under the current parameters. */
  #pictures = 0;
  #failures = 0;
  #software = false;
  #unitMs: DurationMs = 0;
  /** What was handed in since the last `restart`, by timestamp. */
  readonly #wanted = new Set<number>();
  /** Added to timestamps in microseconds, so that the same picture asked for again is told from the one that is still on its way. */
  #round = 0;

  constructor(options: PictureDecoderOptions) {
    this.#options = options;
  }

  /** The parameters in force. */
  get track(): InitTrack | null {
    return this.#track;
  }

  /** New parameters: takes effect with the next keyframe. What is inside is forgotten; flush first to have it. */
  configure(track: InitTrack): void {
    this.#track = track;
    this.#pictures = 0;
    this.#failures = 0;
    this.#software = false;
    this.#drop();
  }

  /** Pictures that were handed in and have not begun to be decoded. */
  get queued(): number {
    return this.#decoder?.decodeQueueSize ?? 0;
  }

  /** Forgets everything that is being decoded; goes on at a keyframe. */
  reset(): void {
    this.#needsKeyframe = true;
    this.#lateSinceMs = null;
    if (this.#decoder?.state !== 'configured' || this.#track === null) return;
    // After a reset nothing of before comes out any more (WebCodecs, "Reset VideoDecoder"); cheaper than a new decoder.
    this.#decoder.reset();
    this.#decoder.configure(configOf(this.#track, this.#options.live, this.#software));
  }

  /** As `reset`, for a seek: what is nearly decoded is let through and thrown away, because the decoder is sooner at the next keyframe than a new one would be. */
  restart(): void {
    this.#wanted.clear();
    this.#round = (this.#round + 1) % ROUNDS;
    if (this.queued >= WORTH_A_RESET) this.reset();
    else this.#needsKeyframe = true;
  }

  /** What follows cannot be decoded without something that is missing: goes on at the next keyframe. */
  skipToKeyframe(): void {
    this.#needsKeyframe = true;
  }

  decode(unit: EncodedUnit): void {
    if (this.#track === null) return;
    if (this.#options.live) this.#keepUp(unit);
    if (this.#needsKeyframe && !unit.keyframe) return;
    try {
      if (this.#decoder === null || this.#decoder.state === 'closed') this.#decoder = this.#create(this.#track);
      this.#needsKeyframe = false;
      this.#unitMs = unit.durationMs;
      const timestamp = Math.round(unit.wallMs * MICROSECONDS_PER_MS) + this.#round;
      if (!this.#options.live) this.#wanted.add(timestamp);
      this.#decoder.decode(
        new EncodedVideoChunk({
          type: unit.keyframe ? 'key' : 'delta',
          timestamp,
          duration: Math.round(unit.durationMs * MICROSECONDS_PER_MS),
          data: unit.data,
        }),
      );
    } catch {
      this.#fail();
    }
  }

  /** Makes the decoder give out all it holds; the next picture must be a keyframe. */
  async flush(): Promise<void> {
    this.#needsKeyframe = true;
    try {
      await this.#decoder?.flush();
    } catch {
      // A reset or an error in between ends the flush; both are handled where they happen.
    }
  }

  close(): void {
    this.#track = null;
    this.#drop();
  }

  /** A burst is worked off; nothing may pile up for long. */
  #keepUp(unit: EncodedUnit): void {
    const { queued } = this;
    const nowMs = performance.now();
    if (queued > LIVE_CAUGHT_UP) this.#lateSinceMs ??= nowMs;
    if (unit.keyframe && queued > LIVE_BEHIND) this.reset();
    else if (queued > LIVE_OVERLOADED && this.#lateSinceMs !== null && nowMs - this.#lateSinceMs > LIVE_OVERLOADED_MS) this.#needsKeyframe = true;
  }

  #create(track: InitTrack): VideoDecoder {
    const decoder: VideoDecoder = new VideoDecoder({
      output: (frame) => {
        if (decoder !== this.#decoder) {
          frame.close();
          return;
        }
        this.#pictures += 1;
        this.#failures = 0;
        if (!this.#options.live && !this.#wanted.delete(frame.timestamp)) {
          frame.close();
          return;
        }
        if (this.queued <= LIVE_CAUGHT_UP) this.#lateSinceMs = null;
        const durationMs = frame.duration === null ? this.#unitMs : frame.duration / MICROSECONDS_PER_MS;
        this.#options.onPicture({ frame, wallMs: (frame.timestamp - this.#round) / MICROSECONDS_PER_MS, durationMs });
      },
      error: () => {
        if (decoder === this.#decoder) this.#fail();
      },
    });
    const { onDequeue } = this.#options;
    if (onDequeue !== undefined) decoder.addEventListener('dequeue', onDequeue);
    decoder.configure(configOf(track, this.#options.live, this.#software));
    return decoder;
  }

  /** A bad group of pictures is the camera's, the disk's or the network's: what was decodable once stays so. Never one picture, again and again, is this browser's. */
  #fail(): void {
    this.#drop();
    if (this.#pictures > 0) return;
    this.#failures += 1;
    if (this.#failures < FAILURES_TOLERATED) return;
    this.#failures = 0;
    if (this.#software) this.#options.onUnsupported();
    else this.#software = true;
  }

  #drop(): void {
    this.#needsKeyframe = true;
    this.#lateSinceMs = null;
    this.#wanted.clear();
    const decoder = this.#decoder;
    this.#decoder = null;
    if (decoder !== null && decoder.state !== 'closed') decoder.close();
  }
}
