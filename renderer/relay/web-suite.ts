/** The relay's cryptography by WebCrypto, for the window: every key is held where no script can read it out (docs/design/relay.md). */
import type { AeadKey, Bytes, CryptoSuite, KeyPair } from '../../shared/relay/suite.ts';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** RFC 8410: the DER wrapping of an X25519 private key's 32 bytes as PKCS #8. */
const PKCS8_PREFIX = Uint8Array.of(0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20);
/** RFC 7748 section 6.1: the base point, which turns a private key into its public one. */
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(KEY_BYTES - 1));
const X25519 = { name: 'X25519' } as const;

/** WebCrypto takes no shared memory; what lies in plain memory is used as it is. */
function plain(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
}

function nonceOf(counter: bigint): Bytes {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - 8, counter);
  return nonce;
}

function checkKey(bytes: Uint8Array): void {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
}

/** X25519 of a private key and a public one. */
async function multiply(privateKey: CryptoKey, publicBytes: Uint8Array): Promise<Bytes> {
  const publicKey = await crypto.subtle.importKey('raw', plain(publicBytes), X25519, true, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, privateKey, KEY_BYTES * 8));
}

async function hmac(key: Uint8Array, data: Uint8Array): Promise<Bytes> {
  // RFC 2104 fills short keys up with zeros, so that none is one zero byte; WebCrypto takes no empty key.
  const bytes = key.length === 0 ? new Uint8Array(1) : plain(key);
  const held = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', held, plain(data)));
}

/** AES-256-GCM (NIST SP 800-38D) under any nonce of 12 bytes; the tag of 16 bytes is behind the ciphertext. `open` rejects what does not open. */
export const webAesGcm = {
  importKey: (key: Uint8Array): Promise<CryptoKey> => crypto.subtle.importKey('raw', plain(key), 'AES-GCM', false, ['encrypt', 'decrypt']),
  async seal(key: CryptoKey, nonce: Uint8Array, associated: Uint8Array, plainBytes: Uint8Array): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, associated), key, plain(plainBytes)));
  },
  async open(key: CryptoKey, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, associated), key, plain(sealed)));
  },
} as const;

function gcm(nonce: Uint8Array, associated: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: plain(nonce), additionalData: plain(associated), tagLength: TAG_BYTES * 8 };
}

class WebAeadKey implements AeadKey {
  #key: CryptoKey | null;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  async seal(counter: bigint, associated: Uint8Array, plainBytes: Uint8Array): Promise<Bytes> {
    return webAesGcm.seal(this.#held(), nonceOf(counter), associated, plainBytes);
  }

  async open(counter: bigint, associated: Uint8Array, sealed: Uint8Array): Promise<Bytes> {
    return webAesGcm.open(this.#held(), nonceOf(counter), associated, sealed);
  }

  wipe(): void {
    this.#key = null;
  }

  #held(): CryptoKey {
    if (this.#key === null) throw new Error('this key is gone');
    return this.#key;
  }
}

/** X25519, AES-256-GCM and SHA-256 of WebCrypto; private keys cannot be read out of what it gives. */
export const webSuite: CryptoSuite = {
  random: (count) => crypto.getRandomValues(new Uint8Array(count)),
  async generateKeyPair(): Promise<KeyPair> {
    const pair = await crypto.subtle.generateKey(X25519, false, ['deriveBits']);
    if (!('privateKey' in pair)) throw new TypeError('WebCrypto made no key pair');
    return { publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)), privateKey: pair.privateKey };
  },
  async importKeyPair(privateBytes): Promise<KeyPair> {
    checkKey(privateBytes);
    const wrapped = new Uint8Array([...PKCS8_PREFIX, ...privateBytes]);
    const privateKey = await crypto.subtle.importKey('pkcs8', wrapped, X25519, false, ['deriveBits']);
    wrapped.fill(0);
    return { publicKey: await multiply(privateKey, BASE_POINT), privateKey };
  },
  async agree(own, peerPublicKey): Promise<Bytes> {
    checkKey(peerPublicKey);
    if (!(own.privateKey instanceof CryptoKey)) throw new TypeError('a key pair of another suite');
    const shared = await multiply(own.privateKey, peerPublicKey);
    // RFC 7748 section 6.1; browsers refuse it themselves, but for some the check was optional.
    if (shared.every((byte) => byte === 0)) throw new Error('the peer sent a key of low order');
    return shared;
  },
  sha256: async (data) => new Uint8Array(await crypto.subtle.digest('SHA-256', plain(data))),
  hmac,
  async aeadKey(key): Promise<AeadKey> {
    checkKey(key);
    return new WebAeadKey(await webAesGcm.importKey(key));
  },
};
