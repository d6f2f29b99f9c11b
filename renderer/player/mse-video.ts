/** One video element fed through MediaSource (ManagedMediaSource on iPhones); what it presents is painted on the tile's canvas. */
import type { InitTrack } from '../../shared/media/init.ts';
import type { EpochMs } from '../../shared/time.ts';
import type { EncodedUnit } from './demux.ts';
import { type BufferedPicture, FrameTable } from './frame-table.ts';
import { epochFor, mediaTypeOf, packFragment, videoInit } from './mse-remux.ts';
import type { Painter } from './painter.ts';

declare global {
  interface Window {
    /** Safari on iPhones; not in TypeScript's library. */
    readonly ManagedMediaSource?: typeof MediaSource;
  }
}

export interface MseVideoOptions {
  readonly painter: Painter;
  readonly onPainted: (picture: BufferedPicture) => void;
  /** The element or its buffer gave up: everything that was appended is gone. */
  readonly onBroken: () => void;
}

/** Decode times that differ from where the last picture ended by less than this are put right behind it: clocks are adjusted while a camera runs. */
const SEAM_MS = 150;
/** A seek goes this far into a picture, so that rounding never shows the one before. */
const INTO_PICTURE_SECONDS = 0.002;
/** A seek to where the element stands presents nothing: one a little on, within the same picture, does. */
const AGAIN_SECONDS = 0.0005;
/** Memory is given back in steps of so much footage. */
const DROPPED_AT_LEAST_SECONDS = 4;

const mediaSourceClass = (): typeof MediaSource | undefined => window.ManagedMediaSource ?? (typeof MediaSource === 'undefined' ? undefined : MediaSource);

/** Whether MediaSource in this browser plays a codec; asked at run time. */
export function canPlayByMse(codec: string): boolean {
  return mediaSourceClass()?.isTypeSupported(mediaTypeOf(codec)) === true;
}

type Work = { readonly kind: 'append'; readonly bytes: Uint8Array<ArrayBuffer> } | { readonly kind: 'remove'; readonly fromSeconds: number; readonly toSeconds: number } | { readonly kind: 'type'; readonly type: string };

export class MseVideo {
  readonly video: HTMLVideoElement;
  readonly frames = new FrameTable();
  readonly #options: MseVideoOptions;
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #url: string | null = null;
  #type: string | null = null;
  #track: InitTrack | null = null;
  #work: Work[] = [];
  #sequence = 0;
  #epochMs: EpochMs | null = null;
  /** Where the last appended picture ends, on the time line and on the wall. */
  #tail: { readonly mediaMs: number; readonly wallMs: EpochMs } | null = null;
  #closed = false;

