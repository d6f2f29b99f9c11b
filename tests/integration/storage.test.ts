/** The archive on a real disk with real SQLite and real footage: what is kept, what comes back, what is found wrong. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync, appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { type Archive, openArchive } from '../../main/engine/storage/archive.ts';
import type { RootPlace } from '../../main/engine/storage/root-list.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import { CLIP_FRAMES, CLIP_MS, decodedFrames, openBytes, sizeOf, writeClosed, writeCut, writeUnder } from '../../main/engine/storage/testing/footage.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { HOUR_MS } from '../../shared/time.ts';

const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const OTHER = 'cam-bbbbbbbbbbbb' as CameraId;
const START_MS = Date.UTC(2026, 10, 21, 14, 59, 50);
const key = { cameraId: CAMERA, stream: 'main' } as const;
const WINDOW = { cameraIds: [CAMERA, OTHER], startMs: START_MS - HOUR_MS, endMs: START_MS + HOUR_MS, maxItems: 2_048 };

let folder: string;
let dataDir: string;
let archive: Archive;
let root: RootPlace;

const open = async (): Promise<Archive> => await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
const reopen = async (): Promise<void> => {
  await archive.close();
  archive = await open();
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'porchlight-storage-'));
  dataDir = path.join(folder, 'data');
  archive = await open();
  root = await archive.roots.add(path.join(folder, 'media'));
  await archive.reconcile();
});
afterEach(async () => {
  await archive.close();
  await rm(folder, { recursive: true, force: true });
});

/** Records `count` segments one after the other and rows them. */
async function record(count: number, over: Partial<Segment> = {}): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (let sequence = 0; sequence < count; sequence += 1) {
    const segment = await writeClosed(root, { ...key, session: 1_000, sequence, startMs: START_MS + sequence * CLIP_MS, ...over });
    await archive.write.insertSegment(segment);
    segments.push(segment);
  }
  return segments;
}

const wrong = async (engine: 'stopped' | 'failed' = 'stopped') => (await archive.check({ engine, thorough: true })).findings.filter((finding) => finding.notice !== true);
const fileOf = (segment: Segment): string => encodeSegmentName({ ...segment, startMs: segment.nameMs });

describe('an archive', () => {
  it('gives back what was recorded, with the file it lies in', async () => {
    const [first, second] = await record(2);
    const found = await archive.read.segmentAt(key, START_MS + 1_000);
    expect(found).toEqual({ segment: first, path: path.join(root.path, fileOf(first as Segment)) });
    expect((await archive.read.segmentAfter(key, first as Segment))?.segment).toEqual(second);
    expect(await archive.read.timeline(WINDOW)).toMatchObject([{ spans: [{ startMs: START_MS, endMs: START_MS + 2 * CLIP_MS }], gaps: [] }, { spans: [] }]);
    expect(await archive.read.bounds([CAMERA])).toEqual({ startMs: START_MS, endMs: START_MS + 2 * CLIP_MS });
    expect(await wrong()).toEqual([]);
  });

  it('tells where footage ended before a moment, also after a life whose clock was wrong', async () => {
    const [first] = (await record(1)) as [Segment];
    await record(1, { session: 2_000, startMs: START_MS - 5 * 365 * 24 * HOUR_MS });
    const [tail] = await archive.read.streamTails(START_MS + HOUR_MS);
    expect(tail).toMatchObject({ session: 2_000, endMs: first.endMs });
    // Set forward, and right again: what lies ahead is no end before now, and what it came after is.
    await record(1, { session: 3_000, startMs: START_MS + 48 * HOUR_MS });
    expect(await archive.read.streamTails(START_MS + HOUR_MS)).toMatchObject([{ session: 3_000, endMs: START_MS + 48 * HOUR_MS + CLIP_MS }]);
  });

  it('keeps everything over a close', async () => {
    const [first] = await record(1);
    await archive.write.insertGap({ ...key, startMs: START_MS - 5_000, endMs: START_MS, cause: 'stream-stalled', detail: 'x' });
    await reopen();
    expect((await archive.read.segmentAt(key, START_MS))?.segment).toEqual(first);
    expect(await archive.read.gapAt(key, START_MS - 1)).toMatchObject({ cause: 'stream-stalled' });
  });

  it('takes many rows at once, each durable', async () => {
    const segments = await Promise.all(Array.from({ length: 30 }, (_, sequence) => writeClosed(root, { ...key, session: 5, sequence, startMs: START_MS + sequence * CLIP_MS })));
    await Promise.all(segments.map((segment) => archive.write.insertSegment(segment)));
    expect(await archive.read.streamTails()).toEqual([{ ...key, session: 5, sequence: 29, endMs: START_MS + 30 * CLIP_MS }]);
    expect(await wrong()).toEqual([]);
  });

  it('cannot be written to through its reader', async () => {
    const { openForReading } = await import('../../main/engine/storage/database.ts');
    const db = openForReading(path.join(dataDir, 'porchlight.db'));
    expect(() => db.prepare("INSERT INTO roots (root_id) VALUES ('x')").run()).toThrow(/readonly|query_only/i);
    db.close();
  });
});

