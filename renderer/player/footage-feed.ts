/** Owns one playback stream: seeks that replace each other, chunks cut into pictures, where footage is missing and where it ends. */
import type { ChunkHead, GapChunk, MediaChunk } from '../../shared/contract/media.ts';
import type { InitTrack } from '../../shared/media/init.ts';
import { type DurationMs, type EpochMs, rangeContains } from '../../shared/time.ts';
import type { MediaHandle } from '../api/engine-client.ts';
import { type DemuxedChunk, Demuxer } from './demux.ts';
import { type RecordedTileOptions, ROUNDING_MS } from './tile-player.ts';

export interface FootageFeedListener {
  /** A seek goes out: everything of before is to be forgotten. */
  onSeek(): void;
  /** New parameters; what follows is coded with them. `seamMs`: another stream of the camera goes on in the middle of a group of pictures, of which those before that moment are there already. */
  onTrack(track: InitTrack, initBytes: Uint8Array, seamMs: EpochMs | null): void;
  /** A chunk; its credit is given back by `grant` when it has been used. `last`: of a seek for one picture. */
  onUnits(units: DemuxedChunk, chunk: MediaChunk, last: boolean): void;
  /** The sought moment lies in missing footage. */
  onTargetMissing(): void;
  /** Nothing follows what came. */
  onEnd(): void;
  onFailed(sentence: string): void;
}

/** Groups of pictures asked for ahead of what is decoded. */
const CREDITS = 4;
/** As long as the sought picture has not been painted, no more than what shows it is under way: the computer has nothing better to do than that. */
const CREDITS_WHILE_SEEKING = 1;
/** The same at the start, where the parameters take one. */
const CREDITS_TO_OPEN = 2;
/** From this speed on only keyframes are shown. */
export const KEYFRAMES_FROM_RATE = 8;
/** Keyframes a second that are worth showing at such speeds. */
const FAST_PICTURES_PER_SECOND = 10;
const REOPEN_MS = 1_000;
/** A picture under way longer than this does not hold up the next one the pointer asks for. */
const FLIGHT_MS = 1_000;
/** When an answer for one picture that ends early (damaged footage) is taken to be whole. */
const ANSWER_MS = 400;
/** Gaps this far behind are forgotten. */
const GAP_MEMORY_MS = 60_000;

/** What is played, from where. */
export type FootageFeedOptions = Pick<RecordedTileOptions, 'client' | 'cameraId' | 'stream' | 'fromMs' | 'onSmaller'>;

export class FootageFeed {
  readonly #options: FootageFeedOptions;
  readonly #listener: FootageFeedListener;
  readonly #demuxer = new Demuxer();
  readonly #stopWatching: () => void;
  #handle: MediaHandle | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #seekId = 0;
  #targetMs: EpochMs;
  /** Where the clock was last: a stream that was lost goes on there. */
  #positionMs: EpochMs;
  #one = false;
  /** When the seek for one picture that has not been painted was sent; null when the next may go out. */
  #flightSinceMs: number | null = null;
  /** The newest moment that waits for the picture under way. */
  #wantedMs: EpochMs | null = null;
  #answeredMs: number | null = null;
  #gaps: GapChunk[] = [];
  #endMs: EpochMs | null = null;
  /** Where what came for this seek ends; null before the first. */
  #receivedMs: EpochMs | null = null;
  /** Sound before it is there already. */
  #seamMs: EpochMs | null = null;
  #rate = 1;
  /** Credits the engine has not used. */
  #granted = CREDITS_TO_OPEN;
  /** Credits kept back until the sought picture is there. */
  #kept = CREDITS - CREDITS_TO_OPEN;
  /** The sought picture is neither painted nor known to be missing. */
  #landing = true;
  #closed = false;

