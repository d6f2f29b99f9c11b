/** One camera's picture with its name and an honest word about its state. */
import { CirclePause, EyeOff, KeyRound, LoaderCircle, MonitorX, Volume2, VolumeX, WifiOff } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import { GAP_CAUSE_LABEL } from '../../../shared/model/gap.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { useEngine } from '../../api/engine-context.tsx';
import { Button, IconButton } from '../../components/Button.tsx';
import { formatDuration, formatMoment, formatTime } from '../../components/format.ts';
import { Painter } from '../../player/painter.ts';
import type { Loading } from '../../player/refill.ts';
import type { TilePhase } from '../../player/tile-player.ts';
import { ageWords, type Sight } from '../../relay/sight.ts';
import { useIsAway, useSight, useVeil } from '../../state/place.tsx';
import { may } from '../../state/rights.ts';
import { goTo } from '../../state/route.ts';
import type { PlaybackController } from './playback-controller.ts';
import { RecordNow } from './RecordNow.tsx';
import { useTilePlayer } from './use-tile-player.ts';
import './tile-waiting.css';

export interface TileProps {
  readonly entry: CameraWithStatus;
  /** Null: live. */
  readonly playback: PlaybackController | null;
  /** The only camera on screen: its main stream is shown. */
  readonly opened: boolean;
  readonly selected: boolean;
  readonly audible: boolean;
  readonly onToggleSound: () => void;
  readonly onOpen: () => void;
  readonly nowMs: EpochMs;
}

export function Tile({ entry, playback, opened, selected, audible, onToggleSound, onOpen, nowMs }: TileProps): ReactNode {
  const { camera, status } = entry;
  const canvas = useRef<HTMLCanvasElement>(null);
  const sight = useSight();
  const isAway = useIsAway();
  const [phase, setPhase] = useState<TilePhase>({ kind: 'starting' });
  const [smaller, setSmaller] = useState(false);
  const [loading, setLoading] = useState<Loading | null>(null);
  const hasSub = camera.streams.some(({ kind }) => kind === 'sub');
  const stream = playback === null ? (opened || !hasSub ? 'main' : 'sub') : !opened && camera.recorded.includes('sub') ? 'sub' : 'main';
  const allowed = may(entry, playback === null ? 'live' : 'playback');
  useTilePlayer({ canvas, cameraId: camera.id, stream, playback, audible, allowed, onPhase: setPhase, onSmaller: setSmaller, onLoading: setLoading });
  useLastPicture(canvas, entry, sight);

  const offline = playback === null && status.state !== 'live' && phase.kind !== 'live';
  const hasSound = typeof AudioContext !== 'undefined' && camera.recordSound && camera.streams.some(({ audioCodec }) => audioCodec !== null);
  const ended = playback !== null && phase.kind === 'end' && !status.recording;
  const dimmed = !allowed || offline || ended || phase.kind === 'gap' || phase.kind === 'waiting';
  return (
    <article className="tile" data-selected={selected} data-phase={phase.kind} data-sight={sight.kind} data-camera={camera.id} aria-label={camera.name}>
      <button type="button" className="tile-open" aria-label={opened ? `${camera.name}: show all cameras` : `Open ${camera.name}`} onClick={onOpen} />
      <canvas ref={canvas} width={16} height={9} data-dimmed={dimmed} data-state={phase.kind} />
      {sight.kind === 'grey' ? <span className="tile-age numbers">{ageWords(sight.ageMs)}</span> : null}
      {smaller && sight.kind !== 'blank' ? <span className="tile-smaller">Smaller picture: the line is slow</span> : null}
      {loading !== null && phase.kind !== 'starting' && sight.kind !== 'blank' ? <Waiting loading={loading} isAway={isAway} /> : null}
      {sight.kind === 'blank' ? <Blank sight={sight} /> : <Message entry={entry} phase={phase} live={playback === null} nowMs={nowMs} />}
      <footer>
        <span className="tile-name">{camera.name}</span>
        {playback === null && status.recording && !offline && sight.kind !== 'blank' ? <span className="recording" title="Recording" aria-label="Recording" /> : null}
        <span className="spring" />
        {playback === null && opened && !isAway && status.state === 'live' ? <RecordNow entry={entry} nowMs={nowMs} /> : null}
        {hasSound && !offline && (opened || selected) ? (
          <IconButton label={audible ? 'Sound off' : 'Sound on'} shortcut="M" className="on-picture" onClick={onToggleSound}>
            {audible ? <Volume2 size={18} /> : <VolumeX size={18} />}
          </IconButton>
        ) : null}
      </footer>
    </article>
  );
}

