/**
 * One Noise handshake, revision 34 section 5.3, over a CryptoSuite that is handed in.
 * Strict: messages out of turn, of a wrong length or that do not open end it and wipe its keys; there is no way back.
 */
import { ascii, concat, copyOf } from './bytes.ts';
import { patternOf } from './noise-patterns.ts';
import type { HandshakePattern, NoisePattern, Token } from './noise-patterns.ts';
import { CipherState, SymmetricState } from './noise-state.ts';
import type { Bytes, CryptoSuite, KeyPair } from './suite.ts';

export { CipherState, TAG_BYTES } from './noise-state.ts';
export type { NoisePattern } from './noise-patterns.ts';

const PUBLIC_KEY_BYTES = 32;
const PSK_BYTES = 32;
/** Section 3. */
const MAX_MESSAGE_BYTES = 65_535;
/** What every protocol of Porchlight runs over. */
const SUITE_NAME = '25519_AESGCM_SHA256';

export interface HandshakeOptions {
  readonly suite: CryptoSuite;
  readonly pattern: NoisePattern;
  readonly initiator: boolean;
  readonly prologue: Uint8Array;
  /** The own static key; null where the pattern has none. */
  readonly own: KeyPair | null;
  /** The peer's static key where it is known beforehand; null where it comes inside the handshake, or never. */
  readonly peerPublicKey: Uint8Array | null;
  /** 32 bytes each, in the order of the pattern's psk tokens; those missing come by `setPsk`. */
  readonly psks: readonly Uint8Array[];
  /** For test vectors only. */
  readonly ephemeral?: KeyPair;
  /** For interoperation tests over other primitives only. */
  readonly suiteName?: string;
}

type Phase = 'open' | 'busy' | 'failed' | 'split';

