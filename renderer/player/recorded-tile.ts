/** A camera's recordings by WebCodecs: decodes from the keyframe before a moment and paints exactly the picture that covers it. */
import type { ChunkHead, GapChunk } from '../../shared/contract/media.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { EpochMs } from '../../shared/time.ts';
import type { EngineClient, MediaHandle } from '../api/engine-client.ts';
import type { AudioSink } from './audio-sink.ts';
import { Demuxer, type EncodedUnit } from './demux.ts';
import type { Painter } from './painter.ts';
import { PictureQueue, PICTURES_HELD } from './picture-queue.ts';
import type { RecordedTile, TilePhase } from './tile-player.ts';
import { canDecode, type DecodedPicture, PictureDecoder } from './video-decoder.ts';

export interface RecordedTileOptions {
  readonly client: EngineClient;
  readonly cameraId: CameraId;
  readonly stream: 'main' | 'sub' | 'best';
  readonly painter: Painter;
  readonly fromMs: EpochMs;
  readonly onPhase: (phase: TilePhase) => void;
}

/** Groups of pictures asked for ahead of what is decoded. */
const CREDITS = 4;
/** Encoded pictures inside the decoder: enough to keep it busy, few enough to drop at a seek. */
const DECODER_DEPTH = 6;
/** From this speed on only keyframes are shown. */
const KEYFRAMES_FROM_RATE = 8;
/** Keyframes a second that are worth showing at such speeds. */
const FAST_PICTURES_PER_SECOND = 10;
const REOPEN_MS = 1_000;

export class WebCodecsRecordedTile implements RecordedTile {
  readonly #options: RecordedTileOptions;
  readonly #demuxer = new Demuxer();
  readonly #decoder: PictureDecoder;
  readonly #pictures = new PictureQueue();
  /** Encoded, in decoding order; a null ends a chunk, whose credit goes back when it is reached. */
  #encoded: (EncodedUnit | null)[] = [];
  #audio: EncodedUnit[] = [];
  #handle: MediaHandle | null = null;
  #reopen: ReturnType<typeof setTimeout> | null = null;
  #seekId = 0;
  #targetMs: EpochMs;
  /** The picture that covers `#targetMs` has not been painted yet. */
  #seeking = true;
  #one = false;
  /** The answer of a `one` seek has been decoded whole: what there is, is all there will be. */
  #drained = false;
  #gaps: GapChunk[] = [];
  #endMs: EpochMs | null = null;
  #rate = 1;
  #positionMs: EpochMs;
  #sink: AudioSink | null = null;
  #phase: TilePhase = { kind: 'starting' };
  #closed = false;

  constructor(options: RecordedTileOptions) {
    this.#options = options;
    this.#targetMs = options.fromMs;
    this.#positionMs = options.fromMs;
    this.#decoder = new PictureDecoder({ live: false, onPicture: (picture) => this.#receivePicture(picture), onUnsupported: () => this.#setPhase({ kind: 'unsupported', codec: this.#demuxer.video?.codec ?? '' }) });
    this.#open();
  }

