/** Decides what of each camera is kept now: by its mode, the hours of the week, and what happens. Tells the ingest thread on change only, and is there when an hour begins or ends. */
import { PorchlightError } from '../../shared/errors.ts';
import { type Camera, recordingModeOf } from '../../shared/model/camera.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Keeping, WeekSchedule } from '../../shared/model/recording-mode.ts';
import type { CameraEvent } from '../../shared/model/timeline.ts';
import { DAY_MS, type EpochMs, HOUR_MS, SECOND_MS } from '../../shared/time.ts';
import { isScheduled, nextBorderMs } from '../../shared/week-schedule.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import type { ArchiveReader, ArchiveWriter } from './ports/archive.ts';
import type { EventRecording, RecordableEvent } from './ports/event-recording.ts';
import type { Ingest, StreamKeep, StreamKey } from './ports/ingest.ts';

/** Timers stand still while the computer sleeps, and the wall clock may be set: a border is looked for at least this often. */
const LOOK_MS = 5 * SECOND_MS;
/** Who began an event and never said that it ended is gone. */
const FORGOTTEN_MS = HOUR_MS;
/** Kinds that are not reasons to record. */
const OF_THE_CAMERA: ReadonlySet<CameraEvent['kind']> = new Set(['camera-offline', 'camera-online', 'other-camera']);

export interface EventRecorderParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly cameras: () => readonly Camera[];
  readonly ingest: Pick<Ingest, 'keep'>;
  readonly archive: { readonly write: Pick<ArchiveWriter, 'insertEvent'>; readonly read: Pick<ArchiveReader, 'events'> };
  /** Footage of this stream is wanted again: why it was not is no reason any more. */
  readonly onWanted: (key: StreamKey) => void;
  readonly onKeeping: (cameraId: CameraId, keeping: Keeping, recordNowUntilMs: EpochMs | null) => void;
  /** An event has its row. */
  readonly onEvent: (event: CameraEvent) => void;
}

/** Events are remembered a little longer than their footage is wanted: that ends with a whole group of pictures. */
const REMEMBERED_MS = 30 * SECOND_MS;

interface Active extends RecordableEvent {
  readonly saidMs: EpochMs;
}

export interface Decision {
  /** Null: everything. */
  readonly keep: StreamKeep | null;
  readonly keeping: Keeping;
}

/** Events as far as they matter here. */
export type ActiveEvent = Pick<Active, 'startMs' | 'endMs' | 'kind' | 'saidMs'>;

interface Hours {
  readonly inHours: boolean;
  readonly fromMs: EpochMs;
  /** When that changes; null: not in the coming week. */
  readonly borderMs: EpochMs | null;
}

/** Asking a calendar costs a millisecond; what it said holds until the border. */
const knownHours = new WeakMap<WeekSchedule, Hours>();

function hoursAt(schedule: WeekSchedule | null, nowMs: EpochMs): Hours {
  if (schedule === null) return { inHours: true, fromMs: nowMs, borderMs: null };
  const known = knownHours.get(schedule);
  if (known !== undefined && nowMs >= known.fromMs && nowMs < (known.borderMs ?? known.fromMs + DAY_MS)) return known;
  const hours = { inHours: isScheduled(schedule, nowMs), fromMs: nowMs, borderMs: nextBorderMs(schedule, nowMs) };
  knownHours.set(schedule, hours);
  return hours;
}

/** What is kept of a camera at a moment. Outside its hours only what the owner asks for (`note`) is kept, from that moment on. */
export function decide(camera: Camera, events: readonly ActiveEvent[], nowMs: EpochMs): Decision {
  const mode = recordingModeOf(camera);
  const { inHours, borderMs } = hoursAt(mode.schedule, nowMs);
  if (inHours && mode.kind === 'continuous') return { keep: null, keeping: { kind: 'everything' } };
  const [preRollMs, postRollMs] = inHours ? [mode.preRollMs, mode.postRollMs] : [0, 0];
  const window = windowOf(inHours ? events : events.filter(({ kind }) => kind === 'note'), preRollMs, postRollMs);
  const goesOn = window !== null && window.untilMs > nowMs;
  if (inHours) return { keep: { preRollMs, window, restsUntilMs: null, detail: 'Recorded when something happens: nothing was reported.' }, keeping: { kind: 'events', untilMs: goesOn ? window.untilMs : null } };
  return { keep: { preRollMs, window: goesOn ? window : null, restsUntilMs: borderMs, detail: 'Outside the hours in which this camera is recorded.' }, keeping: { kind: 'not-scheduled', untilMs: borderMs } };
}

