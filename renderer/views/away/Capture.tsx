/** What was handed to the relay's socket of late: how much, how near to noise, the newest messages, and every field it can read. */
import { ArrowDown, ArrowUp, Download } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import type { RelayCapture } from '../../../shared/model/remote.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import { useCommand, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { download } from '../../components/download.ts';
import { ErrorLine } from '../../components/Field.tsx';
import { formatBytes, formatClock, formatMoment } from '../../components/format.ts';
import { useNow } from '../../state/use-now.ts';
import { entropySentence, spacedHex } from './prove-words.ts';

const REFRESH_MS = 2 * SECOND_MS;
const SHOWN_MESSAGES = 12;

/** Asks again while it is in sight. */
export function Capture(): ReactNode {
  const capture = useQuery('remote.capture', {});
  const { data, error, refresh } = capture;
  const nowMs = useNow(REFRESH_MS);
  useEffect(refresh, [refresh, nowMs]);
  if (data === null) return error === null ? null : <ErrorLine>{error.message}</ErrorLine>;
  return (
    <div className="capture">
      <p className="numbers">
        {data.messages === 0 ? '' : `${data.messages.toLocaleString()} messages, ${formatBytes(data.bytes)}, since ${formatMoment(data.sinceMs, nowMs)}. `}
        {entropySentence(data)}
      </p>
      {data.newest.length === 0 ? null : <Sizes capture={data} />}
      {data.newest.length === 0 ? null : <Messages capture={data} />}
      {data.messages === 0 ? null : <Save />}
      <h3>Everything that it can read</h3>
      <dl className="readable">
        {data.readable.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numbers">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** All of it as a file, to be looked at with a program that is not ours. */
function Save(): ReactNode {
  const save = useCommand('remote.captureFile');
  const run = async (): Promise<void> => {
    const saved = await save.run({});
    if (saved !== null) download(saved.fileName, saved.bytes);
  };
  return (
    <div className="save-capture">
      <Button disabled={save.busy} onClick={() => void run()}>
        <Download size={16} aria-hidden="true" />
        Save for Wireshark
      </Button>
      {save.error === null ? null : <ErrorLine>{save.error.message}</ErrorLine>}
    </div>
  );
}

/** One bar for each message, the newest on the right. */
function Sizes({ capture: { newest } }: { readonly capture: RelayCapture }): ReactNode {
  const inOrder = newest.toSorted((a, b) => a.atMs - b.atMs);
  const largest = Math.max(...inOrder.map(({ sizeBytes }) => sizeBytes));
  return (
    <div className="sizes" role="img" aria-label={`Sizes of the newest ${inOrder.length} messages, at most ${formatBytes(largest)}`}>
      {inOrder.map(({ atMs, sizeBytes, direction }, at) => (
        <i key={`${at} ${atMs}`} data-direction={direction} style={{ height: `${Math.max(4, (sizeBytes / largest) * 100)}%` }} />
      ))}
    </div>
  );
}

function Messages({ capture: { newest } }: { readonly capture: RelayCapture }): ReactNode {
  const shown = newest.toSorted((a, b) => b.atMs - a.atMs).slice(0, SHOWN_MESSAGES);
  return (
    <div className="messages-scroll">
      <table className="messages numbers">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Size</th>
            <th scope="col">How it begins, as the relay sees it</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ atMs, sizeBytes, direction, startHex }, at) => (
            <tr key={`${at} ${atMs}`}>
              <td>{formatClock(atMs)}</td>
              <td>
                {direction === 'out' ? <ArrowUp size={14} role="img" aria-label="from this home" /> : <ArrowDown size={14} role="img" aria-label="to this home" />}
                {formatBytes(sizeBytes)}
              </td>
              <td>
                <code>{spacedHex(startHex)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
