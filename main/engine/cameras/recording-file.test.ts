/** What an owner chose about recording is the same after a restart; what cannot be understood records too much rather than too little. */
import { expect, it } from 'vitest';
import { ALWAYS, type RecordingMode } from '../../../shared/model/recording-mode.ts';
import { readRecording } from './recording-file.ts';

const mode: RecordingMode = { kind: 'events', preRollMs: 5_000, postRollMs: 60_000, schedule: { timeZone: 'Europe/Berlin', days: [[{ startMinute: 0, endMinute: 420 }], [], [], [], [], [], [{ startMinute: 30, endMinute: 31 }]] } };
const stored = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

it('reads back what was written', () => {
  expect(readRecording(stored(mode))).toEqual(mode);
  expect(readRecording(stored(ALWAYS))).toEqual(ALWAYS);
});

it('records always where there is nothing, or a schedule that is damaged, and bounds what is beyond bounds', () => {
  const { schedule } = mode;
  for (const damaged of [undefined, null, 'events', {}, { ...mode, kind: 'never' }, { ...mode, schedule: {} }, { ...mode, schedule: { ...schedule, timeZone: 'Moon/Base' } }, { ...mode, schedule: { ...schedule, days: [[]] } }, { ...mode, schedule: { ...schedule, days: Array.from({ length: 7 }, () => ['x']) } }]) {
    expect(readRecording(stored(damaged ?? null))).toBe(undefined);
  }
  expect(readRecording(stored({ ...mode, preRollMs: 1e9, postRollMs: 'long' }))).toMatchObject({ preRollMs: 60_000, postRollMs: ALWAYS.postRollMs });
});
