/** A camera's live picture by MediaSource, where there is no WebCodecs: the playhead is held a little behind the newest picture. */
import type { InitTrack } from '../../shared/media/init.ts';
import type { AudioSink } from './audio-sink.ts';
import { LiveFeed } from './live-feed.ts';
import { canPlayByMse, MseVideo } from './mse-video.ts';
import type { LivePlayer, TileOptions, TilePhase } from './tile-player.ts';

/** Measured: nearer to the end the element waits and drops, farther away is only later. */
const BEHIND_SECONDS = 0.1;
const TOO_FAR_SECONDS = 1;
const TOLERANCE_SECONDS = 0.05;
const CATCH_UP_RATE = 1.1;
const KEPT_SECONDS = 10;
/** Times the element may give up without having shown a picture. */
const FAILURES_TOLERATED = 4;

export class MseLiveTile implements LivePlayer {
  readonly #options: TileOptions;
  readonly #video: MseVideo;
  readonly #feed: LiveFeed;
  #phase: TilePhase = { kind: 'starting' };
  #sink: AudioSink | null = null;
  #failures = 0;
  #closed = false;

  constructor(options: TileOptions) {
    this.#options = options;
    this.#video = new MseVideo({
      painter: options.painter,
      onPainted: () => {
        this.#failures = 0;
        this.#setPhase({ kind: 'live' });
        this.#steer();
      },
      onBroken: () => this.#again(),
    });
    this.#feed = new LiveFeed(options, {
      onTrack: (track, bytes) => this.#setTrack(track, bytes),
      onUnits: ({ video, audio }) => {
        this.#video.append(video);
        for (const unit of audio) this.#sink?.play(unit, null);
        this.#steer();
      },
      onWait: (sinceMs) => this.#setPhase({ kind: 'waiting', sinceMs }),
      onRestart: () => {
        this.#video.clear();
        this.#sink?.silence();
      },
      heard: () => this.#sink !== null,
    });
  }

  setSound(sink: AudioSink | null): void {
    this.#sink = sink;
    if (this.#feed.audio !== null) sink?.configure(this.#feed.audio);
  }

  close(): void {
    this.#closed = true;
    this.#feed.close();
    this.#video.close();
  }

  #setTrack(track: InitTrack, bytes: Uint8Array): void {
    if (this.#feed.audio !== null) this.#sink?.configure(this.#feed.audio);
    if (canPlayByMse(track.codec)) this.#video.setTrack(track, bytes);
    else this.#setPhase({ kind: 'unsupported', codec: track.codec });
  }

  #steer(): void {
    const { video, endSeconds, currentSeconds } = this.#video;
    if (endSeconds === 0 || video.seeking) return;
    const behind = endSeconds - currentSeconds;
    if (behind > TOO_FAR_SECONDS || behind < 0) video.currentTime = Math.max(0, endSeconds - BEHIND_SECONDS);
    this.#video.play(behind <= TOO_FAR_SECONDS && behind > BEHIND_SECONDS + TOLERANCE_SECONDS ? CATCH_UP_RATE : behind <= BEHIND_SECONDS ? 1 : video.playbackRate);
    this.#video.dropBefore(currentSeconds - KEPT_SECONDS);
  }

  /** A damaged picture ended it: the stream begins anew with the newest group of pictures. */
  #again(): void {
    this.#failures += 1;
    if (this.#failures > FAILURES_TOLERATED) this.#setPhase({ kind: 'unsupported', codec: this.#feed.video?.codec ?? '' });
    else this.#feed.reopen();
  }

  #setPhase(phase: TilePhase): void {
    if (this.#closed || (phase.kind === this.#phase.kind && phase.kind !== 'waiting')) return;
    this.#phase = phase;
    this.#options.onPhase(phase);
  }
}
