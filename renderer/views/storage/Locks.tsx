/** Footage that is kept for good: where it is, what it holds, and taking the lock off again. */
import { Lock } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { LockWithFootage } from '../../../shared/model/locks.ts';
import { asError, useEngine } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { formatBytes, formatClock, formatDuration, formatShortDay, localDayStart } from '../../components/format.ts';
import { useToast } from '../../components/Toasts.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { useLocks } from '../../state/locks.ts';
import { hrefOf } from '../../state/route.ts';

export function Locks(): ReactNode {
  const locks = useLocks();
  if (locks.data === null) return locks.error === null ? null : <ErrorLine>{locks.error.message}</ErrorLine>;
  const bytes = locks.data.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <section className="card">
      <h2>Kept for good</h2>
      <p className="muted">
        {locks.data.length === 0 ? 'Nothing yet. On Watch, “Keep this” keeps a moment whatever the rules say.' : `${formatBytes(bytes)} that no rule deletes.`}
      </p>
      <ul className="locks">
        {locks.data.map((lock) => (
          <Row key={lock.id} lock={lock} onChanged={locks.refresh} />
        ))}
      </ul>
    </section>
  );
}

function Row({ lock, onChanged }: { readonly lock: LockWithFootage; readonly onChanged: () => void }): ReactNode {
  const cameras = useCameras() ?? [];
  const engine = useEngine();
  const toast = useToast();
  const [error, setError] = useState<string | null>(null);
  const { id, cameraId, startMs, endMs, note, sizeBytes, recordedMs, sentence } = lock;
  const name = cameras.find(({ camera }) => camera.id === cameraId)?.camera.name ?? 'A removed camera';
  const keepAgain = (): void => {
    engine.ask('locks.add', { cameraId, startMs, endMs, note }).then(onChanged, (failure: unknown) => toast(asError(failure).message));
  };
  const takeOff = (): void => {
    engine.ask('locks.remove', { id }).then(
      () => {
        onChanged();
        toast('The rules decide about it again.', keepAgain);
      },
      (failure: unknown) => setError(asError(failure).message),
    );
  };
  return (
    <li>
      <Lock size={18} strokeWidth={1.6} aria-hidden="true" />
      <div>
        <strong>{name}</strong>
        <span className="numbers">{rangeText(startMs, endMs)}</span>
        {note === '' ? null : <span>{note}</span>}
        <span className="muted numbers">
          {formatDuration(recordedMs)} · {formatBytes(sizeBytes)}
        </span>
        {sentence === null ? null : <span className="muted">{sentence}</span>}
        {error === null ? null : <ErrorLine>{error}</ErrorLine>}
      </div>
      <div className="disk-actions">
        <a className="button plain" href={hrefOf({ view: 'watch', cameraId, atMs: startMs })}>
          Show
        </a>
        <Button tone="quiet" onClick={takeOff}>
          Take off
        </Button>
      </div>
    </li>
  );
}

/** The day once, and both times; both days where it goes over midnight. */
function rangeText(startMs: number, endMs: number): string {
  const sameDay = localDayStart(startMs) === localDayStart(endMs);
  return `${formatShortDay(startMs)}, ${formatClock(startMs)} – ${sameDay ? '' : `${formatShortDay(endMs)}, `}${formatClock(endMs)}`;
}
