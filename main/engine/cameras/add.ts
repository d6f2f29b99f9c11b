/** From what a device said of itself to the cameras it becomes: one, or one for each of its video sources. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import type { ProbedCamera } from '../../../shared/model/discovery.ts';
import type { ProbeOutcome } from './prober.ts';
import type { CameraRegistry } from './registry.ts';

/**
 * Adds every video source of the device, or those of `sourceTokens`; ones that are on the list already are left as they are.
 * `name` is the owner's for the device: with several sources each gets its label behind it. Returns the first that was added.
 * @throws PorchlightError conflict when all of them are on the list, not-found when the device has none of `sourceTokens`.
 */
export async function addProbed(registry: Pick<CameraRegistry, 'add'>, { probed, login }: ProbeOutcome, name: string | null, sourceTokens?: readonly string[]): Promise<Camera> {
  const wanted = camerasOf(probed).filter(({ camera }) => sourceTokens === undefined || sourceTokens.includes(camera.sourceToken ?? ''));
  let first: Camera | null = null;
  let conflict: unknown = null;
  for (const { camera, label } of wanted) {
    try {
      const added = await registry.add(camera, login, name === null || wanted.length === 1 ? name : `${name} ${label}`.trim());
      first ??= added;
    } catch (error) {
      if (!(error instanceof PorchlightError) || error.kind !== 'conflict') throw error;
      conflict ??= error;
    }
  }
  if (first !== null) return first;
  throw conflict ?? new PorchlightError('not-found', 'The device has no such video source.');
}

/** One probed camera per video source. Pure. */
function camerasOf(probed: ProbedCamera): { readonly camera: ProbedCamera; readonly label: string }[] {
  const { sources, ...rest } = probed;
  if (sources === undefined) return [{ camera: rest, label: '' }];
  return sources.map(({ token, label, suggestedName, streams }) => ({ camera: { ...rest, sourceToken: token, suggestedName, streams }, label }));
}
