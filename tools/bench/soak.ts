/**
 * A month in minutes: a clock of its own drives rotation, segment files, index, gaps, previews, retention and coverage, the engine's own
 * code on a memory disk, through 30 days of 16 cameras that drop out now and then; and what is left is held against what was sent.
 */
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rotationOffsetMs } from '../../main/engine/cameras/ingest-plan.ts';
import { GapLedger } from '../../main/engine/catalog/gap-ledger.ts';
import { Indexer } from '../../main/engine/catalog/indexer.ts';
import { type Clock, systemClock } from '../../main/engine/core/clock.ts';
import type { Logger } from '../../main/engine/core/logger.ts';
import { RetentionExecutor } from '../../main/engine/retention/executor.ts';
import { type Archive, openArchive } from '../../main/engine/storage/archive.ts';
import { PreviewPacks } from '../../main/engine/storage/preview-pack.ts';
import type { CameraCoverage } from '../../shared/model/coverage.ts';
import { NO_RULES } from '../../shared/model/storage-rules.ts';
import { DAY_MS, HOUR_MS, intersectRanges, MINUTE_MS, rangeLengthMs, type TimeRange } from '../../shared/time.ts';
import { benchCameraId } from './archive-generator.ts';
import { type BenchReport, type Figure, figure, spread } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { STEP_MS, tinyFootage } from './soak-footage.ts';
import { SoakCamera } from './soak-camera.ts';

const DAYS = 30;
const CAMERAS = 16;
/** The quota holds so much of all cameras. */
const QUOTA_DAYS = 2;
/** The engine looks each minute; here every fifth, which changes what is deleted by five minutes. */
const RETENTION_EVERY_MINUTES = 5;
const PREVIEWS_EVERY_MINUTES = 10;
const LEAST_MEMORY_DISK_BYTES = 2e9;
/** Names hold whole milliseconds and holes of less than a frame's uncertainty are none: what that adds up to in a day of many outages. */
const COVERAGE_TOLERANCE_MS = 1_000;

/** Time that stands until it is told; limits on how long a disk may take to answer are still of the world outside. */
class SoakClock implements Clock {
  wallMs: number;
  readonly #zeroMs: number;

  constructor(startMs: number) {
    this.wallMs = startMs;
    this.#zeroMs = startMs;
  }

  nowMs = (): number => this.wallMs;
  monotonicMs = (): number => this.wallMs - this.#zeroMs;
  sleep: Clock['sleep'] = (durationMs, signal) => systemClock.sleep(durationMs, signal);
  every: Clock['every'] = () => () => undefined;
  after: Clock['after'] = (durationMs, action) => systemClock.after(durationMs, action);
}

interface Tally {
  readonly retentionMs: number[];
  readonly overQuota: number[];
  readonly coverageErrorMs: number[];
  deleted: number;
  inserted: number;
  closed: number;
  readonly problems: string[];
}

