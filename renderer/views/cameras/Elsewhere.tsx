/** Cameras whose footage is on the disks here and which are not on the list: names and footage, so that nothing is there unseen. */
import type { ReactNode } from 'react';
import { MINUTE_MS } from '../../../shared/time.ts';
import { useCommand, useEngineEvent, useQuery } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { formatBytes, formatMoment } from '../../components/format.ts';
import { PreviewImage } from '../../components/PreviewImage.tsx';
import { hrefOf } from '../../state/route.ts';
import { useNow } from '../../state/use-now.ts';

export function Elsewhere(): ReactNode {
  const found = useQuery('cameras.elsewhere', {});
  const restore = useCommand('cameras.restore');
  const nowMs = useNow(MINUTE_MS);
  useEngineEvent('cameras.changed', found.refresh);
  useEngineEvent('storage.changed', found.refresh);
  useEngineEvent('app.changed', found.refresh);
  if (found.data === null || found.data.length === 0) return null;
  return (
    <section aria-label="Footage of other cameras">
      <h2>Footage of other cameras</h2>
      <p className="muted">It is kept by the same rules as all footage.</p>
      {restore.error === null ? null : <ErrorLine>{restore.error.message}</ErrorLine>}
      <ul className="camera-list elsewhere">
        {found.data.map(({ cameraId, name, removed, usedBytes, oldestMs, newestMs }) => (
          <li key={cameraId}>
            <a className="camera-row" href={hrefOf({ view: 'watch', cameraId, atMs: Math.max(oldestMs, newestMs - MINUTE_MS) })} aria-label={`Watch footage of ${name ?? 'this camera'}`}>
              <PreviewImage cameraId={cameraId} dimmed />
              <div className="camera-words">
                <h3>{name ?? 'A camera without a name'}</h3>
                <p>{removed ? 'Removed from the list.' : 'A camera that is not set up here.'}</p>
                <p className="muted numbers">
                  {formatMoment(oldestMs, nowMs)} to {formatMoment(newestMs, nowMs)} · {formatBytes(usedBytes)}
                </p>
              </div>
            </a>
            {removed ? (
              <Button disabled={restore.busy} onClick={() => void restore.run({ cameraId })}>
                Put back
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </section>
  );
}
