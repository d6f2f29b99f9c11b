/** The way in for a phone or any browser in the house, or through the owner's tunnel: switch, password, addresses, fingerprint. */
import { House } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import { DOOR_PASSWORD_LENGTH, type DoorsState } from '../../../shared/model/doors.ts';
import { useCommand, useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { SwitchSetting } from '../../components/Setting.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { CopyButton } from './CopyButton.tsx';
import { doorCode } from './qr-path.ts';
import { QrCode } from './QrCode.tsx';
import './doors.css';

export function Doors(): ReactNode {
  const asked = useQuery('doors.state', {});
  const [told, setTold] = useState<DoorsState | null>(null);
  useEngineEvent('doors.changed', setTold);
  const setOpen = useCommand('doors.setOpen');
  const state = told ?? asked.data;
  if (state === null) return null;
  const toggle = async (open: boolean): Promise<void> => {
    const answer = await setOpen.run({ open });
    if (answer !== null) setTold(answer);
  };
  return (
    <section className="card doors" aria-label="Other devices in the house">
      <h2>Other devices in the house</h2>
      <p className="muted">A phone or any browser in your network, or in your own tunnel, opens this home at an address of its own, with a password. No relay has a part in it.</p>
      {state.kind === 'app' ? <InTheApp /> : null}
      {state.kind === 'switch' ? (
        <SwitchSetting title="Open to other devices" about={state.open ? 'Whoever has the password and is in your network may open it.' : 'Only this computer can open it.'} checked={state.open} disabled={setOpen.busy || (!state.open && !state.hasPassword)} onChange={(open) => void toggle(open)} />
      ) : null}
      {state.kind === 'listen' ? <p>It is open as long as Porchlight runs as it was started, with --listen.</p> : null}
      {setOpen.error === null ? null : <ErrorLine>{setOpen.error.message}</ErrorLine>}
      {state.sentence === null ? null : <ErrorLine>{state.sentence}</ErrorLine>}
      {state.open ? <Addresses state={state} /> : null}
      {state.kind === 'app' ? null : <Password state={state} onChanged={setTold} />}
    </section>
  );
}

function InTheApp(): ReactNode {
  const command = 'npm start -- --serve --listen 0.0.0.0';
  return (
    <div className="in-the-app">
      <House size={20} strokeWidth={1.6} aria-hidden="true" />
      <div>
        <p>The app opens no way in. Run Porchlight as a server on this computer instead, with the same cameras and footage:</p>
        <div className="command">
          <code>{command}</code>
          <CopyButton text={command} />
        </div>
      </div>
    </div>
  );
}

function Addresses({ state: { urls, fingerprint } }: { readonly state: DoorsState }): ReactNode {
  const [chosen, setChosen] = useState<string | null>(null);
  const url = urls.find((each) => each === chosen) ?? urls[0];
  if (url === undefined) return <p className="muted">This computer has no address in a network at the moment.</p>;
  return (
    <div className="addresses">
      <QrCode text={doorCode(url, fingerprint)} label={`Code of the address ${url} and the fingerprint`} />
      <div>
        <p>Scan the code with a phone’s camera, or type the address:</p>
        <ul>
          {urls.map((each) => (
            <li key={each}>
              {urls.length === 1 ? (
                <code>{each}</code>
              ) : (
                <label>
                  <input type="radio" name="door-address" checked={each === url} onChange={() => setChosen(each)} />
                  <code>{each}</code>
                </label>
              )}
            </li>
          ))}
        </ul>
        {fingerprint === null ? null : (
          <>
            <p>The first time, the browser warns: the certificate is this home’s own. Compare its fingerprint (SHA-256) once, and go on only if it is the same. The code above holds it too, behind the address:</p>
            <p className="fingerprint">
              <code>{fingerprint}</code>
            </p>
          </>
        )}
      </div>
    </div>
  );
}

function Password({ state, onChanged }: { readonly state: DoorsState; readonly onChanged: (state: DoorsState) => void }): ReactNode {
  const save = useCommand('doors.setPassword');
  const toast = useToast();
  const [open, setOpen] = useState(false);
  const [password, setPassword] = useState('');
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const answer = await save.run({ password });
    if (answer === null) return;
    onChanged(answer);
    setPassword('');
    setOpen(false);
    toast(state.hasPassword ? 'The password is changed. Everybody who came in with the old one is signed out.' : 'The password is set.');
  };
  if (state.hasPassword && !open) {
    return (
      <div>
        <Button onClick={() => setOpen(true)}>Change the password</Button>
      </div>
    );
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Field label={state.hasPassword ? 'New password' : 'First choose a password'} type="password" autoComplete="new-password" maxLength={256} value={password} hint={`${DOOR_PASSWORD_LENGTH} characters or more.`} onChange={(event) => setPassword(event.target.value)} />
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
      <div className="pairing-buttons">
        <Button type="submit" tone="primary" disabled={save.busy || password.length < DOOR_PASSWORD_LENGTH}>
          Set
        </Button>
        {state.hasPassword ? (
          <Button tone="quiet" onClick={() => setOpen(false)}>
            Cancel
          </Button>
        ) : null}
      </div>
    </form>
  );
}
