/**
 * The times of a session's first pictures. ffmpeg's parser gives the very first picture of an RTSP stream no time, and some of the
 * next no decode time; what its muxer puts there is a guess (docs/design/recording.md, "ffmpeg"). Here they get true ones.
 */
import { concatBytes, makeBox, readU32, words, writeU64 } from '../../../shared/media/boxes.ts';
import { type FragmentHead, readFragmentHead } from '../../../shared/media/fragment-head.ts';
import type { InitTrack } from '../../../shared/media/init.ts';
import type { DurationMs } from '../../../shared/time.ts';
import { OUTPUT_OFFSET_S, TIME_LEAD_S } from '../ffmpeg/args.ts';

/** One fragment and when it was read, on the monotonic clock. */
export interface ReadFragment {
  readonly bytes: Uint8Array;
  readonly atMs: DurationMs;
}

/** Enough to see past two B-frames. */
const LOOK_AHEAD = 4;
/** Fragments without a known decode time at most; where there are more, they stay as they are. */
const MOST_HELD = 12;
/** Four pictures of a camera that sends one a second; longer than this the first ones wait for nobody. */
const HOLD_MS: DurationMs = 5_000;

interface Held {
  readonly fragment: ReadFragment;
  readonly head: FragmentHead;
  /** Its decode time is the camera's and not a guess. */
  readonly known: boolean;
}

export class FirstTimes {
  #held: Held[] | null = [];

  /** Takes one fragment; gives those whose times are known, in order. */
  take(fragment: ReadFragment, track: InitTrack): readonly ReadFragment[] {
    if (this.#held === null) return [fragment];
    const head = readFragmentHead(fragment.bytes, track.defaults);
    const known = head.baseTicks > (OUTPUT_OFFSET_S + TIME_LEAD_S / 2) * track.timescale;
    // The caller's bytes are lent.
    this.#held.push({ fragment: { ...fragment, bytes: fragment.bytes.slice() }, head, known });
    const firstKnown = this.#held.findIndex((held) => held.known);
    // An ffmpeg that knows the first picture's time needs no help.
    const enough = firstKnown < 0 ? MOST_HELD : firstKnown === 0 ? 1 : Math.max(LOOK_AHEAD, firstKnown + 1);
    return this.#held.length < enough ? [] : this.end();
  }

  /** What has waited too long for more. */
  overdue(nowMs: DurationMs): readonly ReadFragment[] {
    const [first] = this.#held ?? [];
    return first === undefined || nowMs - first.fragment.atMs < HOLD_MS ? [] : this.end();
  }

  /** All that is held, with the best times there are: nothing more comes, or it need not be waited for. */
  end(): readonly ReadFragment[] {
    const held = this.#held ?? [];
    this.#held = null;
    const heads = held.map(({ head }) => head);
    const known = held.findIndex((one) => one.known);
    const times = known > 0 && heads.every((head) => head.frames === 1) ? firstTimes(heads, known) : [];
    return held.map(({ fragment, head }, index) => {
      const time = times[index];
      return time === undefined ? fragment : { ...fragment, bytes: withTimes(fragment.bytes, head, index + 1, time) };
    });
  }
}

export interface SampleTime {
  readonly decodeTicks: number;
  readonly durationTicks: number;
  readonly startTicks: number;
}

/**
 * The times of the fragments before the first with a known decode time, `known`. Presentation times are the camera's but for
 * the very first picture's, which is one picture before the earliest of the next ones. Pure.
 */
export function firstTimes(heads: readonly Pick<FragmentHead, 'baseTicks' | 'startTicks' | 'endTicks'>[], known: number): readonly SampleTime[] {
  const anchor = heads[known];
  if (anchor === undefined) return [];
  const starts = heads.map((head) => head.startTicks);
  const reordered = heads.slice(known).some((head) => head.startTicks !== head.baseTicks) || starts.slice(1).some((ticks, index) => index > 0 && ticks < (starts[index] ?? 0));
  const next = heads[known + 1];
  const stepTicks = next === undefined ? anchor.endTicks - anchor.startTicks : next.baseTicks - anchor.baseTicks;
  const startOf = (index: number): number => (index === 0 ? Math.min(...starts.slice(1)) - stepTicks : (starts[index] ?? 0));
  const decodeOf = (index: number): number => (index >= known ? anchor.baseTicks : reordered ? anchor.baseTicks - (known - index) * stepTicks : startOf(index));
  return heads.slice(0, known).map((_head, index) => ({ decodeTicks: decodeOf(index), durationTicks: Math.max(1, decodeOf(index + 1) - decodeOf(index)), startTicks: startOf(index) }));
}

/** The fragment's one sample in a fragment with these times (ISO/IEC 14496-12 section 8.8). */
export function withTimes(bytes: Uint8Array, head: FragmentHead, sequence: number, { decodeTicks, durationTicks, startTicks }: SampleTime): Uint8Array {
  const decode = new Uint8Array(8);
  writeU64(decode, 0, decodeTicks);
  const sample = bytes.subarray(head.firstOffsetBytes, head.firstOffsetBytes + head.firstSizeBytes);
  const moof = (offsetBytes: number): Uint8Array =>
    makeBox('moof',
      makeBox('mfhd', words(0, sequence)),
      makeBox('traf',
        // default-base-is-moof
        makeBox('tfhd', words(0x020000, readU32(bytes, head.trackIdAt))),
        makeBox('tfdt', words(0x01000000), decode),
        // Version 1 (signed offsets): data offset, and of the sample duration, size, flags and composition offset.
        makeBox('trun', words(0x01000f01, 1, offsetBytes, durationTicks, sample.length, head.keyframe ? 0x02000000 : 0x01010000, startTicks - decodeTicks))));
  const moofBytes = moof(0).length;
  return concatBytes([moof(moofBytes + 8), makeBox('mdat', sample)]);
}