/** A handshake from its first message to its two keys. */
export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #pattern: HandshakePattern;
  readonly #psks: Bytes[];
  #symmetric: SymmetricState | null = null;
  #ephemeral: KeyPair | null;
  #own: KeyPair | null;
  #peerStatic: Bytes | null;
  #peerEphemeral: Bytes | null = null;
  #done = 0;
  #pskAt = 0;
  #phase: Phase = 'open';

  /** Throws on a pattern not known, a key the pattern needs that is missing, or one it has no place for. */
  constructor(options: HandshakeOptions) {
    const pattern = patternOf(options.pattern);
    checkKeys(options, pattern);
    this.#options = options;
    this.#pattern = pattern;
    this.#psks = options.psks.map(pskOf);
    this.#own = options.own;
    this.#ephemeral = options.ephemeral ?? null;
    this.#peerStatic = options.peerPublicKey === null ? null : copyOf(options.peerPublicKey);
  }

  /** The peer's static key: known beforehand, or since the message that held it opened. */
  get peerPublicKey(): Bytes | null {
    return this.#peerStatic === null ? null : copyOf(this.#peerStatic);
  }

  /** Whether every message is written and read. */
  get isComplete(): boolean {
    return this.#phase !== 'failed' && this.#done === this.#pattern.messages.length;
  }

  /** The next psk, for a responder that learns from message 1 who calls. Throws when all are there. */
  setPsk(psk: Uint8Array): void {
    if (this.#phase === 'failed' || this.#psks.length === this.#pattern.pskCount) throw new Error('no psk is wanted');
    this.#psks.push(pskOf(psk));
  }

  /** The next message, with the payload in it. Rejects out of turn. */
  writeMessage(payload: Uint8Array): Promise<Bytes> {
    return this.#turn(true, async (symmetric, tokens) => {
      const parts: Bytes[] = [];
      for (const token of tokens) parts.push(...(await this.#writeToken(symmetric, token)));
      parts.push(await symmetric.encryptAndHash(payload));
      const message = concat(...parts);
      if (message.length > MAX_MESSAGE_BYTES) throw new RangeError('longer than a Noise message');
      return message;
    });
  }

  /** The payload of the peer's next message. Rejects where it does not open, and the handshake is over. */
  readMessage(message: Uint8Array): Promise<Bytes> {
    return this.#turn(false, async (symmetric, tokens) => {
      if (message.length > MAX_MESSAGE_BYTES) throw new RangeError('longer than a Noise message');
      let rest = message;
      const take = (count: number): Uint8Array => {
        if (rest.length < count) throw new RangeError('shorter than its keys');
        const taken = rest.subarray(0, count);
        rest = rest.subarray(count);
        return taken;
      };
      for (const token of tokens) await this.#readToken(symmetric, token, take);
      return symmetric.decryptAndHash(rest);
    });
  }

  /** The handshake hash (section 11.2), 32 bytes. Throws before the handshake is complete. */
  hash(): Bytes {
    if (!this.isComplete || this.#symmetric === null) throw new Error('the handshake is not complete');
    return this.#symmetric.hash;
  }

  /** The two directions' keys, once. After a one-way pattern the responder's direction holds no key. */
  async split(): Promise<{ readonly send: CipherState; readonly receive: CipherState }> {
    const symmetric = this.#symmetric;
    if (!this.isComplete || this.#phase !== 'open' || symmetric === null) throw new Error('there is nothing to split');
    this.#phase = 'split';
    const [fromInitiator, fromResponder] = await symmetric.split();
    this.#forget();
    if (this.#pattern.isOneWay) fromResponder.wipe();
    return this.#options.initiator ? { send: fromInitiator, receive: fromResponder } : { send: fromResponder, receive: fromInitiator };
  }

  /** Ends the handshake and wipes its keys. */
  wipe(): void {
    this.#phase = 'failed';
    this.#symmetric?.wipe();
    this.#forget();
  }

  #forget(): void {
    for (const psk of this.#psks) psk.fill(0);
    this.#ephemeral = null;
    this.#own = null;
  }

  async #turn(writes: boolean, run: (symmetric: SymmetricState, tokens: readonly Token[]) => Promise<Bytes>): Promise<Bytes> {
    const tokens = this.#pattern.messages[this.#done];
    const isOurs = (this.#done % 2 === 0) === this.#options.initiator;
    if (this.#phase !== 'open' || tokens === undefined || isOurs !== writes) {
      this.wipe();
      throw new Error('not the turn for this');
    }
    this.#phase = 'busy';
    try {
      this.#symmetric ??= await this.#begin();
      const bytes = await run(this.#symmetric, tokens);
      if (!this.#isBusy()) throw new Error('the handshake was ended');
      this.#done += 1;
      this.#phase = 'open';
      return bytes;
    } catch (cause) {
      this.wipe();
      throw cause;
    }
  }

  /** Asked behind an await: somebody may have ended it meanwhile, which the compiler cannot know. */
  #isBusy(): boolean {
    return this.#phase === 'busy';
  }

  async #begin(): Promise<SymmetricState> {
    const { suite, pattern, prologue, initiator, suiteName } = this.#options;
    const symmetric = await SymmetricState.named(suite, ascii(`Noise_${pattern}_${suiteName ?? SUITE_NAME}`));
    await symmetric.mixHash(prologue);
    for (const party of this.#pattern.known) {
      const isOwn = (party === 'initiator') === initiator;
      await symmetric.mixHash(present(isOwn ? (this.#own?.publicKey ?? null) : this.#peerStatic));
    }
    return symmetric;
  }

  async #writeToken(symmetric: SymmetricState, token: Token): Promise<readonly Bytes[]> {
    if (token === 'e') {
      this.#ephemeral ??= await this.#options.suite.generateKeyPair();
      const key = copyOf(this.#ephemeral.publicKey);
      await this.#mixEphemeral(symmetric, key);
      return [key];
    }
    if (token === 's') return [await symmetric.encryptAndHash(present(this.#own).publicKey)];
    await this.#mixToken(symmetric, token);
    return [];
  }

  async #readToken(symmetric: SymmetricState, token: Token, take: (count: number) => Uint8Array): Promise<void> {
    if (token === 'e') {
      this.#peerEphemeral = copyOf(take(PUBLIC_KEY_BYTES));
      await this.#mixEphemeral(symmetric, this.#peerEphemeral);
    } else if (token === 's') {
      this.#peerStatic = await symmetric.decryptAndHash(take(PUBLIC_KEY_BYTES + symmetric.overheadBytes));
    } else {
      await this.#mixToken(symmetric, token);
    }
  }

  /** With a psk, the ephemeral key is mixed in as well, so that no two handshakes share a key (section 9.2). */
  async #mixEphemeral(symmetric: SymmetricState, publicKey: Bytes): Promise<void> {
    await symmetric.mixHash(publicKey);
    if (this.#pattern.pskCount > 0) await symmetric.mixKey(publicKey);
  }

  async #mixToken(symmetric: SymmetricState, token: Exclude<Token, 'e' | 's'>): Promise<void> {
    if (token === 'psk') {
      await symmetric.mixKeyAndHash(present(this.#psks[this.#pskAt] ?? null));
      this.#pskAt += 1;
      return;
    }
    const { initiator, suite } = this.#options;
    // The first letter names the initiator's key, the second the responder's.
    const [ownKind, peerKind] = initiator ? [token[0], token[1]] : [token[1], token[0]];
    const own = present(ownKind === 'e' ? this.#ephemeral : this.#own);
    const shared = await suite.agree(own, present(peerKind === 'e' ? this.#peerEphemeral : this.#peerStatic));
    await symmetric.mixKey(shared);
    shared.fill(0);
  }
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error('a key of this handshake is missing');
  return value;
}

function pskOf(psk: Uint8Array): Bytes {
  if (psk.length !== PSK_BYTES) throw new RangeError(`a psk has ${PSK_BYTES} bytes`);
  return copyOf(psk);
}

function checkKeys({ initiator, own, peerPublicKey, psks }: HandshakeOptions, pattern: HandshakePattern): void {
  const isOurs = (at: number): boolean => (at % 2 === 0) === initiator;
  const sendsStatic = pattern.messages.some((tokens, at) => isOurs(at) && tokens.includes('s'));
  const known = (party: boolean): boolean => pattern.known.includes(party ? 'initiator' : 'responder');
  const needsOwn = sendsStatic || known(initiator);
  if (needsOwn !== (own !== null)) throw new RangeError(needsOwn ? 'the pattern needs an own static key' : 'the pattern has no own static key');
  if (known(!initiator) !== (peerPublicKey !== null)) throw new RangeError('the pattern and the key of the peer do not fit');
  if (peerPublicKey !== null && peerPublicKey.length !== PUBLIC_KEY_BYTES) throw new RangeError(`a public key has ${PUBLIC_KEY_BYTES} bytes`);
  if (psks.length > pattern.pskCount) throw new RangeError('more psks than the pattern has places for');
}
