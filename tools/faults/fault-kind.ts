/** Owns what a kind of fault is, and what each may cost. */
import type { GapCause } from '../../shared/model/gap.ts';
import type { DurationMs, EpochMs } from '../../shared/time.ts';
import type { FaultHouse } from './house.ts';

export const FAMILIES = ['kill', 'disk', 'cameras', 'clock'] as const;
export type Family = (typeof FAMILIES)[number];

/** A fault as it was made, and what may follow from it. Times are this program's clock, which is the simulator's. */
export interface FaultMade {
  readonly faultMs: EpochMs;
  /** When what was wrong was put right; of a process that dies, the moment it died. */
  readonly healedMs: EpochMs;
  /** The simulated cameras it met; null: all. */
  readonly cameras: readonly number[] | null;
  /** Missing footage may have these causes and no other; the first one must be there where more than `GAP_NEEDED_MS` are missing, or any where `either`. Empty: nothing may be missing. */
  readonly causes: readonly GapCause[];
  /** Which of the causes it is depends on the moment. */
  readonly either?: boolean;
  /** Of what had been sent before the fault, at most this much may be lost. */
  readonly lossBoundMs: DurationMs;
  /** A process died, and the product has to be back by itself: the time until the next recorded picture counts. */
  readonly crash: boolean;
  /** Milliseconds that the product's clock was ahead of ours at the end; null where it stepped, and its times are compared with nothing. */
  readonly clockAheadMs?: DurationMs | null;
  /** Processes that should have ended with others, and did not. */
  readonly orphans?: number;
  /** Found wrong while the fault was made. */
  readonly problems?: readonly string[];
  /** For the line that is printed. */
  readonly note?: string;
}

/** What a round may use: the house, in which the product records, and chances. */
export interface Round {
  readonly house: FaultHouse;
  readonly random: () => number;
  /** How often a camera is dropped in the round that does so. */
  readonly drops: number;
  readonly say: (line: string) => void;
}

export interface Prepared {
  /** Of the product and of all it starts. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds that the product's clock is ahead of ours at the start. */
  readonly clockAheadMs?: DurationMs;
}

export interface FaultKind {
  readonly name: string;
  readonly family: Family;
  /** In the short form. */
  readonly quick: boolean;
  /** How often it is drawn, beside others. */
  readonly weight: number;
  /** Begins with an archive of its own, and leaves none: mounts, other years. */
  readonly fresh: boolean;
  /** Why it cannot be done here; null where it can. */
  whyNot?(): Promise<string | null>;
  /** Before the product starts: mounts a disk, chooses an environment and a clock. */
  prepare?(round: Round): Promise<Prepared>;
  /** Makes the fault while the product records, and waits until it records again. */
  make(round: Round): Promise<FaultMade>;
  /** After the product has ended, whatever became of it: gives everything back. */
  clear?(round: Round): Promise<void>;
}

/** Of a process that dies (DESIGN.md, I4). */
export const CRASH_LOSS_MS: DurationMs = 1_000;
/** Of a disk that goes with what it had not been told to keep: a power cut to that disk. */
export const POWER_LOSS_MS: DurationMs = 2_000;
/** As long as footage continues in the index (docs/design/storage.md, "Schema"), and a picture more. */
export const GAP_NEEDED_MS: DurationMs = 1_500;
