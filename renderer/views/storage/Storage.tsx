/** Where footage goes, how much there is, how long it lasts, and the rules that decide it. */
import { ArrowDown, ArrowUp, CircleAlert, FolderPlus, HardDrive } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { PlacementState } from '../../../shared/model/placement.ts';
import type { RootSummary, StorageSummary } from '../../../shared/model/storage.ts';
import { shell } from '../../api/connect.ts';
import { useCommand, useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Button, IconButton } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatBytes, formatDays, formatMoment } from '../../components/format.ts';
import { useToast } from '../../components/Toasts.tsx';
import { MINUTE_MS } from '../../../shared/time.ts';
import { useCameras } from '../../state/cameras.tsx';
import { hrefOf } from '../../state/route.ts';
import { useNow } from '../../state/use-now.ts';
import { inCameraOrder } from './camera-order.ts';
import { Recorded } from './Recorded.tsx';
import { Locks } from './Locks.tsx';
import { Absent, Placement, usePlacement } from './Placement.tsx';
import { Rules } from './Rules.tsx';
import './storage.css';

export function Storage(): ReactNode {
  const summary = useQuery('storage.summary', {});
  const rules = useQuery('storage.rules', {});
  const { data: placement, refresh: refreshPlacement } = usePlacement();
  const disksChanged = (): void => {
    summary.refresh();
    refreshPlacement();
  };
  useEngineEvent('storage.changed', () => {
    summary.refresh();
    rules.refresh();
  });
  const { data } = summary;
  if (data === null) return summary.error === null ? null : <div className="page"><ErrorLine>{summary.error.message}</ErrorLine></div>;
  return (
    <div className="page storage">
      <h1>Storage</h1>
      <Headline data={data} />
      <Broken data={data} />
      <Recorded />
      <section className="card">
        <h2>Where footage goes</h2>
        {data.roots.map((root) => (
          <Disk key={root.rootId} root={root} placement={placement} removable={data.roots.length > 1} onChanged={disksChanged} />
        ))}
        {placement?.absent.map((disk) => <Absent key={disk.rootId} disk={disk} onChanged={disksChanged} />)}
        <AddFolder onAdded={disksChanged} />
        {placement === null ? null : <Placement placement={placement} roots={data.roots} onChanged={disksChanged} />}
      </section>
      {rules.data === null ? null : <Rules key={JSON.stringify(rules.data)} rules={rules.data} data={data} onSaved={() => (rules.refresh(), summary.refresh())} />}
      <Locks />
      <PerCamera data={data} />
    </div>
  );
}

function Headline({ data }: { readonly data: StorageSummary }): ReactNode {
  const nowMs = useNow(MINUTE_MS);
  const cameras = useCameras();
  const used = data.roots.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  if (used === 0 && data.oldestMs === null) return <NothingYet hasCameras={cameras === null || cameras.length > 0} />;
  const facts: readonly (readonly [string, string])[] = [
    [data.forecastDays === null ? '–' : formatDays(data.forecastDays), 'fit at today’s rate'],
    [formatBytes(used), 'of footage'],
    [data.bytesPerDay > 0 ? formatBytes(data.bytesPerDay) : '–', 'a day'],
    [data.oldestMs === null ? '–' : formatMoment(data.oldestMs, nowMs), 'oldest footage'],
  ];
  return (
    <dl className="facts">
      {facts.map(([value, name]) => (
        <div key={name}>
          <dd className="numbers">{value}</dd>
          <dt>{name}</dt>
        </div>
      ))}
    </dl>
  );
}

function NothingYet({ hasCameras }: { readonly hasCameras: boolean }): ReactNode {
  if (hasCameras) return <p className="muted">Nothing is recorded yet. As soon as a camera’s first footage is on the disk, this says how much there is and how long it lasts.</p>;
  return (
    <p className="muted">
      Nothing is recorded yet. <a href={hrefOf({ view: 'welcome' })}>Add a camera</a>, and what it sees is kept here from its first picture on.
    </p>
  );
}

/** Rules that could not be kept, one sentence each. Of one alone the notice above all views says the same. */
function Broken({ data: { broken } }: { readonly data: StorageSummary }): ReactNode {
  if (broken.length < 2) return null;
  return (
    <section className="card broken" role="status">
      {broken.map(({ rule, rootId, cameraId, sentence }) => (
        <p key={`${rule} ${rootId} ${cameraId}`}>
          <CircleAlert size={17} aria-hidden="true" />
          <span>{sentence}</span>
        </p>
      ))}
    </section>
  );
}

interface DiskProps {
  readonly root: RootSummary;
  readonly placement: PlacementState | null;
  readonly removable: boolean;
  readonly onChanged: () => void;
}

