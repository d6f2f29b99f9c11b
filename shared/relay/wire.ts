/** What a session stands on: one spliced socket, and a clock that never steps (docs/design/relay.md, "The session"). */

/** One socket after `joined`: what goes in comes out at the other end, message by message, or the wire closes. */
export interface Wire {
  /** Takes the bytes as they are; the caller does not touch them afterwards. Does nothing once closed. */
  send(bytes: Uint8Array): void;
  /** One listener only; messages that came before it are delivered to it at once, in order. */
  onMessage(listener: (bytes: Uint8Array) => void): void;
  /** Called once, also when already closed. */
  onClose(listener: (reason: string) => void): void;
  /** Final. What was sent just before may still go out. */
  close(reason: string): void;
}

/** Monotonic time; its zero means nothing. */
export interface SessionClock {
  nowMs(): number;
  /** Calls `run` once after `ms` unless the returned function is called first. */
  after(ms: number, run: () => void): () => void;
}
