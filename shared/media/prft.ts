/** Producer reference time: the wall time of a moment of media, written before a keyframe's fragment (ISO/IEC 14496-12 section 8.16.5). */
import type { EpochMs } from '../time.ts';
import { type Box, makeBox, readU32, readU64, words, writeU64 } from './boxes.ts';

export interface ProducerReferenceTime {
  readonly trackId: number;
  readonly wallMs: EpochMs;
  /** The moment of media, in the track's ticks. */
  readonly mediaTicks: number;
}

/** Seconds from 1900, where NTP counts from, to 1970 (RFC 5905 section 6). */
const NTP_EPOCH_S = 2_208_988_800;
/** `flags` 24: the time is when the media was captured or, failing that, an arbitrary but consistent one (edition 7 of the standard). */
const FLAGS_CAPTURED = 24;
export const PRFT_BYTES = 32;

/** A version 1 prft box of PRFT_BYTES bytes. NTP seconds wrap in 2036; parsePrft takes that into account. */
export function makePrft(reference: ProducerReferenceTime): Uint8Array {
  const seconds = Math.floor(reference.wallMs / 1_000);
  const fraction = Math.min(2 ** 32 - 1, Math.round(((reference.wallMs - seconds * 1_000) / 1_000) * 2 ** 32));
  const media = new Uint8Array(8);
  writeU64(media, 0, reference.mediaTicks);
  return makeBox('prft', words(0x01000000 | FLAGS_CAPTURED, reference.trackId, (seconds + NTP_EPOCH_S) % 2 ** 32, fraction), media);
}

/** What a prft box says, or null when it is too short to say it. Rounded to the microsecond. */
export function parsePrft(bytes: Uint8Array, box: Box): ProducerReferenceTime | null {
  const at = box.start + box.headerBytes;
  const wide = bytes[at] === 1;
  if (box.start + box.sizeBytes > bytes.length || box.sizeBytes < box.headerBytes + (wide ? 24 : 20)) return null;
  const ntpSeconds = readU32(bytes, at + 8);
  // The era that began in 2036 counts from zero again; no footage is older than 2004 (half an era before that).
  const seconds = ntpSeconds - NTP_EPOCH_S + (ntpSeconds < 2 ** 31 ? 2 ** 32 : 0);
  const wallMs = seconds * 1_000 + Math.round((readU32(bytes, at + 12) / 2 ** 32) * 1e6) / 1e3;
  return { trackId: readU32(bytes, at + 4), wallMs, mediaTicks: wide ? readU64(bytes, at + 16) : readU32(bytes, at + 16) };
}
