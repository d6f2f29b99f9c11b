/** The end-to-end session as its users see it: the home's end, the viewer's end, and what the home knows of the line (docs/design/relay.md, "The session"). */
import type { ChannelMessage } from '../contract/channel.ts';
import type { TextCodec } from '../contract/frame.ts';
import type { Freshness } from './freshness.ts';
import type { Bytes, CryptoSuite, KeyPair } from './suite.ts';
import type { SessionClock, Wire } from './wire.ts';

/** The log of views as the home stands to it: how many entries, and the hash of the last (32 bytes). */
export interface LogHead {
  readonly length: number;
  readonly head: Uint8Array;
}

/** Which queue a message waits in and how its size is padded. `stream` and `id` are those of the contract's head. */
export type Lane =
  | { readonly kind: 'control' }
  | { readonly kind: 'live' | 'playback'; readonly stream: number }
  | { readonly kind: 'previews' | 'bulk'; readonly id: number };

export interface Outgoing {
  readonly lane: Lane;
  /** `cameraNumber` of the camera it shows; 0 where it is of no single camera. */
  readonly camera: number;
  /** When its first picture was taken, in ms; 0 where it shows none. */
  readonly ptsMs: number;
  /** An encoded contract frame (shared/contract/frame.ts). */
  readonly frame: Uint8Array;
  /** On a live lane: never dropped (an init, a wait, the end of the stream). Other lanes drop nothing. */
  readonly essential?: boolean;
}

/** What the media of a session are decided by: when to drop, when to fall to the sub stream, when to hold playback back. */
export interface LineState {
  /** What the viewer was measured to open, in bytes a second; 0 before the first measure. */
  readonly rateBytesPerS: number;
  /** How much may be under way at once. */
  readonly windowBytes: number;
  /** What a live chunk may be long now; a larger one is not taken. Infinity while no live bytes wait or are under way: a large keyframe has to start somewhere. */
  readonly liveRoomBytes: number;
  /** Waiting at home, not yet sealed, of all lanes. */
  readonly queuedBytes: number;
  /** The newest round trip of a heartbeat; null before the first. */
  readonly roundTripMs: number | null;
  /** Live chunks that were not taken, since the session began. */
  readonly droppedLive: number;
  /** After the viewer acknowledged bytes or the queue became shorter. Returns how to stop listening. */
  onRoom(listener: () => void): () => void;
}

interface Session {
  /** Called once, with a sentence; also when already over. */
  onClose(listener: (reason: string) => void): void;
  /** Says goodbye with the reason, forgets the keys and closes the wire. */
  close(reason: string): void;
}

/** Lengths of time and sizes a session goes by; the defaults are those of the design page. */
export interface SessionLimits {
  /** From the first byte to the first opened record. */
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  /** Without a record (home), without a fresh echo (viewer). */
  readonly silenceMs: number;
  readonly rekeyAfterMs: number;
  readonly rekeyAfterBytes: number;
  /** The home ends a session whose keys grow older than this. */
  readonly rekeyDueMs: number;
  readonly rekeyDueBytes: number;
  readonly leastWindowBytes: number;
  readonly mostWindowBytes: number;
  /** A live chunk is not taken while more than this waits. */
  readonly liveQueueBytes: number;
  /** Anything else beyond this ends the session. */
  readonly mostQueueBytes: number;
}

export interface HomeSessionOptions {
  readonly suite: CryptoSuite;
  readonly text: TextCodec;
  readonly wire: Wire;
  /** The ring token the viewer came with. */
  readonly token: Uint8Array;
  readonly sessionKey: Uint8Array;
  readonly own: KeyPair;
  readonly clock: SessionClock;
  /** Null: not paired, or no longer. */
  findDevice(publicKey: Uint8Array): Promise<{ readonly psk: Uint8Array } | null>;
  /** Keeps the stamp durably when it is above every one before it of that device; false when it is not. */
  acceptStamp(stampMs: number, publicKey: Uint8Array): Promise<boolean>;
  logHead(): LogHead;
  wallMs(): number;
  readonly limits?: Partial<SessionLimits>;
}

export interface HomeSession extends Session {
  readonly devicePublicKey: Bytes;
  /** Takes the message or, of a live lane without room, drops it and says false. Does nothing (false) once closed. */
  sendSealed(outgoing: Outgoing): boolean;
  /** Whole contract frames from the viewer; one listener, earlier ones are delivered to it at once. */
  onMessage(listener: (frame: Uint8Array) => void): void;
  readonly line: LineState;
  /** Forgets what waits of a lane whose stream was closed, but for a message that has begun. */
  dropLane(lane: Lane): void;
}

export interface ViewerSessionOptions {
  readonly suite: CryptoSuite;
  readonly text: TextCodec;
  readonly wire: Wire;
  readonly token: Uint8Array;
  readonly sessionKey: Uint8Array;
  readonly own: KeyPair;
  readonly homePublicKey: Uint8Array;
  readonly psk: Uint8Array;
  /** max(now, last + 1): above every stamp this device sent before. */
  readonly stampMs: number;
  readonly clock: SessionClock;
  /** Asks the home for a constant rate, filled up where there is less to send: 16 KiB/s to 4 MiB/s, above the live rate. Absent: none. */
  readonly constantBytesPerS?: number;
  readonly limits?: Partial<SessionLimits>;
}

/**
 * A Channel (shared/contract/channel.ts) with a sign of life. It reads the heads that pass, so that the one place that
 * knows which camera was asked for also checks what comes: another camera, lane or stream than asked ends the session.
 */
export interface ViewerSession extends Session {
  send(message: ChannelMessage): void;
  onMessage(listener: (message: ChannelMessage) => void): void;
  readonly freshness: Freshness;
  readonly logHead: LogHead;
  /** The home's clock when it answered. */
  readonly homeWallMs: number;
}

export type { Freshness } from './freshness.ts';
