/** What was handed to the relays' sockets of late, byte for byte, in bounded memory: what "prove it" shows and searches. */
import type { RelayCapture } from '../../../shared/model/remote.ts';
import { toHex } from '../../../shared/relay/bytes.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';

export interface CaptureLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Half a minute of a picture of 1 Mbit/s. */
const CAPTURE_LIMITS: CaptureLimits = { messages: 4_096, bytes: 4 * 1024 * 1024 };
const SHOWN = 50;
const START_BYTES = 16;

export interface CapturedMessage {
  readonly atMs: EpochMs;
  readonly direction: 'out' | 'in';
  readonly bytes: Uint8Array;
}

export class Capture {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #limits: CaptureLimits;
  #kept: CapturedMessage[] = [];
  /** Messages at the front of `kept` that are forgotten: taking them out one by one would cost a walk each. */
  #gone = 0;
  #bytes = 0;

  constructor(clock: Pick<Clock, 'nowMs'>, limits: CaptureLimits = CAPTURE_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Keeps the message; `bytes` is not changed by anybody afterwards. */
  readonly record = (direction: 'out' | 'in', bytes: Uint8Array): void => {
    this.#kept.push({ atMs: this.#clock.nowMs(), direction, bytes });
    this.#bytes += bytes.length;
    while (this.#kept.length - this.#gone > this.#limits.messages || this.#bytes > this.#limits.bytes) {
      this.#bytes -= this.#kept[this.#gone]?.bytes.length ?? 0;
      this.#gone += 1;
    }
    if (this.#gone <= this.#limits.messages) return;
    this.#kept = this.#kept.slice(this.#gone);
    this.#gone = 0;
  };

  /** Oldest first. */
  messages(): readonly CapturedMessage[] {
    return this.#kept.slice(this.#gone);
  }

  summary(readable: RelayCapture['readable']): RelayCapture {
    const kept = this.messages();
    return {
      sinceMs: kept[0]?.atMs ?? this.#clock.nowMs(),
      messages: kept.length,
      bytes: this.#bytes,
      entropyBits: entropyBits(kept.map(({ bytes }) => bytes)),
      newest: kept.slice(-SHOWN).toReversed().map(({ atMs, direction, bytes }) => ({ atMs, direction, sizeBytes: bytes.length, startHex: toHex(bytes.subarray(0, START_BYTES)) })),
      readable,
    };
  }
}

/** Shannon's entropy of the bytes by their frequencies, in bits per byte; 8 is noise, 0 where there are none. */
export function entropyBits(parts: readonly Uint8Array[]): number {
  const counts = new Float64Array(256);
  let total = 0;
  for (const part of parts) {
    for (const byte of part) counts[byte] = (counts[byte] ?? 0) + 1;
    total += part.length;
  }
  return counts.reduce((sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log2(count / total)), 0);
}
