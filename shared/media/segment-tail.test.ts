/** What a power cut within the writing of a tail may leave of it. */
import { describe, expect, it } from 'vitest';
import type { CameraId } from '../model/ids.ts';
import { makeSegmentTail, parseSegmentTail } from './segment-tail.ts';

describe('a tail', () => {
  it('is none where a power cut took a sector out of it', () => {
    const keyframes = Array.from({ length: 60 }, (_, index) => ({ offsetBytes: 1_200 + index * 500_000, sizeBytes: 60_000 + index, mediaMs: index * 1_000 }));
    const bytes = makeSegmentTail({ cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main', session: 1_795_319_294_042, sequence: 3, startMs: 1_795_319_294_042.25, endMs: 1_795_319_354_042.25, initBytes: 1_100, videoFrames: 900, keyframes }, { id: 1, timescale: 90_000 });
    expect(parseSegmentTail(bytes).kind).toBe('tail');
    // Wherever the sectors of the disk begin within it.
    for (let shift = 0; shift < 512; shift += 64) {
      for (let sector = -shift; sector + 64 < bytes.length; sector += 512) {
        const torn = bytes.slice();
        torn.fill(0, Math.max(0, sector), sector + 512);
        expect(parseSegmentTail(torn).kind).toBe('none');
      }
    }
  });
});