/** From the beginning of the last unbroken row of events, each with what is kept around it, to its end. */
function windowOf(events: readonly ActiveEvent[], preRollMs: number, postRollMs: number): StreamKeep['window'] {
  let window: { fromMs: EpochMs; untilMs: EpochMs } | null = null;
  for (const { startMs, endMs, saidMs } of events.toSorted((a, b) => a.startMs - b.startMs)) {
    const untilMs = (endMs ?? saidMs + FORGOTTEN_MS) + postRollMs;
    if (window === null || startMs - preRollMs > window.untilMs) window = { fromMs: startMs, untilMs };
    else window.untilMs = Math.max(window.untilMs, untilMs);
  }
  return window;
}

export class EventRecorder implements EventRecording {
  readonly #parts: EventRecorderParts;
  readonly #active = new Map<CameraId, ReadonlyMap<string, Active>>();
  /** What was told of each camera, as text, and whether everything or an event's footage was wanted. */
  readonly #told = new Map<CameraId, { readonly text: string; readonly wanted: boolean }>();
  #cancelWake: () => void = () => undefined;
  #stopped = false;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
  }

  /** Takes up events of an earlier life that go on. Nothing is told of them before `refresh`. */
  async recall(): Promise<void> {
    const { clock, cameras, archive, log } = this.#parts;
    const nowMs = clock.nowMs();
    const ids = cameras().map(({ id }) => id);
    if (ids.length === 0) return;
    try {
      for (const event of await archive.read.events({ cameraIds: ids, startMs: nowMs - HOUR_MS, endMs: nowMs, limit: 1_000 })) {
        if (!OF_THE_CAMERA.has(event.kind)) this.#note(event.cameraId, { ...event, saidMs: nowMs });
      }
    } catch (error) {
      log.warn('events that go on could not be looked up', error);
    }
  }

  async recordOnEvent(cameraId: CameraId, event: RecordableEvent): Promise<void> {
    const { clock, archive, onEvent } = this.#parts;
    this.#camera(cameraId);
    this.#note(cameraId, { ...event, saidMs: clock.nowMs() });
    // Recording first: it does not wait for the journal.
    this.refresh();
    if (event.endMs === null) return;
    const row: CameraEvent = { id: event.id, cameraId, startMs: event.startMs, endMs: event.endMs, kind: event.kind, label: event.label };
    await archive.write.insertEvent(row);
    onEvent(row);
  }

  /** By the owner's wish, from now on for so long, or for so much longer where it goes on already. Rejects with `conflict` for a paused camera. */
  async recordNow(cameraId: CameraId, seconds: number): Promise<{ readonly untilMs: EpochMs }> {
    if (this.#camera(cameraId).paused !== null) throw new PorchlightError('conflict', 'This camera is paused: Porchlight is not connected to it. Resume it first.');
    const startMs = this.#parts.clock.nowMs();
    const untilMs = (this.#recordNowUntilMs(cameraId, startMs) ?? startMs) + seconds * SECOND_MS;
    await this.recordOnEvent(cameraId, { id: `note-${cameraId}-${Math.round(startMs)}`, startMs, endMs: untilMs, kind: 'note', label: 'Recorded by you' });
    return { untilMs };
  }

  /** For the ingest thread's whole wish. Null: everything. */
  keepOf(camera: Camera): StreamKeep | null {
    return decide(camera, this.#eventsOf(camera.id), this.#parts.clock.nowMs()).keep;
  }

  /** Outside its hours, why nothing of a camera is written; null where something is. */
  restsBecause(camera: Camera): string | null {
    const { keep } = decide(camera, this.#eventsOf(camera.id), this.#parts.clock.nowMs());
    return keep === null || (keep.window !== null && keep.window.untilMs > this.#parts.clock.nowMs()) ? null : keep.detail;
  }

  /** Compares what is to be kept now with what was told. Call it when cameras change; borders of hours and ends of events it sees itself. */
  refresh(): void {
    if (this.#stopped) return;
    const { clock, cameras } = this.#parts;
    const nowMs = clock.nowMs();
    const list = cameras();
    for (const id of this.#told.keys()) if (!list.some((camera) => camera.id === id)) this.#told.delete(id);
    this.#forgetEnded(list, nowMs);
    const nextMs = Math.min(...list.map((camera) => this.#tell(camera, nowMs)));
    this.#cancelWake();
    if (nextMs < Infinity || this.#active.size > 0) this.#cancelWake = clock.after(Math.min(LOOK_MS, Math.max(1, nextMs - nowMs)), () => this.refresh());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake();
  }

  /** Returns when there is something to be told again, as far as that is known. */
  #tell(camera: Camera, nowMs: EpochMs): EpochMs {
    const { ingest, onWanted, onKeeping, log } = this.#parts;
    const { keep, keeping } = decide(camera, this.#eventsOf(camera.id), nowMs);
    const nowUntilMs = this.#recordNowUntilMs(camera.id, nowMs);
    const windowEndMs = keep?.window?.untilMs ?? 0;
    const wanted = keep === null || windowEndMs > nowMs;
    const text = JSON.stringify(keep);
    const before = this.#told.get(camera.id);
    this.#told.set(camera.id, { text, wanted });
    if (wanted && before?.wanted === false && camera.paused === null) for (const stream of camera.recorded) onWanted({ cameraId: camera.id, stream });
    if (before?.text !== text) ingest.keep(camera.id, keep).catch((error: unknown) => log.error(`${camera.id} could not be told what to keep`, error));
    onKeeping(camera.id, keeping, nowUntilMs);
    const { borderMs } = hoursAt(recordingModeOf(camera).schedule, nowMs);
    return Math.min(borderMs ?? Infinity, nowUntilMs ?? Infinity, windowEndMs > nowMs ? windowEndMs : Infinity);
  }

  #camera(cameraId: CameraId): Camera {
    const camera = this.#parts.cameras().find((one) => one.id === cameraId);
    if (camera === undefined) throw new PorchlightError('not-found', 'This camera is not on the list any more.');
    return camera;
  }

  #eventsOf(cameraId: CameraId): readonly Active[] {
    return [...(this.#active.get(cameraId)?.values() ?? [])];
  }

  #note(cameraId: CameraId, event: Active): void {
    this.#active.set(cameraId, new Map(this.#active.get(cameraId) ?? []).set(event.id, event));
  }

  /** Until when the owner's own recording goes on; null when none does. */
  #recordNowUntilMs(cameraId: CameraId, nowMs: EpochMs): EpochMs | null {
    const ends = this.#eventsOf(cameraId).flatMap(({ kind, endMs }) => (kind === 'note' && endMs !== null && endMs > nowMs ? [endMs] : []));
    return ends.length === 0 ? null : Math.max(...ends);
  }

  #forgetEnded(cameras: readonly Camera[], nowMs: EpochMs): void {
    for (const [cameraId, events] of this.#active) {
      const camera = cameras.find((one) => one.id === cameraId);
      const { postRollMs } = recordingModeOf(camera ?? {});
      const left = [...events].filter(([, { endMs, saidMs }]) => camera !== undefined && (endMs ?? saidMs + FORGOTTEN_MS) + postRollMs + REMEMBERED_MS > nowMs);
      if (left.length === events.size) continue;
      if (left.length === 0) this.#active.delete(cameraId);
      else this.#active.set(cameraId, new Map(left));
    }
  }
}
