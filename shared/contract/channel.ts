/**
 * The only transport between an engine and whoever looks at it (DESIGN.md section 5): a MessagePort, a WebSocket or,
 * later, a Noise session. Ordered, reliable, message based; closing is final.
 */

export interface ChannelMessage {
  readonly head: unknown;
  /** Binary part. The receiver owns it; the sender must not touch it after sending. */
  readonly payload: Uint8Array | null;
}

export interface Channel {
  send(message: ChannelMessage): void;
  /** One listener only; messages that came before it are delivered to it at once. */
  onMessage(listener: (message: ChannelMessage) => void): void;
  /** Called once, also when already closed. */
  onClose(listener: (reason: string) => void): void;
  close(reason: string): void;
}
