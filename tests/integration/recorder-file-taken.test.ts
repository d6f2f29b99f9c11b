/** A file that somebody else deletes, moves or cuts short while it is written: noticed within seconds, what is gone is a gap with its cause, and no row speaks of it (I1, I2). */
import { appendFile, rename, stat, truncate, unlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type SimulatorProcess, startSimulatorProcess } from '../support/simulator-process.ts';
import { decodeErrors, KEY, Rig } from './recorder-rig.ts';

let simulator: SimulatorProcess;
let rig: Rig;

beforeAll(async () => {
  simulator = await startSimulatorProcess(['--cameras', '1', '--source', 'test', '--audio', 'none', '--discovery-port', '0']);
});
afterAll(async () => {
  await simulator?.stop();
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.stop();
});

it.each([
  ['deleted', async (file: string) => await unlink(file), 1],
  ['moved away with its folder', async (file: string) => await rename(path.dirname(file), `${path.dirname(file)}-moved`), 1],
  ['cut short', async (file: string) => await truncate(file, 100), 1],
  ['written to', async (file: string) => await appendFile(file, 'somebody else'), 2],
] as const)('the open file that is %s is followed by another at once, and what is lost of the time it held is a gap', async (_name, harm, segments) => {
  const [camera] = simulator.cameras;
  await rig.record(rig.stream({ url: camera?.rtspMain ?? '', username: camera?.username ?? null, password: camera?.password ?? null }));
  await rig.footage(2);
  const startMs = (await rig.ingest.openSegment(KEY))?.startMs;
  const [file = ''] = await rig.files();
  await harm(file);
  const began = await rig.until('the loss to be told', () => rig.all('outage-began').find(({ cause }) => cause === 'disk-failing'), 10_000);
  expect(Math.abs(began.sinceMs - (startMs ?? Number.NaN))).toBeLessThan(100);
  expect(began.detail).toMatch(/^A file of footage was (taken away|changed) while Porchlight wrote it .*Keep other programs out of that folder\.$/);
  await rig.until('footage again', () => rig.all('outage-ended').find(({ cause }) => cause === 'disk-failing'), 15_000);
  await rig.footage(1);
  await rig.ingest.stop();
  // The disk is well: nobody is to pass it over.
  expect(rig.all('root-problem')).toEqual([]);
  // What is whole in a file that somebody wrote to is kept.
  expect(rig.segments).toHaveLength(segments);
  for (const segment of rig.segments) {
    expect((await stat(rig.closedPath(segment))).size).toBe(segment.sizeBytes);
    expect(decodeErrors(rig.closedPath(segment))).toBe('');
  }
  expect((await rig.files()).filter((one) => !one.includes('-moved'))).toEqual(rig.segments.map((segment) => rig.closedPath(segment)).sort());
});
