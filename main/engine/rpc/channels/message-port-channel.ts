/**
 * A Channel over a message port: Node's MessagePort, Electron's MessagePortMain (in a utility process) and a window's
 * port speak the same envelope, `{ head, payload }`, and `{ bye }` before they close, because a port closes without a reason.
 */
import type { Channel, ChannelMessage } from '../../../../shared/contract/channel.ts';
import { createChannel } from './channel-base.ts';

/** What Node's and Electron's ports have in common. Node hands the value over, Electron an event that holds it. */
export interface AnyMessagePort {
  postMessage(value: unknown): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

type Envelope = ChannelMessage | { readonly bye: string };

function unwrap(value: unknown): Envelope | null {
  const inner = isRecord(value) && 'data' in value && !('head' in value) ? value['data'] : value;
  if (!isRecord(inner)) return null;
  if (typeof inner['bye'] === 'string') return { bye: inner['bye'] };
  if (!('head' in inner)) return null;
  const payload = inner['payload'];
  if (payload instanceof Uint8Array) return { head: inner['head'], payload: payload.length === 0 ? null : payload };
  return payload === null || payload === undefined ? { head: inner['head'], payload: null } : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A clone takes the whole buffer along, so that a view of a part has to become its own. */
function compact(payload: Uint8Array | null): Uint8Array | null {
  return payload === null || payload.byteLength === payload.buffer.byteLength ? payload : new Uint8Array(payload);
}

/** Payloads are cloned, not transferred: Electron's ports cannot move buffers. */
export function messagePortChannel(port: AnyMessagePort): Channel {
  const ends = createChannel({
    send: (message) => port.postMessage({ head: message.head, payload: compact(message.payload) }),
    close: (reason) => {
      port.postMessage({ bye: reason });
      port.close();
    },
  });
  port.on('message', (value) => {
    const envelope = unwrap(value);
    if (envelope === null) ends.channel.close('a message that is none');
    else if ('bye' in envelope) {
      ends.closed(envelope.bye);
      port.close();
    } else ends.deliver(envelope);
  });
  port.on('close', () => ends.closed('the other side is gone'));
  port.start();
  return ends.channel;
}
