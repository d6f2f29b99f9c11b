/** The check of the archive, and the set-up that is taken along. */
import type { EngineHandlers } from '../../../shared/contract/engine-api.ts';
import type { Clock } from '../core/clock.ts';
import type { SetupCarrier } from '../settings/setup-carrier.ts';
import type { Doctor } from '../storage/doctor.ts';

export interface UpkeepParts {
  readonly clock: Clock;
  readonly doctor: Doctor;
  readonly setup: SetupCarrier;
}

type UpkeepHandlers = Pick<EngineHandlers, Extract<keyof EngineHandlers, `check.${string}` | `config.${string}`>>;

export function upkeepHandlers({ clock, doctor, setup }: UpkeepParts): UpkeepHandlers {
  return {
    'check.state': () => doctor.state(),
    'check.run': () => doctor.check(),
    'check.repair': () => doctor.repair(),
    'check.cancel': () => doctor.cancel(),
    'config.export': async ({ password }) => ({ fileName: `porchlight-${new Date(clock.nowMs()).toISOString().slice(0, 10)}.setup`, bytes: await setup.save(password) }),
    'config.import': ({ password, apply, bytes }) => setup.take(bytes, password, apply),
  };
}
