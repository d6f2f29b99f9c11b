/** UTF-8 for frames, strict on the way in (shared/contract/frame.ts takes it as an argument because shared code has no platform). */
import type { TextCodec } from '../../../../shared/contract/frame.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const utf8: TextCodec = {
  encode: (text) => encoder.encode(text),
  decode: (bytes) => decoder.decode(bytes),
};