describe('after a fault', () => {
  it('a file closed but not rowed is rowed, and one cut short is trimmed, kept and playable (I2, I4)', async () => {
    await record(1);
    const closed = await writeClosed(root, { ...key, session: 1_000, sequence: 1, startMs: START_MS + CLIP_MS });
    // Cut inside the last fragment: all but one frame are whole.
    const whole = openBytes(START_MS + 2 * CLIP_MS).length;
    const cut = writeCut(root, { ...key, session: 1_000, sequence: 2, startMs: START_MS + 2 * CLIP_MS + 123, nameMs: START_MS + 2 * CLIP_MS }, whole - 5);
    await reopen();
    const report = await archive.recoverTails();
    expect(report).toMatchObject({ trimmed: [{ path: cut }], removed: [], refused: [] });
    expect((await archive.read.segmentAt(key, START_MS + CLIP_MS))?.segment).toEqual(closed);
    const trimmed = (await archive.read.segmentAt(key, START_MS + 2 * CLIP_MS + 500))?.segment;
    // Its time is the last prft's, not its name's.
    expect(trimmed).toMatchObject({ sequence: 2, startMs: START_MS + 2 * CLIP_MS + 123, videoFrames: CLIP_FRAMES - 1, sizeBytes: sizeOf(root, cut) });
    expect(decodedFrames(path.join(root.path, cut))).toBe(CLIP_FRAMES - 1);
    expect(await wrong()).toEqual([]);
  });

  it('a file cut at any place is trimmed to whole fragments or removed, and the archive is sound', async () => {
    const body = openBytes(START_MS);
    const places = [0, 1, 7, 100, Math.floor(body.length / 3), Math.floor(body.length / 2), body.length - 1, body.length];
    // A camera for each, so that one start meets all of them.
    const keyOf = (place: number) => ({ cameraId: `cam-${'abcdefgh'.charAt(place).repeat(12)}` as CameraId, stream: 'main' as const });
    for (const [place, bytes] of places.entries()) writeCut(root, { ...keyOf(place), session: 1, sequence: 0, startMs: START_MS }, bytes);
    await reopen();
    await archive.recoverTails();
    expect(await wrong()).toEqual([]);
    const kept = await Promise.all(places.map((_, place) => archive.read.segmentAt(keyOf(place), START_MS + 50)));
    expect(kept.map((found) => found?.segment.videoFrames ?? 0).slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(kept.at(-1)?.segment.videoFrames).toBe(CLIP_FRAMES);
  });

  it('a deletion that stopped half way is finished', async () => {
    const [first] = await record(3);
    // Stopped after the first step: rows are garbage, files are there.
    const { openForWriting } = await import('../../main/engine/storage/database.ts');
    const { segmentWriter } = await import('../../main/engine/storage/segments.write.ts');
    await archive.close();
    const db = openForWriting(path.join(dataDir, 'porchlight.db'));
    segmentWriter(db).remove(first as Segment, true);
    db.close();
    archive = await open();
    await archive.recoverTails();
    expect((await archive.check({ engine: 'failed', thorough: false })).findings).toMatchObject([{ invariant: 'I2', notice: true }]);
    await archive.reconcile();
    expect(existsSync(path.join(root.path, fileOf(first as Segment)))).toBe(false);
    expect(await archive.check({ engine: 'stopped', thorough: false })).toMatchObject({ findings: [] });
  });

  it('a torn journal line costs itself only', async () => {
    await record(1);
    const gap = { ...key, startMs: START_MS - 60_000, endMs: START_MS, cause: 'camera-unreachable', detail: '' } as const;
    await archive.write.insertGap(gap);
    const journal = path.join(root.path, CAMERA, 'journal', '2026-11-21.jsonl');
    appendFileSync(journal, '{"v":1,"type":"gap","came');
    await archive.write.insertGap({ ...gap, startMs: START_MS - 120_000, endMs: START_MS - 60_000 });
    expect(readFileSync(journal, 'utf8').split('\n').filter((line) => line !== '')).toHaveLength(3);
    await archive.rebuild();
    expect((await archive.read.timeline(WINDOW))[0]?.gaps).toHaveLength(2);
  });
});

describe('a rebuild', () => {
  it('of a deleted database gives the same timeline, gaps and events (I5)', async () => {
    await record(3);
    await record(2, { cameraId: OTHER, session: 7 });
    await writeClosed(root, { ...key, session: 2_000, sequence: 0, startMs: START_MS + 60_000.25 }).then((segment) => archive.write.insertSegment(segment));
    await archive.write.insertGap({ ...key, startMs: START_MS + 3 * CLIP_MS, endMs: START_MS + 60_000.25, cause: 'power-lost', detail: 'x' });
    await archive.write.insertEvent({ id: 'event-1', cameraId: OTHER, kind: 'motion', label: 'Motion', startMs: START_MS, endMs: START_MS + 1_000 });
    const ask = async () => ({ timeline: await archive.read.timeline(WINDOW), near: await archive.read.timeline({ ...WINDOW, startMs: START_MS, endMs: START_MS + 30_000 }), tails: await archive.read.streamTails(), usage: await archive.read.usage(), at: await archive.read.segmentAt(key, START_MS + 60_001) });
    const before = await ask();
    await archive.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(dataDir, `porchlight.db${suffix}`), { force: true });
    archive = await open();
    expect(archive.rebuilding).toBe(true);
    await archive.recoverTails();
    await archive.reconcile();
    expect(archive.rebuilding).toBe(false);
    expect(await ask()).toEqual(before);
    expect(await wrong()).toEqual([]);
  });

  it('goes on beside recording', async () => {
    await record(5);
    await archive.close();
    rmSync(path.join(dataDir, 'porchlight.db'));
    archive = await open();
    await archive.recoverTails();
    // What is being recorded is nobody's business but the recorder's.
    const cut = writeCut(root, { ...key, session: 3_000, sequence: 0, startMs: START_MS + 100_000 }, 900);
    const rebuilt = archive.reconcile();
    const segment = await writeClosed(root, { ...key, session: 2_500, sequence: 0, startMs: START_MS + 90_000 });
    await archive.write.insertSegment(segment);
    await rebuilt;
    expect(sizeOf(root, cut)).toBe(900);
    expect((await archive.read.usage())[0]?.durationMs).toBe(6 * CLIP_MS);
    // A second one, with nothing rowed since: this life's closed segments are found, its open one is still nobody's business.
    await archive.rebuild();
    expect(sizeOf(root, cut)).toBe(900);
    expect((await archive.read.usage())[0]?.durationMs).toBe(6 * CLIP_MS);
  });

  it.each(['overwritten at its start', 'overwritten in its middle', 'cut short', 'not a database'])('replaces a database that is %s', async (damage) => {
    await record(40);
    await archive.close();
    const file = path.join(dataDir, 'porchlight.db');
    const bytes = readFileSync(file);
    if (damage === 'overwritten at its start') bytes.fill(0x55, 0, 200);
    if (damage === 'overwritten in its middle') bytes.fill(0x55, 4096, bytes.length - 4096);
    writeFileSync(file, damage === 'not a database' ? 'hello' : damage === 'cut short' ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes);
    archive = await open();
    await archive.recoverTails();
    await archive.reconcile();
    expect(readdirSync(dataDir).some((name) => name.startsWith('porchlight.db.corrupt-'))).toBe(true);
    expect((await archive.read.usage())[0]?.durationMs).toBe(40 * CLIP_MS);
    expect(await wrong()).toEqual([]);
  });

  it('is not begun for a database from the future: it is refused and left alone', async () => {
    await archive.close();
    const Database = (await import('better-sqlite3')).default;
    const db = new Database(path.join(dataDir, 'porchlight.db'));
    db.pragma('user_version = 99990');
    db.close();
    await expect(open()).rejects.toMatchObject({ kind: 'database-from-future' });
    expect(readdirSync(dataDir).some((name) => name.includes('corrupt'))).toBe(false);
    rmSync(path.join(dataDir, 'porchlight.db'));
    archive = await open();
  });
});

