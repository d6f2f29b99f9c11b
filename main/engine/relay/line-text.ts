/** UTF-8 for frames and pairing, strict on the way in. */
import type { TextCodec } from '../../../shared/contract/frame.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export const utf8: TextCodec = { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes) };