/** Puts a disk earlier or later in the order in which disks are used. */
function Reorder({ root, placement, onChanged }: { readonly root: RootSummary; readonly placement: PlacementState; readonly onChanged: () => void }): ReactNode {
  const choose = useCommand('storage.setPlacement');
  const { mode, moveAfterDays, order } = placement;
  const at = order.indexOf(root.rootId);
  const move = async (to: number): Promise<void> => {
    if ((await choose.run({ mode, moveAfterDays, order: order.filter((id) => id !== root.rootId).toSpliced(to, 0, root.rootId) })) !== null) onChanged();
  };
  return (
    <>
      <IconButton label="Use this disk earlier" disabled={choose.busy || at <= 0} onClick={() => void move(at - 1)}>
        <ArrowUp size={17} />
      </IconButton>
      <IconButton label="Use this disk later" disabled={choose.busy || at >= order.length - 1} onClick={() => void move(at + 1)}>
        <ArrowDown size={17} />
      </IconButton>
    </>
  );
}

function Disk({ root, placement, removable, onChanged }: DiskProps): ReactNode {
  const remove = useCommand('storage.removeRoot');
  const add = useCommand('storage.addRoot');
  const toast = useToast();
  const limit = root.quotaBytes ?? Math.max(0, root.usedBytes + root.freeBytes - root.keepFreeBytes);
  const share = limit <= 0 ? 0 : Math.min(1, root.usedBytes / limit);
  const run = async (): Promise<void> => {
    if ((await remove.run({ rootId: root.rootId })) === null) return;
    onChanged();
    toast('The folder is no longer used. Its footage stays in it.', () => void add.run({ path: root.path }).then(onChanged));
  };
  return (
    <div className="disk">
      <HardDrive size={20} strokeWidth={1.6} aria-hidden="true" />
      <div>
        <strong className="path">{root.path}</strong>
        <div className="bar" role="img" aria-label={`${Math.round(share * 100)} % used`}>
          <i style={{ width: `${share * 100}%` }} />
        </div>
        <p className="muted numbers">
          {formatBytes(root.usedBytes)} of {formatBytes(limit)} used by footage · {formatBytes(root.freeBytes)} free on this disk{root.forecastDays === null ? '' : ` · about ${formatDays(root.forecastDays)} fit`}
        </p>
        {root.problem === null ? null : <ErrorLine>{root.problem}</ErrorLine>}
        {remove.error === null ? null : <ErrorLine>{remove.error.message}</ErrorLine>}
      </div>
      <div className="disk-actions">
        {removable && placement !== null ? <Reorder root={root} placement={placement} onChanged={onChanged} /> : null}
        {shell === null ? null : <Button onClick={() => void shell?.openFolder(root.path)}>Show</Button>}
        {removable ? (
          <Button tone="quiet" disabled={remove.busy} onClick={() => void run()}>
            Stop using
          </Button>
        ) : null}
      </div>
    </div>
  );
}

function AddFolder({ onAdded }: { readonly onAdded: () => void }): ReactNode {
  const add = useCommand('storage.addRoot');
  const [path, setPath] = useState<string | null>(null);
  const start = async (): Promise<void> => {
    if (shell === null) {
      setPath('');
      return;
    }
    const chosen = await shell.chooseFolder();
    if (chosen !== null && (await add.run({ path: chosen })) !== null) onAdded();
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (path === null || (await add.run({ path })) === null) return;
    setPath(null);
    onAdded();
  };
  return (
    <div className="add-folder">
      {path === null ? (
        <Button disabled={add.busy} onClick={() => void start()}>
          <FolderPlus size={17} />
          Add a folder
        </Button>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Field label="Folder on the computer that records" hint="It must be empty, or have been Porchlight’s before." value={path} onChange={(event) => setPath(event.target.value)} />
          <Button type="submit" tone="primary" disabled={add.busy || path.trim() === ''}>
            Add
          </Button>
          <Button tone="quiet" onClick={() => setPath(null)}>
            Cancel
          </Button>
        </form>
      )}
      {add.error === null ? null : <ErrorLine>{add.error.message}</ErrorLine>}
    </div>
  );
}

function PerCamera({ data }: { readonly data: StorageSummary }): ReactNode {
  const nowMs = useNow(MINUTE_MS);
  const cameras = useCameras() ?? [];
  const rows = inCameraOrder(data.cameras.filter(({ usedBytes }) => usedBytes > 0), cameras);
  if (rows.length === 0) return null;
  return (
    <section className="card">
      <h2>By camera</h2>
      <table className="numbers by-camera">
        <thead>
          <tr>
            <th scope="col">Camera</th>
            <th scope="col">Used</th>
            <th scope="col">A day</th>
            <th scope="col">Oldest</th>
            <th scope="col">Lasts</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.cameraId}>
              <th scope="row">{cameras.find(({ camera }) => camera.id === row.cameraId)?.camera.name ?? 'A removed camera'}</th>
              <td>{formatBytes(row.usedBytes)}</td>
              <td>{row.bytesPerDay > 0 ? formatBytes(row.bytesPerDay) : '–'}</td>
              <td>{row.oldestMs === null ? '–' : formatMoment(row.oldestMs, nowMs)}</td>
              <td>{formatDays(row.forecastDays)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
