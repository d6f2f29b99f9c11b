/** A camera's live picture by WebCodecs: whatever is decoded is painted at once, nothing is buffered. */
import type { AudioSink } from './audio-sink.ts';
import { LiveFeed } from './live-feed.ts';
import type { LivePlayer, TileOptions, TilePhase } from './tile-player.ts';
import { canDecode, type DecodedPicture, PictureDecoder } from './video-decoder.ts';

/** With more waiting than this, pictures on the way to now are passed over rather than shown as a fast-forward … */
const CATCHING_UP = 4;
/** … but for one in so many milliseconds, so that a slow computer shows something. */
const AT_LEAST_EVERY_MS = 150;
/** A group of pictures is at most about so long; what is on the canvas from longer ago or a clock that was set says nothing. */
const HANDOVER_MS = 10_000;

export class WebCodecsLiveTile implements LivePlayer {
  readonly #options: TileOptions;
  readonly #feed: LiveFeed;
  readonly #decoder: PictureDecoder;
  #phase: TilePhase = { kind: 'starting' };
  #sink: AudioSink | null = null;
  #paintedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: TileOptions) {
    this.#options = options;
    const unsupported = (): void => this.#setPhase({ kind: 'unsupported', codec: this.#feed.video?.codec ?? '' });
    this.#decoder = new PictureDecoder({ live: true, onPicture: (picture) => this.#show(picture), onUnsupported: unsupported });
    this.#feed = new LiveFeed(options, {
      onTrack: (track) => {
        this.#decoder.configure(track);
        this.#soundTrack();
        void canDecode(track).then((can) => {
          if (!can && this.#decoder.track === track) unsupported();
        });
      },
      onUnits: ({ video, audio, damaged }) => {
        for (const unit of video) this.#decoder.decode(unit);
        if (damaged) this.#decoder.skipToKeyframe();
        for (const unit of audio) this.#sink?.play(unit, null);
      },
      onWait: (sinceMs) => this.#setPhase({ kind: 'waiting', sinceMs }),
      onRestart: () => {
        this.#decoder.reset();
        this.#sink?.silence();
      },
      heard: () => this.#sink !== null,
    });
  }

  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    this.#soundTrack();
  }

  close(): void {
    this.#closed = true;
    this.#feed.close();
    this.#decoder.close();
  }

  #soundTrack(): void {
    if (this.#feed.audio !== null) this.#sink?.configure(this.#feed.audio);
  }

  #show(picture: DecodedPicture): void {
    const nowMs = performance.now();
    if (this.#closed || this.#passesOver(picture, nowMs)) {
      picture.frame.close();
      return;
    }
    this.#paintedAtMs = nowMs;
    this.#options.painter.paint(picture);
    this.#setPhase({ kind: 'live' });
  }

  /** Pictures on the way to now that nobody needs to see. */
  #passesOver({ wallMs, frame }: DecodedPicture, nowMs: number): boolean {
    const { queued } = this.#decoder;
    const { canvas, canvasMs } = this.#options.painter;
    // The other stream of the camera is still on the canvas: time does not go back while this one catches up, but for one picture that is
    // sharper than what is there: a camera that is opened is seen clearly at once, and a second later than it was at most.
    const isSharper = frame.displayHeight > canvas.height;
    if (queued > 0 && canvasMs !== null && wallMs < canvasMs && canvasMs - wallMs < HANDOVER_MS && !isSharper) return true;
    return queued > CATCHING_UP && nowMs - this.#paintedAtMs < AT_LEAST_EVERY_MS;
  }

  #setPhase(phase: TilePhase): void {
    if (this.#closed || (phase.kind === this.#phase.kind && phase.kind !== 'waiting')) return;
    this.#phase = phase;
    this.#options.onPhase(phase);
  }
}
