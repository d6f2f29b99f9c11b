/** A start after the index was deleted: how soon the camera is recorded again, and how long until the index is back. */
import { rm } from 'node:fs/promises';
import { ARCHIVE_SEGMENTS, countRows, makeBigHome, scaled, startUntilRecording } from './archive-start.ts';
import { type BenchReport, figure } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { Workplace } from './workplace.ts';

const LIMIT_MS = 1_800_000;
const BUDGET_SECONDS = 600;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const wanted = options.segments ?? ARCHIVE_SEGMENTS;
  return await Workplace.with(async (place) => {
    const home = await makeBigHome(place, wanted, options.keep);
    const rowsBefore = countRows(home.index);
    for (const suffix of ['', '-wal', '-shm']) await rm(home.index + suffix, { force: true });
    const { product, recordingMs, checkedMs } = await startUntilRecording(place, home, home.cameraId, LIMIT_MS);
    const rebuiltMs = await checkedMs;
    const status = await product.client.ask('cameras.list', {});
    const recording = status.some(({ camera, status: now }) => camera.id === home.cameraId && now.recording);
    await product.stop();
    const rowsAfter = countRows(home.index);
    const full = home.segments >= ARCHIVE_SEGMENTS;
    return {
      bench: 'rebuild',
      figures: [
        figure('from npm start to the first recorded byte', recordingMs / 1000, 's'),
        figure(`from npm start until ${home.segments} files are indexed`, rebuiltMs / 1000, 's', full ? { budget: BUDGET_SECONDS } : {}),
        ...(full ? [] : [figure(`scaled to ${ARCHIVE_SEGMENTS} files`, scaled(home, rebuiltMs), 's', { budget: BUDGET_SECONDS })]),
        figure('rows missing afterwards', Math.max(0, rowsBefore - rowsAfter), '', { budget: 0 }),
        figure('cameras that did not record at the end', recording ? 0 : 1, '', { budget: 0 }),
      ],
      notes: [`The database was deleted; ${home.segments} sparse files of 30 MB of 16 cameras (made lately, so that folders, heads and tails were mostly in memory). One camera of 1080p30 records meanwhile.`],
    };
  });
}
