/** Owns the suite's own test: faults planted behind the product's back, each of which must be found, or the suite proves nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { forceUnwrap } from '../../shared/result.ts';
import { checkArchive } from './archive-check.ts';
import type { FaultHouse } from './house.ts';
import { judgePictures, judgeTimeline } from './judge.ts';
import { CRASH_LOSS_MS, type FaultMade } from './fault-kind.ts';
import { leftOver, MARK } from './processes.ts';
import { truthOf } from './truth.ts';
import { signal } from './processes.ts';

/** A fault that was planted. */
export interface Control {
  readonly name: string;
  /** What was found of it. */
  readonly violations: readonly string[];
}

interface Copy {
  readonly mediaDir: string;
  readonly dataDir: string;
}

/** Plants faults over a round of its own: the product records, the engine dies, the product ends, all is sound; then not any more. */
export async function runControls(house: FaultHouse, say: (line: string) => void): Promise<readonly Control[]> {
  await house.beginRound();
  await house.start();
  await house.footage(3);
  const faultMs = Date.now();
  signal(house.enginePid(), 'SIGKILL');
  await house.footage(1, 0, 10_000).catch(() => undefined);
  await house.recording();
  await house.footage(3);
  const made: FaultMade = { faultMs, healedMs: faultMs, cameras: null, causes: ['porchlight-failed'], lossBoundMs: CRASH_LOSS_MS, crash: false };
  const timelines = await house.timelines();
  const stoppedMs = Date.now();
  await house.stop();
  const controls: Control[] = [];
  const add = (name: string, violations: readonly string[]): void => {
    controls.push({ name, violations });
    say(`control: ${name}: ${violations.length === 0 ? 'NOT FOUND' : `found (${violations[0]?.slice(0, 160)})`}`);
  };
  add('a segment is shorter than its row says', await withCopy(house, async ({ mediaDir, dataDir }) => {
    const file = await newestSegment(mediaDir);
    await truncate(file, Math.floor((await stat(file)).size / 2));
    return await checkArchive(mediaDir, dataDir);
  }));
  add('a gap is gone from the index', await withCopy(house, async ({ mediaDir, dataDir }) => {
    const database = new Database(path.join(dataDir, 'porchlight.db'));
    const { changes } = database.prepare('DELETE FROM gaps').run();
    database.close();
    return changes === 0 ? [] : await checkArchive(mediaDir, dataDir);
  }));
  add('a segment without a row', await withCopy(house, async ({ mediaDir, dataDir }) => {
    const file = await newestSegment(mediaDir);
    await writeFile(file.replace(/-(\d+)\.mp4$/, (_all, number: string) => `-${String(Number(number) + 1).padStart(number.length, '0')}.mp4`), await readFile(file));
    return await checkArchive(mediaDir, dataDir);
  }));
  add('a gap is not on the timeline', (await truthOf(house)).flatMap((truth) => {
    const timeline = forceUnwrap('each camera has one', timelines.find(({ cameraId }) => cameraId === truth.cameraId));
    return judgeTimeline(truth, { ...timeline, gaps: [] }, made);
  }));
  add('two seconds before the fault are lost', (await truthOf(house)).flatMap((truth) => {
    const pictures = truth.pictures.map((picture) => ({ ...picture, recorded: picture.recorded && !(picture.sentMs > faultMs - 2_000 && picture.sentMs < faultMs) }));
    return judgePictures({ ...truth, pictures }, made, stoppedMs, 0).violations;
  }));
  add('a process is left behind', await leaveProcess(house));
  return controls;
}

async function leaveProcess({ mark }: FaultHouse): Promise<readonly string[]> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', env: { ...process.env, [MARK]: mark } });
  const ended = once(child, 'exit');
  const left = await leftOver(mark, 300);
  child.kill('SIGKILL');
  await ended;
  return left.map(({ command }) => `left behind: ${command}`);
}

/** A copy of the archive, spoilt and thrown away. */
async function withCopy(house: FaultHouse, work: (copy: Copy) => Promise<readonly string[]>): Promise<readonly string[]> {
  const folder = await mkdtemp(path.join(house.folder, 'copy-'));
  const copy = { mediaDir: path.join(folder, 'media'), dataDir: path.join(folder, 'data') };
  try {
    await cp(house.mediaDir, copy.mediaDir, { recursive: true });
    await cp(house.dataDir, copy.dataDir, { recursive: true, filter: async (source) => !(await stat(source)).isSocket() });
    const before = await checkArchive(copy.mediaDir, copy.dataDir);
    // What is wrong with the copy already proves nothing.
    return before.length > 0 ? [] : await work(copy);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function newestSegment(mediaDir: string): Promise<string> {
  const names = (await readdir(mediaDir, { recursive: true })).filter((name) => name.endsWith('.mp4')).toSorted();
  return path.join(mediaDir, forceUnwrap('something was recorded', names.at(-1)));
}
