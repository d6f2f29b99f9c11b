import { afterAll, beforeAll, expect, it } from 'vitest';
import { addLocalDays, formatBytes, formatCodec, formatDays, formatDuration, formatShare, localDayStart } from './format.ts';

const zone = process.env['TZ'];
beforeAll(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
afterAll(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

it.each([
  [0, '0 s'],
  [999, '1 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [3_605_000, '1 h'],
  [90_000_000, '1 day 1 h'],
])('%d ms is %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_500_000, '1.5 MB'],
  [43_200_000_000, '43 GB'],
  [4e12, '4 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it('says how long footage lasts', () => {
  expect([null, 0.02, 0.9, 31.7, 800].map(formatDays)).toEqual(['–', '28 min 48 s', '21 hours', '31 days', '2 years']);
});

it('knows that days have 23 and 25 hours where the clock changes', () => {
  const spring = localDayStart(Date.parse('2026-03-29T12:00:00Z'));
  const autumn = localDayStart(Date.parse('2026-10-25T12:00:00Z'));
  expect((addLocalDays(spring, 1) - spring) / 3_600_000).toBe(23);
  expect((addLocalDays(autumn, 1) - autumn) / 3_600_000).toBe(25);
});

it('never rounds a day with something missing up to the whole', () => {
  expect([1, 0.99999, 0.9997, 0.5, 0].map(formatShare)).toEqual(['100 %', '99.99 %', '99.97 %', '50 %', '0 %']);
});

it('names codecs as people know them', () => {
  expect(['avc1.64001f', 'hvc1.1.6.L120.B0', 'hev1.2.4.L153.B0', 'vp09.00.10.08', ''].map(formatCodec)).toEqual(['H.264', 'H.265', 'H.265', 'vp09.00.10.08', '']);
});