/** The last preview, until something moves: nobody waits before a black tile. Again when what was seen had to go. */
function useLastPicture(canvas: { readonly current: HTMLCanvasElement | null }, entry: CameraWithStatus, sight: Sight): void {
  const client = useEngine();
  const veil = useVeil();
  const { camera } = entry;
  const isWanted = sight.kind !== 'blank' && (may(entry, 'previews') || may(entry, 'live'));
  useEffect(() => {
    if (!isWanted) return undefined;
    let gone = false;
    void client
      .ask('previews.latest', { cameraId: camera.id })
      .then(async ({ item, bytes }) => {
        if (item === null || gone) return;
        const still = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' }));
        if (!gone && canvas.current !== null) new Painter(canvas.current, veil === null ? undefined : () => veil.maySee()).paintStill(still);
      })
      .catch(() => undefined);
    return () => {
      gone = true;
    };
  }, [client, canvas, camera.id, veil, isWanted]);
}

/** No picture, and why: what is not known to be of now is not shown. */
function Blank({ sight }: { readonly sight: Sight & { readonly kind: 'blank' } }): ReactNode {
  return (
    <div className="tile-notice" data-blank="true">
      <EyeOff size={22} aria-hidden="true" />
      <strong>No picture</strong>
      <p>{sight.reason}</p>
    </div>
  );
}

function Message({ entry, phase, live, nowMs }: { readonly entry: CameraWithStatus; readonly phase: TilePhase; readonly live: boolean; readonly nowMs: EpochMs }): ReactNode {
  const isAway = useIsAway();
  const { camera, status } = entry;
  if (!may(entry, live ? 'live' : 'playback')) {
    return (
      <Notice icon={<EyeOff size={22} />} title={live ? 'Not shared live' : 'No recordings shared'}>
        The people at home decide what this computer may see of this camera.
      </Notice>
    );
  }
  if (phase.kind === 'unsupported') {
    return (
      <Notice icon={<MonitorX size={22} />} title="This browser cannot play this camera’s video">
        It is recorded all the same. The Porchlight app or VLC can play it, or set the camera to H.264.
      </Notice>
    );
  }
  if (!live) {
    if (phase.kind === 'gap') {
      return (
        <Notice icon={null} title={phase.away ? 'On a disk that is not here' : phase.cause === null ? 'No footage here' : GAP_CAUSE_LABEL[phase.cause]}>
          {formatTime(phase.startMs)} – {formatTime(phase.endMs)}, {formatDuration(phase.endMs - phase.startMs)}
        </Notice>
      );
    }
    // What is missing up to now is no gap yet: nobody knows its end.
    if (phase.kind === 'end' && !status.recording) return <Notice icon={null} title={sinceThenWords(status.state)}>{status.state === 'live' ? 'Nothing is recorded of this moment.' : `Since ${formatMoment(status.sinceMs, nowMs)}`}</Notice>;
    if (phase.kind === 'failed') return <Notice icon={null} title="This cannot be shown">{phase.sentence}</Notice>;
    return phase.kind === 'starting' ? <Busy /> : null;
  }
  const pausedUntilMs = camera.paused?.untilMs ?? null;
  switch (status.state) {
    case 'live':
      return phase.kind === 'starting' ? <Busy /> : null;
    case 'connecting':
      return phase.kind === 'live' ? null : (
        <Notice icon={<LoaderCircle size={22} className="turning" />} title="Connecting…">
          {status.problem?.sentence}
        </Notice>
      );
    case 'paused':
      return (
        <Notice icon={<CirclePause size={22} />} title="Paused by you">
          {pausedUntilMs === null ? 'Nothing is recorded until you resume.' : `Until ${formatMoment(pausedUntilMs, nowMs)}.`}
        </Notice>
      );
    case 'refused':
      return (
        <Notice icon={<KeyRound size={22} />} title="The camera refuses the password">
          {status.problem?.sentence}
          {isAway ? null : (
            <Button tone="primary" onClick={() => goTo({ view: 'cameras', cameraId: camera.id })}>
              Change password
            </Button>
          )}
        </Notice>
      );
    case 'offline':
      return (
        <Notice icon={<WifiOff size={22} />} title={`Offline since ${formatMoment(status.sinceMs, nowMs)}`}>
          {status.problem?.sentence}
        </Notice>
      );
  }
}

/** Recordings wait for footage: over the picture that stands meanwhile. */
function Waiting({ loading, isAway }: { readonly loading: Loading; readonly isAway: boolean }): ReactNode {
  return (
    <span className="tile-waiting" role="status">
      <LoaderCircle className="turning" size={16} aria-hidden="true" />
      {loading === 'footage' && isAway ? 'The line is slower than this recording; loading…' : 'Loading…'}
    </span>
  );
}

function sinceThenWords(state: CameraWithStatus['status']['state']): string {
  switch (state) {
    case 'offline':
    case 'connecting':
      return GAP_CAUSE_LABEL['camera-unreachable'];
    case 'refused':
      return GAP_CAUSE_LABEL['camera-refused'];
    case 'paused':
      return GAP_CAUSE_LABEL['paused-by-you'];
    case 'live':
      return 'No footage here';
  }
}

function Busy(): ReactNode {
  return <LoaderCircle className="tile-busy turning" size={26} aria-label="Loading" />;
}

function Notice({ icon, title, children }: { readonly icon: ReactNode; readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="tile-notice" role="status">
      {icon}
      <strong>{title}</strong>
      <p>{children}</p>
    </div>
  );
}
