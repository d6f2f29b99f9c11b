/** The rules as they stand in the form's fields, and the change that they make. Pure. */
import type { RulesPatch } from '../../../shared/contract/storage-schemas.ts';
import type { StorageSummary } from '../../../shared/model/storage.ts';
import type { StorageRules } from '../../../shared/model/storage-rules.ts';
import { SECOND_MS } from '../../../shared/time.ts';

export interface RulesFields {
  readonly maxAge: string;
  readonly keepFree: string;
  /** By disk, in GB. */
  readonly quotas: Readonly<Record<string, string>>;
  readonly keepFreeOf: Readonly<Record<string, string>>;
  /** By camera, in days. */
  readonly minAges: Readonly<Record<string, string>>;
  readonly maxAges: Readonly<Record<string, string>>;
  readonly eventDays: string;
  readonly eventSeconds: string;
  /** A camera that is thought of, in GB a day; not a rule. */
  readonly added: string;
}

const GB = 1e9;
/** Three digits are enough for people; what was set finer stays as it is until its field is changed. */
const gigabytes = (bytes: number): string => String(bytes >= 100 * GB ? Math.round(bytes / GB) : Number((bytes / GB).toPrecision(3)));
const daysText = (days: number | null | undefined): string => (days === null || days === undefined ? '' : String(Math.round(days * 100) / 100));

export function fieldsOf(rules: StorageRules, { roots, cameras }: Pick<StorageSummary, 'roots' | 'cameras'>): RulesFields {
  const byRoot = (text: (rootId: string) => string): Record<string, string> => Object.fromEntries(roots.map(({ rootId }) => [rootId, text(rootId)]));
  const ids = [...new Set([...cameras.map(({ cameraId }) => cameraId as string), ...Object.keys(rules.cameras)])];
  const byCamera = (text: (cameraId: string) => string): Record<string, string> => Object.fromEntries(ids.map((id) => [id, text(id)]));
  return {
    maxAge: daysText(rules.maxAgeDays),
    keepFree: gigabytes(rules.keepFreeBytes),
    quotas: byRoot((id) => (rules.quotaBytes[id] === null || rules.quotaBytes[id] === undefined ? '' : gigabytes(rules.quotaBytes[id]))),
    keepFreeOf: byRoot((id) => (rules.keepFreeBytesOf[id] === undefined ? '' : gigabytes(rules.keepFreeBytesOf[id]))),
    minAges: byCamera((id) => daysText(rules.cameras[id]?.minAgeDays)),
    maxAges: byCamera((id) => daysText(rules.cameras[id]?.maxAgeDays)),
    eventDays: daysText(rules.events.keepDays),
    eventSeconds: String(Math.round(rules.events.marginMs / SECOND_MS)),
    added: '',
  };
}

/** What differs from `before`, as a patch; null where a field holds no number. Empty and 0 take a limit off. */
export function patchOf(fields: RulesFields, before: RulesFields): RulesPatch | null {
  const numbers = [fields.maxAge, fields.keepFree, fields.eventDays, fields.eventSeconds, fields.added, ...[fields.quotas, fields.keepFreeOf, fields.minAges, fields.maxAges].flatMap((record) => Object.values(record))];
  if (numbers.some((text) => numberOf(text) === undefined)) return null;
  const quotas = changed(fields.quotas, before.quotas).map(([id, text]) => [id, scaled(limitOf(text), GB)] as const);
  const keepFreeOf = changed(fields.keepFreeOf, before.keepFreeOf).map(([id, text]) => [id, scaled(numberOf(text) ?? null, GB)] as const);
  const cameras = [...new Set([...changed(fields.minAges, before.minAges), ...changed(fields.maxAges, before.maxAges)].map(([id]) => id))].map((id) => {
    const ages = { minAgeDays: limitOf(fields.minAges[id] ?? ''), maxAgeDays: limitOf(fields.maxAges[id] ?? '') };
    return [id, ages.minAgeDays === null && ages.maxAgeDays === null ? null : ages] as const;
  });
  const events = {
    ...(fields.eventDays === before.eventDays ? {} : { keepDays: limitOf(fields.eventDays) }),
    ...(fields.eventSeconds === before.eventSeconds ? {} : { marginMs: (numberOf(fields.eventSeconds) ?? 0) * SECOND_MS }),
  };
  return {
    ...(quotas.length === 0 ? {} : { quotaBytes: Object.fromEntries(quotas) }),
    ...(keepFreeOf.length === 0 ? {} : { keepFreeBytesOf: Object.fromEntries(keepFreeOf) }),
    ...(cameras.length === 0 ? {} : { cameras: Object.fromEntries(cameras) }),
    ...(fields.maxAge === before.maxAge ? {} : { maxAgeDays: limitOf(fields.maxAge) }),
    ...(fields.keepFree === before.keepFree ? {} : { keepFreeBytes: (numberOf(fields.keepFree) ?? 0) * GB }),
    ...(Object.keys(events).length === 0 ? {} : { events }),
  };
}

/** Bytes a day of the camera that is thought of; none where the field is empty or no number. */
export function addedOf({ added }: RulesFields): readonly number[] {
  const value = numberOf(added);
  return value === null || value === undefined || value === 0 ? [] : [value * GB];
}

/** Null where nothing is written, undefined where it is no number from 0 on. A comma counts as a point. */
function numberOf(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const value = Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function limitOf(text: string): number | null {
  const value = numberOf(text);
  return value === undefined || value === 0 ? null : value;
}

function scaled(value: number | null, by: number): number | null {
  return value === null ? null : value * by;
}

function changed(now: Readonly<Record<string, string>>, before: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(now).filter(([id, text]) => text !== before[id]);
}
