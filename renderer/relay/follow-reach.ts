/** Keeps this computer's list of another home's relays as that home tells it: asked after each connection and when it changes (docs/design/relay.md, "A list that changes"). */
import { isRelayAddress } from '../../shared/contract/page-policy.ts';
import { sameRelays } from '../../shared/relay/rendezvous.ts';
import type { EngineClient } from '../api/engine-client.ts';

/** Told, kept, said to be kept; once more where it changed meanwhile. */
const MOST_TURNS = 3;

export interface FollowReachParts {
  readonly homeId: string;
  /** The other home, over its relay. */
  readonly guest: Pick<EngineClient, 'ask' | 'on' | 'onState' | 'state'>;
  /** This computer's engine, which keeps the list. */
  readonly own: Pick<EngineClient, 'ask'>;
}

/** Returns how to stop. What fails is tried with the next connection: the home waits for this computer where it was found last. */
export function followReach({ homeId, guest, own }: FollowReachParts): () => void {
  let isOver = false;
  let learning: Promise<void> | null = null;
  let isAskedAgain = false;
  const learn = async (): Promise<void> => {
    for (let turn = 0; turn < MOST_TURNS && !isOver; turn += 1) {
      const known = (await own.ask('homes.list', {})).find(({ id }) => id === homeId)?.relays;
      if (known === undefined) return;
      const { relays } = await guest.ask('remote.reach', { known: [...known] });
      const usable = relays.filter(isRelayAddress);
      if (usable.length === 0 || sameRelays(usable, known)) return;
      await own.ask('homes.setRelays', { homeId, relays: usable });
    }
  };
  const start = (): void => {
    isAskedAgain = true;
    learning ??= (async () => {
      while (isAskedAgain && !isOver) {
        isAskedAgain = false;
        await learn().catch(() => undefined);
      }
      learning = null;
    })();
  };
  const stops = [
    guest.onState(({ phase }) => {
      if (phase === 'connected') start();
    }),
    guest.on('reach.changed', start),
  ];
  if (guest.state.phase === 'connected') start();
  return () => {
    isOver = true;
    for (const stop of stops) stop();
  };
}
