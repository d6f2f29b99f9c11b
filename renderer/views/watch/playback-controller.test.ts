import { expect, it } from 'vitest';
import type { SteppedTile } from '../../player/tile-player.ts';
import type { TimeRange } from '../../../shared/time.ts';
import { type FrameSource, PlaybackController } from './playback-controller.ts';

const FRAME_MS = 16;
const PICTURE_MS = 40;

/** Animation frames that come when the test says so. */
class Frames implements FrameSource {
  nowMs = 0;
  #callback: ((nowMs: number) => void) | null = null;

  now(): number {
    return this.nowMs;
  }

  request(callback: (nowMs: number) => void): number {
    this.#callback = callback;
    return 1;
  }

  cancel(): void {
    this.#callback = null;
  }

  run(count = 1, everyMs = FRAME_MS): void {
    for (; count > 0; count -= 1) {
      this.nowMs += everyMs;
      const callback = this.#callback;
      this.#callback = null;
      callback?.(this.nowMs);
    }
  }
}

/** A tile with pictures every 40 ms from 0 on, but for a gap. */
class FakeTile implements SteppedTile {
  shown: TimeRange | null = null;
  stuck = false;
  /** Has no pictures for the moment, though footage is there. */
  late = false;
  /** It waits for more footage to come. */
  filling = false;
  gap: TimeRange | null = null;
  endMs = Number.POSITIVE_INFINITY;
  rate = 1;
  readonly seeks: { toMs: number; one: boolean }[] = [];
  readonly ticks: number[] = [];

  seek(toMs: number, one: boolean): void {
    this.seeks.push({ toMs, one });
  }

  tick(positionMs: number): void {
    this.ticks.push(positionMs);
    if (this.late || this.resumesAtMs(positionMs) !== null) return;
    const startMs = Math.floor((positionMs + 0.001) / PICTURE_MS) * PICTURE_MS;
    this.shown = { startMs, endMs: startMs + PICTURE_MS };
  }

  starving(): boolean {
    return this.late;
  }

  resumesAtMs(positionMs: number): number | null {
    if (this.gap !== null && positionMs >= this.gap.startMs && positionMs < this.gap.endMs) return this.gap.endMs;
    return positionMs >= this.endMs ? Number.POSITIVE_INFINITY : null;
  }

  setRate(rate: number): void {
    this.rate = rate;
  }
}

function setUp(fromMs = 1_000, count = 1): { frames: Frames; tiles: FakeTile[]; controller: PlaybackController; reached: () => number } {
  const frames = new Frames();
  let reachedNow = 0;
  const controller = new PlaybackController(fromMs, { onPosition: () => undefined, onReachedNow: () => (reachedNow += 1) }, frames);
  const tiles = Array.from({ length: count }, () => new FakeTile());
  for (const tile of tiles) controller.add(tile);
  return { frames, tiles, controller, reached: () => reachedNow };
}

it('plays all tiles by one clock', () => {
  const { frames, tiles, controller } = setUp(1_000, 2);
  controller.play();
  frames.run(10);
  expect(tiles[0]?.ticks.at(-1)).toBe(1_160);
  expect(tiles[1]?.ticks).toEqual(tiles[0]?.ticks);
});

it('waits for a tile that has nothing yet, and not for ever', () => {
  const { frames, tiles: [tile, other], controller } = setUp(1_000, 2);
  controller.play();
  frames.run(5);
  if (tile === undefined || other === undefined) throw new Error('two tiles');
  tile.late = true;
  frames.run(10);
  const heldMs = controller.positionMs;
  expect(heldMs).toBeLessThan(1_100);
  tile.late = false;
  frames.run(5);
  expect(controller.positionMs).toBeGreaterThan(heldMs);
  // One that never has anything holds the others for some seconds only.
  tile.late = true;
  frames.run(400);
  expect(controller.positionMs).toBeGreaterThan(heldMs + 2_000);
});

it('stands where all that could play waits for footage, however long, and goes on when there is enough', () => {
  const { frames, tiles: [tile, other], controller } = setUp(1_000, 2);
  if (tile === undefined || other === undefined) throw new Error('two tiles');
  other.gap = { startMs: 500, endMs: 90_000 };
  controller.play();
  frames.run(5);
  tile.late = true;
  tile.filling = true;
  frames.run(1);
  const heldMs = controller.positionMs;
  frames.run(1_000);
  expect(controller.positionMs).toBe(heldMs);
  // A picture alone is no reason to go on.
  tile.late = false;
  frames.run(100);
  expect(controller.positionMs).toBe(heldMs);
  tile.filling = false;
  frames.run(50);
  expect(controller.positionMs).toBeGreaterThan(heldMs + 500);
});

it('lets those that play go on beside one whose footage does not come', () => {
  const { frames, tiles: [tile], controller } = setUp(1_000, 2);
  if (tile === undefined) throw new Error('two tiles');
  controller.play();
  tile.late = true;
  tile.filling = true;
  frames.run(400);
  expect(controller.positionMs).toBeGreaterThan(1_000 + 2_000);
});

