/** What happened, newest first; each line leads to its moment on Watch. */
import { Bell, ChevronRight } from 'lucide-react';
import { Fragment, type ReactNode, useMemo, useState } from 'react';
import type { CameraEvent, EventKind } from '../../../shared/model/timeline.ts';
import { DAY_MS } from '../../../shared/time.ts';
import { useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Empty } from '../../components/Empty.tsx';
import { formatClock, formatDay, formatDuration, localDayStart } from '../../components/format.ts';
import { useCameras } from '../../state/cameras.tsx';
import { mayKnowTimes } from '../../state/rights.ts';
import { hrefOf } from '../../state/route.ts';
import './events.css';

const WORDS: Readonly<Record<EventKind, string>> = {
  motion: 'Motion',
  person: 'Person',
  vehicle: 'Vehicle',
  animal: 'Animal',
  'camera-offline': 'Camera went offline',
  'camera-online': 'Camera is back',
  note: 'Note',
  'other-camera': 'Perhaps another camera',
};

const SHOWN_DAYS = 30;

export function Events(): ReactNode {
  const entries = useCameras();
  const [untilMs] = useState(() => Date.now() + DAY_MS);
  const ids = useMemo(() => (entries ?? []).filter(mayKnowTimes).map(({ camera }) => camera.id), [entries]);
  const events = useQuery('events.list', ids.length === 0 ? null : { cameraIds: ids, startMs: untilMs - SHOWN_DAYS * DAY_MS, endMs: untilMs, limit: 500 });
  useEngineEvent('timeline.changed', events.refresh);
  if (entries === null || (events.loading && ids.length > 0)) return null;
  const newestFirst = [...(events.data ?? [])].sort((a, b) => b.startMs - a.startMs);
  if (newestFirst.length === 0) {
    return (
      <Empty icon={Bell} title="Nothing has happened yet">
        <p>When a camera goes offline or comes back, or “Record now” is pressed on one, it stands here, and each line leads to its moment on Watch. Recognising motion comes with a later version.</p>
      </Empty>
    );
  }
  const names = new Map(entries.map(({ camera }) => [camera.id, camera.name]));
  return (
    <div className="page">
      <h1>Events</h1>
      <ul className="events">
        {newestFirst.map((event, index) => (
          <Fragment key={event.id}>
            {index === 0 || localDayStart(event.startMs) !== localDayStart(newestFirst[index - 1]?.startMs ?? 0) ? <li className="events-day">{formatDay(event.startMs)}</li> : null}
            <EventLine event={event} name={names.get(event.cameraId) ?? ''} />
          </Fragment>
        ))}
      </ul>
    </div>
  );
}

function EventLine({ event, name }: { readonly event: CameraEvent; readonly name: string }): ReactNode {
  const lengthMs = event.endMs - event.startMs;
  return (
    <li>
      <a className="event" href={hrefOf({ view: 'watch', atMs: event.startMs, cameraId: event.cameraId })}>
        <span className="event-mark" data-kind={event.kind} aria-hidden="true" />
        <span className="numbers">{formatClock(event.startMs)}</span>
        <strong>{event.label === '' ? WORDS[event.kind] : event.label}</strong>
        <span className="muted">{name}</span>
        <span className="muted numbers">{lengthMs >= 1_000 ? formatDuration(lengthMs) : ''}</span>
        <ChevronRight size={16} aria-hidden="true" />
      </a>
    </li>
  );
}
