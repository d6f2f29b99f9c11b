/** Records an opened camera at once, whatever its mode: says how long it goes on, and makes it longer when pressed again. */
import { CircleDot } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import { recordingModeOf } from '../../../shared/model/camera.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { useCommand } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { useToast } from '../../components/Toasts.tsx';

const SECONDS = 60;

export function RecordNow({ entry: { camera, status }, nowMs }: { readonly entry: CameraWithStatus; readonly nowMs: EpochMs }): ReactNode {
  const record = useCommand('recording.now');
  const toast = useToast();
  const untilMs = status.recordNowUntilMs ?? null;
  const leftMs = useCountdown(untilMs, nowMs);
  const press = async (): Promise<void> => {
    const done = await record.run({ cameraId: camera.id, seconds: SECONDS });
    const { kind, schedule } = recordingModeOf(camera);
    if (done !== null && kind === 'continuous' && schedule === null) toast('Marked as recorded by you. This camera is recorded all the time anyway.');
  };
  const words = leftMs === null ? 'Record now' : `Recording ${clock(leftMs)}`;
  return (
    <Button className="on-picture record-now" data-on={leftMs !== null} disabled={record.busy} title={leftMs === null ? 'Records a minute' : 'Another minute'} aria-label={leftMs === null ? 'Record now, for a minute' : `Recording for ${clock(leftMs)} more; press for another minute`} onClick={() => void press()}>
      <CircleDot size={17} aria-hidden="true" />
      <span className="numbers" aria-hidden="true">
        {words}
      </span>
      {record.error === null ? null : <span role="alert">{record.error.message}</span>}
    </Button>
  );
}

/** What is left, by the second; null when nothing is. */
function useCountdown(untilMs: EpochMs | null, nowMs: EpochMs): number | null {
  const [, tick] = useState(0);
  useEffect(() => {
    if (untilMs === null) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 500);
    return () => clearInterval(timer);
  }, [untilMs]);
  return untilMs === null || untilMs <= nowMs ? null : untilMs - nowMs;
}

function clock(leftMs: number): string {
  const seconds = Math.ceil(leftMs / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
