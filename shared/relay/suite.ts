/**
 * The cryptography that Noise and pairing stand on, handed in: node:crypto at home, WebCrypto in a window
 * (docs/design/relay.md). One suite, no negotiation: X25519, AES-256-GCM, SHA-256.
 */

export type Bytes = Uint8Array<ArrayBuffer>;

/** WebCrypto answers later, node:crypto at once; `await` reads both. */
export type Soon<T> = T | Promise<T>;

/** An X25519 key pair whose private half stays inside the suite. */
export interface KeyPair {
  /** 32 bytes, RFC 7748 section 5. */
  readonly publicKey: Bytes;
  /** The suite's own handle of the private half. */
  readonly privateKey: unknown;
}

/** One AES-256-GCM key, for one direction. */
export interface AeadKey {
  /** Ciphertext with the 16-byte tag behind it. `counter`: the Noise nonce, 32 zero bits and the counter big-endian (Noise section 12.3). */
  seal(counter: bigint, associated: Uint8Array, plain: Uint8Array): Soon<Bytes>;
  /** The plain bytes. Throws (or rejects) when they do not open; nothing else is told. */
  open(counter: bigint, associated: Uint8Array, sealed: Uint8Array): Soon<Bytes>;
  /** Forgets the key as far as the platform can. */
  wipe(): void;
}

export interface CryptoSuite {
  /** `count` bytes of the system's randomness. */
  random(count: number): Bytes;
  generateKeyPair(): Soon<KeyPair>;
  /** A key pair from its 32 private bytes (RFC 7748). */
  importKeyPair(privateBytes: Uint8Array): Soon<KeyPair>;
  /** 32 bytes. Throws when the result is all zero (RFC 7748 section 6.1). */
  agree(own: KeyPair, peerPublicKey: Uint8Array): Soon<Bytes>;
  sha256(data: Uint8Array): Soon<Bytes>;
  /** HMAC-SHA-256, RFC 2104. */
  hmac(key: Uint8Array, data: Uint8Array): Soon<Bytes>;
  /** 32 key bytes. */
  aeadKey(key: Uint8Array): Soon<AeadKey>;
}
