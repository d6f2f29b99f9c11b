/** What a device may see, and what it did, in sentences. Pure. */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Grants, Right, ViewLog, ViewLogEntry } from '../../../shared/model/remote.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { formatClock, formatShortDay, localDayStart } from '../../components/format.ts';

export const RIGHT_WORDS: Readonly<Record<Right, { readonly title: string; readonly about: string; readonly short: string }>> = {
  live: { title: 'Live', about: 'What happens now.', short: 'live' },
  playback: { title: 'Recordings', about: 'What was recorded, as far back as it goes.', short: 'recordings' },
  previews: { title: 'Previews', about: 'Small still pictures, along the timeline too.', short: 'previews' },
  sound: { title: 'Sound', about: 'Of live pictures and recordings.', short: 'sound' },
  ptz: { title: 'Turn and zoom', about: 'Counts as soon as Porchlight can move cameras.', short: 'turn and zoom' },
  export: { title: 'Save clips', about: 'Counts as soon as Porchlight can save clips.', short: 'save clips' },
};

type NameOf = (cameraId: CameraId) => string;

/** One line for each set of rights: "All 3 cameras: live, recordings, previews, sound". */
export function grantsLines({ cameras }: Grants, all: readonly CameraId[], nameOf: NameOf): readonly string[] {
  const bySet = new Map<string, CameraId[]>();
  for (const { cameraId, rights } of cameras) {
    const words = rights.map((right) => RIGHT_WORDS[right].short).join(', ');
    if (words !== '') bySet.set(words, [...(bySet.get(words) ?? []), cameraId]);
  }
  if (bySet.size === 0) return ['No camera'];
  return [...bySet].map(([words, ids]) => `${camerasWords(ids, all, nameOf)}: ${words}`);
}

function camerasWords(ids: readonly CameraId[], all: readonly CameraId[], nameOf: NameOf): string {
  const isAll = all.length > 1 && ids.length === all.length && all.every((id) => ids.includes(id));
  return isAll ? `All ${all.length} cameras` : listWords(ids.map(nameOf));
}

/** "A, B and C". */
export function listWords(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** "Until the end of Thu, 3 December", "Ended …", or null without an end. */
export function untilWords({ untilMs }: Grants, nowMs: EpochMs): string | null {
  if (untilMs === null) return null;
  // An end at midnight is the end of the day before.
  const isMidnight = localDayStart(untilMs) === untilMs;
  const when = isMidnight ? `the end of ${formatShortDay(untilMs - 1)}` : `${formatShortDay(untilMs)}, ${formatClock(untilMs)}`;
  return untilMs <= nowMs ? `Ended with ${when}; it may see nothing now` : `Until ${when}`;
}

/** What one entry of the log says, without the device's name before it. */
export function viewSentence({ kind, cameraIds, note }: ViewLogEntry, nameOf: NameOf): string {
  const cameras = listWords(cameraIds.map(nameOf));
  const of = cameras === '' ? '' : ` of ${cameras}`;
  switch (kind) {
    case 'session':
      return 'connected';
    case 'live':
      return cameras === '' ? 'watched live' : `watched ${cameras} live`;
    case 'playback':
      return `${note === 'another time' ? 'went on to other' : 'watched'} recordings${of}`;
    case 'previews':
      return `looked at previews${of}`;
    case 'timeline':
      return `looked at the timeline${of}`;
    case 'refused':
      return cameras === '' ? 'was refused' : `was refused: ${cameras}`;
    case 'paired':
      return 'was let in';
    case 'grants':
      return 'was given other rights';
    case 'revoked':
      return 'was revoked';
  }
}

/** A range of footage: "Sat, 21 Nov, 12:00:00 – 12:10:00". */
export function footageWords({ fromMs, toMs }: { readonly fromMs: EpochMs; readonly toMs: EpochMs | null }): string {
  if (toMs === null || toMs <= fromMs) return `${formatShortDay(fromMs)}, ${formatClock(fromMs)}`;
  const sameDay = localDayStart(fromMs) === localDayStart(toMs);
  return `${formatShortDay(fromMs)}, ${formatClock(fromMs)} – ${sameDay ? '' : `${formatShortDay(toMs)}, `}${formatClock(toMs)}`;
}

const count = new Intl.NumberFormat();

/** Whether the log is whole, for a person. */
export function chainSentence({ intact, brokenAtSeq, length }: ViewLog['chain']): string {
  if (length === 0 && intact) return 'Nobody has looked in yet. The log begins with the first device.';
  const entries = length === 1 ? '1 entry' : `${count.format(length)} entries`;
  if (intact) return `The log is whole: ${entries}, each holding the seal of the one before it.`;
  return `The log is not whole: ${brokenAtSeq === null ? 'an entry' : `entry ${count.format(brokenAtSeq)}`} does not fit the one before it. Something was changed or taken out on this computer’s disk.`;
}