  seek(toMs: EpochMs, one: boolean): void {
    this.#targetMs = toMs;
    this.#positionMs = toMs;
    this.#one = one;
    this.#forget();
    this.#seekId += 1;
    if (this.#handle === null) return;
    this.#handle.control({ kind: 'seek', toMs, seekId: this.#seekId, one });
  }

  tick(positionMs: EpochMs): void {
    this.#positionMs = positionMs;
    const due = this.#seeking ? this.#takeCovering() : this.#pictures.takeDue(positionMs);
    if (due !== null) {
      this.#options.painter.paint(due);
      this.#seeking = false;
    }
    this.#pump();
    this.#playSound(positionMs);
    this.#setPhase(this.#phaseAt(positionMs));
  }

  starving(positionMs: EpochMs): boolean {
    if (this.#phase.kind === 'unsupported' || this.#phase.kind === 'failed') return false;
    if (this.resumesAtMs(positionMs) !== null) return false;
    if (this.#seeking) return true;
    const newest = this.#pictures.newestMs ?? this.#options.painter.paintedMs;
    // Less than a picture ahead: half a second covers slow cameras.
    return newest === null || (this.#pictures.size === 0 && positionMs > newest + 500);
  }

  resumesAtMs(positionMs: EpochMs): EpochMs | null {
    const gap = this.#gaps.find(({ startMs, endMs }) => positionMs >= startMs && positionMs < endMs);
    if (gap !== undefined) return gap.endMs;
    return this.#endMs !== null && positionMs >= this.#endMs ? Number.POSITIVE_INFINITY : null;
  }

  setRate(rate: number): void {
    const [before, now] = [this.#rate >= KEYFRAMES_FROM_RATE, rate >= KEYFRAMES_FROM_RATE];
    this.#rate = rate;
    if (before !== now || now) this.#tellPictures();
    if (rate !== 1) this.#sink?.silence();
  }

  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    if (sink !== null && this.#demuxer.audio !== null) sink.configure(this.#demuxer.audio);
  }

  close(): void {
    this.#closed = true;
    if (this.#reopen !== null) clearTimeout(this.#reopen);
    this.#handle?.close();
    this.#decoder.close();
    this.#pictures.clear();
    this.#sink?.silence();
  }

  #open(): void {
    this.#reopen = null;
    const { client, cameraId, stream } = this.#options;
    this.#handle = client.openMedia('playback', { cameraId, stream, fromMs: this.#targetMs, seekId: this.#seekId }, CREDITS, {
      onChunk: (chunk, payload) => this.#receive(chunk, payload),
      onClosed: (error) => {
        this.#handle = null;
        if (this.#closed) return;
        if (error !== null && error.kind !== 'connection-lost') this.#setPhase({ kind: 'failed', sentence: error.message });
        this.#targetMs = this.#positionMs;
        this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
      },
    });
    if (this.#rate >= KEYFRAMES_FROM_RATE) this.#tellPictures();
  }

  #tellPictures(): void {
    const fast = this.#rate >= KEYFRAMES_FROM_RATE;
    this.#handle?.control({ kind: 'pictures', which: fast ? 'keyframes' : 'all', stepMs: fast ? (this.#rate * 1000) / FAST_PICTURES_PER_SECOND : 0 });
  }

  #forget(): void {
    this.#encoded = [];
    this.#audio = [];
    this.#gaps = [];
    this.#endMs = null;
    this.#seeking = true;
    this.#drained = false;
    this.#pictures.clear();
    this.#decoder.reset();
    this.#sink?.silence();
  }

  #receive(chunk: ChunkHead, payload: Uint8Array | null): void {
    if (this.#closed || chunk.kind === 'wait') return;
    if (chunk.kind === 'init') {
      this.#handle?.grant(1);
      if (payload !== null) void this.#configure(chunk.initId, payload);
      return;
    }
    if (chunk.seekId !== this.#seekId) {
      this.#handle?.grant(1);
      return;
    }
    if (chunk.kind === 'gap') {
      this.#handle?.grant(1);
      this.#gaps.push(chunk);
    } else if (chunk.kind === 'end') {
      this.#handle?.grant(1);
      this.#endMs = chunk.atMs;
      void this.#drain();
    } else if (payload !== null) {
      const units = this.#demuxer.read(chunk, payload);
      this.#encoded.push(...(units?.video ?? []), null);
      if (this.#rate === 1 && !this.#one) this.#audio.push(...(units?.audio ?? []));
      this.#pump();
      if (this.#one) void this.#drain();
    }
  }

  async #configure(initId: number, bytes: Uint8Array): Promise<void> {
    this.#demuxer.setInit(initId, bytes);
    const { video, audio } = this.#demuxer;
    if (video === null) return;
    this.#decoder.configure(video);
    if (audio !== null) this.#sink?.configure(audio);
    if (!(await canDecode(video)) && this.#demuxer.video === video && !this.#closed) this.#setPhase({ kind: 'unsupported', codec: video.codec });
  }

  /** Feeds the decoder as far as its pictures can be held. */
  #pump(): void {
    while (this.#encoded.length > 0 && (this.#seeking || this.#pictures.size < PICTURES_HELD) && this.#decoder.queued < DECODER_DEPTH) {
      const unit = this.#encoded.shift();
      if (unit === null || unit === undefined) this.#handle?.grant(1);
      else this.#decoder.decode(unit);
    }
  }

  /** Gets the last pictures out of the decoder when nothing follows them. */
  async #drain(): Promise<void> {
    const seekId = this.#seekId;
    while (this.#encoded.length > 0 && seekId === this.#seekId && !this.#closed) {
      this.#pump();
      if (this.#encoded.length > 0) await new Promise((resolve) => setTimeout(resolve, 4));
    }
    if (seekId !== this.#seekId || this.#closed) return;
    await this.#decoder.flush();
    if (seekId === this.#seekId) this.#drained = true;
  }

  #receivePicture(picture: DecodedPicture): void {
    if (this.#closed) {
      picture.frame.close();
      return;
    }
    this.#pictures.push(picture);
    if (this.#seeking) {
      const due = this.#takeCovering();
      if (due !== null) {
        this.#options.painter.paint(due);
        this.#seeking = false;
        this.#setPhase(this.#phaseAt(this.#positionMs));
      }
    }
    this.#pump();
  }

  /** The picture that covers the sought moment, once it is known that no later one does. */
  #takeCovering(): DecodedPicture | null {
    const { earliestMs, newestMs } = this.#pictures;
    if (newestMs === null || earliestMs === null) return null;
    const known = newestMs > this.#targetMs || this.#drained || this.#pictures.covers(this.#targetMs);
    if (!known) {
      this.#pictures.dropBeforeNewest();
      return null;
    }
    // Where footage begins after the sought moment (a gap was jumped), its first picture is the answer.
    return this.#pictures.takeDue(Math.max(this.#targetMs, earliestMs));
  }

  #playSound(positionMs: EpochMs): void {
    if (this.#sink === null || this.#rate !== 1) {
      this.#audio = [];
      return;
    }
    while (this.#audio[0] !== undefined && this.#audio[0].wallMs < positionMs + 400) {
      const unit = this.#audio.shift();
      if (unit !== undefined && unit.wallMs >= positionMs - 50) this.#sink.play(unit, unit.wallMs - positionMs);
    }
  }

  #phaseAt(positionMs: EpochMs): TilePhase {
    if (this.#phase.kind === 'unsupported') return this.#phase;
    const gap = this.#gaps.find(({ startMs, endMs }) => positionMs >= startMs && positionMs < endMs);
    if (gap !== undefined) return { kind: 'gap', startMs: gap.startMs, endMs: gap.endMs, cause: gap.cause };
    if (this.#endMs !== null && positionMs >= this.#endMs) return { kind: 'end', atMs: this.#endMs };
    return this.#seeking ? (this.#options.painter.paintedMs === null ? { kind: 'starting' } : this.#phase) : { kind: 'recorded' };
  }

  #setPhase(phase: TilePhase): void {
    const same = phase.kind === this.#phase.kind && (phase.kind !== 'gap' || (this.#phase.kind === 'gap' && phase.startMs === this.#phase.startMs));
    if (same) return;
    this.#phase = phase;
    this.#options.onPhase(phase);
  }
}
