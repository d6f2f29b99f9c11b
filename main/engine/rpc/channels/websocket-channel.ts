/** A Channel over a WebSocket of the `ws` package: one binary frame per message (shared/contract/frame.ts). */
import type { WebSocket } from 'ws';
import type { Channel } from '../../../../shared/contract/channel.ts';
import { decodeFrame, encodeFrame } from '../../../../shared/contract/frame.ts';
import { createChannel } from './channel-base.ts';
import { utf8 } from './text-codec.ts';

/** RFC 6455 section 7.4.1: normal closure, and a message that cannot be accepted. */
const NORMAL = 1000;
const UNACCEPTABLE = 1003;
/** RFC 6455 section 5.5: a control frame carries at most 125 bytes, 2 of them the code. */
const REASON_BYTES = 123;

export interface WebSocketChannelOptions {
  /** Unsent bytes above which the viewer is too slow to keep: media has credits, so only a stuck peer gets here. */
  readonly maxBufferedBytes: number;
}

const WEB_SOCKET_LIMITS: WebSocketChannelOptions = { maxBufferedBytes: 64 * 1024 * 1024 };

/** Wraps an open socket. The size of what comes in is bounded by the socket's own `maxPayload`. */
export function webSocketChannel(socket: WebSocket, options: WebSocketChannelOptions = WEB_SOCKET_LIMITS): Channel {
  const ends = createChannel({
    send: (message) => {
      if (socket.bufferedAmount > options.maxBufferedBytes) {
        ends.closed('the viewer was too slow');
        socket.terminate();
        return;
      }
      socket.send(encodeFrame(message, utf8), { binary: true });
    },
    close: (reason) => socket.close(NORMAL, shortReason(reason)),
  });
  socket.binaryType = 'nodebuffer';
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) {
      socket.close(UNACCEPTABLE, 'binary frames only');
      return;
    }
    try {
      ends.deliver(decodeFrame(data, utf8));
    } catch {
      socket.close(UNACCEPTABLE, 'a frame that is none');
    }
  });
  socket.on('close', (_code, reason) => ends.closed(reason.length > 0 ? reason.toString('utf8') : 'the connection ended'));
  // An error is always followed by `close`; without a listener it would end the process.
  socket.on('error', () => undefined);
  return ends.channel;
}

function shortReason(reason: string): string {
  let short = reason;
  while (Buffer.byteLength(short) > REASON_BYTES) short = short.slice(0, -1);
  return short;
}
