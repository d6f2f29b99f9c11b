/** What is kept when: by mode, hours and events; borders met in time; the journal before the answer. */
import { expect, it } from 'vitest';
import type { Camera } from '../../shared/model/camera.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { ALWAYS, type RecordingMode, type WeekSchedule } from '../../shared/model/recording-mode.ts';
import type { CameraEvent } from '../../shared/model/timeline.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts';
import { silentLogger } from './core/logger.ts';
import { decide, EventRecorder } from './event-recorder.ts';
import type { StreamKeep } from './ports/ingest.ts';

const PORCH = 'cam-aaaaaaaaaaaa' as CameraId;
const MONDAY = Date.parse('2026-11-23T00:00:00Z');
const workHours: WeekSchedule = { timeZone: 'UTC', days: Array.from({ length: 7 }, () => [{ startMinute: 8 * 60, endMinute: 18 * 60 }]) };

function camera(recording?: Partial<RecordingMode>, more: Partial<Camera> = {}): Camera {
  return {
    id: PORCH, name: 'Porch', device: { maker: '', model: '', firmware: '', serial: '' }, origin: 'rtsp', identity: null, deviceUrl: null, username: null,
    streams: [], recorded: ['main'], recordSound: true, paused: null, addedMs: 0, ...(recording === undefined ? {} : { recording: { ...ALWAYS, ...recording } }), ...more,
  };
}
const events = { kind: 'events', preRollMs: 10 * SECOND_MS, postRollMs: 30 * SECOND_MS } as const;

/** A clock that is set by hand; waits end when it is moved over them. */
class Hands {
  #nowMs: number;
  #due: { atMs: number; act: () => void }[] = [];
  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }
  readonly nowMs = (): number => this.#nowMs;
  readonly after = (ms: number, act: () => void): (() => void) => {
    const one = { atMs: this.#nowMs + ms, act };
    this.#due.push(one);
    return () => {
      this.#due = this.#due.filter((other) => other !== one);
    };
  };
  to(atMs: number): void {
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > atMs) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.act();
    }
    this.#nowMs = atMs;
  }
}

interface Told {
  readonly atMs: number;
  readonly keep: StreamKeep | null;
}

function rig(cameras: () => readonly Camera[], startMs: number, known: readonly CameraEvent[] = []) {
  const hands = new Hands(startMs);
  const told: Told[] = [];
  const rows: CameraEvent[] = [];
  const wanted: number[] = [];
  const recorder = new EventRecorder({
    clock: hands as never,
    log: silentLogger,
    cameras,
    ingest: { keep: async (_id, keep) => void told.push({ atMs: hands.nowMs(), keep }) },
    archive: { write: { insertEvent: async (event) => void rows.push(event) }, read: { events: async () => known } },
    onWanted: () => wanted.push(hands.nowMs()),
    onKeeping: () => undefined,
    onEvent: () => undefined,
  });
  return { hands, told, rows, wanted, recorder };
}

it('keeps everything always, some of it around events, and nothing outside the hours but what the owner asks for', () => {
  expect(decide(camera(), [], MONDAY).keep).toBe(null);
  const note = { startMs: MONDAY, endMs: MONDAY + MINUTE_MS, kind: 'note', saidMs: MONDAY } as const;
  const motion = { ...note, kind: 'motion' } as const;
  expect(decide(camera(events), [motion], MONDAY)).toMatchObject({ keep: { preRollMs: 10_000, window: { fromMs: MONDAY, untilMs: MONDAY + 90_000 } }, keeping: { kind: 'events', untilMs: MONDAY + 90_000 } });
  const night = camera({ ...events, schedule: workHours });
  expect(decide(night, [motion], MONDAY)).toMatchObject({ keep: { preRollMs: 0, window: null }, keeping: { kind: 'not-scheduled', untilMs: MONDAY + 8 * HOUR_MS } });
  expect(decide(night, [note], MONDAY).keep).toMatchObject({ preRollMs: 0, window: { fromMs: MONDAY, untilMs: MONDAY + MINUTE_MS } });
  expect(decide(camera({ schedule: workHours }), [], MONDAY + 8 * HOUR_MS).keep).toBe(null);
});

