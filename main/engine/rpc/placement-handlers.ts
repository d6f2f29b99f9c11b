/** How footage is placed on several disks. */
import type { EngineHandlers } from '../../../shared/contract/engine-api.ts';
import type { Placement, PlacementState } from '../../../shared/model/placement.ts';
import type { RootId } from '../../../shared/model/ids.ts';

export interface PlacementParts {
  readonly placement: {
    state(): Promise<PlacementState>;
    choose(placement: Placement, order: readonly RootId[] | null): Promise<void>;
  };
  /** Recording follows. */
  readonly apply: () => Promise<void>;
  readonly storageChanged: () => void;
}

export function placementHandlers({ placement, apply, storageChanged }: PlacementParts): Pick<EngineHandlers, 'storage.placement' | 'storage.setPlacement'> {
  return {
    'storage.placement': () => placement.state(),
    'storage.setPlacement': async ({ mode, moveAfterDays, order }) => {
      await placement.choose({ mode, moveAfterDays }, order ?? null);
      await apply();
      storageChanged();
      return await placement.state();
    },
  };
}
