/** What was recorded of each camera and day, and why the rest is missing. */
import { type CSSProperties, type ReactNode, useMemo, useState } from 'react';
import { type CameraCoverage, type CoverageGap, type DayCoverage, recordedShare } from '../../../shared/model/coverage.ts';
import { GAP_CAUSE_LABEL } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { MINUTE_MS } from '../../../shared/time.ts';
import { useQuery } from '../../api/engine-context.tsx';
import { formatClock, formatDay, formatDuration, formatShare } from '../../components/format.ts';
import { useCameras } from '../../state/cameras.tsx';
import { hrefOf } from '../../state/route.ts';
import { useNow } from '../../state/use-now.ts';
import './recorded.css';

const SHOWN_DAYS = 14;
const dayOfMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'narrow' });

interface Chosen {
  readonly cameraId: CameraId;
  readonly startMs: number;
}

export function Recorded(): ReactNode {
  const cameras = useCameras();
  const ids = useMemo(() => (cameras ?? []).map(({ camera }) => camera.id), [cameras]);
  // A new minute is a new question: today goes on.
  const nowMs = useNow(MINUTE_MS);
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const coverage = useQuery('coverage.days', ids.length === 0 ? null : { cameraIds: ids, days: SHOWN_DAYS, timeZone, untilMs: Math.floor(nowMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS });
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const shown = coverage.data?.cameras ?? [];
  const days = shown[0]?.days ?? [];
  if (coverage.data === null && coverage.error === null && ids.length > 0) return <Waiting rows={ids.length} />;
  if (days.length === 0) return null;
  const names = new Map((cameras ?? []).map(({ camera }) => [camera.id, camera.name]));
  const camera = shown.find(({ cameraId }) => cameraId === (chosen?.cameraId ?? shown[0]?.cameraId)) ?? shown[0];
  const day = camera?.days.find(({ startMs }) => startMs === chosen?.startMs) ?? camera?.days.at(-1);
  return (
    <section className="card">
      <h2>What was recorded</h2>
      <p className="muted">Every missing second has a cause. Choose a day to see it.</p>
      <div className="recorded-scroll">
        <table className="recorded">
          <thead>
            <tr>
              <th scope="col">Camera</th>
              {days.map(({ startMs }) => (
                <th key={startMs} scope="col">
                  <span aria-hidden="true">{weekday.format(startMs)}</span>
                  <span className="numbers">{dayOfMonth.format(startMs)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row key={row.cameraId} row={row} name={names.get(row.cameraId) ?? ''} chosenMs={row.cameraId === camera?.cameraId ? (day?.startMs ?? null) : null} onChoose={(startMs) => setChosen({ cameraId: row.cameraId, startMs })} />
            ))}
          </tbody>
        </table>
      </div>
      {camera === undefined || day === undefined ? null : <DayReport cameraId={camera.cameraId} name={names.get(camera.cameraId) ?? ''} day={day} />}
    </section>
  );
}

/** As high as what is about to stand there: nothing below it jumps. */
function Waiting({ rows }: { readonly rows: number }): ReactNode {
  return (
    <section className="card">
      <h2>What was recorded</h2>
      <p className="muted">Every missing second has a cause. Choose a day to see it.</p>
      <div className="recorded-waiting" style={{ '--rows': rows } as CSSProperties} />
    </section>
  );
}

function Row({ row, name, chosenMs, onChoose }: { readonly row: CameraCoverage; readonly name: string; readonly chosenMs: number | null; readonly onChoose: (startMs: number) => void }): ReactNode {
  return (
    <tr>
      <th scope="row">{name}</th>
      {row.days.map((day) => (
        <td key={day.startMs}>
          <button type="button" data-level={levelOf(day)} aria-pressed={day.startMs === chosenMs} aria-label={`${name}, ${formatDay(day.startMs)}: ${summaryOf(day)}`} title={summaryOf(day)} onClick={() => onChoose(day.startMs)}>
            <i style={{ height: `${(recordedShare(day) ?? 0) * 100}%` }} />
          </button>
        </td>
      ))}
    </tr>
  );
}

function levelOf(day: DayCoverage): 'none' | 'whole' | 'nearly' | 'part' {
  const share = recordedShare(day);
  if (share === null) return 'none';
  return share >= 0.9999 ? 'whole' : share >= 0.98 ? 'nearly' : 'part';
}

/** "99.97 % recorded; 21 s missing". */
function summaryOf(day: DayCoverage): string {
  const share = recordedShare(day);
  if (share === null) return day.notScheduledMs > 0 ? 'Not scheduled' : 'No footage yet';
  const missingMs = day.missing.reduce((sum, each) => sum + each.missingMs, 0);
  return missingMs < 1 ? 'All of it recorded' : `${formatShare(share)} recorded; ${formatDuration(Math.max(1_000, missingMs))} missing`;
}

const causeOf = (cause: CoverageGap['cause']): string => (cause === 'unknown' ? 'The cause is not known' : GAP_CAUSE_LABEL[cause]);

function DayReport({ cameraId, name, day }: { readonly cameraId: CameraId; readonly name: string; readonly day: DayCoverage }): ReactNode {
  return (
    <div className="day-report" aria-live="polite">
      <h3>
        {name}, {formatDay(day.startMs)}
      </h3>
      <p>
        {summaryOf(day)}
        {day.missing.length === 0 ? '.' : `: ${day.missing.map(({ cause, missingMs, gaps }) => `${causeOf(cause)} ${formatDuration(Math.max(1_000, missingMs))}${gaps > 1 ? ` in ${gaps} gaps` : ''}`).join(', ')}.`}
      </p>
      {day.longestGaps.length === 0 ? null : (
        <ul className="gap-list">
          {day.longestGaps.map((gap) => (
            <li key={gap.startMs}>
              <a href={hrefOf({ view: 'watch', atMs: gap.startMs - 2_000, cameraId })}>
                <span className="numbers">{formatClock(gap.startMs)}</span>
                <span className="numbers muted">{formatDuration(Math.max(1_000, gap.endMs - gap.startMs))}</span>
                <span>{causeOf(gap.cause)}</span>
                <span className="muted">{gap.detail}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
