/** What may leave the home for a device, per question and event: the gate's own table, apart from the Access that answers by it (docs/design/relay.md, R1 and R2). */
import type { EventName, OperationName } from '../../../shared/contract/engine-api.ts';
import { decodeColumns } from '../../../shared/contract/timeline-columns.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Grants, Right } from '../../../shared/model/remote.ts';
import type { EpochMs } from '../../../shared/time.ts';

/** What an answer or event needs to leave. */
export interface LeaveRule {
  /** One of these for every camera it names; none named here: any right at all. */
  readonly anyOf: readonly Right[];
  /** It shows pictures of the one camera that was asked for. */
  readonly shows?: 'previews';
  /** Why it stays at home whatever the rights are; null where nothing is wrong with it. */
  readonly refuse?: (value: unknown, bytes: Uint8Array | null) => string | null;
}

/** Whoever may see what was recorded, moving or still, may know when. */
const OF_RECORDINGS: LeaveRule = { anyOf: ['playback', 'previews'] };
const OF_PICTURES: LeaveRule = { anyOf: ['previews'], shows: 'previews' };

/** Answers to these questions may leave; to any other, they do not. */
export const ANSWER_RULES: Partial<Record<OperationName, LeaveRule>> = {
  'app.info': { anyOf: [], refuse: ownersPaths },
  'cameras.list': { anyOf: [], refuse: ownersNetwork },
  'timeline.get': OF_RECORDINGS,
  'timeline.drawn': { ...OF_RECORDINGS, refuse: columnsNotNamed },
  'events.list': OF_RECORDINGS,
  'coverage.days': { anyOf: ['playback'] },
  'previews.at': OF_PICTURES,
  'previews.sheet': OF_PICTURES,
  // In place of the live picture while that does not come.
  'previews.latest': { ...OF_PICTURES, anyOf: ['previews', 'live'] },
  'settings.get': { anyOf: [], refuse: ownersPaths },
  'remote.reach': { anyOf: [], refuse: notOnlyRelays },
};

/** Events that may leave. */
export const EVENT_RULES: Partial<Record<EventName, LeaveRule>> = {
  'app.changed': { anyOf: [], refuse: ownersPaths },
  'cameras.changed': { anyOf: [], refuse: ownersNetwork },
  'camera.status': { anyOf: [] },
  'timeline.changed': OF_RECORDINGS,
  'settings.changed': { anyOf: [], refuse: ownersPaths },
  'reach.changed': { anyOf: [], refuse: notOnlyRelays },
};

/** Own keys only: a name like `constructor` has no rule. */
export function ruleOf<Name extends string>(rules: Partial<Record<Name, LeaveRule>>, name: string): LeaveRule | null {
  return Object.hasOwn(rules, name) ? (rules[name as Name] ?? null) : null;
}

/** Where the home keeps its files and what its network is called is nobody else's business. */
function ownersPaths(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'it is not what was asked for';
  if ('dataDir' in value && value.dataDir !== '') return 'it names a folder of the home';
  if ('ffmpeg' in value && value.ffmpeg !== null) return 'it names a program of the home';
  if ('ffmpegPath' in value && value.ffmpegPath !== null) return 'it names a program of the home';
  if ('searchInterfaces' in value && !(Array.isArray(value.searchInterfaces) && value.searchInterfaces.length === 0)) return 'it names networks of the home';
  return null;
}

/** Addresses of relays, and nothing beside them. */
function notOnlyRelays(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('relays' in value) || !Array.isArray(value.relays) || Object.keys(value).length !== 1) return 'it is not what was asked for';
  return value.relays.every((url) => typeof url === 'string' && /^wss?:\/\/[^\s@?#]+$/.test(url)) ? null : 'it names something that is no relay';
}

/** Where cameras are reached, and as whom. */
const NETWORK = /rtsps?:\/\/|https?:\/\/|"(?:username|deviceUrl|identity|mac|serial)":"[^"]/i;

function ownersNetwork(value: unknown): string | null {
  return NETWORK.test(JSON.stringify(value) ?? '') ? 'it says where a camera is reached' : null;
}

/** The columns say nothing of their cameras: as many as are named, or it cannot be said whose the others are. */
function columnsNotNamed(value: unknown, bytes: Uint8Array | null): string | null {
  const named = typeof value === 'object' && value !== null && 'cameraIds' in value && Array.isArray(value.cameraIds) ? value.cameraIds.length : -1;
  try {
    return decodeColumns(bytes ?? new Uint8Array()).length === named ? null : 'it holds columns of cameras it does not name';
  } catch {
    return 'its columns cannot be read';
  }
}

const CAMERA_IDS = /cam-[a-z2-7]{12}/g;

/** Every camera a head names, wherever in it: ids are recognisable by their form. */
export function camerasIn(headText: string): ReadonlySet<CameraId> {
  return new Set([...headText.matchAll(CAMERA_IDS)].map(([id]) => id as CameraId));
}

/** Whether the grants give one of `anyOf` (any right at all where that is empty) for the camera at that moment. */
export function isGranted(grants: Grants | null, cameraId: CameraId, anyOf: readonly Right[], nowMs: EpochMs): boolean {
  if (grants === null || !isInForce(grants, nowMs)) return false;
  return grants.cameras.some((one) => one.cameraId === cameraId && (anyOf.length === 0 ? one.rights.length > 0 : anyOf.some((right) => one.rights.includes(right))));
}

/** Whether the grants have not ended. */
export function isInForce(grants: Grants, nowMs: EpochMs): boolean {
  return grants.untilMs === null || nowMs < grants.untilMs;
}
