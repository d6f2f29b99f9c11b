/** What is derived from keys and ids for the relay: tokens, routes, digits, numbers (docs/design/relay.md). */
import { ascii, concat, NO_BYTES, toHex } from './bytes.ts';
import { TOKEN_BYTES } from './protocol.ts';
import type { Bytes, CryptoSuite } from './suite.ts';

const HASH_BYTES = 32;
const KEY_BYTES = 32;
const MAX_BLOCKS = 255;
export const ROUTE_BYTES = 16;
export const SAS_DIGITS = 6;

/** `bytes` bytes by HKDF-SHA-256 (RFC 5869); `label` is its info. Without a salt, 32 zero bytes stand for it (section 2.2). Throws above 8,160 bytes. */
export async function hkdf(suite: CryptoSuite, secret: Uint8Array, label: string | Uint8Array, bytes: number, salt: Uint8Array = NO_BYTES): Promise<Bytes> {
  if (bytes > MAX_BLOCKS * HASH_BYTES) throw new RangeError('more than HKDF-SHA-256 gives');
  const info = typeof label === 'string' ? ascii(label) : label;
  const pseudoRandomKey = await suite.hmac(salt.length === 0 ? new Uint8Array(HASH_BYTES) : salt, secret);
  const output = new Uint8Array(bytes);
  let block: Bytes = NO_BYTES;
  for (let at = 0, number = 1; at < bytes; at += HASH_BYTES, number += 1) {
    block = await suite.hmac(pseudoRandomKey, concat(block, info, Uint8Array.of(number)));
    output.set(block.subarray(0, bytes - at), at);
  }
  pseudoRandomKey.fill(0);
  block.fill(0);
  return output;
}

/** The UTC day of a moment, as `2026-11-21`. */
export function utcDayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);
}

/** The 16 bytes a device rings with on that UTC day. */
export function ringToken(suite: CryptoSuite, ringSeed: Uint8Array, utcDay: string): Promise<Bytes> {
  return hkdf(suite, ringSeed, `ring${utcDay}`, TOKEN_BYTES);
}

/** The 16 bytes, in base64url the last part of the relay's URL, where a home is found on that UTC day. */
export function routeOf(suite: CryptoSuite, routeSeed: Uint8Array, utcDay: string): Promise<Bytes> {
  return hkdf(suite, routeSeed, `route${utcDay}`, ROUTE_BYTES);
}

/** The 16 bytes of the route where one offer to pair is found. */
export function pairRoute(suite: CryptoSuite, pairingToken: Uint8Array): Promise<Bytes> {
  return hkdf(suite, pairingToken, 'pair-route', ROUTE_BYTES);
}

/** Token (16) and psk (32) of twelve words, of their 16 bytes of entropy. */
export async function pairingKeysOfWords(suite: CryptoSuite, entropy: Uint8Array): Promise<{ readonly token: Bytes; readonly psk: Bytes }> {
  const token = await hkdf(suite, entropy, 'pair-token', TOKEN_BYTES);
  return { token, psk: await hkdf(suite, entropy, 'pair-psk', KEY_BYTES) };
}

/** The six digits that both ends of a pairing show, of its handshake hash. */
export async function sasDigits(suite: CryptoSuite, handshakeHash: Uint8Array): Promise<string> {
  const bytes = await hkdf(suite, handshakeHash, 'sas', 8);
  // Eight bytes: what mod 10^6 favours is then below one in 10^13.
  return (new DataView(bytes.buffer).getBigUint64(0) % 10n ** BigInt(SAS_DIGITS)).toString().padStart(SAS_DIGITS, '0');
}

/** How records name a camera: the first 4 bytes of SHA-256 of its id, never 0, which is "no camera". */
export async function cameraNumber(suite: CryptoSuite, cameraId: string): Promise<number> {
  const hash = await suite.sha256(ascii(cameraId));
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0) || 1;
}

/** A device's id: the first 16 hex digits of SHA-256 of its public key. */
export async function deviceIdOf(suite: CryptoSuite, publicKey: Uint8Array): Promise<string> {
  return toHex((await suite.sha256(publicKey)).subarray(0, 8));
}
