/** Gets a Channel to the engine: the app's message port, or a WebSocket in a browser. The only file that touches `window.porchlight`. */
import type { Channel, ChannelMessage } from '../../shared/contract/channel.ts';
import { decodeFrame, encodeFrame } from '../../shared/contract/frame.ts';
import { PORT_MESSAGE, type PorchlightBridge, type ShellApi } from '../../shared/contract/shell-api.ts';
import { utf8 } from './utf8.ts';

declare global {
  interface Window {
    readonly porchlight?: PorchlightBridge;
  }
}

/** What the app's window offers beyond the engine; null in a browser. */
export const shell: ShellApi | null = typeof window === 'undefined' ? null : (window.porchlight ?? null);

export function connectToEngine(): Promise<Channel> {
  return window.porchlight === undefined ? connectWebSocket(new URL('./channel', window.location.href)) : connectPort(window.porchlight);
}

/** Keeps messages until somebody listens, and tells a close once. */
function channelOver(send: (message: ChannelMessage) => void, end: (reason: string) => void): { channel: Channel; deliver: (message: ChannelMessage) => void; closed: (reason: string) => void } {
  let listener: ((message: ChannelMessage) => void) | null = null;
  let early: ChannelMessage[] = [];
  let closedBecause: string | null = null;
  const onClose: ((reason: string) => void)[] = [];
  const closed = (reason: string): void => {
    if (closedBecause !== null) return;
    closedBecause = reason;
    for (const tell of onClose.splice(0)) tell(reason);
  };
  return {
    closed,
    deliver: (message) => (listener === null ? early.push(message) : listener(message)),
    channel: {
      send: (message) => {
        if (closedBecause === null) send(message);
      },
      onMessage: (next) => {
        listener = next;
        for (const message of early) next(message);
        early = [];
      },
      onClose: (tell) => (closedBecause === null ? void onClose.push(tell) : tell(closedBecause)),
      close: (reason) => {
        end(reason);
        closed(reason);
      },
    },
  };
}

function connectWebSocket(url: URL): Promise<Channel> {
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const ends = channelOver(
    (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeFrame(message, utf8));
    },
    () => socket.close(),
  );
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(ends.channel);
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) ends.deliver(decodeFrame(new Uint8Array(data), utf8));
    };
    socket.onclose = ({ reason }) => {
      reject(new Error('nobody answers'));
      ends.closed(reason === '' ? 'the connection ended' : reason);
    };
  });
}

function connectPort(bridge: PorchlightBridge): Promise<Channel> {
  return new Promise((resolve) => {
    const receive = (event: MessageEvent): void => {
      const port = event.ports[0];
      if (event.source !== window || event.data !== PORT_MESSAGE || port === undefined) return;
      window.removeEventListener('message', receive);
      const ends = channelOver(
        (message) => port.postMessage(message),
        (reason) => {
          port.postMessage({ bye: reason });
          port.close();
        },
      );
      port.onmessage = ({ data }: MessageEvent<ChannelMessage | { readonly bye: string }>) => ('bye' in data ? ends.closed(data.bye) : ends.deliver(data));
      port.addEventListener('close', () => ends.closed('the engine is gone'));
      resolve(ends.channel);
    };
    window.addEventListener('message', receive);
    bridge.connect();
  });
}
