/** Three ways to look in from away, in plain words, and one table of what each of them can see. */
import { KeyRound, Server, Users, type LucideIcon } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useCommand } from '../../api/engine-context.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { AddRelay, type RemoteProps } from './Relays.tsx';
import { CopyButton } from './CopyButton.tsx';
import { RELAY_COMMAND } from './relay-command.ts';

type Way = 'tunnel' | 'own' | 'chosen';

const WAYS: readonly { readonly way: Way; readonly icon: LucideIcon; readonly title: string; readonly hint: string }[] = [
  { way: 'tunnel', icon: KeyRound, title: 'Your own tunnel', hint: 'You use Tailscale or WireGuard already. Porchlight works through it as it is.' },
  { way: 'own', icon: Server, title: 'Your own relay', hint: 'You have a small server that the internet can reach. One command starts the relay on it.' },
  { way: 'chosen', icon: Users, title: 'A relay run by someone you choose', hint: 'A friend, a club or a company gives you an address. They carry your pictures and can open none.' },
];

export function Ways({ remote, onChanged }: RemoteProps): ReactNode {
  const [way, setWay] = useState<Way | null>(null);
  return (
    <section className="card ways" aria-label="Three ways to look in">
      <h2>Three ways to look in</h2>
      <p className="muted">All of them leave your footage on this computer. Nothing is switched on before you choose.</p>
      <fieldset>
        <legend className="visually-hidden">Ways to look in</legend>
        {WAYS.map(({ way: each, icon: Icon, title, hint }) => (
          <label key={each}>
            <input type="radio" name="way" checked={way === each} onChange={() => setWay(each)} />
            <Icon size={22} strokeWidth={1.6} aria-hidden="true" />
            <strong>{title}</strong>
            <span className="muted">{hint}</span>
          </label>
        ))}
      </fieldset>
      <div aria-live="polite">
        {way === 'tunnel' ? <Tunnel /> : null}
        {way === 'own' ? <OwnRelay remote={remote} onChanged={onChanged} /> : null}
        {way === 'chosen' ? <ChosenRelay remote={remote} onChanged={onChanged} /> : null}
      </div>
    </section>
  );
}

function Tunnel(): ReactNode {
  return (
    <div className="way-steps">
      <ol>
        <li>Open this home to your other devices under “Other devices in the house”, further down on this page.</li>
        <li>Connect your phone or laptop to your tunnel, and this computer too.</li>
        <li>Open the address shown there, compare the fingerprint once, and type the password.</li>
      </ol>
      <p className="muted">No relay is needed, and none is called.</p>
    </div>
  );
}

function OwnRelay(props: RemoteProps): ReactNode {
  return (
    <div className="way-steps">
      <ol>
        <li>
          On the server, in Porchlight’s folder, start the relay with the server’s certificate:
          <div className="command">
            <code>{RELAY_COMMAND}</code>
            <CopyButton text={RELAY_COMMAND} />
          </div>
          <p className="muted small">It writes nothing to disk and holds no key that opens anything. docs/guide/relay.md has the container, limits and duties.</p>
        </li>
        <li>
          Type the server’s name here:
          <Connect {...props} />
        </li>
      </ol>
    </div>
  );
}

function ChosenRelay(props: RemoteProps): ReactNode {
  return (
    <div className="way-steps">
      <p>Ask who runs it for its address. You need no account, and give no name.</p>
      <Connect {...props} />
    </div>
  );
}

function Connect({ remote, onChanged }: RemoteProps): ReactNode {
  const save = useCommand('remote.setRelays');
  const add = async (url: string): Promise<boolean> => {
    const state = await save.run({ enabled: true, relays: [...new Set([...remote.relays.map((relay) => relay.url), url])] });
    if (state !== null) onChanged(state);
    return state !== null;
  };
  return (
    <>
      <AddRelay busy={save.busy} onAdd={add} />
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
    </>
  );
}

/** What, then: the tunnel's maker, whoever runs your server, whoever runs the relay. */
const TABLE: readonly (readonly [what: string, tunnel: string, own: string, chosen: string])[] = [
  ['Your pictures, sound and recordings', 'Nobody', 'Nobody', 'Nobody'],
  ['The names of cameras, devices and your home', 'Nobody', 'Nobody', 'Nobody'],
  ['That somebody looks in, when, how long and how much', 'Tailscale: that your devices talk. WireGuard: nobody but your internet providers', 'You, and whoever rents you the server', 'Who runs the relay'],
  ['From the amounts, while somebody watches: whether much is moving', 'Whoever carries the tunnel’s packets', 'You, and whoever rents you the server', 'Who runs the relay'],
  ['The internet addresses of your home and of the device', 'As above', 'You, and whoever rents you the server', 'Who runs the relay'],
  ['That something happens at home while nobody looks in', 'Nobody', 'Nobody: nothing is sent then', 'Nobody: nothing is sent then'],
];

const ALSO: readonly (readonly [what: string, tunnel: string, own: string, chosen: string])[] = [
  ['Can it show you a stranger’s home, or strangers yours?', 'No: there are no others', 'No: a mix-up yields bytes that do not open, and a blank picture', 'No: a mix-up yields bytes that do not open, and a blank picture'],
  ['Can it cut the line?', 'Yes', 'Yes', 'Yes'],
  ['What it asks of you', 'The tunnel’s app on each device', 'A server, its certificate and updates', 'To choose somebody who keeps it running'],
];

export function WhatEachCanSee(): ReactNode {
  const rows = (lines: typeof TABLE): ReactNode =>
    lines.map(([what, ...cells]) => (
      <tr key={what}>
        <th scope="row">{what}</th>
        {cells.map((cell, at) => (
          <td key={WAYS[at]?.way} data-way={WAYS[at]?.title} data-no={cell.startsWith('No')}>
            {cell}
          </td>
        ))}
      </tr>
    ));
  return (
    <section className="card" aria-label="What each of them can see">
      <h2>What each of them can see</h2>
      <table className="sees">
        <thead>
          <tr>
            <th scope="col">Who can see …</th>
            {WAYS.map(({ way, title }) => (
              <th key={way} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows(TABLE)}</tbody>
        <tbody>{rows(ALSO)}</tbody>
      </table>
      <p className="muted small">Your internet providers see in every case that there is a sealed connection, and to whom. What else is left over: a device that you let in sees what you allow it; whoever takes over this computer, or the device, sees what it sees; and an update of this program could be a bad one.</p>
    </section>
  );
}
