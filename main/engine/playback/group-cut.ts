/** Cuts what was read from a segment file into whole fragments and says what of it to send: pure, no files (docs/design/playback.md). */
import { boxEnd, MalformedMediaError, readBox } from '../../../shared/media/boxes.ts';
import { parseFragment } from '../../../shared/media/fragment.ts';
import { type InitSegment, videoTrackOf } from '../../../shared/media/init.ts';
import { ticksToMs } from '../../../shared/media/keyframe-index.ts';
import { presentationEnd } from '../../../shared/media/scan.ts';
import type { DurationMs } from '../../../shared/time.ts';

/** One moof + mdat inside the bytes that were read. */
export interface CutFragment {
  /** From the start of the moof to the end of the mdat. */
  readonly start: number;
  readonly end: number;
  /** Decode time of its first picture and end of its last on screen, in ms of media time; null for a fragment of sound. */
  readonly video: { readonly decodeMs: DurationMs; readonly endMs: DurationMs; readonly frames: number } | null;
}

export interface Cut {
  readonly fragments: readonly CutFragment[];
  /** Where the next read goes on: behind the last whole fragment or box that is passed over. */
  readonly end: number;
  /**
   * Why it stops there: `more` when the next fragment is cut off by the end of the bytes (`needBytes` from `end` on make it whole, as far as can be seen),
   * `over` at the boxes that close a segment, `damaged` at bytes that are no fragment.
   */
  readonly rest: 'none' | 'more' | 'over' | 'damaged';
  readonly needBytes: number;
}

/** Boxes that may stand before a moof and mean nothing to a player that has the index. */
const PASSED_OVER: ReadonlySet<string> = new Set(['prft', 'styp', 'sidx', 'ssix', 'emsg', 'free', 'skip']);
/** What ends the media of a segment file (docs/design/storage.md). */
const CLOSING: ReadonlySet<string> = new Set(['uuid', 'mfra']);

/** The whole fragments at the head of `bytes`. Never throws: hostile bytes are `damaged`. */
export function cutFragments(bytes: Uint8Array, init: InitSegment): Cut {
  const fragments: CutFragment[] = [];
  let end = 0;
  for (let at = 0; ; ) {
    if (at === bytes.length) return { fragments, end, rest: 'none', needBytes: 0 };
    const box = readBox(bytes, at);
    if (box === null) return { fragments, end, rest: bytes.length - at < 16 ? 'more' : 'damaged', needBytes: 16 };
    if (CLOSING.has(box.type)) return { fragments, end, rest: 'over', needBytes: 0 };
    const whole = boxEnd(box) <= bytes.length;
    if (PASSED_OVER.has(box.type)) {
      if (!whole) return { fragments, end, rest: 'more', needBytes: boxEnd(box) - end };
      at = boxEnd(box);
      end = at;
      continue;
    }
    if (box.type !== 'moof') return { fragments, end, rest: 'damaged', needBytes: 0 };
    const mdat = whole ? readBox(bytes, boxEnd(box)) : null;
    if (mdat === null) return { fragments, end, rest: 'more', needBytes: boxEnd(box) - end + 16 };
    if (mdat.type !== 'mdat') return { fragments, end, rest: 'damaged', needBytes: 0 };
    if (boxEnd(mdat) > bytes.length) return { fragments, end, rest: 'more', needBytes: boxEnd(mdat) - end };
    const video = videoTimes(bytes, at, init);
    if (video === undefined) return { fragments, end, rest: 'damaged', needBytes: 0 };
    fragments.push({ start: at, end: boxEnd(mdat), video });
    at = boxEnd(mdat);
    end = at;
  }
}

function videoTimes(bytes: Uint8Array, moofAt: number, init: InitSegment): CutFragment['video'] | undefined {
  const track = videoTrackOf(init);
  try {
    const video = parseFragment(bytes, init, moofAt).find((candidate) => candidate.trackId === track?.id);
    if (track === null || video === undefined || video.samples.length === 0) return null;
    return { decodeMs: ticksToMs(video.baseDecodeTime, track.timescale), endMs: ticksToMs(presentationEnd(video), track.timescale), frames: video.samples.length };
  } catch (error) {
    if (error instanceof MalformedMediaError) return undefined;
    throw error;
  }
}

/**
 * How many of the fragments are needed to show the picture at `targetMs` (decode time, media ms): up to the last that
 * begins by then, and `extraFrames` video frames more, for pictures that are coded out of order and for decoders that hold some back.
 * `covered` is false where they end before that.
 */
export function fragmentsToShow(fragments: readonly CutFragment[], targetMs: DurationMs, extraFrames: number): { readonly count: number; readonly covered: boolean } {
  let extra = 0;
  for (const [index, fragment] of fragments.entries()) {
    if (fragment.video === null || fragment.video.decodeMs <= targetMs) continue;
    extra += fragment.video.frames;
    if (extra >= extraFrames) return { count: index + 1, covered: true };
  }
  return { count: fragments.length, covered: false };
}

/** The fragments' bytes without anything between them, as a part of `bytes` (which is changed where something lay between). */
export function joinFragments(bytes: Uint8Array, fragments: readonly CutFragment[]): Uint8Array {
  const start = fragments[0]?.start ?? 0;
  let at = start;
  for (const fragment of fragments) {
    if (fragment.start !== at) bytes.copyWithin(at, fragment.start, fragment.end);
    at += fragment.end - fragment.start;
  }
  return bytes.subarray(start, at);
}
