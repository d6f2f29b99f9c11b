/** Which of a camera's profiles become its main and its sub stream (facts on makers: never by index). Pure. */
import type { StreamConfig, StreamKind } from '../../../shared/model/camera.ts';
import type { MediaProfile } from './onvif-profiles.ts';

/** Narrower pictures are thumbnails of makers' apps, too small for a tile of the grid. */
const MIN_SUB_WIDTH = 352;
/** Each candidate costs a connection to the camera. */
const MAX_CANDIDATES = 6;

/** A stream that answered a DESCRIBE. */
export type CandidateStream = Omit<StreamConfig, 'kind'>;

/**
 * Profiles of one lens worth describing, without ones known to be unrecordable: the largest first; a profile that does not
 * say its size comes first too, for it may be the largest.
 */
export function candidateProfiles(profiles: readonly MediaProfile[]): MediaProfile[] {
  const recordable = profiles.filter((profile) => profile.codec !== 'mjpeg' && profile.codec !== 'other');
  const size = (profile: MediaProfile): number => (area(profile) === 0 ? Infinity : area(profile));
  const sorted = recordable.sort((a, b) => compare(size(b), size(a)));
  if (sorted.length <= MAX_CANDIDATES) return sorted;
  // The largest ones for main, the smallest useful ones for sub.
  const useful = sorted.filter((profile) => profile.width >= MIN_SUB_WIDTH || profile.width === 0);
  return [...new Set([...useful.slice(0, MAX_CANDIDATES / 2), ...useful.slice(-MAX_CANDIDATES / 2)])];
}

/** Main is the largest, sub the smallest of useful width; two profiles with one address are one stream. Empty without candidates. */
export function chooseStreams(candidates: readonly CandidateStream[]): StreamConfig[] {
  const distinct = candidates.filter((one, index) => candidates.findIndex((other) => other.url === one.url) === index);
  const [main, ...rest] = [...distinct].sort((a, b) => area(b) - area(a));
  if (main === undefined) return [];
  const useful = rest.filter((one) => one.width >= MIN_SUB_WIDTH && area(one) < area(main));
  // Where no size is known the camera's own order is all there is.
  const sub = useful.at(-1) ?? rest.find((one) => one.width === 0);
  const as = (kind: StreamKind, stream: CandidateStream): StreamConfig => ({ ...stream, kind });
  return sub === undefined ? [as('main', main)] : [as('main', main), as('sub', sub)];
}

function area(picture: { readonly width: number; readonly height: number }): number {
  return picture.width * picture.height;
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
