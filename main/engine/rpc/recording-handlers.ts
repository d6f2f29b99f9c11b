/** When cameras are recorded, and what came in from them. */
import type { EngineHandlers } from '../../../shared/contract/engine-api.ts';
import type { RecordingMode } from '../../../shared/model/recording-mode.ts';
import type { CameraRegistry } from '../cameras/registry.ts';
import type { Ingest } from '../ports/ingest.ts';

export interface RecordingParts {
  readonly registry: CameraRegistry;
  readonly ingest: Pick<Ingest, 'received'>;
  readonly eventRecorder: { recordNow(cameraId: Parameters<CameraRegistry['get']>[0], seconds: number): Promise<{ readonly untilMs: number }> };
}

export function recordingHandlers({ registry, ingest, eventRecorder }: RecordingParts): Pick<EngineHandlers, 'cameras.received' | 'cameras.setRecording' | 'recording.now'> {
  return {
    'cameras.received': () => ingest.received(),
    'cameras.setRecording': ({ cameraId, kind, preRollMs, postRollMs, schedule }) => {
      const patch: Partial<RecordingMode> = {
        ...(kind === undefined ? {} : { kind }),
        ...(preRollMs === undefined ? {} : { preRollMs }),
        ...(postRollMs === undefined ? {} : { postRollMs }),
        ...(schedule === undefined ? {} : { schedule }),
      };
      return registry.setRecording(cameraId, patch);
    },
    'recording.now': ({ cameraId, seconds }) => eventRecorder.recordNow(cameraId, seconds),
  };
}