export async function run(options: BenchOptions): Promise<BenchReport> {
  const days = options.seconds === null ? DAYS : Math.max(2, Math.round(options.seconds / 60));
  const cameraCount = options.cameras ?? CAMERAS;
  const folder = await mkdtemp(path.join(await memoryDisk(), 'porchlight-soak-'));
  try {
    return await soak(folder, days, cameraCount);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Hundreds of thousands of files are synced: on a disk that would measure the disk. */
async function memoryDisk(): Promise<string> {
  const shared = '/dev/shm';
  const space = await statfs(shared).catch(() => null);
  return space !== null && space.bavail * space.bsize > LEAST_MEMORY_DISK_BYTES ? shared : tmpdir();
}

async function soak(folder: string, days: number, cameraCount: number): Promise<BenchReport> {
  const [dataDir, mediaDir] = [path.join(folder, 'data'), path.join(folder, 'media')];
  await mkdir(mediaDir, { recursive: true });
  const footage = await tinyFootage();
  const startMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - days * DAY_MS;
  const clock = new SoakClock(startMs);
  const tally: Tally = { retentionMs: [], overQuota: [], coverageErrorMs: [], deleted: 0, inserted: 0, closed: 0, problems: [] };
  const logger = loggerInto(tally.problems);
  const archive = await openArchive({ dataDir, clock, logger });
  const { rootId } = await archive.roots.add(mediaDir);
  await archive.recoverTails();
  const ledger = new GapLedger({ footageEnds: [], openOutages: [], between: { startMs, endMs: startMs, cause: 'computer-off', detail: '' } });
  const write = { ...archive.write, insertSegment: async (segment: Parameters<typeof archive.write.insertSegment>[0]) => { await archive.write.insertSegment(segment); tally.inserted += 1; } };
  const indexer = new Indexer({ write, ledger, lookForSleep: () => undefined, clock, logger });
  const cameras = Array.from({ length: cameraCount }, (_, index) => {
    const cameraId = benchCameraId(index);
    return new SoakCamera({
      cameraId, index, startMs, footage, clock,
      record: { rootId, rootPath: mediaDir },
      rotationOffsetMs: rotationOffsetMs(cameraId, 'main'),
      notify: (notice) => {
        if (notice.type === 'segment-closed') tally.closed += 1;
        indexer.take(notice);
      },
    });
  });
  const segmentBytes = footage.init.bytes.length + 2 * footage.fragments[0].bytes.length + 400;
  const quotaBytes = Math.round(QUOTA_DAYS * 24 * 60 * cameraCount * (segmentBytes + (MINUTE_MS / STEP_MS) * footage.jpeg.length));
  const retention = new RetentionExecutor({ archive, rules: () => ({ ...NO_RULES, quotaBytes: { [rootId]: quotaBytes } }), clock, logger });
  const packs = new PreviewPacks();
  const beganMs = performance.now();
  const afterDays: Held[] = [];

  for (let minute = 1; minute <= days * 24 * 60; minute += 1) {
    clock.wallMs = startMs + minute * MINUTE_MS;
    await Promise.all(cameras.map((camera) => camera.recordUntil(clock.wallMs)));
    await settled(tally);
    if (minute % PREVIEWS_EVERY_MINUTES === 0) await Promise.all(cameras.map((camera) => packs.append(mediaDir, camera.cameraId, camera.takePreviews())));
    if (minute % RETENTION_EVERY_MINUTES === 0) await keepRules(retention, archive, quotaBytes, tally);
    if (minute % (24 * 60) === 0) {
      await holdCoverage(archive, ledger, cameras, clock.wallMs, tally);
      afterDays.push({ descriptors: readdirSync('/proc/self/fd').length, bytes: process.memoryUsage().rss });
      process.stderr.write(`day ${minute / 1440} of ${days}: ${tally.inserted} segments, ${tally.deleted} deleted, ${Math.round((performance.now() - beganMs) / 1000)} s\n`);
    }
  }
  for (const camera of cameras) await camera.end();
  await settled(tally);
  await indexer.stop();
  const tookMs = performance.now() - beganMs;
  const check = await archive.check({ engine: 'stopped', thorough: false });
  await archive.close();
  const figures = report({ tally, tookMs, days, findings: check.findings.length, afterDays, cameraCount });
  const where = folder.startsWith('/dev/shm') ? 'a disk in memory' : 'the temporary folder’s disk';
  const notes = [
    `${days} days of ${cameraCount} cameras on ${where}: a picture each ${STEP_MS / 1000} s, a segment a minute, a preview for each picture, outages of 2 s to 10 min every few hours; a quota of ${QUOTA_DAYS} days.`,
    'Rotation, segment files, index, gaps, previews, retention and coverage are the engine’s own code; ffmpeg, sockets and real time are left out.',
    ...check.findings.slice(0, 3).map((finding) => `Finding: ${JSON.stringify(finding)}`),
    ...tally.problems.slice(0, 3).map((problem) => `Logged: ${problem}`),
  ];
  return { bench: 'soak', figures, notes };
}

function loggerInto(problems: string[]): Logger {
  const keep = (message: string, cause?: unknown): void => void problems.push(cause instanceof Error ? `${message}: ${cause.message}` : message);
  const logger: Logger = { debug: () => undefined, info: () => undefined, warn: keep, error: keep, scoped: () => logger };
  return logger;
}

/** Everything that was closed has its row: the simulated minute is not over before. */
async function settled(tally: Tally): Promise<void> {
  while (tally.inserted < tally.closed) await new Promise((resolve) => setImmediate(resolve));
}

async function keepRules(retention: RetentionExecutor, archive: Archive, quotaBytes: number, tally: Tally): Promise<void> {
  const beganMs = performance.now();
  tally.deleted += await retention.runOnce();
  tally.retentionMs.push(performance.now() - beganMs);
  const used = [...(await archive.read.usage()), ...(await archive.read.previewUsage())];
  const usedBytes = used.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  tally.overQuota.push(usedBytes / quotaBytes);
}

/** Yesterday, as the report of the day has it, against what was sent. */
async function holdCoverage(archive: Archive, ledger: GapLedger, cameras: readonly SoakCamera[], nowMs: number, tally: Tally): Promise<void> {
  const day: TimeRange = { startMs: nowMs - DAY_MS, endMs: nowMs - HOUR_MS };
  const open = ledger.openGaps(nowMs);
  const now = cameras.map(({ cameraId }) => ({ cameraId, spans: [], gaps: open.filter((gap) => gap.cameraId === cameraId) }));
  const answers: readonly CameraCoverage[] = await archive.read.dayCoverage({ cameraIds: cameras.map(({ cameraId }) => cameraId), days: [day], nowMs, now });
  for (const [index, { days }] of answers.entries()) {
    const [told] = days;
    const sentMs = cameras[index]?.sent.reduce((sum, range) => sum + rangeLengthMs(intersectRanges(range, day) ?? { startMs: 0, endMs: 0 }), 0) ?? 0;
    tally.coverageErrorMs.push(Math.abs((told?.recordedMs ?? 0) - sentMs));
    for (const { cause } of told?.missing ?? []) if (cause !== 'camera-unreachable') tally.problems.push(`a gap of cause ${cause}`);
  }
}

interface Outcome {
  readonly tally: Tally;
  readonly tookMs: number;
  readonly days: number;
  readonly cameraCount: number;
  readonly findings: number;
  readonly afterDays: readonly Held[];
}

/** What the process held at a midnight. */
interface Held {
  readonly descriptors: number;
  readonly bytes: number;
}

function report({ tally, tookMs, days, findings, afterDays, cameraCount }: Outcome): Figure[] {
  const filled = tally.overQuota.findIndex((share) => share > 0.88);
  const full = filled < 0 ? [] : tally.overQuota.slice(filled);
  // The first days fill caches; from the day on which the quota is full everything should stay as it is.
  const [settledAt, last] = [afterDays[Math.min(QUOTA_DAYS + 1, afterDays.length - 1)], afterDays.at(-1)];
  return [
    figure('simulated time passed for each second', (days * DAY_MS) / tookMs, 's'),
    figure('segments recorded', tally.inserted, ''),
    figure('segments deleted by the quota', tally.deleted, ''),
    ...spread('one look of retention, deletions included', tally.retentionMs, 'ms'),
    figure('most of the quota used after a look', Math.max(...tally.overQuota), '', { budget: 1 }),
    ...(full.length === 0 ? [] : [figure('least of the quota used once it was full', Math.min(...full), '', { budget: 0.8, atLeast: true })]),
    figure(`coverage of a day against what was sent, largest error of ${days * cameraCount} days`, Math.max(...tally.coverageErrorMs), 'ms', { budget: COVERAGE_TOLERANCE_MS }),
    figure('findings of the check at the end', findings, '', { budget: 0 }),
    figure('warnings and errors logged', tally.problems.length, '', { budget: 0 }),
    figure('descriptors more than when the quota had filled', (last?.descriptors ?? 0) - (settledAt?.descriptors ?? 0), '', { budget: 4 }),
    figure('memory more than when the quota had filled', ((last?.bytes ?? 0) - (settledAt?.bytes ?? 0)) / 1e6, 'MB', { budget: 50 }),
  ];
}
