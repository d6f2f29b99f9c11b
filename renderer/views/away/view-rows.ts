/** The log of views as it is read: a view's first line and its last one together. Pure. */
import type { CameraId } from '../../../shared/model/ids.ts';
import { RIGHTS, type ViewKind, type ViewLogEntry, type Watching } from '../../../shared/model/remote.ts';
import { type DurationMs, type EpochMs, SECOND_MS } from '../../../shared/time.ts';
import { RIGHT_WORDS } from './device-words.ts';

/** One thing that a device did. */
export interface ViewRow {
  /** Its first line. */
  readonly entry: ViewLogEntry;
  /** The line that says how it ended; null where it goes on, or the end was never written. */
  readonly closing: ViewLogEntry | null;
}

/** Written when a picture is over, a minute of questions is over, or a session. */
const SUMMARY = /^(?:ended|\d+ questions in a minute)$/;
/** The clock of this window and that of the home may differ by so much, and a session is noted a little after it began. */
const SLACK_MS: DurationMs = 10 * SECOND_MS;

/** Newest first, as `entries` are. A last line whose first one is not among them stands for itself. */
export function viewRows(entries: readonly ViewLogEntry[]): readonly ViewRow[] {
  const rows: { readonly entry: ViewLogEntry; closing: ViewLogEntry | null }[] = [];
  const open = new Map<string, typeof rows>();
  for (const entry of entries.toReversed()) {
    const key = `${entry.deviceId} ${entry.kind} ${entry.cameraIds.toSorted().join()}`;
    const waiting = open.get(key) ?? [];
    const first = closes(entry) ? (waiting.find((row) => row.entry.fromMs === entry.fromMs) ?? (entry.kind === 'session' ? undefined : waiting.at(-1))) : undefined;
    if (first === undefined) {
      const row = { entry, closing: null };
      rows.push(row);
      open.set(key, [...waiting, row]);
    } else {
      first.closing = entry;
      open.set(key, waiting.filter((row) => row !== first));
    }
  }
  return rows.toReversed();
}

function closes({ kind, note, toMs }: ViewLogEntry): boolean {
  return kind === 'session' ? toMs !== null : note !== null && SUMMARY.test(note);
}

/** The footage that was seen in all; null where it is of no other time than its own. */
export function footageOf({ entry, closing }: ViewRow): { readonly fromMs: EpochMs; readonly toMs: EpochMs | null } | null {
  if (entry.kind === 'live' || entry.kind === 'session' || entry.fromMs === null) return null;
  return { fromMs: Math.min(entry.fromMs, closing?.fromMs ?? entry.fromMs), toMs: closing?.toMs ?? entry.toMs };
}

export const bytesOf = ({ entry, closing }: ViewRow): number => closing?.bytes ?? entry.bytes;

/** How long a live picture or a session lasted; null where it is not known, and for what lasts no time. */
export function lengthOf({ entry, closing }: ViewRow): DurationMs | null {
  return closing !== null && (entry.kind === 'live' || entry.kind === 'session') ? closing.atMs - entry.atMs : null;
}

/** Whether it goes on: its device is here, and has that camera open. */
export function isGoingOn({ entry, closing }: ViewRow, watching: readonly Watching[]): boolean {
  if (closing !== null || entry.toMs !== null || !(entry.kind === 'live' || entry.kind === 'playback' || entry.kind === 'session')) return false;
  return watching.some(({ deviceId, sinceMs, cameraIds }) => deviceId === entry.deviceId && entry.atMs >= sinceMs - SLACK_MS && entry.cameraIds.every((id) => cameraIds.includes(id)));
}

/** What the home noted and a person would want to know; null for what stands there already in other words. */
export function noteOf({ entry: { kind, note } }: ViewRow): string | null {
  if (note === null || SUMMARY.test(note) || kind === 'session' || kind === 'grants' || kind === 'paired') return null;
  if (note === 'another time') return null;
  const [, right] = /^(\w+) without the right$/.exec(note) ?? [];
  const known = RIGHTS.find((each) => each === right);
  return known === undefined ? note : `${RIGHT_WORDS[known].title} is not among its rights.`;
}

/** Views of one kind that began together, as when a grid of cameras opens. */
export interface ViewGroup {
  /** Oldest first; never empty. */
  readonly rows: readonly [ViewRow, ...ViewRow[]];
  readonly cameraIds: readonly CameraId[];
}

const TOGETHER_MS: DurationMs = 10 * SECOND_MS;
const GROUPED: ReadonlySet<ViewKind> = new Set(['live', 'playback', 'previews', 'timeline', 'refused']);

/** Newest first, as `rows` are: views of a device that began within ten seconds stand together, each camera once. */
export function viewGroups(rows: readonly ViewRow[]): readonly ViewGroup[] {
  const groups: { rows: [ViewRow, ...ViewRow[]]; cameraIds: CameraId[] }[] = [];
  const latest = new Map<string, (typeof groups)[number]>();
  for (const row of rows.toReversed()) {
    const { entry } = row;
    const key = `${entry.deviceId} ${entry.kind} ${noteOf(row) ?? ''}`;
    const group = latest.get(key);
    if (group !== undefined && GROUPED.has(entry.kind) && belongs(row, group.rows[0]) && !entry.cameraIds.some((id) => group.cameraIds.includes(id))) {
      group.rows.push(row);
      group.cameraIds.push(...entry.cameraIds);
    } else {
      const begun: (typeof groups)[number] = { rows: [row], cameraIds: [...entry.cameraIds] };
      groups.push(begun);
      latest.set(key, begun);
    }
  }
  return groups.toReversed();
}

/** Of about the same time, and of about the same footage. */
function belongs(row: ViewRow, first: ViewRow): boolean {
  const [footage, other] = [footageOf(row), footageOf(first)];
  const isNear = footage === null || other === null ? footage === other : Math.abs(footage.fromMs - other.fromMs) <= TOGETHER_MS;
  return isNear && row.entry.atMs - first.entry.atMs <= TOGETHER_MS;
}
