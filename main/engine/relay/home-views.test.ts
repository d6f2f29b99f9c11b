/** What a session writes into the log of views: one line before, one at the end, no line for each preview. */
import { expect, test } from 'vitest';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import { silentLogger } from '../core/logger.ts';
import type { NewView } from './home-parts.ts';
import { SessionViews } from './home-views.ts';
import { HandClock } from './testing/hand-clock.ts';

const [PORCH, YARD] = [cameraIdFrom(new Uint8Array(12)), cameraIdFrom(new Uint8Array(12).fill(1))];

function rig() {
  const clock = new HandClock(Math.ceil(1_800_000_000_000 / MINUTE_MS) * MINUTE_MS);
  const lines: NewView[] = [];
  const views = new SessionViews({ clock, log: silentLogger, device: { id: 'phone', name: 'Phone' }, journal: { append: async (view) => void lines.push(view), head: () => ({ length: 0, head: new Uint8Array(32) }) } });
  return { clock, lines, views, told: () => lines.map(({ kind, fromMs, toMs, bytes }) => [kind, fromMs, toMs, bytes]) };
}

test('a live picture: when it began, and how much of it was seen', async () => {
  const { clock, views, told, lines } = rig();
  const beganMs = clock.nowMs();
  await views.begin();
  await views.record({ kind: 'live', cameraIds: [PORCH], fromMs: beganMs, toMs: null }, 1);
  views.sent(1, 700, null);
  clock.go(5_000);
  views.sent(1, 9_000, clock.nowMs());
  views.streamEnded(1);
  views.streamEnded(1);
  await views.end('closed by the viewer');
  expect(told()).toEqual([
    ['session', beganMs, null, 0], ['live', beganMs, null, 0], ['live', beganMs, beganMs + 5_000, 9_700], ['session', beganMs, beganMs + 5_000, 9_700],
  ]);
  expect(lines.every(({ deviceId, deviceName, path }) => deviceId === 'phone' && deviceName === 'Phone' && path === 'relay')).toBe(true);
  expect(lines.at(-1)?.note).toBe('closed by the viewer');
});

test('previews: a line for each camera and minute, and all of them in another', async () => {
  const { clock, views, told } = rig();
  const ask = async (camera = PORCH, atMs = 1_000): Promise<void> => {
    const asked = { kind: 'previews', cameraIds: [camera], fromMs: atMs, toMs: atMs } as const;
    await views.record(asked, null);
    views.answered(asked, 10);
  };
  for (let second = 0; second < 50; second += 1) await ask(PORCH, 1_000 + second);
  await ask(YARD, 5_000);
  clock.go(MINUTE_MS);
  await ask(PORCH, 9_000);
  expect(told()).toEqual([['previews', 1_000, 1_000, 0], ['previews', 5_000, 5_000, 0], ['previews', 1_000, 1_049, 500], ['previews', 9_000, 9_000, 0]]);
});

test('a playing picture that goes far away is written down again, before it is seen', async () => {
  const { views, told } = rig();
  await views.record({ kind: 'playback', cameraIds: [PORCH], fromMs: 0, toMs: null }, 4);
  await views.sought(4, HOUR_MS);
  await views.sought(4, 5 * HOUR_MS);
  await views.sought(4, 5 * HOUR_MS);
  expect(told()).toEqual([['playback', 0, null, 0], ['playback', 5 * HOUR_MS, null, 0]]);
});

test('refusals: the same one once a minute, and never without end', async () => {
  const { clock, views, lines } = rig();
  for (let time = 0; time < 100; time += 1) views.refused('live without the right', [PORCH]);
  clock.go(MINUTE_MS);
  views.refused('live without the right', [PORCH]);
  for (let time = 0; time < 100; time += 1) views.refused(`question ${time}`, []);
  expect(lines.filter(({ note }) => note === 'live without the right')).toHaveLength(2);
  expect(lines.length).toBeLessThan(20);
});
