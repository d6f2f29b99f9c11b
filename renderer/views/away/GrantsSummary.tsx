/** What a device may see, in one or a few lines. */
import type { ReactNode } from 'react';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Grants } from '../../../shared/model/remote.ts';
import { MINUTE_MS } from '../../../shared/time.ts';
import { useCameras } from '../../state/cameras.tsx';
import { useNow } from '../../state/use-now.ts';
import { grantsLines, untilWords } from './device-words.ts';

export function GrantsSummary({ grants }: { readonly grants: Grants }): ReactNode {
  const nowMs = useNow(MINUTE_MS);
  const nameOf = useCameraName();
  const all = (useCameras() ?? []).map(({ camera }) => camera.id);
  const until = untilWords(grants, nowMs);
  return (
    <div className="grants-summary">
      {grantsLines(grants, all, nameOf).map((line) => (
        <p key={line} className="muted">
          {line}
        </p>
      ))}
      {until === null ? null : <p className="muted numbers">{until}</p>}
    </div>
  );
}

/** What a camera is called, also when it is gone from the list. */
export function useCameraName(): (cameraId: CameraId) => string {
  const cameras = useCameras() ?? [];
  return (cameraId) => cameras.find(({ camera }) => camera.id === cameraId)?.camera.name ?? 'a removed camera';
}
