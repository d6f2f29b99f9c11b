/** The relay's cryptography by node:crypto, for the engine (docs/design/relay.md). */
import { createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey, diffieHellman, generateKeyPairSync, KeyObject, randomBytes } from 'node:crypto';
import type { AeadKey, Bytes, CryptoSuite, KeyPair } from '../../../shared/relay/suite.ts';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** RFC 8410: the DER wrapping of an X25519 key's 32 bytes, as PKCS #8 and as SubjectPublicKeyInfo. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** Buffers may share a pool; what leaves here is memory of its own, without a copy where it is that already. */
function owned(...parts: readonly Uint8Array[]): Bytes {
  const [first, ...more] = parts;
  if (first !== undefined && first.buffer instanceof ArrayBuffer && first.buffer.byteLength === first.length && more.every(({ length }) => length === 0)) return new Uint8Array(first.buffer);
  // Not zeroed first: all of it is written below.
  const whole = new Uint8Array(Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0)).buffer);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The bytes in memory of their own; where they came from, if that was elsewhere, is zeroed. */
function moved(secret: Buffer): Bytes {
  const own = owned(secret);
  if (own.buffer !== secret.buffer) secret.fill(0);
  return own;
}

function nonceOf(counter: bigint): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeBigUInt64BE(counter, NONCE_BYTES - 8);
  return nonce;
}

function checkKey(bytes: Uint8Array): void {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
}

function keyPairOf(privateKey: KeyObject, publicKey: KeyObject): KeyPair {
  // As JWK: DER takes twice the time.
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { publicKey: owned(Buffer.from(x, 'base64url')), privateKey };
}

/** AES-256-GCM (NIST SP 800-38D) under any nonce of 12 bytes; the tag of 16 bytes is behind the ciphertext. `open` throws on what does not open. */
export const nodeAesGcm = {
  /** The key in memory of node's own, which is zeroed with its last reference; handed over as bytes it would take longer at each use than sealing. */
  importKey: (key: Uint8Array): KeyObject => createSecretKey(key),
  seal(key: KeyObject, nonce: Uint8Array, associated: Uint8Array, plain: Uint8Array): Bytes {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(associated);
    const body = cipher.update(plain);
    return owned(body, cipher.final(), cipher.getAuthTag());
  },
  open(key: KeyObject, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Bytes {
    if (sealed.length < TAG_BYTES) throw new Error('shorter than its tag');
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const body = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
    return owned(body, decipher.final());
  },
} as const;

class NodeAeadKey implements AeadKey {
  #key: KeyObject | null;

  constructor(key: Uint8Array) {
    checkKey(key);
    this.#key = nodeAesGcm.importKey(key);
  }

  seal(counter: bigint, associated: Uint8Array, plain: Uint8Array): Bytes {
    return nodeAesGcm.seal(this.#held(), nonceOf(counter), associated, plain);
  }

  open(counter: bigint, associated: Uint8Array, sealed: Uint8Array): Bytes {
    return nodeAesGcm.open(this.#held(), nonceOf(counter), associated, sealed);
  }

  wipe(): void {
    this.#key = null;
  }

  #held(): KeyObject {
    if (this.#key === null) throw new Error('this key is gone');
    return this.#key;
  }
}

/** X25519, AES-256-GCM and SHA-256 of node:crypto; answers at once. */
export const nodeSuite: CryptoSuite = {
  random: (count) => owned(randomBytes(count)),
  generateKeyPair() {
    const { privateKey, publicKey } = generateKeyPairSync('x25519');
    return keyPairOf(privateKey, publicKey);
  },
  importKeyPair(privateBytes) {
    checkKey(privateBytes);
    const der = Buffer.concat([PKCS8_PREFIX, privateBytes]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    der.fill(0);
    return keyPairOf(privateKey, createPublicKey(privateKey));
  },
  agree(own, peerPublicKey) {
    checkKey(peerPublicKey);
    if (!(own.privateKey instanceof KeyObject)) throw new TypeError('a key pair of another suite');
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, peerPublicKey]), format: 'der', type: 'spki' });
    const shared = moved(diffieHellman({ privateKey: own.privateKey, publicKey }));
    // RFC 7748 section 6.1; OpenSSL and BoringSSL refuse it themselves, but nothing promises so.
    if (shared.every((byte) => byte === 0)) throw new Error('the peer sent a key of low order');
    return shared;
  },
  sha256: (data) => owned(createHash('sha256').update(data).digest()),
  hmac: (key, data) => moved(createHmac('sha256', createSecretKey(key)).update(data).digest()),
  aeadKey: (key) => new NodeAeadKey(key),
};