  /** Opens the stream at `fromMs`. */
  constructor(options: FootageFeedOptions, listener: FootageFeedListener) {
    this.#options = options;
    this.#listener = listener;
    this.#targetMs = options.fromMs;
    this.#positionMs = options.fromMs;
    this.#stopWatching = options.client.onState(({ phase }) => {
      if (phase === 'connected' && this.#timer !== null) this.#reopen();
    });
    this.#open();
  }

  /** The moment the newest seek that went out asked for. */
  get targetMs(): EpochMs {
    return this.#targetMs;
  }

  /** Only one picture was asked for. */
  get one(): boolean {
    return this.#one;
  }

  get rate(): number {
    return this.#rate;
  }

  get audio(): InitTrack | null {
    return this.#demuxer.audio;
  }

  get video(): InitTrack | null {
    return this.#demuxer.video;
  }

  /** Where footage ends, once that was told. */
  get endMs(): EpochMs | null {
    return this.#endMs;
  }

  /** Goes to a moment. Of seeks for `one` picture one is under way and the newest waits: a pointer that moves faster than pictures come still sees pictures. */
  seek(toMs: EpochMs, one: boolean): void {
    if (one && this.#flightSinceMs !== null && performance.now() - this.#flightSinceMs < FLIGHT_MS) {
      this.#wantedMs = toMs;
      return;
    }
    this.#targetMs = toMs;
    this.#positionMs = toMs;
    this.#one = one;
    this.#flightSinceMs = one ? performance.now() : null;
    this.#begin();
    this.#handle?.control({ kind: 'seek', toMs, seekId: this.#seekId, one });
  }

  /** The sought picture is painted, or will never be. */
  landed(): void {
    this.#flightSinceMs = null;
    this.#landing = false;
    this.#giveKept();
    const wantedMs = this.#wantedMs;
    this.#wantedMs = null;
    if (wantedMs !== null) this.seek(wantedMs, true);
  }

  /** A chunk has been used: another may come. */
  grant(): void {
    this.#kept += 1;
    if (!this.#landing || this.#granted < CREDITS_WHILE_SEEKING) this.#giveKept();
  }

  /** What time decides; called on every animation frame. */
  tick(positionMs: EpochMs): void {
    this.#positionMs = positionMs;
    if (this.#wantedMs !== null && (this.#flightSinceMs === null || performance.now() - this.#flightSinceMs >= FLIGHT_MS)) this.landed();
    if (this.#answeredMs !== null && performance.now() - this.#answeredMs > ANSWER_MS) {
      this.#answeredMs = null;
      this.#listener.onEnd();
    }
    const [oldest] = this.#gaps;
    if (oldest !== undefined && oldest.endMs < positionMs - GAP_MEMORY_MS) this.#gaps.shift();
  }

  setRate(rate: number, positionMs: EpochMs): void {
    const before = this.#rate;
    this.#rate = rate;
    const fast = rate >= KEYFRAMES_FROM_RATE;
    if (rate !== before) this.#tellPictures();
    // What is under way was chosen for the other kind of speed: seconds of all pictures, or minutes of keyframes.
    if (fast !== before >= KEYFRAMES_FROM_RATE) this.seek(positionMs, false);
  }

  /** How much of the footage behind a moment has come; Infinity where no more comes before some of it is used. */
  aheadMs(positionMs: EpochMs): DurationMs {
    if (this.#endMs !== null || this.#granted <= 0 || this.#gaps.some(({ endMs }) => endMs > positionMs)) return Number.POSITIVE_INFINITY;
    return (this.#receivedMs ?? positionMs) - positionMs;
  }

  gapAt(positionMs: EpochMs): GapChunk | null {
    return this.#gaps.find((gap) => rangeContains(gap, positionMs)) ?? null;
  }

  /** As RecordedTile.resumesAtMs. */
  resumesAtMs(positionMs: EpochMs): EpochMs | null {
    const gap = this.gapAt(positionMs);
    if (gap !== null) return gap.endMs;
    return this.#endMs !== null && positionMs >= this.#endMs ? Number.POSITIVE_INFINITY : null;
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#handle?.close();
    this.#handle = null;
  }

  #giveKept(): void {
    const credits = this.#landing ? Math.min(this.#kept, CREDITS_WHILE_SEEKING - this.#granted) : this.#kept;
    if (credits <= 0) return;
    this.#kept -= credits;
    this.#granted += credits;
    this.#handle?.grant(credits);
  }

  #begin(): void {
    this.#seekId += 1;
    this.#landing = true;
    this.#gaps = [];
    this.#endMs = null;
    this.#receivedMs = null;
    this.#seamMs = null;
    this.#wantedMs = null;
    this.#answeredMs = null;
    this.#listener.onSeek();
  }

  #open(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#one = false;
    this.#flightSinceMs = null;
    const { client, cameraId, stream } = this.#options;
    const handle = client.openMedia('playback', { cameraId, stream, fromMs: this.#targetMs, seekId: this.#seekId }, CREDITS_TO_OPEN, {
      onChunk: (chunk, payload) => {
        if (handle === this.#handle) this.#receive(chunk, payload);
      },
      onClosed: (error) => {
        if (handle !== this.#handle) return;
        this.#handle = null;
        if (this.#closed) return;
        if (error !== null && error.kind !== 'connection-lost') this.#listener.onFailed(error.message);
        this.#timer = setTimeout(() => this.#reopen(), REOPEN_MS);
      },
    });
    this.#handle = handle;
    this.#granted = CREDITS_TO_OPEN;
    this.#kept = CREDITS - CREDITS_TO_OPEN;
    if (this.#rate !== 1) this.#tellPictures();
  }

  #reopen(): void {
    this.#targetMs = this.#wantedMs ?? this.#positionMs;
    this.#begin();
    this.#open();
  }

  #tellPictures(): void {
    const fast = this.#rate >= KEYFRAMES_FROM_RATE;
    this.#handle?.control({ kind: 'pictures', which: fast ? 'keyframes' : 'all', stepMs: fast ? (this.#rate * 1000) / FAST_PICTURES_PER_SECOND : 0, speed: this.#rate });
  }

  #receive(chunk: ChunkHead, payload: Uint8Array | null): void {
    if (chunk.kind === 'wait') return;
    this.#granted -= 1;
    if (chunk.kind === 'init') {
      this.grant();
      this.#options.onSmaller?.(chunk.because === 'slow-line');
      this.#seamMs = chunk.stream === undefined ? null : this.#receivedMs;
      if (payload !== null && this.#demuxer.setInit(chunk.initId, payload) && this.#demuxer.video !== null) this.#listener.onTrack(this.#demuxer.video, payload, this.#seamMs);
      return;
    }
    if (chunk.seekId !== this.#seekId || chunk.kind !== 'media') this.grant();
    if (chunk.seekId !== this.#seekId) return;
    if (chunk.kind === 'gap') {
      this.#gaps.push(chunk);
      if (this.#targetMs >= chunk.startMs - ROUNDING_MS && this.#targetMs < chunk.endMs) this.#listener.onTargetMissing();
    } else if (chunk.kind === 'end') {
      this.#endMs = chunk.atMs;
      this.#listener.onEnd();
    } else if (payload === null) this.grant();
    else {
      const last = this.#one && chunk.endMs > this.#targetMs;
      this.#answeredMs = this.#one && !last ? performance.now() : null;
      this.#receivedMs = chunk.endMs;
      this.#listener.onUnits(this.#behindSeam(this.#demuxer.read(chunk, payload)), chunk, last);
    }
  }

  /** Without the sound that has come before, from another stream. */
  #behindSeam(units: DemuxedChunk): DemuxedChunk {
    const seamMs = this.#seamMs;
    return seamMs === null ? units : { ...units, audio: units.audio.filter(({ wallMs }) => wallMs >= seamMs) };
  }
}
