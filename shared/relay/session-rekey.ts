/** When keys are changed inside a running session, and which end does what (docs/design/relay.md, "Rekey"). */
import type { CipherState } from './noise.ts';
import { answerRekey, askRekey, REKEY_STEP, rekeyPayload, type RekeyIdentity, type SessionKeys } from './rekey.ts';
import { BadRecord } from './session-ciphers.ts';
import type { SessionLimits } from './session-types.ts';
import type { Bytes } from './suite.ts';

/** What changing keys needs of the session it happens in. */
export interface RekeyParts {
  readonly identity: RekeyIdentity;
  readonly limits: SessionLimits;
  /** Puts a rekey record before everything else; `sent` runs right behind it. */
  post(payload: Bytes, sent?: () => void): void;
  sendUnder(cipher: CipherState): void;
  receiveUnder(cipher: CipherState): void;
  /** Both directions are under new keys; their age counts from here. */
  changed(): void;
  fail(reason: string): void;
}

/** One end's part in it. */
export interface Rekeying {
  /** A rekey record came. Where it resolves later, nothing behind it is opened before. */
  take(payload: Uint8Array): void | Promise<void>;
  /** Whether the peer may change its sending key behind any record from here on. */
  readonly isAwaitingChange: boolean;
  /** Looks at the age of the keys and at the bytes of both directions under them. */
  look(ageMs: number, bytes: number): void;
  wipe(): void;
}

const OUT_OF_TURN = 'The keys were to be changed out of turn.';
const NOT_CHANGED = 'The keys could not be changed, so the session was ended.';

/** Keys that came too late. */
function wipeKeys({ send, receive }: SessionKeys): void {
  send.wipe();
  receive.wipe();
}

/** The viewer starts it, and switches both directions on the home's answer. */
export class ViewerRekey implements Rekeying {
  readonly #parts: RekeyParts;
  #hash: Bytes;
  #phase: 'idle' | 'asking' | 'asked' | 'finishing' = 'idle';
  #asked: Awaited<ReturnType<typeof askRekey>> | null = null;
  #isOver = false;

  constructor(hash: Bytes, parts: RekeyParts) {
    this.#hash = hash;
    this.#parts = parts;
  }

  get isAwaitingChange(): boolean {
    return this.#phase !== 'idle';
  }

  look(ageMs: number, bytes: number): void {
    const { rekeyAfterMs, rekeyAfterBytes } = this.#parts.limits;
    if (this.#phase !== 'idle' || (ageMs < rekeyAfterMs && bytes < rekeyAfterBytes)) return;
    this.#phase = 'asking';
    this.#ask().catch(() => this.#parts.fail(NOT_CHANGED));
  }

  take(payload: Uint8Array): Promise<void> {
    const asked = this.#asked;
    if (this.#phase !== 'asked' || asked === null || payload[0] !== REKEY_STEP.answer) throw new BadRecord(OUT_OF_TURN);
    this.#phase = 'finishing';
    return this.#finish(asked, payload.subarray(1));
  }

  wipe(): void {
    this.#isOver = true;
    this.#asked?.wipe();
    this.#asked = null;
  }

  async #ask(): Promise<void> {
    const asked = await askRekey(this.#parts.identity, this.#hash);
    if (this.#isOver) {
      asked.wipe();
      return;
    }
    this.#asked = asked;
    this.#phase = 'asked';
    this.#parts.post(asked.payload);
  }

  async #finish(asked: Awaited<ReturnType<typeof askRekey>>, message: Uint8Array): Promise<void> {
    const keys = await asked.finish(message).catch(() => {
      throw new BadRecord(NOT_CHANGED);
    });
    if (this.#isOver) {
      wipeKeys(keys);
      return;
    }
    this.#asked = null;
    this.#hash = keys.hash;
    this.#parts.receiveUnder(keys.receive);
    this.#parts.post(rekeyPayload('done'), () => {
      this.#parts.sendUnder(keys.send);
      this.#phase = 'idle';
      this.#parts.changed();
    });
  }
}

/** The home answers, and ends a session whose viewer lets the keys grow old. */
export class HomeRekey implements Rekeying {
  readonly #parts: RekeyParts;
  #hash: Bytes;
  #isAnswering = false;
  /** What the viewer will send under after `done`. */
  #next: CipherState | null = null;
  #isOver = false;

  constructor(hash: Bytes, parts: RekeyParts) {
    this.#hash = hash;
    this.#parts = parts;
  }

  get isAwaitingChange(): boolean {
    return this.#next !== null;
  }

  look(ageMs: number, bytes: number): void {
    const { rekeyDueMs, rekeyDueBytes } = this.#parts.limits;
    if (ageMs >= rekeyDueMs || bytes >= rekeyDueBytes) this.#parts.fail('The device did not change the keys in time, so the session was ended.');
  }

  take(payload: Uint8Array): void {
    const step = payload[0];
    if (step === REKEY_STEP.ask && !this.#isAnswering && this.#next === null) {
      this.#isAnswering = true;
      this.#answer(payload.slice(1)).catch(() => this.#parts.fail(NOT_CHANGED));
    } else if (step === REKEY_STEP.done && payload.length === 1 && this.#next !== null && !this.#isAnswering) {
      this.#parts.receiveUnder(this.#next);
      this.#next = null;
      this.#parts.changed();
    } else {
      throw new BadRecord(OUT_OF_TURN);
    }
  }

  wipe(): void {
    this.#isOver = true;
    this.#next?.wipe();
    this.#next = null;
  }

  async #answer(message: Uint8Array): Promise<void> {
    const { payload, keys } = await answerRekey(this.#parts.identity, this.#hash, message);
    if (this.#isOver) {
      wipeKeys(keys);
      return;
    }
    this.#hash = keys.hash;
    this.#next = keys.receive;
    this.#parts.post(payload, () => {
      this.#isAnswering = false;
      this.#parts.sendUnder(keys.send);
    });
  }
}
