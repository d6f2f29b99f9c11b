/** A camera's recordings by MediaSource, where there is no WebCodecs: the element follows the shared clock. */
import type { MediaChunk } from '../../shared/contract/media.ts';
import type { InitTrack } from '../../shared/media/init.ts';
import { type EpochMs, SECOND_MS, type TimeRange } from '../../shared/time.ts';
import type { AudioSink } from './audio-sink.ts';
import type { DemuxedChunk } from './demux.ts';
import { FootageFeed, KEYFRAMES_FROM_RATE } from './footage-feed.ts';
import type { BufferedPicture } from './frame-table.ts';
import { canPlayByMse, MseVideo } from './mse-video.ts';
import { phaseOfRecorded, samePhase } from './recorded-phase.ts';
import { Refill } from './refill.ts';
import { SoundAhead } from './sound-ahead.ts';
import { type RecordedTile, type RecordedTileOptions, ROUNDING_MS, type TilePhase } from './tile-player.ts';

/** Footage in the buffer ahead of the clock, in seconds of the clock on the wall. */
const AHEAD_MS = 6 * SECOND_MS;
const KEPT_SECONDS = 10;
/** The element may differ from the clock by so much, times the speed, before it is put right. */
const DRIFT_MS = 250;
/** A picture that was asked for and not presented by then is looked for. */
const OVERDUE_MS = 500;
const FAILURES_TOLERATED = 4;

export class MseRecordedTile implements RecordedTile {
  readonly #options: RecordedTileOptions;
  readonly #video: MseVideo;
  readonly #feed: FootageFeed;
  /** Ends of chunks whose credits have not been given back. */
  #held: EpochMs[] = [];
  #seeking = true;
  /** What has come is all there will be. */
  #drained = false;
  /** The picture the element was told to stand on. */
  #asked: BufferedPicture | null = null;
  #askedAtMs = 0;
  #positionMs: EpochMs;
  #init: { readonly track: InitTrack; readonly bytes: Uint8Array } | null = null;
  #phase: TilePhase = { kind: 'starting' };
  readonly #sound = new SoundAhead();
  readonly #refill: Refill;
  #sink: AudioSink | null = null;
  #failures = 0;
  #closed = false;

