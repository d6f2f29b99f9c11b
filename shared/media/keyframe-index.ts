/** The keyframes of a segment as a small blob: what a row of the index and the tail of a file hold (DESIGN.md section 3). */
import type { Keyframe } from '../model/segment.ts';
import { MalformedMediaError } from './boxes.ts';

/** A keyframe a frame for two hours at 60 a second: more is hostile. */
const MAX_KEYFRAMES = 432_000;

/** Media times are kept to the microsecond, so that packing and unpacking gives the very same numbers. */
export function ticksToMs(ticks: number, timescale: number): number {
  return Math.round((ticks * 1_000_000) / timescale) / 1_000;
}

/**
 * Count, then per keyframe three varints (LEB128, seven bits a byte, least first): bytes from the end of the one before to its
 * start, its size, microseconds since the one before. Keyframes must be in file order; throws MalformedMediaError when they are not.
 */
export function packKeyframes(keyframes: readonly Keyframe[]): Uint8Array {
  const out: number[] = [];
  const put = (value: number): void => {
    if (!Number.isSafeInteger(value) || value < 0) throw new MalformedMediaError(`keyframes out of order (${value})`);
    let rest = value;
    while (rest > 127) {
      out.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    out.push(rest);
  };
  put(keyframes.length);
  let endBytes = 0;
  let lastUs = 0;
  for (const { offsetBytes, sizeBytes, mediaMs } of keyframes) {
    const us = Math.round(mediaMs * 1_000);
    put(offsetBytes - endBytes);
    put(sizeBytes);
    put(us - lastUs);
    endBytes = offsetBytes + sizeBytes;
    lastUs = us;
  }
  return Uint8Array.from(out);
}

/** The keyframes in `bytes`. Throws MalformedMediaError on anything packKeyframes would not have written. */
export function unpackKeyframes(bytes: Uint8Array): Keyframe[] {
  let at = 0;
  const take = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length) throw new MalformedMediaError('the keyframe index is cut off');
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new MalformedMediaError('a number beyond 2^53 in the keyframe index');
      if (byte < 128) return value;
    }
  };
  const count = take();
  if (count > MAX_KEYFRAMES || count * 3 > bytes.length - at) throw new MalformedMediaError(`${count} keyframes in ${bytes.length} bytes`);
  const keyframes: Keyframe[] = [];
  let endBytes = 0;
  let us = 0;
  for (let i = 0; i < count; i += 1) {
    const offsetBytes = endBytes + take();
    const sizeBytes = take();
    us += take();
    endBytes = offsetBytes + sizeBytes;
    if (endBytes > Number.MAX_SAFE_INTEGER || us > Number.MAX_SAFE_INTEGER) throw new MalformedMediaError('the keyframe index runs beyond 2^53');
    keyframes.push({ offsetBytes, sizeBytes, mediaMs: us / 1_000 });
  }
  if (at !== bytes.length) throw new MalformedMediaError('bytes after the keyframe index');
  return keyframes;
}