it('events that follow each other closely are one stretch of footage, others are not', () => {
  const at = (startMs: number, endMs: number | null) => ({ startMs, endMs, kind: 'motion', saidMs: startMs }) as const;
  expect(decide(camera(events), [at(0, 1_000), at(40_000, 50_000)], 45_000).keep?.window).toEqual({ fromMs: 0, untilMs: 80_000 });
  expect(decide(camera(events), [at(0, 1_000), at(42_000, 50_000)], 45_000).keep?.window).toEqual({ fromMs: 42_000, untilMs: 80_000 });
  // One that goes on is followed for an hour without a word of its end.
  expect(decide(camera(events), [at(0, null)], 1_000).keep?.window).toEqual({ fromMs: 0, untilMs: HOUR_MS + 30_000 });
});

it('is there when the hours begin and end, also after the computer slept over it', () => {
  const one = camera({ schedule: workHours });
  const { hands, told, wanted, recorder } = rig(() => [one], MONDAY);
  recorder.refresh();
  hands.to(MONDAY + 20 * HOUR_MS);
  expect(told.map(({ atMs, keep }) => [(atMs - MONDAY) / HOUR_MS, keep === null])).toEqual([[0, false], [8, true], [18, false]]);
  expect(wanted).toEqual([MONDAY + 8 * HOUR_MS]);
  recorder.stop();
});

it('records now, longer when asked again, and writes both down', async () => {
  const one = camera(events);
  const { hands, told, rows, recorder } = rig(() => [one], MONDAY);
  recorder.refresh();
  expect(await recorder.recordNow(PORCH, 60)).toEqual({ untilMs: MONDAY + 60_000 });
  hands.to(MONDAY + 20_000);
  expect(await recorder.recordNow(PORCH, 60)).toEqual({ untilMs: MONDAY + 120_000 });
  expect(told.at(-1)?.keep?.window).toEqual({ fromMs: MONDAY, untilMs: MONDAY + 150_000 });
  expect(rows.map(({ startMs, endMs, kind, label }) => [startMs - MONDAY, endMs - MONDAY, kind, label])).toEqual([[0, 60_000, 'note', 'Recorded by you'], [20_000, 120_000, 'note', 'Recorded by you']]);
  hands.to(MONDAY + 4 * MINUTE_MS);
  // Nothing was said in between that would have cut the footage short.
  expect([...new Set(told.slice(1).map(({ keep }) => keep?.window?.untilMs ?? null))]).toEqual([MONDAY + 90_000, MONDAY + 150_000, null]);
  expect(told.at(-1)?.atMs).toBeGreaterThan(MONDAY + 170_000);
  recorder.stop();
});

it('refuses a paused camera, and goes on with what an earlier life began', async () => {
  let cameras = [camera(events, { paused: { sinceMs: 0, untilMs: null } })];
  const known: CameraEvent = { id: 'note-1', cameraId: PORCH, kind: 'note', label: 'Recorded by you', startMs: MONDAY - 5_000, endMs: MONDAY + 55_000 };
  const { told, recorder } = rig(() => cameras, MONDAY, [known, { ...known, id: 'offline-1', kind: 'camera-offline', endMs: MONDAY + 70_000 }]);
  await expect(recorder.recordNow(PORCH, 60)).rejects.toThrow(/paused/);
  await expect(recorder.recordNow('cam-bbbbbbbbbbbb' as CameraId, 60)).rejects.toThrow(/not on the list/);
  cameras = [camera(events)];
  await recorder.recall();
  recorder.refresh();
  expect(told.at(-1)?.keep?.window).toEqual({ fromMs: MONDAY - 5_000, untilMs: MONDAY + 85_000 });
  recorder.stop();
});
