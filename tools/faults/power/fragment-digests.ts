/** Owns telling pictures by their bytes: the digest of each fragment's media, wherever the fragment lies. Pure. */
import { createHash } from 'node:crypto';

export interface FragmentDigest {
  readonly digest: string;
  /** Where the fragment ends. */
  readonly endBytes: number;
}

const VIDEO_TRACK = 1;
/** Left out of a digest: where a sector begins so short before a picture's end, its loss cannot be told from zeros that an encoder ends with. */
const UNTOLD_BYTES = 3;
/** Within moof (8): mfhd (16), then traf's head (8), tfhd's head (8) and flags (4), then the track (ISO/IEC 14496-12 section 8.8). */
const TRACK_AT = 44;

/** The pictures' fragments in order, up to the first bytes that are no whole box. */
export function fragmentDigestsOf(bytes: Buffer): FragmentDigest[] {
  return walkFragments(bytes).found;
}

/** The same, and where the walk ended: at the file's end, or before bytes that no player gets past. */
export function walkFragments(bytes: Buffer): { readonly found: FragmentDigest[]; readonly endBytes: number } {
  const found: FragmentDigest[] = [];
  let track = 0;
  let at = 0;
  while (at + 8 <= bytes.length) {
    const sizeBytes = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (sizeBytes < 8 || at + sizeBytes > bytes.length) break;
    if (type === 'moof') track = at + TRACK_AT + 4 <= bytes.length ? bytes.readUInt32BE(at + TRACK_AT) : 0;
    if (type === 'mdat' && track === VIDEO_TRACK) found.push({ digest: createHash('sha1').update(bytes.subarray(at + 8, Math.max(at + 8, at + sizeBytes - UNTOLD_BYTES))).digest('base64'), endBytes: at + sizeBytes });
    at += sizeBytes;
  }
  return { found, endBytes: at };
}
