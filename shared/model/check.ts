/** What a check of the archive looks at, what it found, and what a repair would do about it (docs/design/storage.md, "Checking"). */
import type { DurationMs, EpochMs } from '../time.ts';

export const INVARIANTS = ['I1', 'I2', 'I3', 'I4', 'I5'] as const;
export type Invariant = (typeof INVARIANTS)[number];

/** Everything a check can find, so that findings of one kind are counted, said in one sentence and mended in one way. */
export const FINDING_KINDS = [
  /** The file is longer or shorter than its row says. */
  'size-differs',
  'file-gone',
  /** Closed in order, and no row. */
  'not-indexed',
  /** No row although Porchlight was closed in order. */
  'unknown-after-stop',
  /** Newer than the index; the next start takes it in. */
  'newer-than-index',
  'cut-short',
  'no-whole-picture',
  /** Its tail names another segment, or it cannot be read. */
  'not-this-stream',
  'unknown-name',
  /** No picture begins where the index says one does. */
  'picture-missing',
  'tail-missing',
  'tail-differs',
  'half-deleted',
  'torn-journal-line',
  'not-in-index',
  'not-in-journal',
  /** Journals on a disk that is not here were not compared. */
  'journal-away',
  'derived-differs',
  /** A gap says that footage is missing where there is some: it came back after the gap was written. */
  'gap-over-footage',
  'no-index',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** One finding by name. */
export interface NamedFinding {
  /** Relative to its disk, or the name of what is wrong. */
  readonly path: string;
  readonly sentence: string;
}

/** Findings of one kind. */
export interface FindingGroup {
  readonly kind: FindingKind;
  readonly invariant: Invariant;
  /** Worth knowing, but nothing is broken. */
  readonly notice: boolean;
  readonly count: number;
  readonly sentence: string;
  /** What a repair does about them; null where there is nothing to mend or nothing that could be. */
  readonly repair: string | null;
  /** The first of them; of all groups together no more than NAMED_FINDINGS. */
  readonly named: readonly NamedFinding[];
}

/** Findings that are named one by one; the rest is counted. */
export const NAMED_FINDINGS = 100;

export interface CheckedInvariant {
  readonly invariant: Invariant;
  /** What was checked, in plain words. */
  readonly sentence: string;
  readonly wrong: number;
}

export interface CheckReport {
  readonly startedMs: EpochMs;
  readonly durationMs: DurationMs;
  readonly files: number;
  readonly checked: readonly CheckedInvariant[];
  readonly groups: readonly FindingGroup[];
  /** Why the check could not be finished, in one sentence; null where it was. */
  readonly problem: string | null;
}

export interface RepairReport {
  readonly startedMs: EpochMs;
  readonly durationMs: DurationMs;
  /** What was done, a sentence each. */
  readonly done: readonly string[];
  /** What is still wrong after it, a sentence each. */
  readonly left: readonly string[];
}

export interface CheckProgress {
  /** A check or repair that was asked for, the comparison at every start, or the index being built anew. */
  readonly what: 'check' | 'repair' | 'start' | 'rebuild';
  readonly startedMs: EpochMs;
  /** Files looked at. */
  readonly files: number;
  /** Of how many; null where that is not known before they have been looked at. */
  readonly ofFiles: number | null;
  /** How much is done, 0 to 1; null at the beginning. */
  readonly share: number | null;
  /** Of a rebuild: footage from here on is back; null before the first. */
  readonly backToMs: EpochMs | null;
}

export interface CheckState {
  readonly running: CheckProgress | null;
  /** The last check that was asked for. */
  readonly last: CheckReport | null;
  /** What the last repair did, where it came after the last check. */
  readonly repair: RepairReport | null;
  /** What the comparison at the last start found; `repair` says what was done about it at once. */
  readonly atStart: CheckReport | null;
  /** When the index was last built anew from the disks, and what that took; null where it never was. */
  readonly rebuilt: { readonly atMs: EpochMs; readonly durationMs: DurationMs; readonly files: number } | null;
}

export function wrongIn(report: CheckReport): number {
  return report.groups.reduce((sum, group) => sum + (group.notice ? 0 : group.count), 0);
}

/** Whether a repair would do anything about what this report found. */
export function isRepairable(report: CheckReport): boolean {
  return report.groups.some((group) => group.repair !== null);
}
