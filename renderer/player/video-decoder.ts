/** One WebCodecs decoder that survives errors, parameter changes and overload: it always goes on at a keyframe. */
import type { InitTrack } from '../../shared/media/init.ts';
import type { EncodedUnit } from './demux.ts';

/** A decoded picture; whoever receives it closes it. Its wall time is its timestamp. */
export interface DecodedPicture {
  readonly frame: VideoFrame;
  readonly wallMs: number;
}

export interface PictureDecoderOptions {
  /** Trade smoothness for latency: live. */
  readonly live: boolean;
  readonly onPicture: (picture: DecodedPicture) => void;
  /** The codec cannot be decoded here at all. */
  readonly onUnsupported: () => void;
}

/** Pictures waiting inside the decoder beyond which a live stream is behind and goes on at the next keyframe. */
const LIVE_QUEUE_LIMIT = 12;
const MICROSECONDS_PER_MS = 1000;

/** Whether this browser decodes the track; asked at run time, never guessed from the platform. */
export async function canDecode(track: InitTrack): Promise<boolean> {
  if (typeof VideoDecoder === 'undefined') return false;
  try {
    return (await VideoDecoder.isConfigSupported(configOf(track, false))).supported === true;
  } catch {
    return false;
  }
}

function configOf(track: InitTrack, live: boolean): VideoDecoderConfig {
  return {
    codec: track.codec,
    ...(track.description === null ? {} : { description: track.description }),
    ...(track.width > 0 ? { codedWidth: track.width, codedHeight: track.height } : {}),
    optimizeForLatency: live,
  };
}

export class PictureDecoder {
  readonly #options: PictureDecoderOptions;
  #decoder: VideoDecoder | null = null;
  #track: InitTrack | null = null;
  #needsKeyframe = true;
  #failuresInARow = 0;

  constructor(options: PictureDecoderOptions) {
    this.#options = options;
  }

  /** New parameters: takes effect with the next keyframe. */
  configure(track: InitTrack): void {
    this.#track = track;
    this.#drop();
  }

  /** Pictures that were handed in and have not come out yet. */
  get queued(): number {
    return this.#decoder?.decodeQueueSize ?? 0;
  }

  /** Forgets everything that is being decoded; goes on at a keyframe. */
  reset(): void {
    this.#needsKeyframe = true;
    if (this.#decoder?.state !== 'configured' || this.#track === null) return;
    // After a reset nothing of before comes out any more (WebCodecs, 8.5); cheaper than a new decoder.
    this.#decoder.reset();
    this.#decoder.configure(configOf(this.#track, this.#options.live));
  }

  decode(unit: EncodedUnit): void {
    if (this.#track === null) return;
    if (this.#options.live && this.queued > LIVE_QUEUE_LIMIT) this.#needsKeyframe = true;
    if (this.#needsKeyframe && !unit.keyframe) return;
    if (this.#decoder === null || this.#decoder.state === 'closed') this.#decoder = this.#create(this.#track);
    this.#needsKeyframe = false;
    try {
      this.#decoder.decode(
        new EncodedVideoChunk({
          type: unit.keyframe ? 'key' : 'delta',
          timestamp: Math.round(unit.wallMs * MICROSECONDS_PER_MS),
          duration: Math.round(unit.durationMs * MICROSECONDS_PER_MS),
          data: unit.data,
        }),
      );
    } catch {
      this.#drop();
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

  #create(track: InitTrack): VideoDecoder {
    const decoder: VideoDecoder = new VideoDecoder({
      output: (frame) => {
        this.#failuresInARow = 0;
        if (decoder !== this.#decoder) frame.close();
        else this.#options.onPicture({ frame, wallMs: frame.timestamp / MICROSECONDS_PER_MS });
      },
      error: (error) => {
        if (decoder !== this.#decoder) return;
        this.#drop();
        this.#failuresInARow += 1;
        // One bad group of pictures is the camera's or the network's; failing again and again is this browser's.
        if (error.name === 'NotSupportedError' || this.#failuresInARow > 8) this.#options.onUnsupported();
      },
    });
    decoder.configure(configOf(track, this.#options.live));
    return decoder;
  }

  #drop(): void {
    this.#needsKeyframe = true;
    const decoder = this.#decoder;
    this.#decoder = null;
    if (decoder !== null && decoder.state !== 'closed') decoder.close();
  }
}
