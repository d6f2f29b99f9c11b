/** Looking after what is there: the check of the archive and its repairs, and the set-up that is taken along. */
import path from 'node:path';
import { PorchlightError } from '../../shared/errors.ts';
import { cameraPart } from './cameras/camera-part.ts';
import type { Base, StopStack } from './engine-base.ts';
import type { Recording } from './engine-recording.ts';
import { changedRules } from './settings/rules-store.ts';
import { placementPart } from './settings/placement-part.ts';
import { SetupCarrier } from './settings/setup-carrier.ts';
import { rulesPart, type SetupPart, settingsPart } from './settings/setup-parts.ts';
import { Doctor, LAST_CHECK_FILE } from './storage/doctor.ts';

export interface Care {
  readonly doctor: Doctor;
  readonly setup: SetupCarrier;
}

/** `further`: parts of the set-up besides cameras, settings and rules. */
export async function openCare({ init, archive, clock, configDir, hub, log, registry, rules, settings }: Base, { board, director, ingest, placement, whatIf }: Recording, further: readonly SetupPart[], stops: StopStack): Promise<Care> {
  const doctor = await Doctor.open({
    archive,
    file: path.join(init.dataDir, LAST_CHECK_FILE),
    clock,
    logger: log.scoped('check'),
    onChange: (state) => hub.tell('check.changed', state),
  });
  stops.push(() => doctor.stop());
  /** Rules that would delete so much at once that the owner is asked are the owner's to set. */
  const mayApply = async (patch: Parameters<typeof rules.change>[0]): Promise<boolean> => {
    try {
      await whatIf.requireConfirmed(changedRules(rules.get(), patch), null);
      return true;
    } catch (error) {
      if (error instanceof PorchlightError && error.kind === 'conflict') return false;
      throw error;
    }
  };
  const setup = new SetupCarrier({
    configDir,
    parts: [cameraPart(registry), settingsPart(settings), rulesPart(rules, mayApply), placementPart(placement.carrier), ...further],
    version: init.version,
    homeName: () => settings.get().homeName,
    onTaken: async () => {
      // Disks may be used in another order.
      await director.apply();
      // Whose password was wrong here has another one now.
      for (const { camera, status } of board.list()) if (status.state === 'refused') await ingest.retry(camera.id);
    },
    clock,
    log: log.scoped('setup'),
  });
  return { doctor, setup };
}
