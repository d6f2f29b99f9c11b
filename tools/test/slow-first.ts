/** The order of test files: those known to take long begin first, so that no worker is left alone with one at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Measured on two cores, the longest first; a fresh clone has no times of its own to go by. */
const SLOW = [
  'bad-days-ffmpeg',
  'power-cut',
  'several-disks',
  'bad-days-disk',
  'recorder-sim',
  'recording-modes',
  'faults',
  'bad-days-password',
  'foreign-rtsp',
  'bad-days-camera',
  'recorder-slow-disk',
  'relay-haproxy',
  'recorder-foreign',
  'retention-engine',
  'sim-quirks',
  'recorder-times',
  'archive-outlives',
  'cameras-mac',
  'storage',
  'storage-moves',
  'sim-video',
];

const place = ({ moduleId }: TestSpecification): number => {
  const at = SLOW.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return at < 0 ? SLOW.length : at;
};

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
