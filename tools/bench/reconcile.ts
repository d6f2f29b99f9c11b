/** A start with a full archive: how soon the camera is recorded again, and how long the check of every file beside it takes. */
import { ARCHIVE_SEGMENTS, countRows, makeBigHome, scaled, startUntilRecording } from './archive-start.ts';
import { type BenchReport, figure } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { Workplace } from './workplace.ts';

const LIMIT_MS = 600_000;
const BUDGET_SECONDS = 30;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const wanted = options.segments ?? ARCHIVE_SEGMENTS;
  return await Workplace.with(async (place) => {
    const home = await makeBigHome(place, wanted, options.keep);
    const rowsBefore = countRows(home.index);
    const { product, recordingMs, checkedMs: checking } = await startUntilRecording(place, home, home.cameraId, LIMIT_MS);
    const checkedMs = await checking;
    const rowsAfter = countRows(home.index);
    await product.stop();
    const full = home.segments >= ARCHIVE_SEGMENTS;
    return {
      bench: 'reconcile',
      figures: [
        figure('from npm start to the first recorded byte', recordingMs / 1000, 's', { budget: 2 }),
        figure('the same with an empty archive', home.empty.recordingMs / 1000, 's'),
        figure(`from npm start until ${home.segments} files are checked`, checkedMs / 1000, 's', full ? { budget: BUDGET_SECONDS } : {}),
        ...(full ? [] : [figure(`scaled to ${ARCHIVE_SEGMENTS} files`, scaled(home, checkedMs), 's', { budget: BUDGET_SECONDS })]),
        figure('rows lost by the check', Math.max(0, rowsBefore - rowsAfter), '', { budget: 0 }),
      ],
      notes: [`${home.segments} sparse files of 30 MB with 1,800 fragments each in their tails, 16 cameras; folders and inodes warm, since they had just been made. One camera of 1080p30 records; the wait for its keyframe (up to 1 s) is part of the first figure.`],
    };
  });
}
