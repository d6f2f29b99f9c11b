import { expect, it } from 'vitest';
import { FrameTable } from './frame-table.ts';

const picture = (startMs: number, keyframe = false): { startMs: number; endMs: number; mediaSeconds: number; keyframe: boolean } => ({ startMs, endMs: startMs + 40, mediaSeconds: 5 + startMs / 1000, keyframe });

it('finds the picture of a moment and of the element’s own time', () => {
  const table = new FrameTable();
  table.add([picture(0, true), picture(120), picture(40), picture(80)]);
  expect(table.at(100)?.startMs).toBe(80);
  expect(table.at(-1)).toBeNull();
  expect(table.byMedia(5.0799999)?.startMs).toBe(80);
  expect(table.byMedia(9)).toBeNull();
});

it('knows the picture that covers a moment only once nothing else can', () => {
  const table = new FrameTable();
  table.add([picture(0, true), picture(80)]);
  expect(table.covering(130)).toBeNull();
  expect(table.covering(90)?.startMs).toBe(80);
  expect(table.covering(60)?.startMs).toBe(0);
  expect(table.covering(-50)?.startMs).toBe(0);
});

it('has nothing of what another stream takes the place of', () => {
  const table = new FrameTable();
  table.add([picture(0, true), picture(40), picture(80), picture(120)]);
  table.dropFrom(80.001);
  expect(table.newest?.startMs).toBe(40);
});

it('replaces a picture that comes again, and drops whole groups of pictures only', () => {
  const table = new FrameTable();
  table.add([picture(0, true), picture(40), picture(80, true), picture(120)]);
  table.add([picture(80.001, true)]);
  expect(table.dropBefore(5.1)).toBeCloseTo(5.08, 3);
  expect(table.oldest?.startMs).toBeCloseTo(80, 2);
  expect(table.dropBefore(5.11)).toBeNull();
  expect(table.newest?.startMs).toBe(120);
});
