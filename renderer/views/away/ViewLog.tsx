/** Who watched what and when, by day and by device, and whether the log is whole. */
import { CircleAlert, CircleCheck } from 'lucide-react';
import { Fragment, type ReactNode, useEffect, useState } from 'react';
import type { RemoteState, ViewLog as Log, ViewLogEntry } from '../../../shared/model/remote.ts';
import { MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import { asError, useEngine, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { formatBytes, formatClock, formatDay, formatDuration, localDayStart } from '../../components/format.ts';
import { hrefOf } from '../../state/route.ts';
import { useNow } from '../../state/use-now.ts';
import { chainSentence, footageWords, viewSentence } from './device-words.ts';
import { useCameraName } from './GrantsSummary.tsx';
import { bytesOf, footageOf, isGoingOn, lengthOf, noteOf, type ViewGroup, viewGroups, viewRows } from './view-rows.ts';
import './view-log.css';

const PAGE = 50;
const EVERY_DEVICE = '';

/** `onlyWhenUsed`: an empty log is not worth a place. */
export function ViewLog({ state, onlyWhenUsed = false }: { readonly state: RemoteState; readonly onlyWhenUsed?: boolean }): ReactNode {
  const [deviceId, setDeviceId] = useState(EVERY_DEVICE);
  const log = useLog(state, deviceId);
  const devices = useSeenDevices(state, log.entries);
  const groups = viewGroups(viewRows(log.entries));
  if (log.chain === null) return log.error === null ? null : <ErrorLine>{log.error}</ErrorLine>;
  if (onlyWhenUsed && log.chain.length === 0 && log.chain.intact) return null;
  return (
    <section className="card view-log" aria-label="Who watched what and when">
      <header>
        <h2>Who watched what, and when</h2>
        {devices.length < 2 && deviceId === EVERY_DEVICE ? null : (
          <select className="input" aria-label="Of which device" value={deviceId} onChange={(event) => setDeviceId(event.target.value)}>
            <option value={EVERY_DEVICE}>Every device</option>
            {devices.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </header>
      <p className="chain" data-tone={log.chain.intact ? 'good' : 'wrong'} role={log.chain.intact ? undefined : 'alert'}>
        {log.chain.intact ? <CircleCheck size={17} aria-hidden="true" /> : <CircleAlert size={17} aria-hidden="true" />}
        <span className="numbers">{chainSentence(log.chain)}</span>
      </p>
      <ul>
        {groups.map((group, index) => (
          <Fragment key={group.rows[0].entry.seq}>
            {index === 0 || localDayStart(group.rows[0].entry.atMs) !== localDayStart(groups[index - 1]?.rows[0].entry.atMs ?? 0) ? <li className="log-day">{formatDay(group.rows[0].entry.atMs)}</li> : null}
            <Line group={group} state={state} brokenAtSeq={log.chain?.brokenAtSeq ?? null} />
          </Fragment>
        ))}
      </ul>
      {log.error === null ? null : <ErrorLine>{log.error}</ErrorLine>}
      {log.more === null ? null : <Button onClick={log.more}>Show older ones</Button>}
    </section>
  );
}

function Line({ group: { rows, cameraIds }, state, brokenAtSeq }: { readonly group: ViewGroup; readonly state: RemoteState; readonly brokenAtSeq: number | null }): ReactNode {
  const nameOf = useCameraName();
  const [first] = rows;
  const entry = { ...first.entry, cameraIds };
  const footage = footageOf(first);
  const lengths = rows.map(lengthOf).filter((lengthMs) => lengthMs !== null);
  const note = noteOf(first);
  const bytes = rows.reduce((sum, row) => sum + bytesOf(row), 0);
  const goesOn = rows.some((row) => isGoingOn(row, state.watching));
  const broken = brokenAtSeq !== null && rows.some(({ entry: { seq }, closing }) => seq === brokenAtSeq || closing?.seq === brokenAtSeq);
  const [camera] = cameraIds;
  return (
    <li className="log-line" data-kind={entry.kind} data-broken={broken}>
      <span className="numbers muted">{formatClock(entry.atMs)}</span>
      <div>
        <span>
          <strong>{entry.deviceName}</strong> {viewSentence(entry, nameOf)}
        </span>
        {footage === null ? null : camera === undefined ? (
          <span className="muted numbers">{footageWords(footage)}</span>
        ) : (
          <a className="numbers" href={hrefOf({ view: 'watch', atMs: footage.fromMs, cameraId: camera })}>
            {footageWords(footage)}
          </a>
        )}
        {goesOn ? <span className="log-now">now</span> : lengths.length === 0 ? null : <span className="muted numbers">{formatDuration(Math.max(SECOND_MS, ...lengths))}</span>}
        {note === null ? null : <span className="muted">{note}</span>}
        {broken ? <span className="error-line">From here on the log cannot be trusted.</span> : null}
      </div>
      <span className="muted numbers">{bytes === 0 ? '' : formatBytes(bytes)}</span>
    </li>
  );
}

interface LogState {
  readonly entries: readonly ViewLogEntry[];
  readonly chain: Log['chain'] | null;
  readonly error: string | null;
  /** Null where there is nothing older. */
  readonly more: (() => void) | null;
}

/** The newest page, asked again when somebody comes, goes or looks at something else; older pages as they are wanted. */
function useLog(state: RemoteState, deviceId: string): LogState {
  const client = useEngine();
  const filter = deviceId === EVERY_DEVICE ? {} : { deviceId };
  const newest = useQuery('remote.log', { limit: PAGE, ...filter });
  const [older, setOlder] = useState<{ readonly of: string; readonly entries: readonly ViewLogEntry[]; readonly all: boolean }>({ of: deviceId, entries: [], all: false });
  const [error, setError] = useState<string | null>(null);
  const minute = Math.floor(useNow(MINUTE_MS) / MINUTE_MS);
  const changes = JSON.stringify([minute, state.devices, state.watching.map((each) => [each.deviceId, each.sinceMs, each.cameraIds])]);
  const { refresh } = newest;
  useEffect(refresh, [refresh, changes]);
  const mine = older.of === deviceId ? older : { of: deviceId, entries: [], all: false };
  const first = newest.data?.entries ?? [];
  const firstSeq = first.at(-1)?.seq ?? 0;
  const entries = [...first, ...mine.entries.filter(({ seq }) => seq < firstSeq)];
  const last = entries.at(-1);
  const more = (): void => {
    if (last === undefined) return;
    client.ask('remote.log', { limit: PAGE, beforeSeq: last.seq, ...filter }).then(
      (page) => setOlder({ of: deviceId, entries: [...entries.filter(({ seq }) => seq < firstSeq), ...page.entries], all: page.entries.length < PAGE }),
      (failure: unknown) => setError(asError(failure).message),
    );
  };
  return { entries, chain: newest.data?.chain ?? null, error: error ?? newest.error?.message ?? null, more: mine.all || first.length < PAGE ? null : more };
}

/** Devices that are paired, and those that the log knows; the latter stay in the list while one of them is chosen. */
function useSeenDevices(state: RemoteState, entries: readonly ViewLogEntry[]): readonly { readonly id: string; readonly name: string }[] {
  const [seen, setSeen] = useState<Readonly<Record<string, string>>>({});
  const fresh = entries.find(({ deviceId }) => deviceId !== '' && seen[deviceId] === undefined);
  useEffect(() => {
    if (fresh !== undefined) setSeen((before) => ({ ...Object.fromEntries(entries.toReversed().map(({ deviceId, deviceName }) => [deviceId, deviceName])), ...before }));
  }, [fresh, entries]);
  const paired = state.devices.map(({ id, name }) => ({ id, name }));
  const gone = Object.entries(seen).filter(([id]) => id !== '' && paired.every((device) => device.id !== id));
  return [...paired, ...gone.map(([id, name]) => ({ id, name: `${name} (no longer paired)` }))];
}
