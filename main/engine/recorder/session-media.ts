/** The media of one session: units from ffmpeg become fragments that know their time, picture and sound under one init. */
import { MalformedMediaError } from '../../../shared/media/boxes.ts';
import type { SplitUnit } from '../../../shared/media/fragment-splitter.ts';
import { type FragmentHead, readFragmentHead, renumberTrack } from '../../../shared/media/fragment-head.ts';
import { audioTrackOf, type InitTrack, parseInit, retagHevc, videoTrackOf } from '../../../shared/media/init.ts';
import { ticksToMs } from '../../../shared/media/keyframe-index.ts';
import { type ParameterCodec, parameterCodecOf, parameterSetsChanged, parameterSetsOfConfig, parameterSetsOfSample } from '../../../shared/media/parameter-sets.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import type { Sound } from '../ffmpeg/args.ts';
import type { Clock } from '../core/clock.ts';
import { AUDIO_TRACK_ID, combineInits } from './combine.ts';
import { FirstTimes, type ReadFragment, withTimes } from './first-times.ts';
import type { SessionFragment, SessionInit } from './media.ts';
import { StandingTimes } from './standing-times.ts';
import type { StreamMeter } from './stream-meter.ts';
import { ArrivalOffset, type WallAnchor } from './wall-clock.ts';

export interface MediaParts {
  readonly sound: Sound;
  readonly clock: Clock;
  readonly anchor: WallAnchor;
  readonly meter: StreamMeter;
  readonly nextInitId: () => number;
  readonly onFragment: (fragment: SessionFragment) => void;
  readonly onTimestampJump: () => void;
  readonly onEnd: (reason: 'parameters-changed' | 'malformed' | 'codec-not-kept' | 'times-stand-still' | 'times-run-wild', detail: string) => void;
}

/** How long the first pictures wait for the sound's parameters, so that the first file has both. Afterwards sound joins at a keyframe. */
const SOUND_WAIT_MS: DurationMs = 700;
/**
 * ffmpeg gives a frame out when the second one after it arrives: its parser waits for the next to see the end of this
 * one, and its muxer for the next again to know how long this one lasts (measured; docs/design/time.md).
 */
const LAG_FRAGMENTS = 2;

export class SessionMedia {
  readonly #parts: MediaParts;
  readonly #offset = new ArrivalOffset();
  /** When the last fragments were given out, oldest first. */
  #arrivals: DurationMs[] = [];
  #videoInit: { readonly bytes: Uint8Array; readonly track: InitTrack } | null = null;
  #soundInit: { readonly bytes: Uint8Array; readonly track: InitTrack } | null = null;
  #init: SessionInit | null = null;
  /** Units that came before there was an init to go with. */
  #held: { readonly video: boolean; readonly bytes: Uint8Array; readonly atMs: DurationMs }[] = [];
  readonly #firstTimes = new FirstTimes();
  readonly #standing = new StandingTimes();
  #heldSinceMs: DurationMs | null = null;
  #knownSets: Uint8Array[] | null = null;
  #codec: ParameterCodec | null = null;
  #firstKeyframeSeen = false;
  /** How long the last picture lasted. */
  #frameTicks = 0;
  #over = false;

  constructor(parts: MediaParts) {
    this.#parts = parts;
  }

  get init(): SessionInit | null {
    return this.#init;
  }

  get asksForSound(): boolean {
    return this.#parts.sound !== 'none';
  }

  get hasSound(): boolean {
    return this.#soundInit !== null;
  }

  wallOf(mediaMs: DurationMs): EpochMs {
    return this.#parts.anchor.wallOf(this.#offset.monotonicOf(mediaMs) ?? this.#parts.clock.monotonicMs());
  }

  /** Whether `wallOf` is known well enough to say when footage began. */
  settled(): boolean {
    return this.#offset.settledAt(this.#parts.clock.monotonicMs());
  }

