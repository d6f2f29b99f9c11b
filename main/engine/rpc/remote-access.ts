/** What a device that looks in from away may ask, hear and watch: one table from rights to words of the contract. Not in it means refused (docs/design/relay.md, R2). */
import type { EventName, OperationName } from '../../../shared/contract/engine-api.ts';
import type { MediaName } from '../../../shared/contract/media.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Grants, Right } from '../../../shared/model/remote.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { type Access, isNarrowed } from './access.ts';

/** One of these for every camera it is about. `any`: whatever right there is, for whatever camera. */
type Needed = readonly Right[] | 'any';

/** Whoever may see what was recorded, moving or still, may know when it was. */
const TIMES: Needed = ['playback', 'previews'];

/**
 * Questions. Not here, with a reason: `cameras.elsewhere`, `locks.list` (the owner's housekeeping), `footage.locate` (it names files),
 * `storage.*`, `check.*`, `discovery.*`, the rest of `remote.*`, `homes.*`, `doors.*`, and every command: nothing is run from away.
 */
export const OPERATION_RIGHTS: { readonly [Name in OperationName]?: Needed } = {
  'app.info': 'any',
  'settings.get': 'any',
  'cameras.list': 'any',
  'remote.reach': 'any',
  'timeline.get': TIMES,
  'timeline.drawn': TIMES,
  'events.list': TIMES,
  'coverage.days': ['playback'],
  'previews.at': ['previews'],
  'previews.sheet': ['previews'],
  'previews.latest': ['previews', 'live'],
};

export const EVENT_RIGHTS: { readonly [Name in EventName]?: Needed } = {
  'app.changed': 'any',
  'settings.changed': 'any',
  'cameras.changed': 'any',
  'reach.changed': 'any',
  'camera.status': 'any',
  'timeline.changed': TIMES,
};

export const MEDIA_RIGHTS: { readonly [Name in MediaName]: Needed } = { live: ['live'], playback: ['playback'] };

/** Looks at the grants anew each time it is asked: a change, an end date and a revocation take effect at once. `grants` is null once the device is revoked. */
export function accessOf(grants: () => Grants | null, nowMs: () => EpochMs): Access {
  const rightsOf = (cameraId: CameraId): readonly Right[] => {
    const now = grants();
    if (now === null || (now.untilMs !== null && nowMs() >= now.untilMs)) return [];
    return now.cameras.find((one) => one.cameraId === cameraId)?.rights ?? [];
  };
  const hasAny = (): boolean => (grants()?.cameras ?? []).some(({ cameraId }) => rightsOf(cameraId).length > 0);
  const has = (needed: Needed | undefined, cameraId: CameraId | null): boolean => {
    if (needed === undefined) return false;
    if (cameraId === null) return hasAny();
    const rights = rightsOf(cameraId);
    return needed === 'any' ? rights.length > 0 : needed.some((right) => rights.includes(right));
  };
  return {
    mayCall: (name, cameraId) => isNarrowed(name) && has(neededFor(OPERATION_RIGHTS, name), cameraId),
    maySee: (cameraId) => rightsOf(cameraId).length > 0,
    mayWatch: (name, cameraId) => has(neededFor(MEDIA_RIGHTS, name), cameraId),
    mayHear: (name, cameraId) => has(neededFor(EVENT_RIGHTS, name), cameraId),
    rightsOf,
  };
}

/** Own names only: `constructor` and `__proto__` are in no table. */
function neededFor(table: Readonly<Record<string, Needed>>, name: string): Needed | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
