/** Finding and adding cameras: looks by itself, asks for a password where one is needed, and takes an address as well. */
import { Check, Search } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useEffect, useMemo, useState } from 'react';
import type { CameraTarget, Credentials } from '../../../shared/contract/engine-api.ts';
import { toWire } from '../../../shared/errors.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import type { DiscoveryState, FoundCamera } from '../../../shared/model/discovery.ts';
import { useCommand, useEngine, useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { goTo, hrefOf } from '../../state/route.ts';
import { FoundCard, type FoundProgress } from './FoundCard.tsx';
import './onboarding.css';

export function Onboarding(): ReactNode {
  const entries = useCameras();
  const cameras = entries ?? [];
  const discovery = useDiscovery();
  // What is ours already when the page opens is not offered; what is added here stays in sight with its picture.
  const [ours, setOurs] = useState<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (ours === null && entries !== null) setOurs(new Set(entries.map(({ camera }) => camera.id)));
  }, [ours, entries]);
  const found = useInOrderSeen(useMemo(() => discovery?.found.filter(({ cameraId }) => cameraId === null || ours?.has(cameraId) === false) ?? [], [discovery, ours]));
  const known = (discovery?.found.length ?? 0) - found.length;
  return (
    <div className="page onboarding">
      <Heading discovery={discovery} found={found.length} />
      {found.length === 0 ? null : <FoundCameras found={found} />}
      {known > 0 ? <p className="muted">{known === 1 ? 'One camera that is already yours was seen too.' : `${known} cameras that are already yours were seen too.`}</p> : null}
      <AddByAddress />
      {cameras.length === 0 ? (
        <p className="muted">
          No cameras here, but in another home that has Porchlight? <a href={hrefOf({ view: 'away' })}>Look into that home</a>.
        </p>
      ) : (
        <div>
          <Button tone="primary" onClick={() => goTo({ view: 'watch' })}>
            {cameras.length === 1 ? 'Watch your camera' : `Watch your ${cameras.length} cameras`}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Searches when the page opens and follows what is found. */
function useDiscovery(): DiscoveryState | null {
  const client = useEngine();
  const first = useQuery('discovery.state', {});
  const [latest, setLatest] = useState<DiscoveryState | null>(null);
  useEngineEvent('discovery.changed', setLatest);
  useEffect(() => {
    client.ask('discovery.search', {}).catch(() => undefined);
  }, [client]);
  return latest ?? first.data;
}

/** What is found later comes behind: nothing moves away under a hand that is about to tick it. */
function useInOrderSeen(found: readonly FoundCamera[]): readonly FoundCamera[] {
  const [seen, setSeen] = useState<readonly string[]>([]);
  const fresh = found.filter(({ key }) => !seen.includes(key));
  useEffect(() => {
    if (fresh.length > 0) setSeen([...seen, ...fresh.map(({ key }) => key)]);
  }, [fresh, seen]);
  return useMemo(() => [...found.filter(({ key }) => seen.includes(key)).toSorted((a, b) => seen.indexOf(a.key) - seen.indexOf(b.key)), ...found.filter(({ key }) => !seen.includes(key))], [found, seen]);
}

function Heading({ discovery, found }: { readonly discovery: DiscoveryState | null; readonly found: number }): ReactNode {
  const search = useCommand('discovery.search');
  const searching = discovery?.searching ?? true;
  const title = searching && found === 0 ? 'Looking for cameras…' : found === 0 ? 'No new camera has answered' : found === 1 ? 'One camera found' : `${found} cameras found`;
  const hint = discovery?.hint ?? null;
  const searched = discovery?.interfaces.filter(({ problem }) => problem === null).map(({ name }) => name) ?? [];
  return (
    <div className="onboarding-head">
      <div>
        <h1>{title}</h1>
        <p className="muted" aria-live="polite">
          {searched.length === 0 ? 'Asking the devices in your network who they are.' : `Searched on ${searched.join(', ')}.`}{' '}
          {discovery?.interfaces.filter(({ problem }) => problem !== null).map(({ name, problem }) => `Could not search on ${name}: ${problem}`).join(' ')}
        </p>
        {hint === null ? null : <p className="advice">{hint}</p>}
        {!searching && found === 0 ? (
          <p className="muted">Is the camera on and in the same network as this computer? Many cameras answer only when ONVIF is switched on in their own settings. You can also add one by its address below.</p>
        ) : null}
      </div>
      {searching ? (
        <div className="bar busy" role="progressbar" aria-label="Searching">
          <i />
        </div>
      ) : (
        <Button disabled={search.busy} onClick={() => void search.run({})}>
          <Search size={16} />
          Search again
        </Button>
      )}
    </div>
  );
}

/** The found ones, a tick each, and one password for those that are ticked. */
function FoundCameras({ found }: { readonly found: readonly FoundCamera[] }): ReactNode {
  const client = useEngine();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [progress, setProgress] = useState<Readonly<Record<string, FoundProgress>>>({});
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const chosen = found.filter(({ key, cameraId }) => !left.has(key) && cameraId === null && progress[key]?.kind !== 'added');

  const addOne = async (camera: FoundCamera, credentials: Credentials | null): Promise<void> => {
    const target: CameraTarget = { kind: 'found', key: camera.key };
    const note = (step: FoundProgress): void => setProgress((before) => ({ ...before, [camera.key]: step }));
    note({ kind: 'trying' });
    try {
      await client.ask('cameras.add', { target, credentials, name: null });
      note({ kind: 'added' });
    } catch (error) {
      const { kind, sentence } = toWire(error);
      note({ kind: 'failed', sentence, rejected: kind === 'wrong-password' });
    }
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const credentials = username === '' && password === '' ? null : { username, password };
    // One attempt for each camera: many lock themselves after a few wrong ones.
    await Promise.all(chosen.map((camera) => addOne(camera, credentials)));
    setBusy(false);
  };
  const toggle = (key: string): void =>
    setLeft((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  return (
    <form className="found" onSubmit={(event) => void submit(event)}>
      <ul className="found-list">
        {found.map((camera) => (
          <FoundCard key={camera.key} camera={camera} chosen={!left.has(camera.key)} progress={progress[camera.key] ?? null} onToggle={() => toggle(camera.key)} />
        ))}
      </ul>
      <div className="card found-form">
        <Field label="User" autoComplete="off" placeholder="often admin" value={username} onChange={(event) => setUsername(event.target.value)} />
        <Field label="Password" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        <Button type="submit" tone="primary" disabled={busy || chosen.length === 0}>
          <Check size={17} />
          {busy ? 'Trying…' : chosen.length === 0 ? (left.size === 0 ? 'All added' : 'None ticked') : chosen.length === 1 ? 'Add this camera' : `Add ${chosen.length} cameras`}
        </Button>
        <p className="muted">The password is tried once on each ticked camera and kept on this computer only. Leave both empty for cameras without a password.</p>
      </div>
    </form>
  );
}

function AddByAddress(): ReactNode {
  const add = useCommand('cameras.add');
  const [address, setAddress] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [added, setAdded] = useState<Camera | null>(null);
  const cameras = useCameras() ?? [];
  // A recorder, or a camera with several lenses, becomes as many cameras as it has pictures.
  const others = added === null || (added.sourceToken ?? null) === null ? 0 : cameras.filter(({ camera }) => camera.deviceUrl === added.deviceUrl && camera.id !== added.id).length;
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setAdded(null);
    const credentials = username === '' && password === '' ? null : { username, password };
    const camera = await add.run({ target: { kind: 'address', address }, credentials, name: null });
    if (camera === null) return;
    setAdded(camera);
    setAddress('');
    setPassword('');
  };
  return (
    <section className="card">
      <h2>Add by address</h2>
      <p className="muted">An IP address, a name, or a whole rtsp:// address.</p>
      <form className="address-form" onSubmit={(event) => void submit(event)}>
        <Field label="Address" placeholder="192.168.1.23" required value={address} onChange={(event) => setAddress(event.target.value)} />
        <Field label="User" autoComplete="off" value={username} onChange={(event) => setUsername(event.target.value)} />
        <Field label="Password" type="password" autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} />
        <Button type="submit" disabled={add.busy || address.trim() === ''}>
          {add.busy ? 'Asking…' : 'Add'}
        </Button>
      </form>
      {add.error === null ? null : <ErrorLine>{add.error.message}</ErrorLine>}
      {added === null ? null : (
        <p role="status">
          <strong>{added.name}</strong>
          {others === 0 ? ' was added and is being recorded.' : others === 1 ? ' and another camera of the same device were added and are being recorded.' : ` and ${others} more cameras of the same device were added and are being recorded.`}
        </p>
      )}
    </section>
  );
}