  constructor(options: RecordedTileOptions) {
    this.#options = options;
    this.#positionMs = options.fromMs;
    this.#refill = new Refill((loading) => options.onLoading?.(loading));
    this.#video = new MseVideo({ painter: options.painter, onPainted: (picture) => this.#painted(picture), onBroken: () => this.#again() });
    this.#feed = new FootageFeed(options, {
      onSeek: () => this.#forget(),
      onTrack: (track, bytes) => this.#setTrack(track, bytes),
      onUnits: (units, chunk, last) => this.#receive(units, chunk, last),
      onTargetMissing: () => this.#land(),
      onEnd: () => this.#allCame(),
      onFailed: (sentence) => this.#setPhase({ kind: 'failed', sentence }),
    });
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
  }

  tick(positionMs: EpochMs): void {
    const moves = positionMs !== this.#positionMs;
    this.#positionMs = positionMs;
    this.#feed.tick(positionMs);
    if (this.#seeking) this.#showTarget();
    else if (moves && this.#feed.rate < KEYFRAMES_FROM_RATE) this.#follow(positionMs);
    else this.#stand(positionMs);
    if (this.#asked !== null && this.shown?.startMs !== this.#asked.startMs && performance.now() - this.#askedAtMs > OVERDUE_MS) {
      this.#askedAtMs = performance.now();
      this.#video.presentAgain();
    }
    while (this.#held[0] !== undefined && this.#held[0] < positionMs + AHEAD_MS * Math.max(1, this.#feed.rate)) {
      this.#held.shift();
      this.#feed.grant();
    }
    // Counted from the clock: after a seek back the element still stands where it was, and what has come lies before that.
    const here = this.#seeking ? null : this.#video.frames.at(positionMs);
    if (here !== null) this.#video.dropBefore(here.mediaSeconds - KEPT_SECONDS);
    this.#sound.play(positionMs, this.#feed.rate);
    this.#followPhase();
    this.#refill.step({ nowMs: performance.now(), starving: this.starving(positionMs) && !this.#feed.one, seeking: this.#seeking, aheadMs: this.#feed.aheadMs(positionMs), rate: this.#feed.rate });
  }

  starving(positionMs: EpochMs): boolean {
    if (this.stuck || this.resumesAtMs(positionMs) !== null) return false;
    const { newest } = this.#video.frames;
    return this.#seeking || newest === null || positionMs >= newest.endMs - ROUNDING_MS;
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
    this.#feed.close();
    this.#video.close();
    this.#sound.silence();
  }

  #forget(): void {
    for (let held = this.#held.length; held > 0; held -= 1) this.#feed.grant();
    this.#held = [];
    this.#seeking = true;
    this.#drained = false;
    this.#asked = null;
    this.#refill.reset();
    this.#sound.silence();
    this.#video.clear();
    // Parameters are sent once; what broke or was dropped with the pictures needs them again.
    if (this.#init !== null && this.#video.track !== null) this.#video.setTrack(this.#init.track, this.#init.bytes);
  }

  #setTrack(track: InitTrack, bytes: Uint8Array): void {
    this.#init = { track, bytes };
    if (this.#feed.audio !== null) this.#sink?.configure(this.#feed.audio);
    if (canPlayByMse(track.codec)) this.#video.setTrack(track, bytes);
    else this.#setPhase({ kind: 'unsupported', codec: track.codec });
  }

  #receive({ video, audio }: DemuxedChunk, chunk: MediaChunk, last: boolean): void {
    if (this.#feed.rate === 1 && !this.#feed.one) this.#sound.add(audio);
    const alone = this.#feed.rate >= KEYFRAMES_FROM_RATE && !this.#feed.one && video.length === 1;
    this.#video.append(video, alone ? chunk.endMs : null);
    this.#held.push(chunk.endMs);
    if (last) this.#allCame();
  }

  #allCame(): void {
    this.#drained = true;
    if (this.#seeking) this.#showTarget();
    if (this.#seeking && this.#asked === null && this.#video.frames.newest === null) this.#feed.landed();
  }

  #showTarget(): void {
    const { frames } = this.#video;
    const { targetMs } = this.#feed;
    const picture = frames.covering(targetMs) ?? (this.#drained ? frames.newest : null);
    if (picture !== null) this.#ask(picture);
  }

  /** The element stands on a picture; a new one is asked for when the last has been shown. */
  #stand(positionMs: EpochMs): void {
    const picture = this.#video.frames.at(positionMs);
    this.#video.video.pause();
    if (picture !== null && picture.startMs !== this.shown?.startMs) this.#ask(picture);
  }

  #ask(picture: BufferedPicture): void {
    if (this.#asked?.startMs === picture.startMs || (this.#asked !== null && this.#video.video.seeking) || !this.#video.has(picture)) return;
    this.#asked = picture;
    this.#askedAtMs = performance.now();
    this.#video.show(picture);
  }

  /** The element runs by itself and is put right where it strays from the clock. */
  #follow(positionMs: EpochMs): void {
    const { video, frames } = this.#video;
    const picture = frames.at(positionMs);
    this.#asked = null;
    if (picture === null || video.seeking) return;
    const wantedSeconds = picture.mediaSeconds + Math.min(positionMs - picture.startMs, picture.endMs - picture.startMs) / 1000;
    const lateMs = (wantedSeconds - this.#video.currentSeconds) * 1000;
    const { rate } = this.#feed;
    if (Math.abs(lateMs) > DRIFT_MS * Math.max(1, rate) && this.#video.has(picture)) video.currentTime = wantedSeconds;
    this.#video.play(lateMs > 40 * rate ? rate * 1.1 : lateMs < -40 * rate ? rate * 0.9 : rate);
  }

  #painted(picture: BufferedPicture): void {
    this.#failures = 0;
    if (!this.#seeking || this.#asked === null || picture.startMs !== this.#asked.startMs) return;
    this.#land();
  }

  #land(): void {
    this.#seeking = false;
    this.#asked = null;
    this.#followPhase();
    this.#feed.landed();
  }

  /** A damaged picture ended it: playback goes on behind what lies in the buffer. */
  #again(): void {
    this.#failures += 1;
    if (this.#failures > FAILURES_TOLERATED) {
      this.#setPhase({ kind: 'unsupported', codec: this.#feed.video?.codec ?? '' });
      return;
    }
    this.#feed.seek(Math.max(this.#positionMs, this.#held[0] ?? 0) + 1, false);
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
