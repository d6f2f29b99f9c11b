/**
 * The drill's own book of what was sealed by whom, kept around the real cryptography: whatever any end opens must be what
 * its partner sealed, once, at the same counter. It also keeps copies of the keys, for viewers that never give up.
 */
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { TAG_BYTES } from '../../shared/relay/noise.ts';
import type { AeadKey, Bytes, CryptoSuite, Soon } from '../../shared/relay/suite.ts';

export type Side = 'home' | 'viewer';

interface Sealed {
  readonly household: number;
  readonly side: Side;
  readonly counter: bigint;
  readonly sizeBytes: number;
}

/** A viewer's newest key for opening, as it was before anybody wiped it. */
export interface KeptKey {
  readonly key: AeadKey;
  /** The counter that comes next. */
  next: bigint;
}

/** The tag is as good as a name: two equal ones among millions of records do not happen by chance. */
const nameOf = (sealed: Uint8Array): string => Buffer.from(sealed.buffer, sealed.byteOffset + sealed.length - TAG_BYTES, TAG_BYTES).toString('latin1');

export class Ledger {
  readonly #sealed = new Map<string, Sealed>();
  readonly #kept = new Map<number, KeptKey>();
  /** Opened, and not to be opened by that end at that moment. */
  violations = 0;
  /** Records and handshake payloads opened rightly. */
  rightly = 0;

  /** The suite of one end. `base`: a mutant in a test. */
  suiteOf(household: number, side: Side, base: CryptoSuite = nodeSuite): CryptoSuite {
    return {
      random: (count) => base.random(count),
      generateKeyPair: () => base.generateKeyPair(),
      importKeyPair: (bytes) => base.importKeyPair(bytes),
      agree: (own, peer) => base.agree(own, peer),
      sha256: (data) => base.sha256(data),
      hmac: (key, data) => base.hmac(key, data),
      aeadKey: async (bytes) => {
        // Split makes the initiator's key first, then the responder's: a viewer's last is the one it opens with.
        const kept = { key: await base.aeadKey(bytes), next: 0n };
        if (side === 'viewer') this.#kept.set(household, kept);
        return this.#watched(await base.aeadKey(bytes), household, side, kept);
      },
    };
  }

  keptKey(household: number): KeptKey | null {
    return this.#kept.get(household) ?? null;
  }

  /** Forgets what was sealed so far: nothing of it is under way any more. */
  turnPage(): void {
    this.#sealed.clear();
  }

  #watched(key: AeadKey, household: number, side: Side, kept: KeptKey): AeadKey {
    return {
      seal: (counter, associated, plain) => {
        const sealed = atOnce(key.seal(counter, associated, plain));
        this.#sealed.set(nameOf(sealed), { household, side, counter, sizeBytes: sealed.length });
        return sealed;
      },
      open: (counter, associated, sealed) => {
        const plain = atOnce(key.open(counter, associated, sealed));
        this.#opened(household, side, counter, sealed);
        kept.next = counter + 1n;
        return plain;
      },
      wipe: () => key.wipe(),
    };
  }

  #opened(household: number, side: Side, counter: bigint, sealed: Uint8Array): void {
    const name = nameOf(sealed);
    const by = this.#sealed.get(name);
    const isRight = by !== undefined && by.household === household && by.side !== side && by.counter === counter && by.sizeBytes === sealed.length;
    if (isRight) this.rightly += 1;
    else this.violations += 1;
    // Once: a second time is a repeat.
    this.#sealed.delete(name);
  }
}

function atOnce(answer: Soon<Bytes>): Bytes {
  if (answer instanceof Promise) throw new TypeError('the drill needs a suite that answers at once');
  return answer;
}

const NOTHING = new Uint8Array(0);

/** Whether a key opens a record at any of the counters; nothing else of a viewer is in the way. */
export function opensWith(kept: KeptKey, record: Uint8Array, counters: readonly bigint[]): boolean {
  const { stackTraceLimit } = Error;
  // A million failures are expected, and where they were thrown is known.
  Error.stackTraceLimit = 0;
  try {
    return counters.some((counter) => {
      try {
        atOnce(kept.key.open(counter, NOTHING, record));
        return true;
      } catch {
        return false;
      }
    });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
