/** Everything about one camera: its name, picture, password, what is recorded, and the details for those who look. */
import { ArrowLeft, Play, RotateCw, Trash2 } from 'lucide-react';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import type { SoundHandling, StreamStatus } from '../../../shared/model/camera.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine, Field } from '../../components/Field.tsx';
import { formatBitRate, formatCodec, formatDuration } from '../../components/format.ts';
import { PreviewImage } from '../../components/PreviewImage.tsx';
import { StatusDot } from '../../components/StatusDot.tsx';
import { useToast } from '../../components/Toasts.tsx';
import { goTo, hrefOf } from '../../state/route.ts';
import { RecordingCard } from './RecordingCard.tsx';
import { statusWords, toneOf } from './status-words.ts';

const SOUND_WORDS: Readonly<Record<SoundHandling, string>> = {
  none: 'the camera sends none',
  off: 'not recorded',
  copied: 'recorded as it comes',
  transcoded: 'recorded, changed to AAC so that it plays everywhere',
  'announced-but-silent': 'the camera promises sound but sends none',
};

export function CameraPage({ entry }: { readonly entry: CameraWithStatus }): ReactNode {
  const { camera, status } = entry;
  const update = useCommand('cameras.update');
  const retry = useCommand('cameras.retry');
  const error = update.error ?? retry.error;
  return (
    <div className="page camera-page">
      <h1 className="visually-hidden">{camera.name}</h1>
      <a className="button quiet camera-back" href={hrefOf({ view: 'cameras' })}>
        <ArrowLeft size={18} aria-hidden="true" />
        All cameras
      </a>
      <div className="camera-head">
        <PreviewImage cameraId={camera.id} dimmed={status.state !== 'live'} />
        <div>
          <Name entry={entry} onRename={(name) => void update.run({ cameraId: camera.id, name })} />
          <p className="muted status-line">
            <StatusDot tone={toneOf(status)} /> {statusWords(status)}
          </p>
          <Button onClick={() => goTo({ view: 'watch', cameraId: camera.id })}>
            <Play size={16} />
            Watch
          </Button>
        </div>
      </div>
      {status.problem === null || status.state === 'paused' ? null : (
        <div className="card problem">
          <ErrorLine>{status.problem.sentence}</ErrorLine>
          <Button disabled={retry.busy} onClick={() => void retry.run({ cameraId: camera.id })}>
            <RotateCw size={16} />
            Try again now
          </Button>
        </div>
      )}
      {error === null ? null : <ErrorLine>{error.message}</ErrorLine>}
      <RecordingCard entry={entry} />
      <Password entry={entry} />
      <Details entry={entry} />
      <Remove entry={entry} />
    </div>
  );
}

function Name({ entry: { camera }, onRename }: { readonly entry: CameraWithStatus; readonly onRename: (name: string) => void }): ReactNode {
  const [draft, setDraft] = useState<string | null>(null);
  const finish = (): void => {
    const name = draft?.trim() ?? '';
    if (name !== '' && name !== camera.name) onRename(name);
    setDraft(null);
  };
  return (
    <input
      className="name-input"
      aria-label="Name of the camera"
      maxLength={60}
      value={draft ?? camera.name}
      onFocus={(event) => setDraft(event.target.value)}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === 'Enter') event.currentTarget.blur();
        if (event.key === 'Escape') {
          setDraft(camera.name);
          event.currentTarget.blur();
        }
      }}
    />
  );
}

function Password({ entry: { camera, status } }: { readonly entry: CameraWithStatus }): ReactNode {
  const save = useCommand('cameras.setCredentials');
  const toast = useToast();
  const [username, setUsername] = useState(camera.username ?? '');
  const [password, setPassword] = useState('');
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if ((await save.run({ cameraId: camera.id, credentials: { username, password } })) === null) return;
    setPassword('');
    toast('The password was changed.');
  };
  return (
    <section className="card" data-wanted={status.state === 'refused'}>
      <h2>Password</h2>
      <form className="password-form" onSubmit={(event) => void submit(event)}>
        <Field label="User" autoComplete="off" value={username} onChange={(event) => setUsername(event.target.value)} />
        <Field label="Password" type="password" autoComplete="new-password" value={password} error={save.error?.message ?? null} onChange={(event) => setPassword(event.target.value)} />
        <Button type="submit" disabled={save.busy || password === ''}>
          {save.busy ? 'Trying…' : 'Change'}
        </Button>
      </form>
    </section>
  );
}

function Details({ entry: { camera, status } }: { readonly entry: CameraWithStatus }): ReactNode {
  const rows: (readonly [string, string])[] = [
    ['Maker and model', [camera.device.maker, camera.device.model].filter((part) => part !== '').join(' ') || 'unknown'],
    ['Firmware', camera.device.firmware || 'unknown'],
    ['Serial number', camera.device.serial || 'unknown'],
    ['Address', addressOf(camera.deviceUrl ?? camera.streams[0]?.url ?? '')],
    ['How it speaks', camera.origin === 'onvif' ? 'ONVIF and RTSP' : 'RTSP'],
    ['Its clock', status.clockOffsetMs === null ? 'not asked yet' : Math.abs(status.clockOffsetMs) < 2_000 ? 'right' : `${formatDuration(Math.abs(status.clockOffsetMs))} ${status.clockOffsetMs > 0 ? 'fast' : 'slow'} (footage is not affected)`],
  ];
  return (
    <section className="card">
      <details>
        <summary>
          <h2>Details</h2>
        </summary>
        <dl className="details">
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          {status.streams.map((stream) => (
            <div key={stream.kind}>
              <dt>{stream.kind === 'main' ? 'Full picture' : 'Small picture'}</dt>
              <dd>{describeStream(stream)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </section>
  );
}

function describeStream(stream: StreamStatus): string {
  const parts = [
    formatCodec(stream.codec),
    stream.width > 0 ? `${stream.width}×${stream.height}` : '',
    stream.fps > 0 ? `${Math.round(stream.fps * 10) / 10} pictures a second` : '',
    stream.bitsPerSecond > 0 ? formatBitRate(stream.bitsPerSecond) : '',
    stream.keyframeDistanceMs === null ? '' : `keyframe every ${(stream.keyframeDistanceMs / 1000).toLocaleString(undefined, { maximumFractionDigits: 1 })} s`,
    `sound: ${SOUND_WORDS[stream.sound]}`,
  ];
  return parts.filter((part) => part !== '').join(' · ');
}

function addressOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function Remove({ entry: { camera } }: { readonly entry: CameraWithStatus }): ReactNode {
  const remove = useCommand('cameras.remove');
  const restore = useCommand('cameras.restore');
  const toast = useToast();
  const run = async (): Promise<void> => {
    if ((await remove.run({ cameraId: camera.id })) === null && remove.error !== null) return;
    goTo({ view: 'cameras' });
    toast(`${camera.name} was removed. Its footage stays.`, () => void restore.run({ cameraId: camera.id }));
  };
  return (
    <div>
      <Button tone="danger" disabled={remove.busy} onClick={() => void run()}>
        <Trash2 size={16} />
        Remove this camera
      </Button>
      {remove.error === null ? null : <ErrorLine>{remove.error.message}</ErrorLine>}
    </div>
  );
}