  /** Nothing more comes: what was held goes out. */
  drain(): void {
    if (this.#over) return;
    for (const fragment of this.#firstTimes.end()) this.#takePicture(fragment);
  }

  /** What still comes is of a session that is over: pictures after a change of parameters fit no file. */
  close(): void {
    this.#over = true;
  }

  takeVideo(unit: SplitUnit): void {
    if (this.#over) return;
    if (unit.kind === 'init') {
      const bytes = unit.bytes.slice();
      retagHevc(bytes);
      const track = videoTrackOf(parseInit(bytes));
      if (track === null) throw new MalformedMediaError('no video track');
      this.#videoInit = { bytes, track };
      this.#codec = parameterCodecOf(track.codec);
      if (this.#codec === null) {
        // MP4 would hold MJPEG and MPEG-4 too, and nothing here could show them.
        this.#over = true;
        this.#parts.onEnd('codec-not-kept', track.codec);
        return;
      }
    } else {
      const read = { bytes: unit.bytes, atMs: this.#parts.clock.monotonicMs() };
      for (const fragment of this.#videoInit === null ? [read] : this.#firstTimes.take(read, this.#videoInit.track)) this.#takePicture(fragment);
      return;
    }
    this.#settleInit();
    this.#releaseHeld();
  }

  #takePicture({ bytes, atMs }: ReadFragment): void {
    if (this.#init !== null && this.#held.length === 0) {
      this.#video(bytes, this.#init, atMs);
      return;
    }
    this.#held.push({ video: true, bytes: bytes.slice(), atMs });
    this.#settleInit();
    this.#releaseHeld();
  }

  takeSound(unit: SplitUnit): void {
    if (this.#over) return;
    if (unit.kind === 'init') {
      const bytes = unit.bytes.slice();
      const track = audioTrackOf(parseInit(bytes));
      if (track === null) throw new MalformedMediaError('no sound track');
      this.#soundInit = { bytes, track };
      this.#settleInit();
      this.#releaseHeld();
    } else if (this.#init === null) this.#held.push({ video: false, bytes: unit.bytes.slice(), atMs: this.#parts.clock.monotonicMs() });
    else this.#sound(unit.bytes, this.#init);
  }

  /** Lets pictures go that waited long enough for sound. */
  tick(): void {
    if (!this.#over) for (const fragment of this.#firstTimes.overdue(this.#parts.clock.monotonicMs())) this.#takePicture(fragment);
    this.#settleInit();
    this.#releaseHeld();
  }

  #settleInit(): void {
    if (this.#init !== null || this.#videoInit === null) return;
    if (this.#parts.sound !== 'none' && this.#soundInit === null) {
      if (this.#held.length === 0) return;
      this.#heldSinceMs ??= this.#parts.clock.monotonicMs();
      if (this.#parts.clock.monotonicMs() - this.#heldSinceMs < SOUND_WAIT_MS) return;
    }
    this.#makeInit();
  }

  #makeInit(): SessionInit | null {
    if (this.#videoInit === null) return null;
    const bytes = this.#soundInit === null ? this.#videoInit.bytes : combineInits(this.#videoInit.bytes, this.#soundInit.bytes);
    this.#init = { initId: this.#parts.nextInitId(), bytes, video: this.#videoInit.track, audio: audioTrackOf(parseInit(bytes)) };
    return this.#init;
  }

  #releaseHeld(): void {
    if (this.#init === null) return;
    while (this.#held.length > 0 && !this.#over) {
      const [next, ...rest] = this.#held;
      this.#held = rest;
      if (next?.video === true) this.#video(next.bytes, this.#init, next.atMs);
      else if (next !== undefined) this.#sound(next.bytes, this.#init);
    }
  }

  /** `atMs`: when it was read. */
  #video(read: Uint8Array, before: SessionInit, atMs: DurationMs): void {
    let bytes = read;
    let head = readFragmentHead(bytes, before.video.defaults);
    if (head.frames === 0) return;
    let init = before;
    if (head.keyframe) {
      if (!this.#sameParameters(bytes.subarray(head.firstOffsetBytes, head.firstOffsetBytes + head.firstSizeBytes), init)) return;
      // Sound that came late joins here.
      if (init.audio === null && this.#soundInit !== null) init = this.#makeInit() ?? init;
    }
    const startMediaMs = ticksToMs(head.startTicks, init.video.timescale);
    if (!this.#observe(startMediaMs, ticksToMs(head.baseTicks, init.video.timescale), atMs)) return;
    if (head.frames === 1 && this.#endsInAJump(head, init.video.timescale)) {
      bytes = withTimes(bytes, head, 1, { decodeTicks: head.baseTicks, durationTicks: this.#frameTicks, startTicks: head.startTicks });
      head = readFragmentHead(bytes, init.video.defaults);
    } else this.#frameTicks = Math.max(1, head.endTicks - head.startTicks);
    this.#parts.meter.video(atMs, startMediaMs, head.keyframe, head.frames, bytes.length);
    this.#give(init, bytes, head, true, init.video.timescale, startMediaMs);
  }

  /** The muxer lets a picture last until the next one: where the camera's clock is set forward between them, for hours. */
  #endsInAJump(head: FragmentHead, timescale: number): boolean {
    const nextArrivedMs = this.#arrivals.at(-LAG_FRAGMENTS);
    return nextArrivedMs !== undefined && this.#frameTicks > 0 && this.#offset.jumpsAt(nextArrivedMs, ticksToMs(head.endTicks, timescale));
  }

  #sound(bytes: Uint8Array, init: SessionInit): void {
    this.#parts.meter.sound(bytes.length);
    if (init.audio === null) return;
    const head = readFragmentHead(bytes, init.audio.defaults);
    if (head.frames === 0) return;
    renumberTrack(bytes, head, AUDIO_TRACK_ID);
    this.#give(init, bytes, head, false, init.audio.timescale, ticksToMs(head.baseTicks, init.audio.timescale));
  }

  #give(init: SessionInit, bytes: Uint8Array, head: FragmentHead, video: boolean, timescale: number, startMediaMs: DurationMs): void {
    this.#parts.onFragment({ init, bytes, head, video, keyframe: video && head.keyframe, startMediaMs, endMediaMs: ticksToMs(head.endTicks, timescale), wallMs: this.wallOf(startMediaMs) });
  }

  /** False when the session must end: the camera's timestamps stand still. */
  #observe(startMediaMs: DurationMs, decodeMs: DurationMs, readMs: DurationMs): boolean {
    const arrivedMs = this.#arrivals.length < LAG_FRAGMENTS ? readMs : (this.#arrivals.shift() ?? readMs);
    this.#arrivals.push(readMs);
    const flow = this.#standing.take(arrivedMs, decodeMs);
    if (flow === 'stands') {
      this.#parts.onEnd('times-stand-still', 'the camera’s timestamps jumped');
      return false;
    }
    const jumped = flow === 'flows again' || this.#offset.jumpsAt(arrivedMs, startMediaMs);
    if (jumped) this.#parts.onTimestampJump();
    if (flow === 'flows again') this.#offset.startAnew(arrivedMs, startMediaMs);
    else this.#offset.observe(arrivedMs, startMediaMs);
    if (this.#offset.isUseless) this.#parts.onEnd('times-run-wild', 'the camera’s timestamps run at another speed than time');
    return !this.#offset.isUseless;
  }

  /** False when the session must end: the camera changed its codec settings or its picture size. */
  #sameParameters(sample: Uint8Array, init: SessionInit): boolean {
    if (this.#codec === null) return true;
    const sets = parameterSetsOfSample(sample, this.#codec);
    this.#knownSets ??= parameterSetsOfConfig(init.video.description, this.#codec).map((set) => set.slice());
    const changed = parameterSetsChanged(this.#knownSets, sets);
    // What the first keyframe brings is the stream as it is, even where it differs from what the camera announced.
    if (changed && !this.#firstKeyframeSeen) this.#knownSets.push(...sets.map((set) => set.slice()));
    else if (changed) {
      this.#parts.onEnd('parameters-changed', 'the camera changed its video settings');
      return false;
    }
    this.#firstKeyframeSeen = true;
    return true;
  }
}
