import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { AbsentFootage } from './absent-footage.ts';
import { mergeSpans } from './timeline.read.ts';

const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const run = (startMs: number, endMs: number) => ({ startMs, endMs });

describe('footage that is not here', () => {
  it('is cut to the window and drawn as spans are, at every zoom', () => {
    // A fixed sequence, so that a failure comes again.
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 16_807) % 2_147_483_647) % below;
    for (let round = 0; round < 200; round += 1) {
      const away = new AbsentFootage();
      const runs = Array.from({ length: random(40) }, () => {
        const startMs = random(100_000);
        return run(startMs, startMs + 1 + random(4_000));
      });
      away.set([{ cameraId: CAMERA, stream: 'main', runs }]);
      const startMs = random(100_000);
      const window = run(startMs, startMs + 1 + random(60_000));
      const maxItems = 16 + random(500);
      expect(away.within(CAMERA, window, maxItems)).toEqual(mergeSpans(runs, window, maxItems));
    }
  });

  it('is that of main streams, and none once its disk is back', () => {
    const away = new AbsentFootage();
    away.set([{ cameraId: CAMERA, stream: 'sub', runs: [run(0, 10)] }]);
    expect(away.within(CAMERA, run(0, 100), 100)).toEqual([]);
    away.set([{ cameraId: CAMERA, stream: 'main', runs: [run(0, 10)] }]);
    expect(away.within(CAMERA, run(5, 100), 100)).toEqual([run(5, 10)]);
    away.set([]);
    expect(away.within(CAMERA, run(0, 100), 100)).toEqual([]);
  });
});
