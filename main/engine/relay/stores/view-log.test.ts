/** The log of views, against everybody who would rather it said something else. */
import { createHash } from 'node:crypto';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CameraId } from '../../../../shared/model/ids.ts';
import type { Clock } from '../../core/clock.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { openRemoteFile } from './remote-file.ts';
import { type NewView, openViewLog, type ViewLogStore } from './view-log.ts';

const HOME_KEY = 'ab'.repeat(32);
const START_MS = Date.parse('2026-11-21T12:00:00Z');

let folder = '';
let nowMs = START_MS;
const clock: Clock = { ...systemClock, nowMs: () => nowMs };

beforeEach(async () => {
  nowMs = START_MS;
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-views-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openLog = async (): Promise<ViewLogStore> => await openViewLog({ folder, file: await openRemoteFile(folder, silentLogger), homeKeyHex: HOME_KEY, clock, log: silentLogger });
const logFile = (): string => path.join(folder, 'views-2026-11.jsonl');

function view(number: number, deviceId = 'aaaaaaaaaaaaaaaa'): NewView {
  return { deviceId, deviceName: 'Möbius’ phone', kind: 'live', cameraIds: ['cam-aaaaaaaaaaaa' as CameraId], fromMs: number, toMs: null, bytes: number, path: 'relay', note: null };
}

async function written(count: number): Promise<ViewLogStore> {
  const log = await openLog();
  for (let number = 1; number <= count; number += 1) await log.append(view(number));
  return log;
}

/** Whether a log that is open, and one that is opened now, both see it; each must. */
async function isFound(open: ViewLogStore): Promise<boolean> {
  const chain = await open.verify();
  const again = await (await openLog()).verify();
  expect(again.intact).toBe(chain.intact);
  return !chain.intact;
}

describe('the log of views', () => {
  it('comes back newest first, in pages, by device, after a restart too', async () => {
    const log = await openLog();
    for (let number = 1; number <= 30; number += 1) await log.append(view(number, number % 3 === 0 ? 'bbbbbbbbbbbbbbbb' : 'aaaaaaaaaaaaaaaa'));
    for (const one of [log, await openLog()]) {
      expect((await one.read({ limit: 3 })).entries.map(({ seq }) => seq)).toEqual([30, 29, 28]);
      expect((await one.read({ limit: 2, beforeSeq: 28 })).entries.map(({ seq }) => seq)).toEqual([27, 26]);
      expect((await one.read({ limit: 2, deviceId: 'bbbbbbbbbbbbbbbb', beforeSeq: 30 })).entries.map(({ seq }) => seq)).toEqual([27, 24]);
      expect((await one.read({ limit: 100 })).chain).toEqual({ intact: true, brokenAtSeq: null, length: 30 });
    }
    expect((await log.read({ limit: 1 })).entries[0]).toEqual({ ...view(30, 'bbbbbbbbbbbbbbbb'), seq: 30, atMs: START_MS });
    expect((await stat(logFile())).mode & 0o077).toBe(0);
  });

  it('names the hash of the line before, the first one the home’s key, and gives its head', async () => {
    const log = await written(3);
    const lines = (await readFile(logFile(), 'utf8')).trimEnd().split('\n');
    const sha = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
    const previous = lines.map((line) => (JSON.parse(line) as { previous: string }).previous);
    expect(previous).toEqual([sha(Buffer.concat([Buffer.alloc(32), Buffer.from(HOME_KEY, 'hex')])), sha(lines[0] ?? ''), sha(lines[1] ?? '')]);
    expect(log.head().length).toBe(3);
    expect(Buffer.from(log.head().head).toString('hex')).toBe(sha(lines[2] ?? ''));
  });

  it('finds one changed byte wherever it is: every byte of a first, a middle and the last line', async () => {
    const log = await written(3);
    const whole = await readFile(logFile());
    const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at);
    const bounds = ends.map((end, line) => [line === 0 ? 0 : (ends[line - 1] ?? 0) + 1, end] as const);
    let tried = 0;
    // All of a middle line; of the first and the last, and of their ends, every third byte.
    for (const [line, [from, to]] of bounds.entries()) {
      for (let at = to; at >= from; at -= line === 1 ? 1 : 3) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        await writeFile(logFile(), changed);
        expect((await log.verify()).intact, `byte ${at}`).toBe(false);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(400);
    // A start after it finds it as well, for a sample of the bytes: it reads remote.json each time.
    for (let at = 0; at < whole.length; at += 37) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      await writeFile(logFile(), changed);
      expect((await (await openLog()).verify()).intact, `byte ${at}`).toBe(false);
    }
    await writeFile(logFile(), whole);
    expect(await isFound(log)).toBe(false);
  }, 30_000);

  it('finds lines taken out, put in, doubled and swapped, and a tail that was cut off, at any length', async () => {
    const log = await written(5);
    const whole = await readFile(logFile(), 'utf8');
    const lines = whole.trimEnd().split('\n');
    const variants: (readonly string[])[] = [];
    for (let at = 0; at < lines.length; at += 1) {
      variants.push(lines.toSpliced(at, 1));
      variants.push(lines.toSpliced(at, 0, lines[at] ?? ''));
      variants.push(lines.toSpliced(at, 0, '{}'));
      variants.push(lines.slice(0, at));
      for (let other = at + 1; other < lines.length; other += 1) variants.push(lines.with(at, lines[other] ?? '').with(other, lines[at] ?? ''));
    }
    for (const variant of variants) {
      await writeFile(logFile(), variant.map((line) => `${line}\n`).join(''));
      expect((await log.verify()).intact, variant.join('\n')).toBe(false);
    }
    const bytes = Buffer.from(whole);
    for (let size = bytes.length - 1; size >= 0; size -= size > bytes.length - 300 ? 1 : 17) {
      await writeFile(logFile(), bytes.subarray(0, size));
      expect((await log.verify()).intact, `${size} bytes`).toBe(false);
    }
    for (let size = bytes.length - 1; size > 0; size -= 53) {
      await writeFile(logFile(), bytes.subarray(0, size));
      expect((await (await openLog()).verify()).intact, `${size} bytes after a restart`).toBe(false);
    }
    await rm(logFile());
    expect(await isFound(log)).toBe(true);
  }, 30_000);

  it('says where it breaks, goes on behind it, and stays broken there', async () => {
    const log = await written(4);
    const whole = await readFile(logFile(), 'utf8');
    await writeFile(logFile(), whole.replace('"bytes":2,', '"bytes":9,'));
    expect(await log.verify()).toEqual({ intact: false, brokenAtSeq: 3, length: 4 });
    const next = await openLog();
    await next.append(view(5));
    expect(await next.verify()).toEqual({ intact: false, brokenAtSeq: 3, length: 5 });
    expect((await next.read({ limit: 1 })).entries[0]?.seq).toBe(5);
  });

  it('survives a crash in the middle of a line: what was never confirmed goes, what was confirmed stays whole', async () => {
    await written(3);
    const whole = await readFile(logFile());
    const remembered = await readFile(path.join(folder, 'remote.json'));
    await written(0).then((log) => log.append(view(4)));
    const longer = await readFile(logFile());
    // As after a crash: the line is on the disk in part or whole, its place is not remembered.
    for (let size = whole.length; size <= longer.length; size += 7) {
      await writeFile(logFile(), longer.subarray(0, size));
      await writeFile(path.join(folder, 'remote.json'), remembered);
      const log = await openLog();
      const isWhole = size === longer.length;
      expect(await log.verify(), `${size}`).toEqual({ intact: true, brokenAtSeq: null, length: isWhole ? 4 : 3 });
      expect((await log.append(view(9))).seq).toBe(isWhole ? 5 : 4);
      expect((await log.verify()).intact).toBe(true);
    }
    // A page of zeros where the line should be.
    await writeFile(logFile(), Buffer.concat([whole, Buffer.alloc(600), Buffer.from('\n')]));
    await writeFile(path.join(folder, 'remote.json'), remembered);
    expect((await (await openLog()).verify()).intact).toBe(true);
    expect((await readdir(folder)).some((name) => name.endsWith('.cut-off'))).toBe(true);
  });

  it('begins a new file each month and none before the last when the clock is set back', async () => {
    const log = await written(2);
    nowMs = Date.parse('2026-12-01T00:00:01Z');
    await log.append(view(3));
    nowMs = START_MS;
    await log.append(view(4));
    expect((await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort()).toEqual(['views-2026-11.jsonl', 'views-2026-12.jsonl']);
    const again = await openLog();
    expect((await again.read({ limit: 10 })).entries.map(({ seq }) => seq)).toEqual([4, 3, 2, 1]);
    expect((await again.verify()).intact).toBe(true);
    // A month that is over is changed while the log is open, and after it was walked: its size and times as they were.
    const { atime, mtime } = await stat(logFile());
    const whole = await readFile(logFile(), 'utf8');
    await writeFile(logFile(), whole.replace('"bytes":1,', '"bytes":7,'));
    await utimes(logFile(), atime, mtime);
    expect(await again.verify()).toEqual({ intact: false, brokenAtSeq: 2, length: 4 });
    await again.append(view(5));
    expect(await again.verify()).toEqual({ intact: false, brokenAtSeq: 2, length: 5 });
    await writeFile(logFile(), whole);
    expect(await again.verify()).toEqual({ intact: true, brokenAtSeq: null, length: 5 });
    await rm(logFile());
    expect(await isFound(again)).toBe(true);
  });

  it('takes many at once in the order they came, each confirmed when it is on the disk', async () => {
    const log = await openLog();
    const seqs = await Promise.all(
      Array.from({ length: 500 }, async (_, number) => {
        const { seq } = await log.append(view(number));
        const onDisk = (await readFile(logFile(), 'utf8')).includes(`"seq":${seq},`);
        const remembered = JSON.parse(await readFile(path.join(folder, 'remote.json'), 'utf8')) as { logHead: { seq: number } };
        expect([onDisk, remembered.logHead.seq >= seq]).toEqual([true, true]);
        return seq;
      }),
    );
    expect(seqs).toEqual(Array.from({ length: 500 }, (_, number) => number + 1));
    expect(await log.verify()).toEqual({ intact: true, brokenAtSeq: null, length: 500 });
  });

  it('does not tell a view as written down that the disk did not take, and keeps notes short', async () => {
    const log = await written(1);
    await rm(folder, { recursive: true });
    await expect(log.append(view(2))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(log.head().length).toBe(1);
  });

  it('sees lines that somebody else puts behind the last one while it runs', async () => {
    const log = await written(2);
    await appendFile(logFile(), '{"seq":3}\n');
    expect(await log.verify()).toMatchObject({ intact: false, brokenAtSeq: 3 });
  });
});
