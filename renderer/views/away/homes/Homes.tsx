/** The homes this computer may look into: opens one, names it, forgets it, and adds another. */
import { Eye, House, Plus, Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { RemoteHome } from '../../../../shared/model/remote.ts';
import { asError, useOwnEngine, useQuery, useEngineEvent } from '../../../api/engine-context.tsx';
import { Button, IconButton } from '../../../components/Button.tsx';
import { ErrorLine } from '../../../components/Field.tsx';
import { formatShortDay } from '../../../components/format.ts';
import { useToast } from '../../../components/Toasts.tsx';
import { goTo, hrefOf } from '../../../state/route.ts';
import { AddHome } from './AddHome.tsx';
import { EvenRate } from './EvenRate.tsx';
import './homes.css';

export function Homes(): ReactNode {
  const homes = useQuery('homes.list', {});
  useEngineEvent('homes.changed', homes.refresh);
  const [adding, setAdding] = useState(false);
  if (homes.data === null) return homes.error === null ? null : <ErrorLine>{homes.error.message}</ErrorLine>;
  const hasNone = homes.data.length === 0;
  return (
    <section className="card homes" aria-label="Other homes">
      <h2>Look into another home</h2>
      <p className="muted">{hasNone ? 'A home with Porchlight can let this computer look in: your own while you are away, your parents’ while they are.' : 'What this computer may see there is for the people there to decide.'}</p>
      {hasNone ? null : (
        <ul className="home-list">
          {homes.data.map((home) => (
            <HomeRow key={home.id} home={home} />
          ))}
        </ul>
      )}
      {adding ? (
        <AddHome
          onCancel={() => setAdding(false)}
          onAdded={(home) => {
            setAdding(false);
            goTo({ homeId: home.id, view: 'watch' });
          }}
        />
      ) : (
        <div>
          <Button tone={hasNone ? 'primary' : 'plain'} onClick={() => setAdding(true)}>
            <Plus size={17} aria-hidden="true" />
            Add a home
          </Button>
        </div>
      )}
    </section>
  );
}

function HomeRow({ home }: { readonly home: RemoteHome }): ReactNode {
  const engine = useOwnEngine();
  const toast = useToast();
  const [draft, setDraft] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const fail = (error: unknown): void => setProblem(asError(error).message);
  const finish = (): void => {
    const name = draft?.trim() ?? '';
    setDraft(null);
    if (name !== '' && name !== home.name) engine.ask('homes.rename', { homeId: home.id, name }).catch(fail);
  };
  const remove = async (): Promise<void> => {
    // Asked for before they are gone: undo puts them back as they were.
    const { bytes } = await engine.ask('homes.keys', { homeId: home.id });
    await engine.ask('homes.remove', { homeId: home.id });
    const putBack = async (): Promise<void> => {
      await engine.ask('homes.add', { name: home.name, relays: [...home.relays], bytes });
      if (home.evenMbit !== undefined) await engine.ask('homes.setEvenRate', { homeId: home.id, mbit: home.evenMbit });
    };
    const undo = (): void => void putBack().catch((error: unknown) => toast(asError(error).message));
    toast(`This computer has forgotten ${home.name}. The people there still see it on their list.`, undo);
  };
  return (
    <li>
      <House size={20} strokeWidth={1.75} aria-hidden="true" />
      <div className="home-words">
        <input
          className="name-input"
          aria-label="Name of the home"
          maxLength={60}
          value={draft ?? home.name}
          onFocus={(event) => setDraft(event.target.value)}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={finish}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur();
            if (event.key === 'Escape') setDraft(null);
          }}
        />
        <p className="muted">Since {formatShortDay(home.pairedMs)}</p>
        {problem === null ? null : <ErrorLine>{problem}</ErrorLine>}
      </div>
      <a className="button primary" href={hrefOf({ homeId: home.id, view: 'watch' })}>
        <Eye size={17} aria-hidden="true" />
        Look in
      </a>
      <IconButton label={`Forget ${home.name}`} tone="danger" onClick={() => void remove().catch(fail)}>
        <Trash2 size={17} />
      </IconButton>
      <EvenRate home={home} onFail={setProblem} />
    </li>
  );
}
