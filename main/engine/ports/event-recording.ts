/** The one way in for everything that happens at a camera: whoever sees something says it here, and it is recorded and written down (docs/design/recording.md). */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EventKind } from '../../../shared/model/timeline.ts';
import type { EpochMs } from '../../../shared/time.ts';

export interface RecordableEvent {
  /** Unique among all events; said again with the same id, the event goes on or has ended. */
  readonly id: string;
  readonly startMs: EpochMs;
  /** Null while it goes on. Once an end was said, it stands. */
  readonly endMs: EpochMs | null;
  readonly kind: EventKind;
  readonly label: string;
}

export interface EventRecording {
  /**
   * Footage from before the event until some time after its end is kept, as the camera's mode says. An event with an end is
   * durable, in the journal and the index, when this resolves; one without is only recorded, for an hour at most after it was
   * last said. Rejects with `not-found` for a camera that is not on the list.
   */
  recordOnEvent(cameraId: CameraId, event: RecordableEvent): Promise<void>;
}
