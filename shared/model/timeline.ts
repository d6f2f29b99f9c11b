/** What the timeline draws for a camera in a window of time, no finer than asked for. */
import type { EpochMs, TimeRange } from '../time.ts';
import type { GapCause } from './gap.ts';
import type { CameraId } from './ids.ts';

/** Unbroken footage. At coarse zooms neighbours closer than one pixel are drawn as one. */
export type Span = TimeRange;

export interface TimelineGap extends TimeRange {
  readonly cause: GapCause;
  readonly detail: string;
}

export const EVENT_KINDS = ['motion', 'person', 'vehicle', 'animal', 'camera-offline', 'camera-online', 'note', 'other-camera'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface CameraEvent extends TimeRange {
  readonly id: string;
  readonly cameraId: CameraId;
  readonly kind: EventKind;
  readonly label: string;
}

export interface CameraTimeline {
  readonly cameraId: CameraId;
  readonly spans: readonly Span[];
  readonly gaps: readonly TimelineGap[];
  readonly events: readonly CameraEvent[];
  /** Of the spans, what lies on a disk that is not here; left out where all of it is. */
  readonly absent?: readonly Span[];
}

export interface Timeline extends TimeRange {
  readonly cameras: readonly CameraTimeline[];
  /** First and last moment of any footage; null with none. */
  readonly bounds: TimeRange | null;
  readonly nowMs: EpochMs;
}

/** What of a camera's timeline is drawn: no ids, labels and details, which only lists and tools show. */
export interface DrawnCamera {
  readonly cameraId: CameraId;
  readonly spans: readonly Span[];
  readonly gaps: readonly (TimeRange & { readonly cause: GapCause })[];
  readonly events: readonly (TimeRange & { readonly kind: EventKind })[];
  readonly absent?: readonly Span[];
}

export interface DrawnTimeline extends Omit<Timeline, 'cameras'> {
  readonly cameras: readonly DrawnCamera[];
}
