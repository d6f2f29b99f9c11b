/** A camera's recordings by WebCodecs: decodes from the keyframe before a moment and paints exactly the picture that covers it. */
import type { InitTrack } from '../../shared/media/init.ts';
import type { EpochMs, TimeRange } from '../../shared/time.ts';
import type { AudioSink } from './audio-sink.ts';
import type { EncodedUnit } from './demux.ts';
import { FootageFeed } from './footage-feed.ts';
import { PictureQueue, PICTURES_HELD } from './picture-queue.ts';
import { phaseOfRecorded, samePhase } from './recorded-phase.ts';
import { Refill } from './refill.ts';
import { SoundAhead } from './sound-ahead.ts';
import { type RecordedTile, type RecordedTileOptions, ROUNDING_MS, type TilePhase } from './tile-player.ts';
import { canDecode, type DecodedPicture, PictureDecoder } from './video-decoder.ts';

/** Encoded pictures inside the decoder: enough to keep it busy, few enough to drop at a seek. */
const DECODER_DEPTH = 6;
/** Pictures behind the sought one that go in with it: decoders that work on two at a time give one out when the next comes. Each more delays it. */
const PAST_TARGET = 2;

/** What waits to be decoded, in order. */
type Waiting =
  | { readonly kind: 'unit'; readonly unit: EncodedUnit }
  /** Other parameters from here on. */
  | { readonly kind: 'track'; readonly track: InitTrack; readonly seamMs: EpochMs | null }
  /** Bytes were unreadable here. */
  | { readonly kind: 'damage' }
  /** A chunk ends; its credit goes back. */
  | { readonly kind: 'credit' }
  /** Nothing follows: what the decoder holds back is wanted. */
  | { readonly kind: 'flush' };

export class WebCodecsRecordedTile implements RecordedTile {
  readonly #options: RecordedTileOptions;
  readonly #feed: FootageFeed;
  readonly #decoder: PictureDecoder;
  readonly #pictures = new PictureQueue<DecodedPicture>();
  readonly #waiting: Waiting[] = [];
  readonly #sound = new SoundAhead();
  readonly #refill: Refill;
  #sink: AudioSink | null = null;
  /** Raised by every seek: what belongs to an older one stops. */
  #generation = 0;
  /** The decoder gives out its last pictures before anything else goes in. */
  #flushing = false;
  /** The picture that covers the target has not been painted yet. */
  #seeking = true;
  /** Pictures behind the sought one that are in the decoder. */
  #past = 0;
  /** Pictures before it are there already, of another stream. */
  #seamMs: EpochMs | null = null;
  /** What has been decoded is all there will be. */
  #drained = false;
  #positionMs: EpochMs;
  #phase: TilePhase = { kind: 'starting' };
  #closed = false;

