/** What stands in the list of what happened: a camera that was away, while it is away and ever after. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

let simulator: Simulator;
let engine: TestEngine;

beforeAll(async () => {
  const size = { width: 320, height: 180, fps: 10, kbps: 200, gopFrames: 10, seconds: 5 };
  simulator = await startSimulator({ cameras: 1, hosts: ['127.0.62.2'], source: 'test', main: size, sub: null, audio: ['none'], discovery: false });
  engine = await TestEngine.started({ init: { demo: true } });
});

afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

test('a camera that was away is an event from its loss to its return, with the cause, and its return another', async () => {
  const camera = forceUnwrap('there is one', simulator.cameras[0]);
  const { id } = await engine.add(camera);
  await engine.footage(id, 2);
  const range = { cameraIds: [id], startMs: Date.now() - 60_000, endMs: Date.now() + 600_000 };
  expect(await engine.ask('events.list', range)).toEqual([]);
  const unpluggedMs = Date.now();
  await camera.unplug();
  const open = await waitFor('the event of an outage that goes on', async () => (await engine.ask('events.list', range)).at(-1) ?? null);
  expect(open).toMatchObject({ cameraId: id, kind: 'camera-offline', label: 'Camera could not be reached' });
  expect(Date.now() - unpluggedMs).toBeGreaterThan(8_000);
  expect((await engine.ask('timeline.get', range)).cameras[0]?.events.map((event) => event.id)).toEqual([open.id]);
  await camera.replug();
  const gap = await engine.closedGap(id, 'camera-unreachable', unpluggedMs);
  const closed = await waitFor('its end', async () => (await engine.ask('events.list', range)).find((event) => event.endMs === gap.endMs) ?? null);
  expect(closed).toEqual({ ...open, startMs: gap.startMs, endMs: gap.endMs });
  // Its row comes with the gap's, a moment after the gap is known.
  await waitFor('the return', async () => (await engine.ask('events.list', range)).length === 2);
  const back = { id: expect.any(String), cameraId: id, kind: 'camera-online', startMs: gap.endMs, endMs: gap.endMs, label: expect.stringMatching(/^Back after \d+ s$/) };
  expect((await engine.ask('timeline.get', range)).cameras[0]?.events).toEqual([closed, back]);
  expect(await engine.ask('events.list', range)).toEqual([closed, back]);

  // The same outage in the report of the day, measured against what was recorded.
  const { cameras, timeZone } = await engine.ask('coverage.days', { cameraIds: [id], days: 2, timeZone: 'Europe/Berlin' });
  expect(timeZone).toBe('Europe/Berlin');
  const days = forceUnwrap('the camera was asked for', cameras[0]).days;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const missing = days.flatMap((day) => day.missing);
  expect(missing.map(({ cause }) => cause)).toContain('camera-unreachable');
  expect(Math.abs(sum(missing.map(({ missingMs }) => missingMs)) - (gap.endMs - gap.startMs))).toBeLessThan(2_500);
  expect(sum(days.map(({ expectedMs }) => expectedMs))).toBeCloseTo(sum(days.map(({ recordedMs }) => recordedMs)) + sum(missing.map(({ missingMs }) => missingMs)), 0);
  expect(days.flatMap(({ longestGaps }) => longestGaps).some(({ startMs }) => Math.abs(startMs - gap.startMs) < 1)).toBe(true);
  await expect(engine.ask('coverage.days', { cameraIds: [id], timeZone: 'Moon/Base' })).rejects.toThrow('time zone');
});