it('does not wait for a tile that cannot play', () => {
  const { frames, tiles: [tile, other], controller, reached } = setUp(1_000, 2);
  if (tile === undefined || other === undefined) throw new Error('two tiles');
  tile.stuck = true;
  other.gap = { startMs: 1_100, endMs: 60_000 };
  controller.play();
  frames.run(20);
  expect(controller.positionMs).toBeGreaterThan(60_000);
  expect(reached()).toBe(0);
});

it('jumps a gap only where no tile has footage, to the first that has some again', () => {
  const { frames, tiles: [tile, other], controller } = setUp(1_000, 2);
  if (tile === undefined || other === undefined) throw new Error('two tiles');
  tile.gap = { startMs: 1_100, endMs: 50_000 };
  controller.play();
  frames.run(20);
  expect(controller.positionMs).toBeLessThan(2_000);
  other.gap = { startMs: 1_100, endMs: 30_000 };
  frames.run(5);
  expect(controller.positionMs).toBeGreaterThan(30_000 - 1);
  expect(controller.positionMs).toBeLessThan(31_000);
});

it('stands in a gap while it is paused', () => {
  const { frames, tiles: [tile], controller } = setUp(1_000);
  if (tile === undefined) throw new Error('a tile');
  tile.gap = { startMs: 500, endMs: 9_000 };
  frames.run(10);
  expect(controller.positionMs).toBe(1_000);
});

it('tells once when every tile has shown the newest footage, and stops', () => {
  const { frames, tiles, controller, reached } = setUp(1_000, 2);
  for (const tile of tiles) tile.endMs = 1_100;
  controller.play();
  frames.run(50);
  expect(reached()).toBe(1);
  expect(controller.playing).toBe(false);
});

it('asks once for a click: what the pointer asked for on its way down is what plays', () => {
  const { frames, tiles: [tile], controller } = setUp();
  controller.play();
  controller.seek(5_000, true);
  frames.run(3);
  controller.seek(5_000);
  expect(tile?.seeks).toEqual([{ toMs: 5_000, one: false }]);
  frames.run(10);
  expect(controller.positionMs).toBeGreaterThan(5_100);
  // The same moment again is another click, not the end of this one.
  controller.seek(5_000, true);
  controller.seek(5_000);
  expect(tile?.seeks).toHaveLength(2);
});

it('asks for all that follows where a pointer that moved is let go', () => {
  const { tiles: [tile], controller } = setUp();
  controller.seek(5_000, true);
  controller.seek(6_000, true);
  controller.seek(6_000);
  expect(tile?.seeks.at(-1)).toEqual({ toMs: 6_000, one: false });
});

it('stands while the pointer moves, each tile asked for one picture', () => {
  const { frames, tiles: [tile], controller } = setUp(1_000);
  controller.play();
  controller.seek(5_000, true);
  frames.run(20);
  controller.seek(5_500, true);
  controller.seek(5_000, true);
  expect(tile?.seeks.slice(1)).toEqual([{ toMs: 5_500, one: true }, { toMs: 5_000, one: true }]);
  expect(controller.positionMs).toBeLessThan(5_000 + 2 * FRAME_MS);
  controller.seek(6_000);
  frames.run(20);
  expect(tile?.seeks.at(-1)).toEqual({ toMs: 6_000, one: false });
  expect(controller.positionMs).toBeGreaterThan(6_200);
});

it('steps by pictures: on without a seek, back with one', () => {
  const { frames, tiles: [tile], controller } = setUp(1_000);
  if (tile === undefined) throw new Error('a tile');
  controller.play();
  frames.run(3);
  controller.stepPicture(1);
  frames.run(2);
  expect(tile.shown?.startMs).toBe(1_080);
  controller.stepPicture(1);
  controller.stepPicture(1);
  frames.run(4);
  expect(tile.shown?.startMs).toBe(1_160);
  expect(tile.seeks).toEqual([]);
  controller.stepPicture(-1);
  frames.run(3);
  expect(tile.shown?.startMs).toBe(1_120);
  controller.stepPicture(-1);
  frames.run(3);
  expect(tile.shown?.startMs).toBe(1_080);
  expect(controller.playing).toBe(false);
});

it('a step waits until the picture of the one before is there, and a held key asks for few', () => {
  const { frames, tiles: [tile], controller } = setUp(1_000);
  if (tile === undefined) throw new Error('a tile');
  frames.run(1);
  tile.late = true;
  for (let press = 0; press < 20; press += 1) controller.stepPicture(-1);
  frames.run(10);
  expect(tile.seeks).toEqual([]);
  tile.late = false;
  frames.run(10);
  expect(tile.seeks).toHaveLength(3);
  expect(tile.shown?.startMs).toBe(1_000 - 3 * PICTURE_MS);
});

it('plays nothing while animation frames stood still: the page was hidden', () => {
  const { frames, controller } = setUp(1_000);
  controller.play();
  frames.run(10);
  const beforeMs = controller.positionMs;
  frames.run(1, 600_000);
  frames.run(2);
  expect(controller.positionMs).toBeLessThan(beforeMs + 100);
});
