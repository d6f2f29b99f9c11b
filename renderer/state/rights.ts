/** What this window may see of a camera: everything in one's own home, what was granted in another. Pure. */
import type { CameraWithStatus } from '../../shared/contract/engine-api.ts';
import type { Right } from '../../shared/model/remote.ts';

/** Whether it is not refused; one's own cameras name no rights. */
export function may({ rights }: Pick<CameraWithStatus, 'rights'>, right: Right): boolean {
  return rights === undefined || rights.includes(right);
}

/** When footage is there is known by who may see it, moving or still. */
export function mayKnowTimes(entry: Pick<CameraWithStatus, 'rights'>): boolean {
  return may(entry, 'playback') || may(entry, 'previews');
}
