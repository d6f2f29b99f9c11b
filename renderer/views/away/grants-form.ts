/** What a device may see, as it stands in the form, and as it is kept. Pure. */
import type { CameraId } from '../../../shared/model/ids.ts';
import { type Grants, type Right, RIGHTS } from '../../../shared/model/remote.ts';
import type { EpochMs } from '../../../shared/time.ts';

export interface GrantsDraft {
  /** The rights of each camera that is chosen. */
  readonly byCamera: Readonly<Record<string, readonly Right[]>>;
  /** What a camera gets that is chosen next. */
  readonly usual: readonly Right[];
  /** The last day, as a date field has it ("2026-12-03"); empty: no end. */
  readonly lastDay: string;
}

export const USUAL_RIGHTS: readonly Right[] = ['live', 'playback', 'previews', 'sound'];

/** What a new device is offered: to see and hear all cameras, and no more. */
export function usualDraft(cameraIds: readonly CameraId[]): GrantsDraft {
  return { byCamera: Object.fromEntries(cameraIds.map((id) => [id, USUAL_RIGHTS])), usual: USUAL_RIGHTS, lastDay: '' };
}

export function draftOf({ cameras, untilMs }: Grants): GrantsDraft {
  const chosen = cameras.filter(({ rights }) => rights.length > 0);
  return {
    byCamera: Object.fromEntries(chosen.map(({ cameraId, rights }) => [cameraId, inOrder(rights)])),
    usual: chosen[0] === undefined ? USUAL_RIGHTS : inOrder(chosen[0].rights),
    lastDay: untilMs === null ? '' : dayText(untilMs - 1),
  };
}

/** Takes a camera in or out. */
export function toggleCamera(draft: GrantsDraft, cameraId: CameraId): GrantsDraft {
  const { [cameraId]: had, ...others } = draft.byCamera;
  return { ...draft, byCamera: had === undefined ? { ...others, [cameraId]: draft.usual } : others };
}

/** Whether a right holds for all chosen cameras, some, or none. */
export function extentOf(draft: GrantsDraft, right: Right): 'all' | 'some' | 'none' {
  const all = Object.values(draft.byCamera);
  const having = all.filter((rights) => rights.includes(right)).length;
  if (all.length === 0) return draft.usual.includes(right) ? 'all' : 'none';
  return having === 0 ? 'none' : having === all.length ? 'all' : 'some';
}

/** Gives a right to all chosen cameras; takes it from all where all have it. */
export function toggleRight(draft: GrantsDraft, right: Right): GrantsDraft {
  const on = extentOf(draft, right) !== 'all';
  return { ...draft, usual: withRight(draft.usual, right, on), byCamera: Object.fromEntries(Object.entries(draft.byCamera).map(([id, rights]) => [id, withRight(rights, right, on)])) };
}

/** The same for one camera. */
export function toggleRightOf(draft: GrantsDraft, cameraId: CameraId, right: Right): GrantsDraft {
  const rights = draft.byCamera[cameraId] ?? [];
  return { ...draft, byCamera: { ...draft.byCamera, [cameraId]: withRight(rights, right, !rights.includes(right)) } };
}

/** Why it cannot be kept as it stands, for a person; null where it can. */
export function problemOf(draft: GrantsDraft, nowMs: EpochMs): string | null {
  if (Object.values(draft.byCamera).every((rights) => rights.length === 0)) return 'Choose at least one camera, and what the device may do with it.';
  const untilMs = untilOf(draft);
  return untilMs !== null && untilMs <= nowMs ? 'The last day is over already.' : null;
}

/** As it is kept. A camera without any right is none; a day counts to its end. */
export function grantsOf(draft: GrantsDraft): { cameras: { cameraId: CameraId; rights: Right[] }[]; untilMs: EpochMs | null } {
  const cameras = Object.entries(draft.byCamera).flatMap(([id, rights]) => (rights.length === 0 ? [] : [{ cameraId: id as CameraId, rights: [...rights] }]));
  return { cameras, untilMs: untilOf(draft) };
}

/** A local day as a date field writes it. */
export function dayText(atMs: EpochMs): string {
  const date = new Date(atMs);
  return [String(date.getFullYear()).padStart(4, '0'), String(date.getMonth() + 1).padStart(2, '0'), String(date.getDate()).padStart(2, '0')].join('-');
}

/** The end of the last day in local time; null without one. */
function untilOf({ lastDay }: GrantsDraft): EpochMs | null {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(lastDay) ?? [];
  return year === undefined ? null : new Date(Number(year), Number(month) - 1, Number(day) + 1).getTime();
}

function withRight(rights: readonly Right[], right: Right, on: boolean): readonly Right[] {
  return RIGHTS.filter((each) => (each === right ? on : rights.includes(each)));
}

const inOrder = (rights: readonly Right[]): readonly Right[] => RIGHTS.filter((each) => rights.includes(each));
