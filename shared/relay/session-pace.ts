/** Constant rate, where a viewer asks for it: records go out in slots of equal size and distance, whatever there is to send (docs/design/relay.md, "Constant rate"). */
import { MAX_RECORD_BYTES } from './protocol.ts';
import { encodeRecord, plainRecord } from './record.ts';
import type { Bytes } from './suite.ts';
import type { SessionClock } from './wire.ts';

/** What a home lets itself be asked for. */
const LEAST_BYTES_PER_S = 16 * 1024;
const MOST_BYTES_PER_S = 4 * 1024 * 1024;
/** The viewer's own slots: ten small ones a second carry its questions and credits. */
export const VIEWER_SLOT_BYTES = 1_024;
export const VIEWER_SLOT_MS = 100;
/** Slots that a timer which was late makes up for. */
const MOST_LATE = 8;

/** The distance of the home's slots; null where the rate is none that it keeps. */
export function slotMsOf(bytesPerS: number): number | null {
  return bytesPerS >= LEAST_BYTES_PER_S && bytesPerS <= MOST_BYTES_PER_S ? (MAX_RECORD_BYTES * 1000) / bytesPerS : null;
}

/** What goes into a slot that nothing waits for. */
export function fillRecord(sizeBytes: number): Bytes {
  return encodeRecord(plainRecord('fill', new Uint8Array(0)), sizeBytes);
}

/** Moments of equal distance. What is not used when its moment passes is gone: nothing is made up for later. */
export class Slots {
  readonly #clock: SessionClock;
  readonly #onOpen: () => void;
  #periodMs = 0;
  #nextMs = 0;
  #open = 0;
  #stopTimer: () => void = () => undefined;

  /** `onOpen`: one or more slots may be taken until it returns. */
  constructor(clock: SessionClock, onOpen: () => void) {
    this.#clock = clock;
    this.#onOpen = onOpen;
  }

  get isOn(): boolean {
    return this.#periodMs > 0;
  }

  start(periodMs: number): void {
    this.#stopTimer();
    this.#periodMs = periodMs;
    this.#nextMs = this.#clock.nowMs() + periodMs;
    this.#wait();
  }

  stop(): void {
    this.#stopTimer();
    this.#periodMs = 0;
    this.#open = 0;
  }

  /** Uses one; false where none is open. */
  take(): boolean {
    if (this.#open === 0) return false;
    this.#open -= 1;
    return true;
  }

  #wait(): void {
    this.#stopTimer = this.#clock.after(Math.max(0, this.#nextMs - this.#clock.nowMs()), () => this.#tick());
  }

  #tick(): void {
    // Before anything is sent, which may end all of this.
    const late = Math.floor((this.#clock.nowMs() - this.#nextMs) / this.#periodMs);
    this.#nextMs += (1 + late) * this.#periodMs;
    this.#open = Math.min(MOST_LATE, 1 + late);
    this.#wait();
    this.#onOpen();
    this.#open = 0;
  }
}
