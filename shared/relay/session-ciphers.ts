/** The two ends of a session's keys: records sealed one after the other as they are wanted, and opened strictly in the order they came. */
import { decodeRecord, type SessionRecord } from './record.ts';
import type { CipherState } from './noise.ts';
import { MAX_RECORD_BYTES } from './protocol.ts';
import type { Bytes } from './suite.ts';

/** Why a session ended in which a record did not open: it was changed, left out, repeated, or is somebody else's. */
export const UNOPENED = 'What came was not sealed by the other end, or was changed on the way. Nothing of it is shown.';

/** A record that is about to be sealed. */
export interface Plain {
  readonly bytes: Bytes;
  /** Once it was handed to the wire, before the next is asked for. */
  readonly sent?: (sealedBytes: number) => void;
}

export interface SealerParts {
  /** What goes out next; null: nothing at the moment. Asked as late as possible, so that what is urgent overtakes. */
  next(): Plain | null;
  send(sealed: Bytes): void;
  fail(reason: string): void;
}

/** Seals what is wanted, one record at a time; without a promise in between where the suite answers at once. */
export class Sealer {
  readonly #parts: SealerParts;
  #cipher: CipherState;
  #isBusy = false;
  #isOver = false;
  /** Sealed bytes under the present key. */
  keyBytes = 0;

  constructor(cipher: CipherState, parts: SealerParts) {
    this.#cipher = cipher;
    this.#parts = parts;
  }

  /** Sends all that may go now. */
  pump(): void {
    if (this.#isBusy || this.#isOver) return;
    this.#isBusy = true;
    try {
      for (let plain = this.#parts.next(); plain !== null; plain = this.#isOver ? null : this.#parts.next()) {
        const sealed = this.#cipher.seal(plain.bytes);
        if (sealed instanceof Promise) {
          void this.#sendLater(sealed, plain);
          return;
        }
        this.#send(sealed, plain);
      }
    } catch {
      this.#parts.fail('This session could not seal any more, so it was ended.');
    }
    this.#isBusy = false;
  }

  /** Goes on under another key; the old one is forgotten. Only from `sent`. */
  switchTo(cipher: CipherState): void {
    this.#cipher.wipe();
    this.#cipher = cipher;
    this.keyBytes = 0;
    if (this.#isOver) cipher.wipe();
  }

  /** Ends it; the key is forgotten. */
  end(): void {
    this.#isOver = true;
    this.#cipher.wipe();
  }

  #send(sealed: Bytes, plain: Plain): void {
    this.keyBytes += sealed.length;
    this.#parts.send(sealed);
    plain.sent?.(sealed.length);
  }

  async #sendLater(sealing: Promise<Bytes>, plain: Plain): Promise<void> {
    try {
      const sealed = await sealing;
      if (this.#isOver) return;
      this.#send(sealed, plain);
    } catch {
      this.#parts.fail('This session could not seal any more, so it was ended.');
      return;
    } finally {
      this.#isBusy = false;
    }
    this.pump();
  }
}

export interface OpenerParts {
  /** One record, in order; a promise holds up those behind it. Throws or rejects with a sentence where it is not to be had. */
  take(record: SessionRecord, sealedBytes: number): void | Promise<void>;
  /** Whether records may be opened while those before them still are: not while keys are being changed. */
  mayOverlap(): boolean;
  fail(reason: string): void;
}

/** A record that says what an honest peer does not; its message is a sentence. */
export class BadRecord extends Error {}

/** Opens what comes, strictly in order; the first that does not open is the last that is looked at. */
export class Opener {
  readonly #parts: OpenerParts;
  #cipher: CipherState;
  #waiting: Uint8Array[] = [];
  #opening = 0;
  #isHeld = false;
  #isDraining = false;
  #isOver = false;
  #whenIdle: (() => void) | null = null;
  /** Sealed bytes under the present key. */
  keyBytes = 0;

  constructor(cipher: CipherState, parts: OpenerParts) {
    this.#cipher = cipher;
    this.#parts = parts;
  }

  push(sealed: Uint8Array): void {
    if (this.#isOver) return;
    this.#waiting.push(sealed);
    this.#drain();
  }

  /** Goes on under another key; the old one is forgotten. Only from `take`. */
  switchTo(cipher: CipherState): void {
    this.#cipher.wipe();
    this.#cipher = cipher;
    this.keyBytes = 0;
    if (this.#isOver) cipher.wipe();
  }

  /** Runs it once what came is opened and taken: at once where nothing is on its way. */
  whenIdle(run: () => void): void {
    this.#whenIdle = run;
    this.#tellIdle();
  }

  /** Ends it; the key is forgotten, and what waits is not looked at. */
  end(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#cipher.wipe();
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    while (!this.#isOver && !this.#isHeld && (this.#opening === 0 || this.#parts.mayOverlap())) {
      const sealed = this.#waiting.shift();
      if (sealed === undefined) break;
      this.#open(sealed);
    }
    this.#isDraining = false;
    this.#tellIdle();
  }

  #tellIdle(): void {
    const run = this.#whenIdle;
    if (run === null || this.#isDraining || (!this.#isOver && (this.#opening > 0 || this.#isHeld || this.#waiting.length > 0))) return;
    this.#whenIdle = null;
    run();
  }

  #open(sealed: Uint8Array): void {
    try {
      if (sealed.length > MAX_RECORD_BYTES) throw new RangeError('longer than a record');
      const plain = this.#cipher.open(sealed);
      if (!(plain instanceof Promise)) {
        this.#take(plain, sealed.length);
        return;
      }
      this.#opening += 1;
      plain.then(
        (opened) => {
          this.#opening -= 1;
          this.#take(opened, sealed.length);
          this.#drain();
        },
        () => this.#unopened(),
      );
    } catch {
      this.#unopened();
    }
  }

  #take(plain: Bytes, sealedBytes: number): void {
    if (this.#isOver) return;
    this.keyBytes += sealedBytes;
    const record = decodeRecord(plain);
    if (record === null) {
      this.#parts.fail('A record came that no honest end sends.');
      return;
    }
    try {
      const taken = this.#parts.take(record, sealedBytes);
      if (taken === undefined) return;
      this.#isHeld = true;
      taken.then(
        () => {
          this.#isHeld = false;
          this.#drain();
        },
        (cause: unknown) => this.#refused(cause),
      );
    } catch (cause) {
      this.#refused(cause);
    }
  }

  #unopened(): void {
    this.#parts.fail(UNOPENED);
  }

  #refused(cause: unknown): void {
    this.#parts.fail(cause instanceof BadRecord ? cause.message : 'What came could not be taken in, so the session was ended.');
  }
}
