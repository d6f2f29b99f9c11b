/** A Channel over a byte stream (Unix socket, named pipe): each frame behind a u32 big-endian with its length. */
import type { Socket } from 'node:net';
import type { Channel } from '../../../../shared/contract/channel.ts';
import { decodeFrame, encodeFrame } from '../../../../shared/contract/frame.ts';
import { createChannel } from './channel-base.ts';
import { utf8 } from './text-codec.ts';

const LENGTH_BYTES = 4;

/** Takes over a connected socket; a frame above `maxFrameBytes` ends it. */
export function socketChannel(socket: Socket, maxFrameBytes: number): Channel {
  const ends = createChannel({
    send: (message) => {
      const frame = encodeFrame(message, utf8);
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(frame.length);
      socket.write(length);
      socket.write(frame);
    },
    close: () => socket.end(),
  });
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(0);
      if (length > maxFrameBytes) {
        socket.destroy();
        return;
      }
      if (rest.length < LENGTH_BYTES + length) return;
      const frame = rest.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      rest = rest.subarray(LENGTH_BYTES + length);
      try {
        ends.deliver(decodeFrame(frame, utf8));
      } catch {
        socket.destroy();
        return;
      }
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => ends.closed('the connection ended'));
  return ends.channel;
}
