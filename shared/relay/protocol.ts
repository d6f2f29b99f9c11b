/** What a client and the relay say to each other before bytes are spliced (docs/design/relay.md, "The wire to the relay"). */

const MAGIC = [0x50, 0x4c, 0x52, 0x31] as const; // "PLR1"

/** Bytes of a client's first message. */
export const HELLO_BYTES = 64;
export const TOKEN_BYTES = 16;
export const SESSION_KEY_BYTES = 32;
export const MAX_TOKENS = 64;
/**
 * Largest Noise transport message, tag included: on a 4 Mbit/s line one holds up others for 32 ms. With a WebSocket's header it
 * fits into one TLS record of 16,384 bytes (RFC 8446 section 5.1); 256 more would make two of each message, and cost home, relay and viewer a quarter more.
 */
export const MAX_RECORD_BYTES = 16_128;
/** What the relay takes in one message. */
export const MAX_MESSAGE_BYTES = 17 * 1024;

export type Role = 'home' | 'viewer' | 'home-session';
const ROLES: readonly Role[] = ['home', 'viewer', 'home-session'];

export interface Hello {
  readonly role: Role;
  /** `home`: empty. `viewer`: the ring token. `home-session`: the session key. */
  readonly body: Uint8Array;
}

const BODY_BYTES: Readonly<Record<Role, number>> = { home: 0, viewer: TOKEN_BYTES, 'home-session': SESSION_KEY_BYTES };
const BODY_AT = HELLO_BYTES - SESSION_KEY_BYTES;

/** The first message of a client. Throws on a body of the wrong length. */
export function encodeHello({ role, body }: Hello): Uint8Array<ArrayBuffer> {
  if (body.length !== BODY_BYTES[role]) throw new RangeError(`the hello of a ${role} holds ${BODY_BYTES[role]} bytes`);
  const hello = new Uint8Array(HELLO_BYTES);
  hello.set(MAGIC);
  hello[MAGIC.length] = ROLES.indexOf(role) + 1;
  hello.set(body, BODY_AT);
  return hello;
}

/** Null where the bytes are no hello of this version. */
export function decodeHello(bytes: Uint8Array): Hello | null {
  if (bytes.length !== HELLO_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return null;
  const role = ROLES[(bytes[MAGIC.length] ?? 0) - 1];
  if (role === undefined) return null;
  const end = BODY_AT + BODY_BYTES[role];
  const isZero = (from: number, to: number): boolean => bytes.subarray(from, to).every((byte) => byte === 0);
  if (!isZero(MAGIC.length + 1, BODY_AT) || !isZero(end, HELLO_BYTES)) return null;
  return { role, body: bytes.subarray(BODY_AT, end) };
}

const REGISTER = 0x01;

/** The set of ring tokens a home answers to, in place of any before it. Throws on more than 64, or one of another length. */
export function encodeRegister(tokens: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (tokens.length > MAX_TOKENS || tokens.some((token) => token.length !== TOKEN_BYTES)) throw new RangeError(`at most ${MAX_TOKENS} tokens of ${TOKEN_BYTES} bytes`);
  const message = new Uint8Array(2 + tokens.length * TOKEN_BYTES);
  message[0] = REGISTER;
  message[1] = tokens.length;
  tokens.forEach((token, at) => message.set(token, 2 + at * TOKEN_BYTES));
  return message;
}

/** Null where the bytes are no register message. */
export function decodeRegister(bytes: Uint8Array): readonly Uint8Array[] | null {
  const count = bytes[1] ?? 0;
  if (bytes[0] !== REGISTER || count > MAX_TOKENS || bytes.length !== 2 + count * TOKEN_BYTES) return null;
  return Array.from({ length: count }, (_, at) => bytes.subarray(2 + at * TOKEN_BYTES, 2 + (at + 1) * TOKEN_BYTES));
}

export type RelayMessage =
  | { readonly type: 'welcome' }
  | { readonly type: 'ring'; readonly token: Uint8Array; readonly sessionKey: Uint8Array }
  | { readonly type: 'reconnect-in'; readonly leastMs: number; readonly spreadMs: number }
  | { readonly type: 'session'; readonly sessionKey: Uint8Array }
  | { readonly type: 'joined' };

const WELCOME = 0x10;
const RING = 0x11;
const RECONNECT_IN = 0x12;
const SESSION = 0x14;
const JOINED = 0x15;

export function encodeRelayMessage(message: RelayMessage): Uint8Array<ArrayBuffer> {
  switch (message.type) {
    case 'welcome':
      return Uint8Array.of(WELCOME);
    case 'ring':
      return Uint8Array.of(RING, ...message.token, ...message.sessionKey);
    case 'reconnect-in': {
      const bytes = new Uint8Array(9);
      bytes[0] = RECONNECT_IN;
      const view = new DataView(bytes.buffer);
      view.setUint32(1, message.leastMs);
      view.setUint32(5, message.spreadMs);
      return bytes;
    }
    case 'session':
      return Uint8Array.of(SESSION, ...message.sessionKey);
    case 'joined':
      return Uint8Array.of(JOINED);
  }
}

/** Null where the bytes are none of the relay's messages. */
export function decodeRelayMessage(bytes: Uint8Array): RelayMessage | null {
  const is = (type: number, size: number): boolean => bytes[0] === type && bytes.length === size;
  if (is(WELCOME, 1)) return { type: 'welcome' };
  if (is(RING, 1 + TOKEN_BYTES + SESSION_KEY_BYTES)) return { type: 'ring', token: bytes.subarray(1, 1 + TOKEN_BYTES), sessionKey: bytes.subarray(1 + TOKEN_BYTES) };
  if (is(RECONNECT_IN, 9)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { type: 'reconnect-in', leastMs: view.getUint32(1), spreadMs: view.getUint32(5) };
  }
  if (is(SESSION, 1 + SESSION_KEY_BYTES)) return { type: 'session', sessionKey: bytes.subarray(1) };
  if (is(JOINED, 1)) return { type: 'joined' };
  return null;
}

/** WebSocket close codes of the relay (RFC 6455 section 7.4.2: 4000 to 4999 are private). */
export const CLOSE_CODES = {
  /** No hello of this version, a text message, a message out of place. */
  protocol: 4400,
  /** No hello within 5 s, or a home that did not come. */
  late: 4401,
  /** Nobody answers to this token or session key. */
  nobody: 4404,
  /** Too many at once, from this address or for this home. */
  limit: 4408,
  /** The other end is gone, or took nothing for 10 s. */
  ended: 4409,
  /** This relay is about to restart; elsewhere, or here a little later. */
  restarting: 4403,
} as const;
