/** Navigation and header around a view: a slim rail beside it, or a bar below it on a phone. */
import { Bell, Camera, CircleHelp, HardDrive, House, type LucideIcon, MonitorPlay, Settings2, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { useConnection, useEngineEvent, useQuery } from '../api/engine-context.tsx';
import { useCameras } from '../state/cameras.tsx';
import { useIsAway, usePlace, useSight } from '../state/place.tsx';
import { hrefOf, VIEWS_OF_ANOTHER_HOME, type ViewName } from '../state/route.ts';
import { AwayBanner } from './AwayBanner.tsx';
import { formatDays } from './format.ts';
import { StatusDot } from './StatusDot.tsx';
import { WatchedBadge } from './WatchedBadge.tsx';

const PLACES: readonly { readonly view: ViewName; readonly label: string; readonly icon: LucideIcon }[] = [
  { view: 'watch', label: 'Watch', icon: MonitorPlay },
  { view: 'events', label: 'Events', icon: Bell },
  { view: 'cameras', label: 'Cameras', icon: Camera },
  { view: 'storage', label: 'Storage', icon: HardDrive },
  { view: 'away', label: 'Away', icon: House },
  { view: 'settings', label: 'Settings', icon: Settings2 },
];

export interface FrameProps {
  readonly view: ViewName;
  readonly homeName: string;
  readonly children: ReactNode;
}

export function Frame({ view, homeName, children }: FrameProps): ReactNode {
  const place = usePlace();
  const isAway = place.kind === 'home';
  const places = isAway ? PLACES.filter(({ view: name }) => VIEWS_OF_ANOTHER_HOME.includes(name)) : PLACES;
  return (
    <div className="frame">
      <nav className="rail" aria-label="Main">
        <img className="logo" src="./icon.svg" alt="Porchlight" width={36} height={36} />
        {places.map(({ view: name, label, icon: Icon }) => (
          <a key={name} href={hrefOf({ view: name })} aria-current={view === name || (view === 'welcome' && name === 'cameras') ? 'page' : undefined} data-view={name}>
            <Icon size={21} strokeWidth={1.75} aria-hidden="true" />
            {label}
          </a>
        ))}
      </nav>
      <div className="room">
        {isAway ? <AwayBanner home={place.home} /> : null}
        <header className="header">
          <strong className="home">{isAway ? place.home.name : homeName}</strong>
          <RecordingPill />
          {isAway ? null : <StoragePill />}
          <span className="spring" />
          {isAway ? null : <WatchedBadge />}
        </header>
        {isAway ? null : <Notices />}
        <main className="view" data-view={view}>
          {children}
        </main>
      </div>
    </div>
  );
}

function RecordingPill(): ReactNode {
  const cameras = useCameras();
  const isAway = useIsAway();
  const isUnknown = useSight().kind === 'blank';
  if (cameras === null || cameras.length === 0 || isUnknown) return null;
  const recording = cameras.filter(({ status }) => status.recording).length;
  const paused = cameras.filter(({ camera }) => camera.paused !== null).length;
  // As their owner wants it: until something happens, or the hours begin.
  const waiting = cameras.filter(({ camera, status }) => camera.paused === null && status.state === 'live' && !status.recording && (status.keeping?.kind ?? 'everything') !== 'everything').length;
  const allWell = recording + paused + waiting === cameras.length;
  const words = (
    <>
      <StatusDot tone={allWell ? 'good' : 'wrong'} />
      {recordingWords(cameras.length, recording, waiting)}
    </>
  );
  return isAway ? (
    <span className="pill">{words}</span>
  ) : (
    <a className="pill link" href={hrefOf({ view: 'cameras' })}>
      {words}
    </a>
  );
}

function recordingWords(all: number, recording: number, waiting: number): ReactNode {
  if (all === 1 && recording === 1) return 'Recording';
  if (all === 1 && waiting === 1) return 'Waiting to record';
  const [how, what] = recording === all ? ['All', 'recording'] : waiting === all ? ['All', 'waiting to record'] : [`${recording} of`, `recording${waiting === 0 ? '' : `, ${waiting} waiting`}`];
  return (
    <span>
      {how} {all} <span className="camera-word">cameras </span>
      {what}
    </span>
  );
}

function StoragePill(): ReactNode {
  const storage = useQuery('storage.summary', {});
  useEngineEvent('storage.changed', storage.refresh);
  const { data } = storage;
  if (data === null || data.roots.length === 0) return null;
  const broken = data.roots.find(({ problem }) => problem !== null);
  if (broken !== undefined) {
    return (
      <a className="pill link wrong" href={hrefOf({ view: 'storage' })}>
        <StatusDot tone="wrong" />A disk needs you
      </a>
    );
  }
  if (data.forecastDays === null) return null;
  return (
    <a className="pill link" href={hrefOf({ view: 'storage' })}>
      Keeps about {formatDays(data.forecastDays)}
    </a>
  );
}

/** What is wrong with the whole program, or with the line to it. */
function Notices(): ReactNode {
  const connection = useConnection();
  const info = useQuery('app.info', {});
  useEngineEvent('app.changed', info.refresh);
  const lost = connection.phase === 'waiting' || connection.phase === 'closed';
  return (
    <>
      {lost ? (
        <p className="notice" role="status">
          <WifiOff size={16} aria-hidden="true" />
          This window has lost Porchlight and is trying to reach it again. Recording does not depend on it.
        </p>
      ) : null}
      {info.data?.warnings.map(({ kind, sentence }) => (
        <p key={kind} className="notice" role="status">
          <CircleHelp size={16} aria-hidden="true" />
          {sentence}
        </p>
      ))}
    </>
  );
}
