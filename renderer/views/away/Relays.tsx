/** The switch, and the relays that are used: how each one is doing, adding one, taking one away. */
import { X } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { LeavingRelays, RelayStatus, RemoteState } from '../../../shared/model/remote.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button, IconButton } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatMoment, formatShortDay } from '../../components/format.ts';
import { SwitchSetting } from '../../components/Setting.tsx';
import { StatusDot, type Tone } from '../../components/StatusDot.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { useNow } from '../../state/use-now.ts';
import { listWords } from './device-words.ts';
import { relayAddressOf, relayName } from './relay-address.ts';

const MAX_RELAYS = 5;

export interface RemoteProps {
  readonly remote: RemoteState;
  readonly onChanged: (state: RemoteState) => void;
}

export function Relays({ remote, onChanged }: RemoteProps): ReactNode {
  const save = useCommand('remote.setRelays');
  const toast = useToast();
  const urls = remote.relays.map(({ url }) => url);
  const set = async (enabled: boolean, relays: readonly string[]): Promise<boolean> => {
    const state = await save.run({ enabled, relays: [...relays] });
    if (state !== null) onChanged(state);
    return state !== null;
  };
  const remove = async (url: string): Promise<void> => {
    const rest = urls.filter((each) => each !== url);
    if (await set(remote.enabled && rest.length > 0, rest)) toast(`${relayName(url)} is no longer used.`, () => void set(remote.enabled, urls));
  };
  const leaveNow = async (): Promise<void> => {
    const state = await save.run({ enabled: remote.enabled, relays: urls, leaveNow: true });
    if (state !== null) onChanged(state);
  };
  return (
    <section className="card relays" aria-label="Relays">
      <SwitchSetting
        title="Let paired devices look in through a relay"
        about={remote.enabled ? 'This computer keeps a line to the relay. While nobody looks in, nothing but signs of life goes over it.' : 'Off: no relay is called, and no paired device reaches this home.'}
        checked={remote.enabled}
        disabled={save.busy}
        onChange={(enabled) => void set(enabled, urls)}
      />
      <ul>
        {remote.relays.map((relay) => (
          <Row key={relay.url} relay={relay} busy={save.busy} onRemove={() => void remove(relay.url)} />
        ))}
      </ul>
      {urls.length >= MAX_RELAYS ? null : (
        <details className="more">
          <summary>Use another relay as well</summary>
          <p className="muted">Two relays in different places: when one is down, devices find you over the other.</p>
          <AddRelay busy={save.busy} onAdd={(url) => set(true, [...urls.filter((each) => each !== url), url])} />
        </details>
      )}
      {remote.leaving === null ? null : <Leaving leaving={remote.leaving} busy={save.busy} onLeaveNow={() => void leaveNow()} />}
      {remote.devices.length === 0 || remote.leaving !== null ? null : <p className="muted small">When you change the relays, paired devices learn it the next time they look in.</p>}
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
    </section>
  );
}

/** Relays off the list at which devices that were away are still waited for. */
function Leaving({ leaving: { relays, untilMs, deviceNames }, busy, onLeaveNow }: { readonly leaving: LeavingRelays; readonly busy: boolean; readonly onLeaveNow: () => void }): ReactNode {
  const [it, does] = deviceNames.length === 1 ? ['it', 'does'] : ['them', 'do'];
  return (
    <div className="leaving" role="status">
      <p className="muted small">
        {listWords(deviceNames)} {does} not know yet that you changed the relays. This computer still waits at {listWords(relays.map(relayName))}, until {formatShortDay(untilMs)} at the latest, and tells {it} there.
      </p>
      <p className="muted small">Once you leave, {deviceNames.length === 1 ? 'it has' : 'they have'} to be paired again.</p>
      <Button disabled={busy} onClick={onLeaveNow}>
        Leave now
      </Button>
    </div>
  );
}

const TONES: Readonly<Record<RelayStatus['phase'], Tone>> = { off: 'plain', connecting: 'busy', connected: 'good', waiting: 'wrong' };

function Row({ relay: { url, phase, sinceMs, sentence }, busy, onRemove }: { readonly relay: RelayStatus; readonly busy: boolean; readonly onRemove: () => void }): ReactNode {
  const nowMs = useNow(10 * SECOND_MS);
  return (
    <li>
      <StatusDot tone={TONES[phase]} />
      <div>
        <strong className="path">{relayName(url)}</strong>
        <p className="muted numbers" role="status">
          {phase === 'connected' ? `Connected since ${formatMoment(sinceMs, nowMs)}` : phase === 'connecting' ? 'Connecting …' : phase === 'off' ? (sentence ?? 'Not in use') : (sentence ?? 'Not connected; Porchlight tries again by itself.')}
        </p>
        {phase === 'connecting' ? (
          <div className="bar busy" role="progressbar" aria-label={`Connecting to ${relayName(url)}`}>
            <i />
          </div>
        ) : null}
        {phase === 'waiting' ? <p className="muted numbers small">Not reached since {formatMoment(sinceMs, nowMs)}</p> : null}
      </div>
      <IconButton label={`Stop using ${relayName(url)}`} disabled={busy} onClick={onRemove}>
        <X size={17} />
      </IconButton>
    </li>
  );
}

export interface AddRelayProps {
  readonly busy: boolean;
  /** Whether it was taken. */
  readonly onAdd: (url: string) => Promise<boolean>;
}

/** The field for an address; what is wrong with it is said when it is sent, not while it is typed. */
export function AddRelay({ busy, onAdd }: AddRelayProps): ReactNode {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const address = relayAddressOf(text);
    if ('problem' in address) setProblem(address.problem);
    else if (await onAdd(address.url)) setText('');
  };
  return (
    <form className="add-relay" onSubmit={(event) => void submit(event)} noValidate>
      <Field
        label="Address of the relay"
        placeholder="relay.example.org"
        inputMode="url"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={512}
        value={text}
        error={problem}
        onChange={(event) => {
          setText(event.target.value);
          setProblem(null);
        }}
      />
      <Button type="submit" tone="primary" disabled={busy || text.trim() === ''}>
        {busy ? 'One moment …' : 'Connect'}
      </Button>
    </form>
  );
}