  constructor(options: RecordedTileOptions) {
    this.#options = options;
    this.#positionMs = options.fromMs;
    this.#refill = new Refill((loading) => options.onLoading?.(loading));
    this.#decoder = new PictureDecoder({ live: false, onPicture: (picture) => this.#receivePicture(picture), onDequeue: () => this.#pump(), onUnsupported: () => this.#unsupported() });
    this.#feed = new FootageFeed(options, {
      onSeek: () => this.#forget(),
      onTrack: (track, _bytes, seamMs) => this.#push({ kind: 'track', track, seamMs }),
      onUnits: ({ video, audio, damaged }, _chunk, last) => {
        for (const unit of video) this.#waiting.push({ kind: 'unit', unit });
        if (damaged) this.#waiting.push({ kind: 'damage' });
        if (this.#feed.rate === 1 && !this.#feed.one) this.#sound.add(audio);
        if (last) this.#waiting.push({ kind: 'flush' });
        this.#push({ kind: 'credit' });
      },
      onTargetMissing: () => this.#land(),
      onEnd: () => this.#push({ kind: 'flush' }),
      onFailed: (sentence) => this.#setPhase({ kind: 'failed', sentence }),
    });
    this.#paintReady(options.fromMs);
  }

  get shown(): TimeRange | null {
    return this.#options.painter.shown;
  }

  get stuck(): boolean {
    return this.#phase.kind === 'unsupported' || this.#phase.kind === 'failed';
  }

  get filling(): boolean {
    return this.#refill.filling;
  }

  seek(toMs: EpochMs, one: boolean): void {
    this.#positionMs = toMs;
    this.#feed.seek(toMs, one);
    this.#paintReady(toMs);
  }

  tick(positionMs: EpochMs): void {
    this.#positionMs = positionMs;
    if (this.#seeking) this.#paintCovering();
    else {
      const due = this.#pictures.takeDue(positionMs);
      if (due !== null) this.#options.painter.paint(due);
    }
    this.#feed.tick(positionMs);
    this.#pump();
    this.#sound.play(positionMs, this.#feed.rate);
    this.#followPhase();
    this.#refill.step({ nowMs: performance.now(), starving: this.starving(positionMs) && !this.#feed.one, seeking: this.#seeking, aheadMs: this.#feed.aheadMs(positionMs), rate: this.#feed.rate });
  }

  starving(positionMs: EpochMs): boolean {
    if (this.stuck || this.resumesAtMs(positionMs) !== null) return false;
    const { shown } = this;
    return this.#seeking || (this.#pictures.size === 0 && (shown === null || positionMs >= shown.endMs - ROUNDING_MS));
  }

  resumesAtMs(positionMs: EpochMs): EpochMs | null {
    return this.#feed.resumesAtMs(positionMs);
  }

  setRate(rate: number): void {
    this.#feed.setRate(rate, this.#positionMs);
    if (rate !== 1) this.#sound.silence();
  }

  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    this.#sound.setSink(sink);
    if (this.#feed.audio !== null) sink?.configure(this.#feed.audio);
  }

  close(): void {
    this.#closed = true;
    this.#generation += 1;
    this.#feed.close();
    this.#decoder.close();
    this.#pictures.clear();
    this.#sound.silence();
  }

  #forget(): void {
    this.#generation += 1;
    this.#dropWaiting();
    this.#flushing = false;
    this.#seeking = true;
    this.#past = 0;
    this.#drained = false;
    this.#seamMs = null;
    this.#refill.reset();
    this.#pictures.clear();
    // The engine sends parameters once: those that still waited are in force now.
    const track = this.#feed.video;
    if (track !== null && track !== this.#decoder.track) this.#configure(track);
    else this.#decoder.restart();
    this.#sound.silence();
  }

  #dropWaiting(): void {
    for (const { kind } of this.#waiting.splice(0)) if (kind === 'credit') this.#feed.grant();
  }

  #push(item: Waiting): void {
    this.#waiting.push(item);
    this.#pump();
  }

  /** Whether the decoder takes more: all that leads to a sought picture at once; else as far as its pictures can be held. */
  get #room(): boolean {
    if (this.#flushing || this.#closed) return false;
    if (this.#seeking) return this.#past < PAST_TARGET || this.#decoder.queued === 0;
    return this.#pictures.size < PICTURES_HELD && this.#decoder.queued < DECODER_DEPTH;
  }

  #pump(): void {
    while (this.#room) {
      const item = this.#waiting.shift();
      if (item === undefined) return;
      if (item.kind === 'unit') {
        this.#decoder.decode(item.unit);
        if (item.unit.wallMs > this.#feed.targetMs) this.#past += 1;
      } else if (item.kind === 'credit') this.#feed.grant();
      else if (item.kind === 'damage') this.#decoder.skipToKeyframe();
      else void this.#turn(item.kind === 'track' ? item : null);
    }
  }

  /** Gets the last pictures out of the decoder; then either other parameters follow, or nothing. */
  async #turn(other: { readonly track: InitTrack; readonly seamMs: EpochMs | null } | null): Promise<void> {
    const generation = this.#generation;
    this.#flushing = true;
    await this.#decoder.flush();
    if (generation !== this.#generation) return;
    this.#flushing = false;
    if (other === null) {
      this.#drained = true;
      if (this.#seeking) {
        this.#paintCovering();
        // Nothing of it could be decoded: the next picture the pointer asks for may go out.
        if (this.#seeking) this.#feed.landed();
      }
    } else {
      this.#seamMs = other.seamMs;
      this.#configure(other.track);
    }
    this.#pump();
  }

  #configure(track: InitTrack): void {
    this.#decoder.configure(track);
    if (this.#feed.audio !== null) this.#sink?.configure(this.#feed.audio);
    void canDecode(track).then((can) => {
      if (!can && this.#decoder.track === track) this.#unsupported();
    });
  }

  #receivePicture(picture: DecodedPicture): void {
    if (this.#closed || (this.#seamMs !== null && picture.wallMs < this.#seamMs - ROUNDING_MS)) {
      picture.frame.close();
      this.#pump();
      return;
    }
    this.#pictures.push(picture);
    if (this.#seeking) this.#paintCovering();
    this.#pump();
  }

  /** The picture may have been made ready while the pointer stood there; the way to what follows it is the same all the same. */
  #paintReady(atMs: EpochMs): void {
    const { ahead, cameraId, stream, painter } = this.#options;
    const ready = ahead?.take(cameraId, stream, atMs) ?? null;
    if (ready !== null) painter.paint(ready);
  }

  #paintCovering(): void {
    const picture = this.#pictures.takeCovering(this.#feed.targetMs, this.#drained);
    if (picture === null) return;
    this.#options.painter.paint(picture);
    this.#land();
  }

  #land(): void {
    this.#seeking = false;
    // Of a seek for one picture nothing more is wanted than that.
    if (this.#feed.one) this.#dropWaiting();
    this.#followPhase();
    this.#feed.landed();
  }

  #unsupported(): void {
    this.#setPhase({ kind: 'unsupported', codec: this.#feed.video?.codec ?? '' });
  }

  #followPhase(): void {
    const phase = phaseOfRecorded(this.#feed, this.#positionMs, this.#seeking, this.#phase);
    if (phase !== null) this.#setPhase(phase);
  }

  #setPhase(phase: TilePhase): void {
    if (this.#closed || samePhase(phase, this.#phase)) return;
    this.#phase = phase;
    this.#options.onPhase(phase);
  }
}
