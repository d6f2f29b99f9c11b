/** A power cut after a crash: folders that a life made and had no time to sync are made durable by the next one that records into them (I4). */
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DiskModel } from '../../tools/faults/power/disk-model.ts';
import { withScratch } from '../../tools/faults/power/scratch-folder.ts';
import { StraceLines } from '../../tools/faults/power/strace-lines.ts';
import { whyNoTrace } from '../../tools/faults/power/trace-run.ts';
import { TRACED_CALLS, TracedFiles } from '../../tools/faults/power/traced-files.ts';
import { chooseWorld, seededRandom } from '../../tools/faults/power/world-choices.ts';

const run = promisify(execFile);
const noTrace = await whyNoTrace();
const SEGMENT_FILE = path.resolve(import.meta.dirname, '../../main/engine/storage/segment-file.ts');
const ROOT = path.resolve(import.meta.dirname, '../../main/engine/storage/root.ts');

/** Runs a script under strace and gives what a disk was told below `base`. */
async function trace(base: string, script: string): Promise<TracedFiles> {
  const output = path.join(path.dirname(base), 'trace');
  await run('strace', ['-f', '-y', '-ttt', '-xx', '-s', '1000000', '-e', `trace=${TRACED_CALLS.join(',')}`, '-e', 'signal=none', '-o', output, process.execPath, '--input-type=module', '-e', script], { env: { ...process.env, UV_USE_IO_URING: '0' } });
  const lines = new StraceLines(0);
  const calls = (await readFile(output, 'utf8')).split('\n').flatMap((line) => lines.next(line) ?? []);
  const files = new TracedFiles(base);
  files.beginProcess();
  files.take(calls);
  expect(files.problems).toEqual([]);
  return files;
}

describe.skipIf(noTrace !== null)(`a folder of an earlier life${noTrace === null ? '' : ` (skipped: ${noTrace})`}`, () => {
  it('is on the disk with the segment in it, though nobody synced it when it was made', async () => {
    await withScratch('folder', async (scratch) => {
      const base = path.join(scratch, 'base');
      await mkdir(base);
      const files = await trace(base, `
        import { mkdir } from 'node:fs/promises';
        import { createRoot } from ${JSON.stringify(ROOT)};
        import { SegmentFile } from ${JSON.stringify(SEGMENT_FILE)};
        const root = await createRoot(${JSON.stringify(`${base}/media`)}, 0);
        // As a life that was killed between making folders and syncing them.
        await mkdir(root.path + '/cam-aaaaaaaaaaaa/main/2026-11-22/03', { recursive: true });
        const name = { cameraId: 'cam-aaaaaaaaaaaa', stream: 'main', startMs: Date.UTC(2026, 10, 22, 3, 4, 5), session: 1, sequence: 0 };
        await SegmentFile.create({ rootId: root.rootId, rootPath: root.path }, name, Buffer.from('head'));
      `);
      const model = new DiskModel();
      for (const operation of files.operations) model.apply(operation);
      const world = model.world(chooseWorld('nothing', 0, seededRandom(1)));
      const segment = [...world.keys()].find((name) => name.endsWith('.mp4'));
      expect(segment).toBe('media/cam-aaaaaaaaaaaa/main/2026-11-22/03/20261122T030405.000Z-s1-000000.mp4');
      expect(world.get(segment ?? '')?.toString()).toBe('head');
    });
  }, 60_000);
});
