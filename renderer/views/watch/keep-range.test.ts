import { expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import { edgeStepMs, LONGEST_MS, rangeAround, rangeOfDrag, SHORTEST_MS, withEdge } from './keep-range.ts';

const ids = ['cam-aaaaaaaaaaaa', 'cam-bbbbbbbbbbbb', 'cam-cccccccccccc'] as CameraId[];
const NOW_MS = 100 * DAY_MS;
const at = (row: number, agoMs: number) => ({ row, atMs: NOW_MS - agoMs });

it('is what a drag went over, in either direction, of the rows it went over', () => {
  const there = rangeOfDrag(at(0, 10 * MINUTE_MS), at(1, 4 * MINUTE_MS), ids, NOW_MS);
  expect(there).toEqual({ startMs: NOW_MS - 10 * MINUTE_MS, endMs: NOW_MS - 4 * MINUTE_MS, cameraIds: ids.slice(0, 2) });
  expect(rangeOfDrag(at(1, 4 * MINUTE_MS), at(0, 10 * MINUTE_MS), ids, NOW_MS)).toEqual(there);
});

it('ends now at the latest, and is neither shorter nor longer than what can be kept', () => {
  expect(rangeOfDrag(at(2, MINUTE_MS), at(2, -HOUR_MS), ids, NOW_MS).endMs).toBe(NOW_MS);
  const none = rangeOfDrag(at(2, MINUTE_MS), at(2, MINUTE_MS), ids, NOW_MS);
  expect(none.endMs - none.startMs).toBe(SHORTEST_MS);
  const month = rangeOfDrag(at(0, 60 * DAY_MS), at(0, 0), ids, NOW_MS);
  expect([NOW_MS - month.startMs, month.endMs - month.startMs]).toEqual([60 * DAY_MS, LONGEST_MS]);
  const back = rangeOfDrag(at(0, 0), at(0, 60 * DAY_MS), ids, NOW_MS);
  expect([back.endMs, back.endMs - back.startMs]).toEqual([NOW_MS, LONGEST_MS]);
});

it('begins around the moment shown, wide enough to take hold of', () => {
  expect(rangeAround(NOW_MS - HOUR_MS, { startMs: NOW_MS - 2 * MINUTE_MS, endMs: NOW_MS }, ids, NOW_MS)).toMatchObject({ startMs: NOW_MS - HOUR_MS - MINUTE_MS, endMs: NOW_MS - HOUR_MS + MINUTE_MS });
  const day = rangeAround(NOW_MS, { startMs: NOW_MS - DAY_MS, endMs: NOW_MS }, ids, NOW_MS);
  expect(day.endMs).toBe(NOW_MS);
  expect(day.endMs - day.startMs).toBeGreaterThan(HOUR_MS);
});

it('has edges that do not pass each other, nor now', () => {
  const range = rangeOfDrag(at(0, 10 * MINUTE_MS), at(0, 4 * MINUTE_MS), ids, NOW_MS);
  expect(withEdge(range, 'start', NOW_MS, NOW_MS).startMs).toBe(range.endMs - SHORTEST_MS);
  expect(withEdge(range, 'end', 0, NOW_MS).endMs).toBe(range.startMs + SHORTEST_MS);
  expect(withEdge(range, 'end', NOW_MS + HOUR_MS, NOW_MS).endMs).toBe(NOW_MS);
  expect(withEdge(range, 'start', 0, NOW_MS).startMs).toBe(range.endMs - LONGEST_MS);
});

it('has edges that keys move as they move time', () => {
  expect([edgeStepMs({ key: 'ArrowLeft', shiftKey: false }), edgeStepMs({ key: 'ArrowRight', shiftKey: true }), edgeStepMs({ key: '.', shiftKey: false }), edgeStepMs({ key: 'x', shiftKey: false })]).toEqual([-10_000, MINUTE_MS, 1_000, null]);
});