describe('the check', () => {
  it('finds a file that is gone, cut or strange, and reconciling mends it', async () => {
    const [gone, cut, sound] = (await record(4)) as [Segment, Segment, Segment, Segment];
    unlinkSync(path.join(root.path, fileOf(gone)));
    truncateSync(path.join(root.path, fileOf(cut)), cut.sizeBytes - 3_000);
    writeUnder(root, `${path.posix.dirname(fileOf(sound))}/holiday.jpg`, 'x');
    mkdirSync(path.join(root.path, CAMERA, 'main', 'music'));
    const found = (await archive.check({ engine: 'stopped', thorough: true })).findings;
    expect(found.map((finding) => [finding.invariant, path.posix.basename(finding.path), finding.notice ?? false])).toEqual(
      expect.arrayContaining([['I1', path.posix.basename(fileOf(gone)), false], ['I1', path.posix.basename(fileOf(cut)), false], ['I2', 'holiday.jpg', true], ['I2', 'music', true]]),
    );
    await archive.reconcile();
    expect(await wrong()).toEqual([]);
    expect(await archive.read.segmentAt(key, gone.startMs + 10)).toBeNull();
    expect((await archive.read.segmentAt(key, cut.startMs + 10))?.segment.videoFrames).toBeLessThan(CLIP_FRAMES);
  });

  it('finds a file changed inside, a row that says otherwise, and derived tables that are off', async () => {
    const [segment] = (await record(3)) as [Segment];
    const file = path.join(root.path, fileOf(segment));
    const bytes = readFileSync(file);
    bytes.fill(0, segment.keyframes[0]?.offsetBytes, (segment.keyframes[0]?.offsetBytes ?? 0) + 8);
    writeFileSync(file, bytes);
    await archive.close();
    const Database = (await import('better-sqlite3')).default;
    const db = new Database(path.join(dataDir, 'porchlight.db'));
    db.exec('UPDATE segments SET video_frames = 1 WHERE sequence = 1; DELETE FROM spans');
    db.close();
    archive = await open();
    expect((await wrong()).map((finding) => finding.invariant).toSorted()).toEqual(['I1', 'I5', 'I5']);
    await archive.rederive();
    expect((await wrong()).map((finding) => finding.invariant).toSorted()).toEqual(['I1', 'I5']);
  });

  it('finds a file unknown after an orderly stop (I3), which after a fault is only told', async () => {
    await record(1);
    await writeClosed(root, { ...key, session: 9_000, sequence: 0, startMs: START_MS + 50_000 });
    expect(await wrong('stopped')).toMatchObject([{ invariant: 'I3' }]);
    expect(await wrong('failed')).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('is not held up by pipes, folders and links that have a segment’s name, with the index and without', async () => {
    const [first] = (await record(2)) as [Segment];
    const named = (sequence: number): string => path.join(root.path, encodeSegmentName({ ...first, session: 2_000, sequence, startMs: first.nameMs }));
    const pipes = [named(0), path.join(root.path, CAMERA, 'journal', '2026-11-20.jsonl')];
    mkdirSync(path.join(root.path, CAMERA, 'journal'), { recursive: true });
    expect(spawnSync('mkfifo', pipes).status).toBe(0);
    mkdirSync(named(1));
    symlinkSync(path.basename(named(2)), named(2));
    for (const lost of [false, true]) {
      await archive.close();
      for (const name of lost ? readdirSync(dataDir) : []) if (name.startsWith('porchlight.db')) unlinkSync(path.join(dataDir, name));
      archive = await open();
      await archive.recoverTails();
      await archive.reconcile();
      expect((await archive.read.usage())[0]?.durationMs).toBe(2 * CLIP_MS);
      expect((await archive.check({ engine: 'stopped', thorough: true })).findings.map((finding) => finding.path)).toEqual(expect.arrayContaining([0, 1, 2].map((sequence) => path.relative(root.path, named(sequence)))));
    }
  });

  it('says of footage whose file is gone or cut that it is missing, with its cause, also when the index is lost (I5)', async () => {
    const segments = await record(5);
    const [oldest, second, third, fourth] = segments as [Segment, Segment, Segment, Segment];
    for (const gone of [oldest, second, third]) unlinkSync(path.join(root.path, fileOf(gone)));
    await archive.reconcile();
    // What is older than the oldest footage is missing from nowhere.
    expect(await archive.read.gapAt(key, START_MS + 1)).toBeNull();
    truncateSync(path.join(root.path, fileOf(fourth)), Math.floor(fourth.sizeBytes / 2));
    const first = await writeClosed(root, { ...key, session: 900, sequence: 0, startMs: START_MS });
    await archive.write.insertSegment(first);
    await archive.reconcile();
    const [camera] = await archive.read.timeline(WINDOW);
    const rest = camera?.spans[1];
    expect(camera?.gaps).toMatchObject([{ cause: 'disk-failing', endMs: fourth.endMs }]);
    expect(camera?.gaps[0]?.startMs).toBeGreaterThan(fourth.startMs);
    expect(rest?.startMs).toBe(fourth.startMs);
    expect(await wrong()).toEqual([]);
    await archive.close();
    for (const name of readdirSync(dataDir)) if (name.startsWith('porchlight.db')) unlinkSync(path.join(dataDir, name));
    archive = await open();
    await archive.reconcile();
    expect((await archive.read.timeline(WINDOW))[0]).toEqual(camera);
  });

  it('takes a copied file for what it is', async () => {
    const [first] = (await record(2)) as [Segment];
    const copy = encodeSegmentName({ ...first, session: 999, startMs: first.nameMs });
    writeUnder(root, copy, readFileSync(path.join(root.path, fileOf(first))));
    expect(await wrong()).toMatchObject([{ invariant: 'I2', path: copy }]);
    await archive.reconcile();
    expect(existsSync(path.join(root.path, copy))).toBe(true);
    expect((await archive.read.usage())[0]?.durationMs).toBe(2 * CLIP_MS);
  });
});

describe('deleting', () => {
  it('takes rows, files, empty folders, and the previews and journal of that time', async () => {
    // From 14:59:50 on: the last segments lie in the next hour's folder.
    const segments = await record(6);
    await archive.write.insertGap({ ...key, startMs: START_MS - 30 * HOUR_MS, endMs: START_MS - 29 * HOUR_MS, cause: 'computer-off', detail: '' });
    writeUnder(root, `${CAMERA}/previews/2026-11-21/13.jpgs`, 'x');
    writeUnder(root, `${CAMERA}/previews/2026-11-21/15.jpgs`, 'x');
    const old = segments.filter((segment) => segment.nameMs < START_MS + 10_000);
    expect(await archive.deleteSegments(old)).toEqual({ cameraIds: [CAMERA], range: { startMs: START_MS, endMs: START_MS + 3 * CLIP_MS }, segments: 3 });
    const hours = path.join(root.path, CAMERA, 'main', '2026-11-21');
    expect(readdirSync(hours)).toEqual(['15']);
    expect(readdirSync(path.join(root.path, CAMERA, 'previews', '2026-11-21'))).toEqual(['15.jpgs']);
    expect(readdirSync(path.join(root.path, CAMERA, 'journal'))).toEqual([]);
    expect(await archive.read.gapAt(key, START_MS - 29.5 * HOUR_MS)).toBeNull();
    expect((await archive.read.usage())[0]?.durationMs).toBe(3 * CLIP_MS);
    expect(await wrong()).toEqual([]);
    expect(await archive.deleteSegments(old)).toEqual({ cameraIds: [], range: null, segments: 0 });
  });
});

describe('a disk that is away', () => {
  it('keeps its rows without paths, lets the journal wait, and is whole when it is back', async () => {
    await record(2);
    renameSync(root.path, `${root.path}.away`);
    expect(await archive.roots.refresh()).toMatchObject([{ state: 'missing' }]);
    expect(await archive.read.segmentAt(key, START_MS)).toMatchObject({ path: null });
    await archive.write.insertGap({ ...key, startMs: START_MS + 8_000, endMs: START_MS + 9_000, cause: 'disk-missing', detail: '' });
    await archive.reconcile();
    expect(await archive.read.gapAt(key, START_MS + 8_500)).toMatchObject({ cause: 'disk-missing' });
    expect(existsSync(path.join(dataDir, 'journal-waiting', CAMERA))).toBe(true);
    renameSync(`${root.path}.away`, root.path);
    await reopen();
    expect(existsSync(path.join(dataDir, 'journal-waiting', CAMERA))).toBe(false);
    expect(await archive.read.segmentAt(key, START_MS)).toMatchObject({ path: expect.stringContaining(root.path) });
    expect(await wrong()).toEqual([]);
    await archive.rebuild();
    expect(await archive.read.gapAt(key, START_MS + 8_500)).toMatchObject({ cause: 'disk-missing' });
  });

  it('that is another disk loses no rows of the right one', async () => {
    await record(2);
    renameSync(root.path, `${root.path}.away`);
    const stranger = await openArchive({ dataDir: path.join(folder, 'other'), clock: systemClock, logger: silentLogger });
    await stranger.roots.add(root.path);
    await stranger.close();
    expect(await archive.roots.refresh()).toMatchObject([{ state: 'wrong-disk' }]);
    await archive.reconcile();
    expect((await archive.read.usage())[0]?.durationMs).toBe(2 * CLIP_MS);
  });

  it('carries the names of its cameras', async () => {
    await archive.write.describeCamera({ id: CAMERA, name: 'Front door', streams: ['main', 'sub'] });
    const { readCameraFile } = await import('../../main/engine/storage/camera-file.ts');
    expect(await readCameraFile(root.path, CAMERA)).toEqual({ id: CAMERA, name: 'Front door', streams: ['main', 'sub'] });
    expect(await wrong()).toEqual([]);
  });
});
