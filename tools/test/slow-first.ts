/** The order of test files: those known to take long begin first, so that no worker is left alone with one at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Measured on two cores, the longest first; a fresh clone has no times of its own to go by. */
const SLOW = [
  'bad-days-disk',
  'bad-days-ffmpeg',
  'several-disks',
  'recorder-sim',
  'recording-modes',
  'faults',
  'power-cut',
  'bad-days-password',
  'recorder-slow-disk',
  'foreign-rtsp',
  'bad-days-camera',
  'archive-outlives',
  'retention-engine',
  'sim-quirks',
  'recorder-keep',
  'recorder-times',
  'soak',
  'bad-days-data',
  'sim-video',
  'relay-haproxy',
  'recorder-foreign',
  'sim-quirks-each',
  'setup-carry',
  'relay-engine',
  'serve-doors',
  'cameras-mac',
  'cameras-swapped',
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
