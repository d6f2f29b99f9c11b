/** When a camera is recorded, as it lies in <data>/config/cameras.json: read back with every field checked. Pure. */
import { isTimeZone } from '../../../shared/local-days.ts';
import { ALWAYS, MAX_POST_ROLL_MS, MAX_PRE_ROLL_MS, type MinuteRange, RECORDING_KINDS, type RecordingMode, tidyRanges, WEEK_DAYS, type WeekSchedule } from '../../../shared/model/recording-mode.ts';

/** The mode, or undefined (always) where there is none or it cannot be understood: what is recorded too much can be deleted, what is not recorded is gone. */
export function readRecording(value: unknown): RecordingMode | undefined {
  if (!isRecord(value)) return undefined;
  const kind = RECORDING_KINDS.find((one) => one === value['kind']);
  const schedule = value['schedule'] === null || value['schedule'] === undefined ? null : readSchedule(value['schedule']);
  if (kind === undefined || schedule === undefined) return undefined;
  const length = (field: unknown, standard: number, most: number): number => (typeof field === 'number' && Number.isFinite(field) ? Math.min(most, Math.max(0, field)) : standard);
  return { kind, preRollMs: length(value['preRollMs'], ALWAYS.preRollMs, MAX_PRE_ROLL_MS), postRollMs: length(value['postRollMs'], ALWAYS.postRollMs, MAX_POST_ROLL_MS), schedule };
}

/** Undefined where it is damaged. */
function readSchedule(value: unknown): WeekSchedule | undefined {
  if (!isRecord(value) || typeof value['timeZone'] !== 'string' || !isTimeZone(value['timeZone']) || !Array.isArray(value['days']) || value['days'].length !== WEEK_DAYS) return undefined;
  const days = value['days'].map(readRanges);
  return days.some((day) => day === null) ? undefined : { timeZone: value['timeZone'], days: days.filter((day) => day !== null) };
}

function readRanges(value: unknown): readonly MinuteRange[] | null {
  if (!Array.isArray(value)) return null;
  const ranges = value.map((range: unknown) => (isRecord(range) && typeof range['startMinute'] === 'number' && typeof range['endMinute'] === 'number' ? { startMinute: range['startMinute'], endMinute: range['endMinute'] } : null));
  return ranges.some((range) => range === null) ? null : tidyRanges(ranges.filter((range) => range !== null));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
