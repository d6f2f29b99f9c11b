/** The order of test files: those known to take long begin first, so that no worker is left alone with one at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Measured on two cores, about the longest first, those that mostly wait among those that compute; a fresh clone has no times of its own to go by. */
const SLOW = [
  'bad-days-ffmpeg',
  'bad-days-disk',
  'recorder-slow-disk',
  'several-disks',
  'bad-days-password',
  'relay-slow-playback',
  'power-cut',
  'bad-days-camera',
  'recorder-sim',
  'recording-modes',
  'sim-quirks',
  'foreign-rtsp',
  'setup-carry',
  'faults',
  'recorder-foreign',
  'retention-engine',
  'recorder-keep',
  'soak',
  'recorder-times',
  'archive-outlives',
  'relay-haproxy',
  'sim-quirks-each',
  'sim-video',
  'cameras-mac',
  'bad-days-data',
  'cameras-swapped',
  'relay-even-rate',
  'storage-moves',
  'relay-server-garbage',
  'camera-events',
  'relay-engine',
  'serve-engine',
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
