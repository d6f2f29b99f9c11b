/** The owner's storage rules in <data>/config/storage.json; first made to fit the disk they are for. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { RulesPatch } from '../../../shared/contract/storage-schemas.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import { isCameraId, isRootId } from '../../../shared/model/ids.ts';
import { type CameraRules, DEFAULT_EVENT_RULES, type EventRules, NO_RULES, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';

export interface RulesStore {
  get(): StorageRules;
  /** Durable when it resolves. Rejects as `changedRules`. */
  change(patch: RulesPatch): Promise<StorageRules>;
}

/** The rules that can differ from none at first. */
export type FirstRules = Pick<StorageRules, 'quotaBytes' | 'keepFreeBytes' | 'maxAgeDays'>;

/** 1 had one age for all cameras and one free space for all disks. */
const FORMAT = 2;
/** Most that stays free unless the owner says otherwise: enough for a system to live. */
const KEEP_FREE_BYTES = 10_000_000_000;

/** Free space a disk keeps at first: never so much that a rather full disk would lose footage at once. */
export function firstRules(disk: { readonly diskBytes: number; readonly freeBytes: number }): FirstRules {
  const keepFreeBytes = Math.floor(Math.min(KEEP_FREE_BYTES, disk.diskBytes / 20, disk.freeBytes / 4));
  return { quotaBytes: {}, keepFreeBytes, maxAgeDays: null };
}

/** Reads the rules; `first` is asked when there are none or they cannot be read. */
export async function openRules(configDir: string, first: () => FirstRules, log: Logger): Promise<RulesStore> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const file = path.join(configDir, 'storage.json');
  let rules: StorageRules = parse(await readIfThere(file), file, log) ?? parse(await readIfThere(`${file}.previous`), file, log) ?? { ...NO_RULES, ...first() };
  let writing: Promise<void> = Promise.resolve();
  return {
    get: () => rules,
    async change(patch) {
      rules = changedRules(rules, patch);
      const text = `${JSON.stringify({ format: FORMAT, ...rules }, null, 2)}\n`;
      const write = writing.then(() => replaceFile(file, text));
      writing = write.catch(() => undefined);
      await write;
      return rules;
    },
  };
}

/** Rules with a patch; what it does not name stays. Throws `invalid-input` where a camera's minimum age lies above its maximum. Pure. */
export function changedRules(rules: StorageRules, patch: RulesPatch): StorageRules {
  const next: StorageRules = {
    quotaBytes: { ...rules.quotaBytes, ...ownEntries(patch.quotaBytes, isRootId) },
    keepFreeBytes: patch.keepFreeBytes ?? rules.keepFreeBytes,
    keepFreeBytesOf: withoutNull({ ...rules.keepFreeBytesOf, ...ownEntries(patch.keepFreeBytesOf, isRootId) }),
    maxAgeDays: patch.maxAgeDays === undefined ? rules.maxAgeDays : patch.maxAgeDays,
    cameras: withoutNull({ ...rules.cameras, ...ownEntries(patch.cameras, isCameraId) }),
    events: {
      keepDays: patch.events?.keepDays === undefined ? rules.events.keepDays : patch.events.keepDays,
      marginMs: patch.events?.marginMs ?? rules.events.marginMs,
    },
  };
  for (const { minAgeDays, maxAgeDays } of Object.values(next.cameras)) {
    const most = maxAgeDays ?? next.maxAgeDays;
    if (minAgeDays !== null && most !== null && minAgeDays > most) {
      throw new PorchlightError('invalid-input', `A camera cannot be kept for at least ${minAgeDays} days and no longer than ${most}. Change one of the two.`);
    }
  }
  return next;
}

function ownEntries<T>(record: Readonly<Record<string, T>> | undefined, isId: (text: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record ?? {}).filter(([id]) => isId(id)));
}

function withoutNull<T>(record: Readonly<Record<string, T | null>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== null));
}

/** Files of format 1 and 2, and what is known of later ones; null where the file is damaged. */
function parse(text: string | null, file: string, log: Logger): StorageRules | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Record<keyof StorageRules, unknown>>;
    const { quotaBytes, keepFreeBytes, maxAgeDays } = value;
    if (typeof keepFreeBytes !== 'number' || typeof quotaBytes !== 'object' || quotaBytes === null) return null;
    if (maxAgeDays !== null && !isDays(maxAgeDays)) return null;
    return {
      quotaBytes: entriesOf(quotaBytes, isRootId, (bytes) => (bytes === null || isPositive(bytes) ? bytes : undefined)),
      keepFreeBytes,
      keepFreeBytesOf: entriesOf(value.keepFreeBytesOf, isRootId, (bytes) => (isPositive(bytes) || bytes === 0 ? bytes : undefined)),
      maxAgeDays,
      cameras: entriesOf(value.cameras, isCameraId, cameraRules),
      events: eventRules(value.events),
    };
  } catch (error) {
    log.warn(`${file} could not be read`, error);
    return null;
  }
}

function entriesOf<T>(value: unknown, isId: (text: string) => boolean, read: (entry: unknown) => T | undefined): Record<string, T> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([id, entry]): [string, T][] => {
      const known = isId(id) ? read(entry) : undefined;
      return known === undefined ? [] : [[id, known]];
    }),
  );
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}

const isDays = isPositive;

function cameraRules(value: unknown): CameraRules | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { minAgeDays, maxAgeDays } = value as Partial<Record<keyof CameraRules, unknown>>;
  return { minAgeDays: isDays(minAgeDays) ? minAgeDays : null, maxAgeDays: isDays(maxAgeDays) ? maxAgeDays : null };
}

function eventRules(value: unknown): EventRules {
  if (typeof value !== 'object' || value === null) return DEFAULT_EVENT_RULES;
  const { keepDays, marginMs } = value as Partial<Record<keyof EventRules, unknown>>;
  return { keepDays: isDays(keepDays) ? keepDays : null, marginMs: typeof marginMs === 'number' && marginMs >= 0 ? marginMs : DEFAULT_EVENT_RULES.marginMs };
}
