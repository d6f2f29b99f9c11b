/** Has the picture of a moment ready before it is asked for: of the place where the pointer stands, decoded while the hand makes up its mind. */
import type { CameraId } from '../../shared/model/ids.ts';
import type { EpochMs } from '../../shared/time.ts';
import type { EngineClient } from '../api/engine-client.ts';
import { FootageFeed } from './footage-feed.ts';
import { PictureQueue } from './picture-queue.ts';
import { ROUNDING_MS, type TileOptions } from './tile-player.ts';
import { type DecodedPicture, PictureDecoder } from './video-decoder.ts';

/** Whose picture. */
export type AheadTile = Pick<TileOptions, 'cameraId' | 'stream'>;

/** Pictures behind the wanted one that go in with it (as recorded-tile.ts). */
const PAST_TARGET = 2;
/** A pointer that has not stood anywhere for so long has other things to do. */
const IDLE_MS = 10_000;

/** One stream and one decoder of its own, for one picture at a time. Does nothing where there is no WebCodecs. */
export class AheadPicture {
  readonly #client: EngineClient;
  #tile: AheadTile | null = null;
  #feed: FootageFeed | null = null;
  #decoder: PictureDecoder | null = null;
  readonly #pictures = new PictureQueue<DecodedPicture>();
  #ready: DecodedPicture | null = null;
  #past = 0;
  #idle: ReturnType<typeof setTimeout> | null = null;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** The pointer stands on a moment of a camera whose picture would be seen. */
  rest(tile: AheadTile, atMs: EpochMs): void {
    if (typeof VideoDecoder === 'undefined') return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE_MS);
    if (this.#tile?.cameraId !== tile.cameraId || this.#tile.stream !== tile.stream) this.#open(tile, atMs);
    else if (this.#ready === null || !covers(this.#ready, atMs)) this.#feed?.seek(atMs, true);
  }

  /** When the picture that is ready begins; null while none is. */
  get readyMs(): EpochMs | null {
    return this.#ready?.wallMs ?? null;
  }

  /** The picture of that moment, if it is ready; whoever takes it closes it. */
  take(cameraId: CameraId, stream: TileOptions['stream'], atMs: EpochMs): DecodedPicture | null {
    const ready = this.#ready;
    if (ready === null || this.#tile?.cameraId !== cameraId || this.#tile.stream !== stream || !covers(ready, atMs)) return null;
    this.#ready = null;
    return ready;
  }

  /** Gives stream, decoder and picture back. */
  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    this.#feed?.close();
    this.#decoder?.close();
    this.#feed = null;
    this.#decoder = null;
    this.#tile = null;
    this.#drop();
  }

  #open(tile: AheadTile, fromMs: EpochMs): void {
    this.#feed?.close();
    this.#decoder?.close();
    this.#drop();
    this.#tile = tile;
    const decoder = new PictureDecoder({ live: false, onPicture: (picture) => this.#receive(picture), onUnsupported: () => undefined });
    this.#decoder = decoder;
    this.#feed = new FootageFeed(
      { client: this.#client, ...tile, fromMs },
      {
        onSeek: () => {
          this.#drop();
          decoder.restart();
        },
        onTrack: (track) => decoder.configure(track),
        onUnits: ({ video, damaged }) => {
          for (const unit of video) {
            if (this.#past >= PAST_TARGET) break;
            decoder.decode(unit);
            if (unit.wallMs > (this.#feed?.targetMs ?? Number.POSITIVE_INFINITY)) this.#past += 1;
          }
          if (this.#past >= PAST_TARGET || damaged) void decoder.flush();
          this.#feed?.grant();
        },
        onTargetMissing: () => this.#land(),
        onEnd: () => void decoder.flush().then(() => this.#cover(true)),
        onFailed: () => undefined,
      },
    );
  }

  #receive(picture: DecodedPicture): void {
    this.#pictures.push(picture);
    this.#cover(false);
  }

  #cover(drained: boolean): void {
    const { targetMs } = this.#feed ?? {};
    const covering = targetMs === undefined || this.#ready !== null ? null : this.#pictures.takeCovering(targetMs, drained);
    if (covering === null) return;
    this.#ready = covering;
    this.#land();
  }

  #land(): void {
    this.#pictures.clear();
    // What follows the picture is for whoever plays it: only an answer for one picture is at its end.
    if (this.#feed?.one === true) this.#feed.landed();
  }

  #drop(): void {
    this.#pictures.clear();
    this.#ready?.frame.close();
    this.#ready = null;
    this.#past = 0;
  }
}

function covers({ wallMs, durationMs }: DecodedPicture, atMs: EpochMs): boolean {
  return wallMs <= atMs + ROUNDING_MS && atMs < wallMs + durationMs - ROUNDING_MS;
}
