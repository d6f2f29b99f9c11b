import { expect, test } from 'vitest';
import { RECORD_HEADER_BYTES } from '../storage/preview-record.ts';
import { FIRST_PACE, nextPace, PREVIEW_STEP_MS, type PreviewPace } from './preview-pace.ts';

/** A camera whose JPEG at quality 1 would be `bytesAtBest`: sizes fall with the scale to the power 0.7, as measured with ffmpeg. */
function settle(bytesAtBest: number, footageBytesPerSecond: number): { pace: PreviewPace; share: number } {
  let pace = FIRST_PACE;
  let jpegBytes = 0;
  for (let batch = 0; batch < 12; batch += 1) {
    jpegBytes = bytesAtBest / pace.quality ** 0.7;
    pace = nextPace(pace, jpegBytes, footageBytesPerSecond);
  }
  return { pace, share: (jpegBytes + RECORD_HEADER_BYTES) / (pace.stepMs / 1000) / footageBytesPerSecond };
}

test('an hour of previews settles within one percent of the footage, from an eighth to 16 Mbit/s', () => {
  for (const bitsPerSecond of [128_000, 500_000, 1_000_000, 4_000_000, 16_000_000]) {
    for (const bytesAtBest of [12_000, 30_000, 60_000]) {
      const { share } = settle(bytesAtBest, bitsPerSecond / 8);
      expect(share, `${bitsPerSecond} bit/s, ${bytesAtBest} bytes`).toBeLessThanOrEqual(0.01);
    }
  }
});

test('pictures come every two seconds as long as worse quality can pay for it', () => {
  expect(settle(30_000, 500_000).pace).toMatchObject({ stepMs: PREVIEW_STEP_MS });
  expect(settle(30_000, 500_000).pace.quality).toBeLessThan(FIRST_PACE.quality);
  expect(settle(30_000, 62_500).pace.stepMs).toBeGreaterThan(PREVIEW_STEP_MS);
});

test('a camera that gets its bits back gets its previews back', () => {
  const starved = settle(60_000, 16_000).pace;
  expect(starved.stepMs).toBeGreaterThan(PREVIEW_STEP_MS);
  const fed = nextPace(starved, 60_000 / starved.quality ** 0.7, 1_000_000);
  expect(fed.stepMs).toBe(PREVIEW_STEP_MS);
});

test('one odd batch moves the quality by no more than a factor of two', () => {
  expect(nextPace(FIRST_PACE, 1_000_000, 250_000).quality).toBeLessThanOrEqual(FIRST_PACE.quality * 2);
  expect(nextPace({ quality: 20, stepMs: 2_000 }, 1, 250_000).quality).toBeGreaterThanOrEqual(10);
});
