/** The devices that may look in: last seen, what they may see, changing that, and revoking at once. */
import { CircleCheck, Eye, MonitorSmartphone, Plus, X } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { RemoteDevice, RemoteState, Watching } from '../../../shared/model/remote.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button, IconButton } from '../../components/Button.tsx';
import { Dialog } from '../../components/Dialog.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatMoment } from '../../components/format.ts';
import type { RemoteQuery } from '../../state/remote.ts';
import { useNow } from '../../state/use-now.ts';
import { listWords } from './device-words.ts';
import { GrantsForm } from './GrantsForm.tsx';
import { draftOf, grantsOf, problemOf } from './grants-form.ts';
import { GrantsSummary, useCameraName } from './GrantsSummary.tsx';
import { Pairing } from './Pairing.tsx';

interface Revoked {
  readonly id: string;
  readonly name: string;
  readonly tookMs: number;
}

export function Devices({ remote, state }: { readonly remote: RemoteQuery; readonly state: RemoteState }): ReactNode {
  const [pairing, setPairing] = useState(false);
  const [revoked, setRevoked] = useState<readonly Revoked[]>([]);
  const why = whyNot(state);
  return (
    <section className="card devices" aria-label="Devices">
      <header>
        <h2>Devices that may look in</h2>
        <Button tone={state.devices.length === 0 && why === null ? 'primary' : 'plain'} disabled={why !== null} onClick={() => setPairing(true)}>
          <Plus size={17} aria-hidden="true" />
          Add a device
        </Button>
      </header>
      {why === null ? null : <p className="muted small">{why}</p>}
      {state.devices.length === 0 ? <p className="muted">None yet. A device is another Porchlight: it shows this home as if it were there, as far as you allow it.</p> : null}
      <ul>
        {state.devices.map((device) => (
          <Row
            key={device.id}
            device={device}
            sessions={state.watching.filter(({ deviceId }) => deviceId === device.id)}
            onChanged={remote.set}
            onRevoked={(tookMs) => setRevoked((before) => [...before, { id: device.id, name: device.name, tookMs }])}
          />
        ))}
      </ul>
      <div role="status" className="revoked">
        {revoked.map(({ id, name, tookMs }) => (
          <p key={id}>
            <CircleCheck size={18} aria-hidden="true" />
            <span>
              <strong>{name}</strong> is out: its pictures are cut off and its keys open nothing any more. It took {(tookMs / SECOND_MS).toLocaleString(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 })} s. Pair it again to let it in.
            </span>
            <IconButton label="Dismiss" onClick={() => setRevoked((before) => before.filter((each) => each.id !== id))}>
              <X size={16} />
            </IconButton>
          </p>
        ))}
      </div>
      {pairing ? <Pairing remote={remote} onClose={() => setPairing(false)} /> : null}
    </section>
  );
}

/** Why no device can be added now; null where one can. */
function whyNot({ enabled, relays }: RemoteState): string | null {
  if (relays.length === 0) return 'To add a device, choose a relay first.';
  if (!enabled) return 'To add a device, switch the relay on first.';
  return relays.some(({ phase }) => phase === 'connected') ? null : 'A device can be added as soon as a relay is connected.';
}

interface RowProps {
  readonly device: RemoteDevice;
  readonly sessions: readonly Watching[];
  readonly onChanged: (state: RemoteState) => void;
  readonly onRevoked: (tookMs: number) => void;
}

function Row({ device, sessions, onChanged, onRevoked }: RowProps): ReactNode {
  const revoke = useCommand('remote.revoke');
  const [changing, setChanging] = useState(false);
  const nameOf = useCameraName();
  const nowMs = useNow(10 * SECOND_MS);
  const open = [...new Set(sessions.flatMap(({ cameraIds }) => cameraIds))].map(nameOf);
  const run = async (): Promise<void> => {
    const startedMs = performance.now();
    const state = await revoke.run({ deviceId: device.id });
    if (state === null) return;
    onRevoked(performance.now() - startedMs);
    onChanged(state);
  };
  return (
    <li>
      <MonitorSmartphone size={20} strokeWidth={1.6} aria-hidden="true" />
      <div>
        <strong>{device.name}</strong>
        {sessions.length === 0 ? (
          <p className="muted numbers">{device.lastSeenMs === null ? 'Not seen since it was paired' : `Last seen ${formatMoment(device.lastSeenMs, nowMs)}`}</p>
        ) : (
          <p className="watching-now" role="status">
            <Eye size={15} aria-hidden="true" />
            {open.length === 0 ? 'Connected now, no picture open' : `Watching now: ${listWords(open)}`}
          </p>
        )}
        <GrantsSummary grants={device.grants} />
        <p className="muted numbers small">Paired {formatMoment(device.pairedMs, nowMs)}</p>
        {revoke.error === null ? null : <ErrorLine>{revoke.error.message}</ErrorLine>}
      </div>
      <div className="device-actions">
        <Button onClick={() => setChanging(true)}>Change</Button>
        <Button tone="danger" disabled={revoke.busy} aria-label={`Revoke ${device.name} at once`} onClick={() => void run()}>
          {revoke.busy ? 'Revoking …' : 'Revoke'}
        </Button>
      </div>
      {changing ? <Change device={device} onChanged={onChanged} onClose={() => setChanging(false)} /> : null}
    </li>
  );
}

function Change({ device, onChanged, onClose }: { readonly device: RemoteDevice; readonly onChanged: (state: RemoteState) => void; readonly onClose: () => void }): ReactNode {
  const save = useCommand('remote.setGrants');
  const [name, setName] = useState(device.name);
  const [draft, setDraft] = useState(() => draftOf(device.grants));
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const wrong = name.trim() === '' ? 'Give the device a name.' : problemOf(draft, Date.now());
    setProblem(wrong);
    if (wrong !== null) return;
    const state = await save.run({ deviceId: device.id, name: name.trim(), grants: grantsOf(draft) });
    if (state === null) return;
    onChanged(state);
    onClose();
  };
  return (
    <Dialog open wide onOpenChange={(open) => !open && onClose()} title={`What ${device.name} may see`} description="It counts at once, also for what it is watching.">
      <form className="pairing" onSubmit={(event) => void submit(event)}>
        <Field label="Its name here" maxLength={60} value={name} onChange={(event) => setName(event.target.value)} />
        <GrantsForm draft={draft} onChange={setDraft} />
        {problem === null ? null : <ErrorLine>{problem}</ErrorLine>}
        {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
        <div className="pairing-buttons sticky">
          <Button type="submit" tone="primary" disabled={save.busy}>
            Save
          </Button>
          <Button tone="quiet" onClick={onClose}>
            Leave as it is
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
