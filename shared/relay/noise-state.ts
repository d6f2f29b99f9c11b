/** The two lower objects of Noise: CipherState (section 5.1) and SymmetricState (section 5.2), revision 34. */
import { concat, copyOf, NO_BYTES } from './bytes.ts';
import type { AeadKey, Bytes, CryptoSuite, Soon } from './suite.ts';

export const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Reserved for rekeying, never sent (section 5.1). */
const LAST_COUNTER = 0xffff_ffff_ffff_ffffn;

/**
 * One direction's key with its strict counter: whatever does not open ends it for good.
 * Answers come in the order asked, so what is behind a record that did not open never shows.
 */
export class CipherState {
  #key: AeadKey | null;
  #counter = 0n;
  #last: Promise<unknown> | null = null;

  constructor(key: AeadKey) {
    this.#key = key;
  }

  /** Messages begun under this key. */
  get counter(): bigint {
    return this.#counter;
  }

  /** The plain bytes under the next counter, with a tag of 16 bytes. Throws once the key is gone. */
  seal(plain: Uint8Array, associated: Uint8Array = NO_BYTES): Soon<Bytes> {
    return this.#use((key, counter) => key.seal(counter, associated, plain));
  }

  /** The plain bytes of the message whose turn it is; throws or rejects otherwise, and the key is gone. */
  open(sealed: Uint8Array, associated: Uint8Array = NO_BYTES): Soon<Bytes> {
    return this.#use((key, counter) => {
      if (sealed.length < TAG_BYTES) throw new Error('shorter than its tag');
      return key.open(counter, associated, sealed);
    });
  }

  /** Forgets the key; nothing is sealed or opened from here on. */
  wipe(): void {
    this.#key?.wipe();
    this.#key = null;
  }

  #use(run: (key: AeadKey, counter: bigint) => Soon<Bytes>): Soon<Bytes> {
    const key = this.#key;
    if (key === null) throw new Error('this key is gone');
    const counter = this.#counter;
    if (counter === LAST_COUNTER) {
      this.wipe();
      throw new Error('this key is used up');
    }
    this.#counter = counter + 1n;
    try {
      const answer = run(key, counter);
      return answer instanceof Promise ? this.#inOrder(answer) : answer;
    } catch (cause) {
      this.wipe();
      throw cause;
    }
  }

  async #inOrder(answer: Promise<Bytes>): Promise<Bytes> {
    const turn = this.#last === null ? answer : Promise.all([answer, this.#last]).then(([bytes]) => bytes);
    // Each turn must not hold the answers of all before it.
    this.#last = turn.then(() => undefined);
    this.#last.catch(() => undefined);
    try {
      const bytes = await turn;
      if (this.#key === null) throw new Error('this key is gone');
      return bytes;
    } catch (cause) {
      this.wipe();
      throw cause;
    }
  }
}

/** HKDF with two or three outputs of one hash each (section 4.3). */
async function noiseHkdf(suite: CryptoSuite, chainingKey: Uint8Array, input: Uint8Array, count: 2 | 3): Promise<readonly [Bytes, Bytes, Bytes]> {
  const temporary = await suite.hmac(chainingKey, input);
  const first = await suite.hmac(temporary, Uint8Array.of(1));
  const second = await suite.hmac(temporary, concat(first, Uint8Array.of(2)));
  const third = count === 3 ? await suite.hmac(temporary, concat(second, Uint8Array.of(3))) : NO_BYTES;
  temporary.fill(0);
  return [first, second, third];
}

/** The chaining key, the handshake hash and the handshake's own cipher. */
export class SymmetricState {
  readonly #suite: CryptoSuite;
  #chainingKey: Bytes;
  #hash: Bytes;
  #cipher: CipherState | null = null;

  private constructor(suite: CryptoSuite, hash: Bytes) {
    this.#suite = suite;
    this.#hash = hash;
    this.#chainingKey = copyOf(hash);
  }

  /** InitializeSymmetric: a name that fits is filled up with zeros, a longer one is hashed. */
  static async named(suite: CryptoSuite, protocolName: Uint8Array): Promise<SymmetricState> {
    const hashed = await suite.sha256(protocolName);
    const hash = protocolName.length > hashed.length ? hashed : concat(protocolName, new Uint8Array(hashed.length - protocolName.length));
    return new SymmetricState(suite, hash);
  }

  /** A copy of the handshake hash. */
  get hash(): Bytes {
    return copyOf(this.#hash);
  }

  async mixHash(data: Uint8Array): Promise<void> {
    this.#hash = await this.#suite.sha256(concat(this.#hash, data));
  }

  async mixKey(input: Uint8Array): Promise<void> {
    const [chainingKey, key] = await noiseHkdf(this.#suite, this.#chainingKey, input, 2);
    this.#chainUp(chainingKey);
    await this.#setKey(key);
  }

  async mixKeyAndHash(input: Uint8Array): Promise<void> {
    const [chainingKey, mixed, key] = await noiseHkdf(this.#suite, this.#chainingKey, input, 3);
    this.#chainUp(chainingKey);
    await this.mixHash(mixed);
    mixed.fill(0);
    await this.#setKey(key);
  }

  /** Bytes that `encryptAndHash` adds at the moment. */
  get overheadBytes(): number {
    return this.#cipher === null ? 0 : TAG_BYTES;
  }

  async encryptAndHash(plain: Uint8Array): Promise<Bytes> {
    const sealed = this.#cipher === null ? copyOf(plain) : await this.#cipher.seal(plain, this.#hash);
    await this.mixHash(sealed);
    return sealed;
  }

  async decryptAndHash(sealed: Uint8Array): Promise<Bytes> {
    const plain = this.#cipher === null ? copyOf(sealed) : await this.#cipher.open(sealed, this.#hash);
    await this.mixHash(sealed);
    return plain;
  }

  /** Split: the initiator's sending key and the responder's. Wipes what it came from, but for the hash. */
  async split(): Promise<readonly [CipherState, CipherState]> {
    const [first, second] = await noiseHkdf(this.#suite, this.#chainingKey, NO_BYTES, 2);
    const ciphers = [await this.#cipherOf(first), await this.#cipherOf(second)] as const;
    this.#wipeKeys();
    return ciphers;
  }

  wipe(): void {
    this.#wipeKeys();
    this.#hash.fill(0);
  }

  #wipeKeys(): void {
    this.#chainingKey.fill(0);
    this.#cipher?.wipe();
  }

  #chainUp(next: Bytes): void {
    this.#chainingKey.fill(0);
    this.#chainingKey = next;
  }

  async #setKey(key: Bytes): Promise<void> {
    this.#cipher?.wipe();
    this.#cipher = await this.#cipherOf(key);
  }

  /** Keys are 32 bytes, also where the hash is longer (section 5.2). */
  async #cipherOf(key: Bytes): Promise<CipherState> {
    const cipher = new CipherState(await this.#suite.aeadKey(key.subarray(0, KEY_BYTES)));
    key.fill(0);
    return cipher;
  }
}
