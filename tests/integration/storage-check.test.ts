/** `npm run check` as a person runs it: the program, its words and its exit code. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { mkdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { lockDataFolder } from '../../main/engine/process/data-lock.ts';
import { openArchive } from '../../main/engine/storage/archive.ts';
import { formatLine } from '../../main/engine/storage/journal.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import { CLIP_MS, writeClosed } from '../../main/engine/storage/testing/footage.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { DAY_MS } from '../../shared/time.ts';

const key = { cameraId: 'cam-aaaaaaaaaaaa' as CameraId, stream: 'main' } as const;
const START_MS = Date.UTC(2026, 10, 21, 14);
let folder: string;
let media: string;
let data: string;
let segments: Segment[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-check-'));
  media = path.join(folder, 'media');
  data = path.join(folder, 'data');
  const archive = await openArchive({ dataDir: data, clock: systemClock, logger: silentLogger });
  const root = await archive.roots.add(media);
  segments = [];
  for (let sequence = 0; sequence < 3; sequence += 1) {
    const segment = await writeClosed(root, { ...key, session: 1, sequence, startMs: START_MS + sequence * CLIP_MS });
    await archive.write.insertSegment(segment);
    segments.push(segment);
  }
  await archive.close();
  life({ atMs: START_MS, reason: 'owner' });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function life(stopped: unknown, pid = 999_999_999): void {
  writeFileSync(path.join(data, 'life.json'), JSON.stringify({ format: 1, bootId: 'a', pid, startedMs: 0, aliveMs: START_MS, stopped, openOutages: [] }));
}

function run(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [path.resolve('tools/check.ts'), ...args], (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, out: stdout + stderr }));
  });
}
const fileOf = (segment: Segment | undefined): string => path.join(media, encodeSegmentName({ ...(segment as Segment), startMs: (segment as Segment).nameMs }));

describe('npm run check', () => {
  it('says that a sound archive is sound', async () => {
    const { code, out } = await run('--media', media, '--data', data);
    expect(out).toMatch(/^3 files checked in [\d.]+ s: everything is as it should be\.\n$/);
    expect(code).toBe(0);
  });

  it('says what is wrong, changes nothing without --repair, and mends it with', async () => {
    unlinkSync(fileOf(segments[0]));
    truncateSync(fileOf(segments[1]), 9_000);
    const dry = await run('--media', media, '--data', data);
    expect(dry.code).toBe(1);
    expect(dry.out).toContain('The file is gone');
    expect(dry.out).toContain('Nothing was changed. With --repair, this is mended.');
    expect(readFileSync(fileOf(segments[1]))).toHaveLength(9_000);
    const mended = await run('--data', data, '--repair');
    expect(mended.out).toContain('everything is as it should be.');
    expect(mended.code).toBe(0);
    expect(await run('--data', data)).toMatchObject({ code: 0 });
  });

  it('mends what no start looks at: a row that differs, a tail that is lost, a line that the index lacks, sums', async () => {
    const database = new Database(path.join(data, 'porchlight.db'));
    database.prepare('UPDATE segments SET video_frames = 7 WHERE sequence = 0').run();
    database.prepare('UPDATE usage SET size_bytes = 1').run();
    database.close();
    // The same size, and no table at its end.
    const bytes = readFileSync(fileOf(segments[1]));
    writeFileSync(fileOf(segments[1]), bytes.fill(0, bytes.length - 60));
    mkdirSync(path.join(media, key.cameraId, 'journal'));
    const gap = { ...key, startMs: START_MS - 9 * DAY_MS, endMs: START_MS - 9 * DAY_MS + 500, cause: 'power-lost', detail: '' } as const;
    writeFileSync(path.join(media, key.cameraId, 'journal', '2026-11-12.jsonl'), formatLine({ type: 'gap', gap }));
    for (const day of ['2026-11-13', '2026-11-14']) writeFileSync(path.join(media, key.cameraId, 'journal', `${day}.jsonl`), '');
    const dry = await run('--data', data, '--json');
    const found = (JSON.parse(dry.out) as { readonly check: { readonly findings: readonly { readonly kind: string }[] } }).check.findings.map(({ kind }) => kind).sort();
    expect(found).toEqual(['derived-differs', 'not-in-index', 'tail-differs', 'tail-missing']);
    expect(await run('--data', data, '--repair')).toMatchObject({ code: 0, out: expect.stringContaining('everything is as it should be.') });
  });

  it('notes a gap that covers footage which came back, and none that a clock set back lays over an earlier hour', async () => {
    const archive = await openArchive({ dataDir: data, clock: systemClock, logger: silentLogger });
    const [root] = archive.roots.readable();
    if (root === undefined) throw new Error('no disk');
    const record = async (session: number, startMs: number): Promise<Segment> => {
      const segment = await writeClosed(root, { ...key, session, sequence: 0, startMs });
      await archive.write.insertSegment(segment);
      return segment;
    };
    const first = segments[2] as Segment;
    // Recorded between what the gap begins and ends with, and known only later.
    const after = await record(3, first.endMs + 2 * CLIP_MS);
    await archive.write.insertGap({ ...key, startMs: first.endMs, endMs: first.endMs + CLIP_MS, cause: 'disk-failing', detail: '' });
    await archive.write.insertGap({ ...key, startMs: first.endMs + CLIP_MS, endMs: after.startMs, cause: 'disk-missing', detail: '' });
    // The same hour again: a gap between two pieces of footage of the second time, over the first time's.
    const again = await record(4, START_MS - CLIP_MS);
    const andAgain = await record(5, START_MS + CLIP_MS);
    await archive.write.insertGap({ ...key, startMs: again.endMs, endMs: andAgain.startMs, cause: 'camera-unreachable', detail: '' });
    await archive.close();
    expect(await run('--data', data)).toMatchObject({ code: 0, out: expect.not.stringContaining('covers') });
    const late = await openArchive({ dataDir: data, clock: systemClock, logger: silentLogger });
    await late.write.insertSegment(await writeClosed(forceUnwrap('one disk', late.roots.readable()[0]), { ...key, session: 2, sequence: 0, startMs: first.endMs + 1_000 }));
    await late.close();
    const { code, out } = await run('--data', data, '--json');
    const found = (JSON.parse(out) as { readonly check: { readonly findings: readonly { readonly kind: string; readonly notice?: boolean }[] } }).check.findings;
    expect(found.filter(({ kind }) => kind === 'gap-over-footage')).toHaveLength(1);
    expect(found.every(({ notice }) => notice === true)).toBe(true);
    expect(code).toBe(0);
    // A start that takes footage in looks for such gaps, and leaves of each what is missing still; the same without an index.
    const gapsNow = async (): Promise<readonly unknown[]> => {
      const opened = await openArchive({ dataDir: data, clock: systemClock, logger: silentLogger });
      await opened.recoverTails();
      await opened.reconcile();
      const [timeline] = await opened.read.timeline({ cameraIds: [key.cameraId], startMs: START_MS, endMs: after.endMs, maxItems: 2_048 });
      await opened.close();
      return (timeline?.gaps ?? []).filter(({ startMs }) => startMs >= first.endMs).map(({ startMs, endMs, cause }) => [startMs - first.endMs, endMs - first.endMs, cause]);
    };
    await writeClosed(forceUnwrap('one disk', archive.roots.readable()[0]), { ...key, session: 0, sequence: 9, startMs: START_MS - 20 * CLIP_MS });
    const clipped = [[0, 1_000, 'disk-failing'], [CLIP_MS, 2 * CLIP_MS, 'disk-missing']];
    expect(await gapsNow()).toEqual(clipped);
    expect((await run('--data', data)).out).not.toContain('covers');
    expect((await run('--data', data)).code).toBe(0);
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(data, `porchlight.db${suffix}`), { force: true });
    expect(await gapsNow()).toEqual(clipped);
    expect((await run('--data', data)).code).toBe(0);
  });

  it('checks files by themselves where there is no index', async () => {
    expect(await run('--media', media)).toMatchObject({ code: 0, out: expect.stringContaining('3 files checked') });
    // The newest may be being recorded: nothing else says whether Porchlight runs.
    truncateSync(fileOf(segments[2]), 9_000);
    expect(await run('--media', media)).toMatchObject({ code: 0, out: expect.stringMatching(/^note .*: The file has no end yet/) });
    truncateSync(fileOf(segments[0]), 9_000);
    expect(await run('--media', media)).toMatchObject({ code: 1, out: expect.stringContaining('cut short') });
  });

  it('gives its findings as JSON', async () => {
    unlinkSync(fileOf(segments[0]));
    const { code, out } = await run('--media', media, '--data', data, '--json');
    expect(JSON.parse(out)).toMatchObject({ media: [media], engine: 'stopped', wrong: 1, check: { files: 2, findings: [{ invariant: 'I1', sentence: expect.stringContaining('gone') }] }, afterRepair: null });
    expect(code).toBe(1);
  });

  it('runs beside a running Porchlight, and repairs nothing then', async () => {
    life(null, process.pid);
    unlinkSync(fileOf(segments[0]));
    const lock = await lockDataFolder(data);
    expect(await run('--media', media, '--data', data)).toMatchObject({ code: 1, out: expect.stringContaining('Porchlight is running') });
    expect(await run('--media', media, '--data', data, '--repair')).toMatchObject({ code: 2, out: expect.stringContaining('Close Porchlight before a repair') });
    await lock.release();
    // Killed, and its process id given to somebody else.
    expect((await run('--media', media, '--data', data)).out).not.toContain('Porchlight is running');
  });

  it('says in one sentence what keeps it from checking', async () => {
    expect(await run()).toMatchObject({ code: 2, out: expect.stringContaining('--media DIR') });
    expect(await run('--media', path.join(folder, 'nowhere'))).toMatchObject({ code: 2, out: expect.stringMatching(/^The disk for footage at .* is not there\. .*\n$/) });
    expect(await run('--nonsense')).toMatchObject({ code: 2, out: expect.not.stringContaining('at main') });
    writeFileSync(path.join(data, 'porchlight.db'), 'hello');
    expect(await run('--data', data)).toMatchObject({ code: 2, out: expect.stringMatching(/^The index of footage is damaged\./) });
    expect(await run('--data', data, '--repair')).toMatchObject({ code: 0, out: expect.stringContaining('3 files checked') });
  });
});
