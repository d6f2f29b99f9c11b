/** What the QR of an offer to pair holds (docs/design/relay.md, "Keys and pairing"). */
import { ascii, concat, fromBase64url, toBase64url } from './bytes.ts';
import { TOKEN_BYTES } from './protocol.ts';
import type { Bytes } from './suite.ts';

/** What the device needs in order to find the home, know it, and be let in to ask. */
export interface PairingCode {
  /** 1 to 5 addresses, `wss://…` (or `ws://` to the same computer). */
  readonly relays: readonly string[];
  /** 32 bytes, X25519. */
  readonly homePublicKey: Uint8Array;
  /** 16 bytes. */
  readonly token: Uint8Array;
  /** 32 bytes, the psk of the pairing's handshake. */
  readonly secret: Uint8Array;
  /** Wall clock of the home. Whether it is past is for the caller to say. */
  readonly expiresMs: number;
}

const PREFIX = 'porchlight-pair:';
const VERSION = '1.';
const KEY_BYTES = 32;
const EXPIRES_BYTES = 6;
export const MAX_RELAYS = 5;
const MAX_RELAY_LENGTH = 255;
/** Far above the longest code; what is longer is not looked at. */
const MAX_TEXT_LENGTH = 4096;
const RELAY_ADDRESS = /^wss?:\/\/[!-~]+$/;

const HOME_KEY_AT = 0;
const TOKEN_AT = HOME_KEY_AT + KEY_BYTES;
const SECRET_AT = TOKEN_AT + TOKEN_BYTES;
const EXPIRES_AT = SECRET_AT + KEY_BYTES;
const RELAYS_AT = EXPIRES_AT + EXPIRES_BYTES;

function isRelayAddress(relay: string): boolean {
  return relay.length <= MAX_RELAY_LENGTH && RELAY_ADDRESS.test(relay);
}

/**
 * The text of an offer, about 150 characters: `porchlight-pair:1.` and, as base64url,
 * home key 32 · token 16 · secret 32 · expires u48 ms · (length u8 · address) × 1 to 5. Throws on fields of wrong sizes.
 */
export function encodePairingCode({ relays, homePublicKey, token, secret, expiresMs }: PairingCode): string {
  if (homePublicKey.length !== KEY_BYTES || token.length !== TOKEN_BYTES || secret.length !== KEY_BYTES) throw new RangeError('a key or token of the wrong length');
  if (relays.length < 1 || relays.length > MAX_RELAYS || !relays.every(isRelayAddress)) throw new RangeError(`a pairing code names 1 to ${MAX_RELAYS} relays`);
  if (!Number.isInteger(expiresMs) || expiresMs < 0 || expiresMs >= 2 ** (EXPIRES_BYTES * 8)) throw new RangeError('not a moment');
  const expires = new DataView(new ArrayBuffer(8));
  expires.setBigUint64(0, BigInt(expiresMs));
  const body = concat(homePublicKey, token, secret, new Uint8Array(expires.buffer, 8 - EXPIRES_BYTES), ...relays.flatMap((relay) => [Uint8Array.of(relay.length), ascii(relay)]));
  return `${PREFIX}${VERSION}${toBase64url(body)}`;
}

/** Null where the text is no pairing code of this version, to the last bit. White space around and inside is ignored: mail programs break lines. */
export function decodePairingCode(text: string): PairingCode | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const code = text.replaceAll(/\s+/g, '');
  if (!code.startsWith(PREFIX + VERSION)) return null;
  const body = fromBase64url(code.slice(PREFIX.length + VERSION.length));
  if (body === null || body.length < RELAYS_AT) return null;
  const relays = readRelays(body.subarray(RELAYS_AT));
  if (relays === null) return null;
  const expires = new DataView(concat(new Uint8Array(8 - EXPIRES_BYTES), body.subarray(EXPIRES_AT, RELAYS_AT)).buffer);
  return {
    relays,
    homePublicKey: body.slice(HOME_KEY_AT, TOKEN_AT),
    token: body.slice(TOKEN_AT, SECRET_AT),
    secret: body.slice(SECRET_AT, EXPIRES_AT),
    expiresMs: Number(expires.getBigUint64(0)),
  };
}

/** Whether the text is a pairing code at all, maybe of a version this program does not know. */
export function looksLikePairingCode(text: string): boolean {
  return text.trimStart().startsWith(PREFIX);
}

function readRelays(bytes: Bytes): readonly string[] | null {
  const relays: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 1 + (bytes[at] ?? 0);
    const relay = String.fromCharCode(...bytes.subarray(at + 1, end));
    if (end > bytes.length || relays.length === MAX_RELAYS || !isRelayAddress(relay)) return null;
    relays.push(relay);
    at = end;
  }
  return relays.length === 0 ? null : relays;
}
