/** The way in for other devices in the house. The owner's words only. */
import type { EngineHandlers } from '../../../shared/contract/engine-api.ts';
import type { DoorsState } from '../../../shared/model/doors.ts';

export interface DoorDesk {
  state(): DoorsState;
  /** Durable, and open or closed when it resolves. Rejects with `conflict` where there is no password yet, `not-allowed` in the app, `port-in-use`. */
  setOpen(open: boolean): Promise<void>;
  /** Durable when it resolves; whoever came in with the old one is signed out. */
  setPassword(password: string): Promise<void>;
}

export interface DoorParts {
  /** They open last: what comes in through them is answered by these handlers. */
  readonly doors: Promise<DoorDesk>;
}

export function doorHandlers({ doors }: DoorParts): Pick<EngineHandlers, 'doors.state' | 'doors.setOpen' | 'doors.setPassword'> {
  return {
    'doors.state': async () => (await doors).state(),
    'doors.setOpen': async ({ open }) => {
      await (await doors).setOpen(open);
      return (await doors).state();
    },
    'doors.setPassword': async ({ password }) => {
      await (await doors).setPassword(password);
      return (await doors).state();
    },
  };
}
