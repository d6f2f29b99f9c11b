/**
 * A message as bytes, for transports that carry bytes (WebSocket, Unix socket, later a Noise session):
 * u32 big-endian length of the head, the head as UTF-8 JSON, then the payload to the end of the frame.
 * No payload and an empty one are the same; a receiver that expects bytes reads "none" as "no bytes".
 */
import type { ChannelMessage } from './channel.ts';

const LENGTH_BYTES = 4;

export interface TextCodec {
  encode(text: string): Uint8Array;
  /** Throws on bytes that are not UTF-8. */
  decode(bytes: Uint8Array): string;
}

/** The message as one frame; copies the payload. */
export function encodeFrame(message: ChannelMessage, text: TextCodec): Uint8Array<ArrayBuffer> {
  const head = text.encode(JSON.stringify(message.head));
  const frame = new Uint8Array(LENGTH_BYTES + head.length + (message.payload?.length ?? 0));
  new DataView(frame.buffer).setUint32(0, head.length);
  frame.set(head, LENGTH_BYTES);
  if (message.payload !== null) frame.set(message.payload, LENGTH_BYTES + head.length);
  return frame;
}

/** The message a frame holds; its payload is a view into the frame. Throws on a frame that is none. */
export function decodeFrame(frame: Uint8Array, text: TextCodec): ChannelMessage {
  if (frame.length < LENGTH_BYTES) throw new Error('frame shorter than its length field');
  const headEnd = LENGTH_BYTES + new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0);
  if (headEnd > frame.length) throw new Error('frame shorter than its head');
  const head: unknown = JSON.parse(text.decode(frame.subarray(LENGTH_BYTES, headEnd)));
  return { head, payload: headEnd === frame.length ? null : frame.subarray(headEnd) };
}
