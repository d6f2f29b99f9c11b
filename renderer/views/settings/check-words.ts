/** How far a check is, in a sentence. Pure. */
import type { CheckProgress } from '../../../shared/model/check.ts';
import { type DurationMs, type EpochMs, SECOND_MS } from '../../../shared/time.ts';
import { formatDuration, formatMoment } from '../../components/format.ts';

const count = new Intl.NumberFormat();

export function progressSentence({ what, files, ofFiles, share, backToMs }: CheckProgress, nowMs: EpochMs): string {
  const percent = share === null ? '' : `, ${Math.floor(share * 100)} %`;
  if (what === 'rebuild') {
    const reached = backToMs === null ? '' : ` Footage is back to ${formatMoment(backToMs, nowMs)}.`;
    return `The index is being built anew from the disks: ${fileCount(files)}${percent}.${reached}`;
  }
  const doing = what === 'repair' ? 'Repairing' : what === 'start' ? 'Comparing all files after the start' : 'Checking';
  return `${doing}: ${ofFiles === null ? fileCount(files) : `${count.format(files)} of ${fileCount(ofFiles)}`} looked at${percent}.`;
}

export function fileCount(files: number): string {
  return files === 1 ? '1 file' : `${count.format(files)} files`;
}

/** How long something took: nobody wants to read that it took no time. */
export function lengthWords(durationMs: DurationMs): string {
  return durationMs < SECOND_MS ? 'under a second' : formatDuration(durationMs);
}
