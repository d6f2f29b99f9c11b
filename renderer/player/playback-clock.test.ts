import { expect, it } from 'vitest';
import { PlaybackClock } from './playback-clock.ts';

it('stands until it plays, then runs at its rate', () => {
  const clock = new PlaybackClock(1_000, 0);
  expect(clock.positionMs(500)).toBe(1_000);
  clock.play(500);
  expect(clock.positionMs(700)).toBe(1_200);
  clock.setRate(4, 700);
  expect(clock.positionMs(800)).toBe(1_600);
  clock.pause(800);
  expect(clock.positionMs(9_999)).toBe(1_600);
});

it('waits while it is held and loses nothing by it', () => {
  const clock = new PlaybackClock(0, 0);
  clock.play(0);
  clock.hold(true, 100);
  expect(clock.positionMs(500)).toBe(100);
  clock.hold(false, 500);
  expect(clock.positionMs(600)).toBe(200);
});

it('goes on from where it is put', () => {
  const clock = new PlaybackClock(0, 0);
  clock.play(0);
  clock.seek(10_000, 50);
  expect(clock.positionMs(60)).toBe(10_010);
});
