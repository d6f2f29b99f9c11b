/** The list of cameras, and the page of one. */
import { ArrowDown, ArrowDownUp, ArrowUp, Camera as CameraIcon, Check, ChevronRight, Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button, IconButton } from '../../components/Button.tsx';
import { Empty } from '../../components/Empty.tsx';
import { PreviewImage } from '../../components/PreviewImage.tsx';
import { StatusDot } from '../../components/StatusDot.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { goTo, hrefOf, useRoute } from '../../state/route.ts';
import { CameraPage } from './CameraPage.tsx';
import { Elsewhere } from './Elsewhere.tsx';
import { statusWords, toneOf } from './status-words.ts';
import './cameras.css';

export function Cameras(): ReactNode {
  const cameras = useCameras();
  const route = useRoute();
  const reorder = useCommand('cameras.reorder');
  const [ordering, setOrdering] = useState(false);
  if (cameras === null) return null;
  const chosen = cameras.find(({ camera }) => camera.id === route.cameraId);
  if (chosen !== undefined) return <CameraPage key={chosen.camera.id} entry={chosen} />;
  if (cameras.length === 0) {
    return (
      <Empty icon={CameraIcon} title="No cameras yet">
        <p>Porchlight looks for cameras in your network and records each one from the moment you add it.</p>
        <Button tone="primary" onClick={() => goTo({ view: 'welcome' })}>
          Look for cameras
        </Button>
        <Elsewhere />
      </Empty>
    );
  }
  const move = (index: number, by: number): void => {
    const ids = cameras.map(({ camera }) => camera.id);
    const [id] = ids.splice(index, 1);
    if (id === undefined) return;
    ids.splice(index + by, 0, id);
    void reorder.run({ cameraIds: ids });
  };
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Cameras</h1>
        </div>
        {cameras.length > 1 ? (
          <IconButton className="order-switch" label={ordering ? 'Done' : 'Change the order'} aria-pressed={ordering} onClick={() => setOrdering(!ordering)}>
            {ordering ? <Check size={18} /> : <ArrowDownUp size={18} />}
          </IconButton>
        ) : null}
        <Button tone="primary" onClick={() => goTo({ view: 'welcome' })}>
          <Plus size={17} />
          Add cameras
        </Button>
      </div>
      <ul className="camera-list" data-ordering={ordering}>
        {cameras.map((entry, index) => (
          <li key={entry.camera.id}>
            <CameraRow entry={entry} />
            <div className="camera-order">
              <IconButton label={`Move ${entry.camera.name} up`} disabled={index === 0} onClick={() => move(index, -1)}>
                <ArrowUp size={16} />
              </IconButton>
              <IconButton label={`Move ${entry.camera.name} down`} disabled={index === cameras.length - 1} onClick={() => move(index, 1)}>
                <ArrowDown size={16} />
              </IconButton>
            </div>
          </li>
        ))}
      </ul>
      <Elsewhere />
    </div>
  );
}

function CameraRow({ entry: { camera, status } }: { readonly entry: CameraWithStatus }): ReactNode {
  return (
    <a className="camera-row" href={hrefOf({ view: 'cameras', cameraId: camera.id })}>
      <PreviewImage cameraId={camera.id} dimmed={status.state !== 'live'} />
      <div className="camera-words">
        <h2>{camera.name}</h2>
        <p>
          <StatusDot tone={toneOf(status)} /> {statusWords(status)}
        </p>
        <p className="muted">{[camera.device.maker, camera.device.model].filter((part) => part !== '').join(' ') || 'Added by address'}</p>
      </div>
      <ChevronRight size={18} aria-hidden="true" />
    </a>
  );
}
