/** What retention could not keep, and what a change would do, in sentences for a person. Pure. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { agesOf, type BrokenRule, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, type DurationMs } from '../../../shared/time.ts';
import type { UnkeptRule } from './plan.ts';

/** Names as a person knows them. */
export interface Names {
  readonly root: (rootId: RootId) => string;
  readonly camera: (cameraId: CameraId) => string;
}

/** `proposed`: the rules are only thought of. */
export function describeBroken(unkept: UnkeptRule, rules: StorageRules, names: Names, proposed = false): BrokenRule {
  const { rule, rootId, cameraId } = unkept;
  return { rule, rootId, cameraId, sentence: sentenceOf(unkept, rules, names, proposed) };
}

function sentenceOf({ rule, rootId, cameraId, bytes, ageMs }: UnkeptRule, rules: StorageRules, names: Names, proposed: boolean): string {
  const [takes, has, is, was] = proposed ? ['would take', 'would have', 'would be', 'would be'] : ['takes', 'has', 'is', 'was'];
  const disk = names.root(rootId);
  const camera = cameraId === null ? 'A camera' : names.camera(cameraId);
  switch (rule) {
    case 'quota':
      return `Footage in ${disk} ${takes} ${inBytes(bytes)} more than its limit: all that ${is} left there is locked or just being recorded. Take locks off, or allow more.`;
    case 'keep-free':
      return `The disk at ${disk} ${has} ${inBytes(bytes)} less free than it should: all footage left there is locked or just being recorded. Once it is full, recording pauses. Make room on it, or take locks off.`;
    case 'min-age':
      return `${camera} is to be kept for at least ${inDays((agesOf(rules, cameraId as CameraId).minAgeDays ?? 0) * DAY_MS)}, but there is no room in ${disk}: footage of ${inDays(ageMs ?? 0)} ${was} deleted, so that recording goes on.`;
    case 'event-age':
      return `Footage around events of ${camera} is to be kept for ${inDays((rules.events.keepDays ?? 0) * DAY_MS)}, but there is no room in ${disk}: some of ${inDays(ageMs ?? 0)} ${was} deleted, so that recording goes on.`;
  }
}

export interface ChangeFacts {
  readonly usedBytes: number;
  readonly deletedBytes: number;
  readonly deletedAnywayBytes: number;
  readonly forecastDays: number | null;
  /** How far the oldest footage moves. */
  readonly lostMs: DurationMs;
}

/** The whole of a what-if. */
export function describeChange({ usedBytes, deletedBytes, deletedAnywayBytes, forecastDays, lostMs }: ChangeFacts): string {
  const about = forecastDays === null ? '' : inDays(forecastDays * DAY_MS);
  const fits = about === '' ? '' : about === SHORTEST ? ' Less than an hour fits at today’s rate.' : ` About ${about} fit at today’s rate.`;
  const causedBytes = Math.max(0, deletedBytes - deletedAnywayBytes);
  if (causedBytes <= 0) return `Nothing is deleted by this change.${fits}`;
  const share = usedBytes === 0 ? 0 : causedBytes / usedBytes;
  const percent = share < 0.01 ? 'less than 1 %' : `${Math.round(share * 100)} %`;
  const oldest = lostMs >= DAY_MS / 24 ? `: the oldest ${inDays(lostMs)}` : '';
  return `${inBytes(causedBytes)} of footage, ${percent} of it, is deleted at once${oldest}.${fits}`;
}

const SHORTEST = 'less than an hour';

/** Whole days from two on, hours below. */
function inDays(durationMs: DurationMs): string {
  const days = durationMs / DAY_MS;
  if (days >= 2) return `${Math.floor(days)} days`;
  const hours = Math.max(0, Math.floor(days * 24));
  return hours === 24 ? '1 day' : hours === 1 ? '1 hour' : hours === 0 ? SHORTEST : `${hours} hours`;
}

/** Decimal units, as on the disk's label. */
function inBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 1 ? Math.round(value * 10) / 10 : Math.round(value)} ${units[unit]}`;
}
