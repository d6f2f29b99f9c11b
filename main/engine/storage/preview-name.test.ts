import { expect, test } from 'vitest';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { decodePackName, encodePackName, isDayName, packHourMs, packPath, previewFilesOlderThan } from './preview-name.ts';

const camera = cameraIdFrom(new Uint8Array(12));
const hourMs = Date.parse('2026-11-21T14:00:00Z');

test('an hour has one name, and every name leads back to its hour', () => {
  expect(encodePackName(hourMs)).toBe('2026-11-21/14.jpgs');
  expect(packHourMs(hourMs + HOUR_MS - 1)).toBe(hourMs);
  for (let hour = 0; hour < 24 * 400; hour += 7) expect(decodePackName(encodePackName(hourMs + hour * HOUR_MS))).toBe(hourMs + hour * HOUR_MS);
  expect(packPath('/root', camera, hourMs).replaceAll('\\', '/')).toBe(`/root/${camera}/previews/2026-11-21/14.jpgs`);
});

test('names that no hour has are refused', () => {
  for (const name of ['2026-11-21/24.jpgs', '2026-02-30/10.jpgs', '2026-11-21/14.jpg', '2026-11-21/14.jpgs.new', '2026-11-21/4.jpgs', '../2026-11-21/14.jpgs', '2026-11-21\\14.jpgs', '2026-11-21/14.jpgs\n', ''])
    expect(decodePackName(name), name).toBeNull();
  expect(isDayName('2026-11-31')).toBe(false);
  expect(isDayName('2026-11-30')).toBe(true);
});

test('retention gets whole hours only, oldest first', () => {
  const names = ['2026-11-21/14.jpgs', '2026-11-20/23.jpgs', '2026-11-21/13.jpgs', 'notes.txt', '2026-11-21/15.jpgs'];
  expect(previewFilesOlderThan(names, hourMs + HOUR_MS)).toEqual(['2026-11-20/23.jpgs', '2026-11-21/13.jpgs', '2026-11-21/14.jpgs']);
  expect(previewFilesOlderThan(names, hourMs + HOUR_MS - 1)).toEqual(['2026-11-20/23.jpgs', '2026-11-21/13.jpgs']);
});