  constructor(options: MseVideoOptions) {
    this.#options = options;
    this.video = document.createElement('video');
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.disableRemotePlayback = true;
    this.video.setAttribute('aria-hidden', 'true');
    // Safari stops elements that are nowhere on the page; only the canvas is to be seen.
    this.video.style.cssText = 'position:absolute;width:1px;height:1px;opacity:0;pointer-events:none';
    options.painter.canvas.after(this.video);
    this.video.addEventListener('error', () => this.#broken());
    this.#awaitFrame();
  }

  get track(): InitTrack | null {
    return this.#track;
  }

  get currentSeconds(): number {
    return this.video.currentTime;
  }

  /** Where what was appended ends on the element's time line. */
  get endSeconds(): number {
    const { buffered } = this.video;
    return buffered.length === 0 ? 0 : buffered.end(buffered.length - 1);
  }

  /** New parameters for what is appended next. Throws MalformedMediaError. */
  setTrack(track: InitTrack, initBytes: Uint8Array): void {
    const type = mediaTypeOf(track.codec);
    if (this.#source === null) this.#open(type);
    else if (type !== this.#type) this.#do({ kind: 'type', type });
    this.#type = type;
    this.#track = track;
    this.#append(videoInit(initBytes, track));
  }

  /** Pictures in decoding order. `lastsUntilMs`: the last one stands until then (keyframes alone). */
  append(units: readonly EncodedUnit[], lastsUntilMs: EpochMs | null = null): void {
    const track = this.#track;
    const [first] = units;
    if (track === null || first === undefined) return;
    this.#epochMs ??= epochFor(first.wallMs);
    const epochMs = this.#epochMs;
    const follows = this.#tail !== null && Math.abs(first.decodeMs - this.#tail.wallMs) < SEAM_MS;
    const shiftMs = follows && this.#tail !== null ? this.#tail.mediaMs - first.decodeMs : -epochMs;
    const packed = units.map((unit, index) => ({
      unit,
      decodeMs: unit.decodeMs + shiftMs,
      durationMs: index === units.length - 1 && lastsUntilMs !== null ? Math.max(unit.durationMs, lastsUntilMs - unit.wallMs) : unit.durationMs,
    }));
    const last = packed.at(-1);
    if (last !== undefined) this.#tail = { mediaMs: last.decodeMs + last.durationMs, wallMs: last.unit.decodeMs + last.durationMs };
    // Another stream of the camera goes on before where this one came to: the element puts its pictures in the place of those.
    if (first.keyframe && first.wallMs < (this.frames.newest?.startMs ?? first.wallMs)) this.frames.dropFrom(first.wallMs);
    this.frames.add(packed.map(({ unit, durationMs }) => ({ startMs: unit.wallMs, endMs: unit.wallMs + durationMs, mediaSeconds: (unit.wallMs + shiftMs) / 1000, keyframe: unit.keyframe })));
    this.#sequence += 1;
    this.#append(packFragment(track, this.#sequence, packed));
  }

  /** Forgets all pictures; the parameters stay. */
  clear(): void {
    this.frames.clear();
    this.#tail = null;
    this.#work = this.#work.filter(({ kind }) => kind === 'type');
    if (this.#buffer === null) return;
    this.#do({ kind: 'remove', fromSeconds: 0, toSeconds: Number.POSITIVE_INFINITY });
  }

  /** Gives back memory of whole groups of pictures before a moment of the element's time. */
  dropBefore(seconds: number): void {
    if ((this.frames.oldest?.mediaSeconds ?? seconds) > seconds - DROPPED_AT_LEAST_SECONDS) return;
    const keptFrom = this.frames.dropBefore(seconds);
    if (keptFrom !== null) this.#do({ kind: 'remove', fromSeconds: 0, toSeconds: keptFrom });
  }

  /** Whether the element can show a picture at once. */
  has(picture: BufferedPicture): boolean {
    const { buffered } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (picture.mediaSeconds + INTO_PICTURE_SECONDS >= buffered.start(i) && picture.mediaSeconds + INTO_PICTURE_SECONDS < buffered.end(i)) return true;
    }
    return false;
  }

  /** Shows one picture, standing still. */
  show(picture: BufferedPicture): void {
    this.video.pause();
    this.video.currentTime = picture.mediaSeconds + INTO_PICTURE_SECONDS;
  }

  /** Has the picture that the element stands on presented again, where its frame callback did not come: after a seek it may be missed. What is presented meanwhile is unknown, so nothing is painted without it. */
  presentAgain(): void {
    if (this.video.paused && !this.video.seeking && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) this.video.currentTime += AGAIN_SECONDS;
  }

  play(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
    // A refusal (the page was never touched, a source that was just replaced) is tried again with the next picture.
    if (this.video.paused) this.video.play().catch(() => undefined);
  }

  close(): void {
    this.#closed = true;
    this.#release();
    this.video.remove();
  }

  #open(type: string): void {
    const Class = mediaSourceClass();
    if (Class === undefined) return;
    const source = new Class();
    this.#source = source;
    source.addEventListener('sourceopen', () => {
      if (source !== this.#source || this.#buffer !== null) return;
      try {
        const buffer = source.addSourceBuffer(type);
        buffer.mode = 'segments';
        buffer.addEventListener('updateend', () => {
          if (buffer === this.#buffer) this.#next();
        });
        this.#buffer = buffer;
        this.#next();
      } catch {
        this.#broken();
      }
    });
    this.#url = URL.createObjectURL(source);
    this.video.src = this.#url;
  }

  #release(): void {
    this.#source = null;
    this.#buffer = null;
    this.#type = null;
    this.#work = [];
    this.#tail = null;
    this.frames.clear();
    this.video.removeAttribute('src');
    this.video.load();
    if (this.#url !== null) URL.revokeObjectURL(this.#url);
    this.#url = null;
  }

  #broken(): void {
    if (this.#closed || this.#source === null) return;
    this.#release();
    this.#options.onBroken();
  }

  #append(bytes: Uint8Array): void {
    this.#do({ kind: 'append', bytes: bytes as Uint8Array<ArrayBuffer> });
  }

  #do(work: Work): void {
    this.#work.push(work);
    this.#next();
  }

  #next(): void {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || this.video.error !== null) return;
    const work = this.#work.shift();
    if (work === undefined) return;
    if (work.kind === 'remove' && buffer.buffered.length === 0) {
      this.#next();
      return;
    }
    try {
      if (work.kind === 'append') buffer.appendBuffer(work.bytes);
      else if (work.kind === 'remove') buffer.remove(work.fromSeconds, work.toSeconds);
      else {
        buffer.changeType(work.type);
        this.#next();
      }
    } catch (error) {
      if (error instanceof DOMException && error.name === 'QuotaExceededError' && work.kind === 'append' && this.currentSeconds > 1) {
        this.#work.unshift({ kind: 'remove', fromSeconds: 0, toSeconds: this.currentSeconds - 0.5 }, work);
        this.#next();
      } else this.#broken();
    }
  }

  /** Paints each picture the element presents; browsers without frame callbacks are asked on every animation frame. */
  #awaitFrame(): void {
    if (this.#closed) return;
    if ('requestVideoFrameCallback' in this.video) {
      this.video.requestVideoFrameCallback((_now, { mediaTime }) => {
        // Asked again before anything else: a picture presented in between would be missed, and nothing may follow it.
        this.#awaitFrame();
        this.#paint(mediaTime);
      });
    } else {
      requestAnimationFrame(() => {
        if (!this.video.seeking && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) this.#paint(this.video.currentTime);
        this.#awaitFrame();
      });
    }
  }

  #paint(mediaSeconds: number): void {
    // A picture that is no more in the table was presented before a seek: it belongs to another moment.
    const picture = this.frames.byMedia(mediaSeconds);
    if (this.#closed || picture === null) return;
    if (picture.startMs !== this.#options.painter.shown?.startMs) this.#options.painter.paintVideo(this.video, picture.startMs, picture.endMs - picture.startMs);
    this.#options.onPainted(picture);
  }
}
