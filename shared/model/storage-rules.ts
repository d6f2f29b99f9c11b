/** Rules the owner sets about footage, which of them could not be kept, and what a change of them would delete (docs/design/storage.md, "Retention"). */
import { type DurationMs, type EpochMs, SECOND_MS } from '../time.ts';
import type { CameraId, RootId } from './ids.ts';

/** Ages of one camera's footage, in days; null: no minimum, and the maximum of all cameras. */
export interface CameraRules {
  readonly minAgeDays: number | null;
  readonly maxAgeDays: number | null;
}

/** Footage around events may be kept longer than the rest. */
export interface EventRules {
  /** Counted from the event; null: no longer than everything else. */
  readonly keepDays: number | null;
  /** Kept before and after each event. */
  readonly marginMs: DurationMs;
}

export interface StorageRules {
  /** Bytes of footage per root; null for "as much as there is". */
  readonly quotaBytes: Readonly<Record<string, number | null>>;
  /** Bytes of a disk that stay free, where nothing else is said for it. */
  readonly keepFreeBytes: number;
  /** Bytes of this root's disk that stay free. */
  readonly keepFreeBytesOf: Readonly<Record<string, number>>;
  /** Of all cameras that have none of their own. */
  readonly maxAgeDays: number | null;
  readonly cameras: Readonly<Record<string, CameraRules>>;
  readonly events: EventRules;
}

export const DEFAULT_EVENT_RULES: EventRules = { keepDays: null, marginMs: 10 * SECOND_MS };

/** Rules that delete nothing. */
export const NO_RULES: StorageRules = { quotaBytes: {}, keepFreeBytes: 0, keepFreeBytesOf: {}, maxAgeDays: null, cameras: {}, events: DEFAULT_EVENT_RULES };

/** Bytes that stay free on a root's disk. */
export function keepFreeOf(rules: StorageRules, rootId: RootId): number {
  return rules.keepFreeBytesOf[rootId] ?? rules.keepFreeBytes;
}

/** What holds for a camera: its own ages, else those of all; a minimum never lies above the maximum. */
export function agesOf(rules: StorageRules, cameraId: CameraId): CameraRules {
  const own = rules.cameras[cameraId];
  const maxAgeDays = own?.maxAgeDays ?? rules.maxAgeDays;
  const minAgeDays = own?.minAgeDays ?? null;
  return { maxAgeDays, minAgeDays: minAgeDays === null || maxAgeDays === null ? minAgeDays : Math.min(minAgeDays, maxAgeDays) };
}

/** `quota` and `keep-free`: nothing is left that may be deleted. `min-age` and `event-age`: footage went before its time, so that recording goes on. */
export type RuleName = 'quota' | 'keep-free' | 'min-age' | 'event-age';

export interface BrokenRule {
  readonly rule: RuleName;
  readonly rootId: RootId;
  /** Null where the rule is about a whole disk. */
  readonly cameraId: CameraId | null;
  /** What happened, why, and what to do. */
  readonly sentence: string;
}

export interface WhatIfCamera {
  readonly cameraId: CameraId;
  readonly usedBytes: number;
  readonly deletedBytes: number;
  /** The oldest footage before and after; null where none is left. */
  readonly oldestMs: EpochMs | null;
  readonly oldestAfterMs: EpochMs | null;
  readonly forecastDays: number | null;
}

export interface WhatIfRoot {
  readonly rootId: RootId;
  readonly deletedBytes: number;
  /** Days of all cameras' footage that fit on it. */
  readonly forecastDays: number | null;
}

/** What rules would do, before they do it. Ages are looked at to the hour. */
export interface WhatIf {
  /** Names this answer: `storage.setRules` wants it where much would be deleted. */
  readonly token: string;
  readonly usedBytes: number;
  /** What would go at once. */
  readonly deletedBytes: number;
  /** Of these, what would go under the rules in force too. */
  readonly deletedAnywayBytes: number;
  /** More than a tenth of the archive goes because of the change: `storage.setRules` asks first. */
  readonly asks: boolean;
  readonly cameras: readonly WhatIfCamera[];
  readonly roots: readonly WhatIfRoot[];
  readonly forecastDays: number | null;
  readonly broken: readonly BrokenRule[];
  /** The whole of it for a person. */
  readonly sentence: string;
}
