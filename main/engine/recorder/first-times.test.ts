/** The first pictures of a session get the times that the next ones imply. */
import { expect, it } from 'vitest';
import { firstTimes } from './first-times.ts';

/** A fragment of one picture: decode time, presentation time, end. */
const head = (baseTicks: number, startTicks: number, stepTicks = 6_000) => ({ baseTicks, startTicks, endTicks: startTicks + stepTicks });

it('without B-frames: one picture before the second, each decoded when it is shown', () => {
  // ffmpeg's made-up times of the first two, and its own of the others, a second later.
  const heads = [head(900_000, 900_000), head(906_000, 996_100), head(1_002_000, 1_002_000), head(1_008_000, 1_008_000)];
  expect(firstTimes(heads, 2)).toEqual([
    { decodeTicks: 990_100, durationTicks: 6_000, startTicks: 990_100 },
    { decodeTicks: 996_100, durationTicks: 5_900, startTicks: 996_100 },
  ]);
});

it('with two B-frames: one picture before the earliest of the next, decoded as far ahead as the others are', () => {
  const heads = [head(888_000, 888_000), head(894_000, 1_008_000), head(984_000 + 12_000, 996_000), head(1_002_000, 1_002_000), head(1_008_000, 1_026_000)];
  expect(firstTimes(heads, 2)).toEqual([
    { decodeTicks: 984_000, durationTicks: 6_000, startTicks: 990_000 },
    { decodeTicks: 990_000, durationTicks: 6_000, startTicks: 1_008_000 },
  ]);
});

it('of a slow camera: as soon as one other picture is known', () => {
  expect(firstTimes([head(900_000, 900_000, 90_000), head(1_080_000, 1_080_000, 90_000)], 1)).toEqual([{ decodeTicks: 990_000, durationTicks: 90_000, startTicks: 990_000 }]);
});

it('says nothing of pictures whose times are known', () => {
  expect(firstTimes([head(990_000, 990_000), head(996_000, 996_000)], 0)).toEqual([]);
});
