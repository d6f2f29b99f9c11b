/** Watching from away: off until wanted; then who may look in, who does, who did, and the proof of what a relay can see. */
import { Eye, House, Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RemoteState } from '../../../shared/model/remote.ts';
import { ErrorLine } from '../../components/Field.tsx';
import { watchedWords } from '../../components/watched-words.ts';
import { useRemote } from '../../state/remote.ts';
import { Devices } from './Devices.tsx';
import { Doors } from './Doors.tsx';
import { Homes } from './homes/Homes.tsx';
import { Prove } from './Prove.tsx';
import { Relays } from './Relays.tsx';
import { ViewLog } from './ViewLog.tsx';
import { WhatEachCanSee, Ways } from './Ways.tsx';
import './away.css';
import './sees.css';

export function Away(): ReactNode {
  const remote = useRemote();
  const state = remote.data;
  if (state === null) return remote.error === null ? null : <div className="page away"><ErrorLine>{remote.error.message}</ErrorLine></div>;
  const isSetUp = state.relays.length > 0 || state.devices.length > 0;
  return (
    <div className="page away">
      <Head state={state} />
      {isSetUp ? (
        <>
          <Devices remote={remote} state={state} />
          <Relays remote={state} onChanged={remote.set} />
          <ViewLog state={state} />
          <Prove />
          <Doors />
          <Homes />
          <details className="card other-ways">
            <summary>
              <h2>The three ways, and what each can see</h2>
            </summary>
            <Ways remote={state} onChanged={remote.set} />
            <WhatEachCanSee />
          </details>
        </>
      ) : (
        <>
          <Ways remote={state} onChanged={remote.set} />
          <WhatEachCanSee />
          <Doors />
          <Homes />
          <ViewLog state={state} onlyWhenUsed />
        </>
      )}
    </div>
  );
}

function Head({ state }: { readonly state: RemoteState }): ReactNode {
  const { icon: Icon, title, about } = headOf(state);
  return (
    <div className="away-head" data-watched={state.watching.length > 0}>
      <Icon size={40} strokeWidth={1.4} aria-hidden="true" />
      <div>
        <h1>{title}</h1>
        <p className="muted">{about}</p>
      </div>
    </div>
  );
}

function headOf({ enabled, relays, devices, watching }: RemoteState): { readonly icon: typeof House; readonly title: string; readonly about: string } {
  if (watching.length > 0) return { icon: Eye, title: watchedWords(watching), about: 'It sees what you allowed it, sealed from this computer to it. Below you can change that, or revoke it at once.' };
  if (!enabled || relays.length === 0) {
    return { icon: House, title: 'Your footage stays at home', about: 'Watching from away is off: no cloud, no account, no relay is called. Nobody looks in from away.' };
  }
  if (devices.length === 0) return { icon: Lock, title: 'Nobody may look in yet', about: 'The line to the relay is there. Add the first device: it takes half a minute.' };
  return { icon: Lock, title: 'Nobody is watching from away', about: 'Only the devices below can, and only what you allow them. What goes over the relay is sealed; it can open none of it.' };
}
