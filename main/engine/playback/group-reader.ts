/** Reads the next part of a segment file that can be sent: a whole group of pictures, or a piece of a very long one, in one read. */
import { MAX_FRAGMENT_BYTES } from '../../../shared/media/fragment-splitter.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import type { Footage } from './footage.ts';
import { cutFragments, fragmentsToShow, joinFragments } from './group-cut.ts';
import type { FileInit, SegmentFiles } from './segment-files.ts';

/** Four seconds at 4 Mbit/s: a group of pictures in the usual case, and a quarter of what a viewer may hold unseen of a 16 Mbit/s camera. */
const MAX_PIECE_BYTES = 2 * 1024 * 1024;
/** Pictures past the target that a scrubbing seek sends: coded order and decoders hold some back (facts: eight were measured). */
const FRAMES_PAST_TARGET = 8;

/** Where reading goes on inside a segment. */
export interface ReadPosition {
  readonly fromBytes: number;
  /** The group of pictures it lies in. */
  readonly keyframe: number;
}

export interface GroupPiece {
  readonly payload: Uint8Array;
  /** It begins with the group's keyframe. */
  readonly keyframe: boolean;
  /** Wall time at which its video ends. */
  readonly endMs: EpochMs;
  /** It reaches past the target it was asked to show. */
  readonly covered: boolean;
  /** Where to go on; null where the readable part of the file ends. */
  readonly next: ReadPosition | null;
  /** Behind what was read: where a file that is still being written goes on. */
  readonly resumeBytes: number;
}

/** No whole fragment where one should be: `short` where the file ends before it, `damaged` where its bytes are something else. `next` is the next keyframe that may be tried. */
export interface NoPiece {
  readonly payload: null;
  readonly why: 'short' | 'damaged';
  readonly next: ReadPosition | null;
}

/** Where the group of a keyframe begins; null behind the last one. */
export function positionOf(footage: Footage, keyframe: number): ReadPosition | null {
  const found = footage.keyframes[keyframe];
  return found === undefined ? null : { fromBytes: found.offsetBytes, keyframe };
}

/**
 * Reads from `at` to the end of its group or as much of it as fits one piece. `targetMs` (media time) cuts it short behind
 * that picture. Rejects with the system's error where the file cannot be read.
 */
export async function readGroup(files: SegmentFiles, footage: Footage & { readonly path: string }, init: Promise<FileInit>, at: ReadPosition, targetMs: DurationMs | null): Promise<GroupPiece | NoPiece> {
  const following = footage.keyframes[at.keyframe + 1];
  const limitBytes = Math.min(following?.offsetBytes ?? Infinity, footage.readableBytes);
  const nextGroup = positionOf(footage, at.keyframe + 1);
  const [bytes, { parsed }] = await Promise.all([files.read(footage.path, at.fromBytes, Math.min(limitBytes - at.fromBytes, MAX_PIECE_BYTES)), init]);
  const piece = await wholeFragments(files, footage.path, at.fromBytes, limitBytes, bytes, parsed);
  const { cut } = piece;
  if (cut.fragments.length === 0) {
    return { payload: null, why: cut.rest === 'damaged' ? 'damaged' : 'short', next: nextGroup };
  }
  const fileEnds = at.fromBytes + piece.bytes.length < Math.min(limitBytes, at.fromBytes + MAX_PIECE_BYTES);
  const shown = targetMs === null ? { count: cut.fragments.length, covered: false } : fragmentsToShow(cut.fragments, targetMs, FRAMES_PAST_TARGET);
  const fragments = cut.fragments.slice(0, shown.count);
  const allOfThem = fragments.length === cut.fragments.length;
  const goesOnAt = at.fromBytes + (allOfThem ? cut.end : (fragments.at(-1)?.end ?? 0));
  const groupEnds = allOfThem && (goesOnAt >= limitBytes || cut.rest === 'over' || cut.rest === 'damaged' || fileEnds);
  const videoEndMs = fragments.findLast((fragment) => fragment.video !== null)?.video?.endMs;
  const whole = groupEnds && cut.rest !== 'damaged';
  const fallbackMs = footage.startMs + (videoEndMs ?? footage.keyframes[at.keyframe]?.mediaMs ?? 0);
  return {
    payload: joinFragments(piece.bytes, fragments),
    keyframe: at.fromBytes === footage.keyframes[at.keyframe]?.offsetBytes,
    endMs: whole ? groupEndMs(footage, at.keyframe, fallbackMs) : fallbackMs,
    covered: shown.covered || (targetMs !== null && groupEnds),
    next: groupEnds ? nextGroup : { fromBytes: goesOnAt, keyframe: at.keyframe },
    resumeBytes: goesOnAt,
  };
}

/** A fragment larger than a piece (a keyframe of 4K) is read again at its whole length; each round sees one more of its headers. */
async function wholeFragments(files: SegmentFiles, path: string, fromBytes: number, limitBytes: number, first: Uint8Array, init: FileInit['parsed']): Promise<{ bytes: Uint8Array; cut: ReturnType<typeof cutFragments> }> {
  let bytes = first;
  let cut = cutFragments(bytes, init);
  for (let round = 0; round < 3 && cut.fragments.length === 0 && cut.rest === 'more'; round += 1) {
    const neededBytes = cut.end + cut.needBytes;
    if (neededBytes <= bytes.length || neededBytes > limitBytes - fromBytes || neededBytes > MAX_FRAGMENT_BYTES) break;
    bytes = await files.read(path, fromBytes, neededBytes);
    cut = cutFragments(bytes, init);
  }
  return { bytes, cut };
}

/** A group ends where the next one begins; the last one of a closed segment with it; what is still being written, where its last picture ends. */
function groupEndMs(footage: Footage, keyframe: number, lastPictureMs: EpochMs): EpochMs {
  const following = footage.keyframes[keyframe + 1];
  if (following !== undefined) return footage.startMs + following.mediaMs;
  return footage.open ? lastPictureMs : Math.max(footage.endMs, lastPictureMs);
}

/** Only the picture of one keyframe, for fast forward. Rejects as readGroup. */
export async function readKeyframe(files: SegmentFiles, footage: Footage & { readonly path: string }, init: Promise<FileInit>, keyframe: number): Promise<Uint8Array | null> {
  const wanted = footage.keyframes[keyframe];
  if (wanted === undefined) return null;
  const [bytes, { parsed }] = await Promise.all([files.read(footage.path, wanted.offsetBytes, wanted.sizeBytes), init]);
  const { fragments } = cutFragments(bytes, parsed);
  return fragments.length === 0 ? null : joinFragments(bytes, fragments);
}
