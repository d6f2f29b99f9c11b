/** The archive that seek, scrub and timeline are asked of: 30 days of 16 cameras in the index, and the last part of one camera as files. */
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../main/engine/core/clock.ts';
import { runBatch } from '../../main/engine/ffmpeg/jobs.ts';
import { PictureDecoder } from '../../main/engine/previews/picture-decoder.ts';
import { PreviewPacks } from '../../main/engine/storage/preview-pack.ts';
import { RootList } from '../../main/engine/storage/root-list.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import { ABSENT_DISK, benchCameraId, GeneratedArchive, listPausedCameras, planArchive, type PlannedSegment } from './archive-generator.ts';
import { keptPath, keyframesOf, makeKept, minuteOfFootage } from './minute-of-footage.ts';
import type { Workplace } from './workplace.ts';

export const MONTH_SEGMENTS = 30 * 24 * 60 * 16;
export const MONTH_CAMERAS = 16;
/** As many of one camera are files. */
export const PLAYABLE_MINUTES = 20;
/** Footage ends this long before it is made, so that nothing of it counts as live. */
const ENDS_AGO_MS = 3 * MINUTE_MS;
const PREVIEW_QUALITY = 6;
/** Raised when the content changes. */
const VERSION = 1;

export interface Month {
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly cameraIds: readonly CameraId[];
  /** The camera whose last minutes are here as files, with previews. */
  readonly cameraId: CameraId;
  /** First and end of these minutes, one right after the other. */
  readonly playable: { readonly startMs: number; readonly endMs: number };
  /** Their files, in order. */
  readonly files: readonly string[];
  readonly endMs: number;
  readonly segments: number;
}

/** A copy of the kept archive of `segments` rows, which is made when there is none (minutes). */
export async function openMonth(place: Workplace, segments: number): Promise<Month> {
  const kept = keptPath(`month-${segments}-v${VERSION}`);
  if (!existsSync(kept)) await makeKept(kept, (making) => makeMonth(making, segments));
  const { endMs } = JSON.parse(await readFile(path.join(kept, 'month.json'), 'utf8')) as { readonly endMs: number };
  await cp(kept, place.path('month'), { recursive: true });
  const [dataDir, mediaDir] = [place.path('month', 'data'), place.path('month', 'media')];
  // The disk is found at its new place.
  await (await RootList.load(dataDir, systemClock)).add(mediaDir);
  const cameraIds = Array.from({ length: MONTH_CAMERAS }, (_, index) => benchCameraId(index));
  const planned = playableSegments(endMs);
  const startMs = planned[0]?.startMs ?? endMs;
  const files = planned.map((one) => path.join(mediaDir, encodeSegmentName({ ...one, stream: 'main' })));
  return { dataDir, mediaDir, cameraIds, cameraId: benchCameraId(0), playable: { startMs, endMs }, files, endMs, segments };
}

function playableSegments(endMs: number): readonly PlannedSegment[] {
  const startMs = endMs - PLAYABLE_MINUTES * MINUTE_MS;
  return Array.from({ length: PLAYABLE_MINUTES }, (_, sequence) => ({ cameraId: benchCameraId(0), session: startMs, sequence, startMs: startMs + sequence * MINUTE_MS }));
}

async function makeMonth(folder: string, segments: number): Promise<void> {
  const folders = { dataDir: path.join(folder, 'data'), mediaDir: path.join(folder, 'media') };
  const endMs = Math.floor((Date.now() - ENDS_AGO_MS) / 1000) * 1000;
  const plan = planArchive(MONTH_CAMERAS, segments, endMs);
  const playable = playableSegments(endMs);
  const [cameraId, startMs] = [benchCameraId(0), playable[0]?.startMs ?? endMs];
  const archive = await GeneratedArchive.open(folders);
  for (const one of plan.segments) if (one.cameraId !== cameraId || one.startMs + MINUTE_MS <= startMs) archive.addRow(one, ABSENT_DISK);
  for (const one of playable) archive.addRow(one, archive.rootId);
  archive.addHappenings(plan.happenings.filter((each) => each.type !== 'gap' || each.gap.cameraId !== cameraId || each.gap.endMs <= startMs));
  await archive.writeFiles(playable);
  archive.close([archive.rootId, ABSENT_DISK]);
  await listPausedCameras(folders.dataDir, plan.cameraIds);
  await addPreviews(folders.mediaDir, cameraId, playable);
  await writeFile(path.join(folder, 'month.json'), JSON.stringify({ endMs }));
}

/** A preview every two seconds, made by the engine's decoder and kept in its packs. */
async function addPreviews(mediaDir: string, cameraId: CameraId, segments: readonly PlannedSegment[]): Promise<void> {
  const minute = await minuteOfFootage('main');
  const keyframes = keyframesOf(minute)
    .filter((_, index) => index % 2 === 0)
    .map(({ frameNumber, fragment }) => ({ atMs: (frameNumber * 1000) / minute.fps, fragment }));
  const decoder = new PictureDecoder((job) => runBatch('ffmpeg', job, systemClock));
  const { previews, problem } = await decoder.decode({ init: minute.init, keyframes }, PREVIEW_QUALITY, new AbortController().signal);
  if (problem !== '') throw new Error(problem);
  const packs = new PreviewPacks();
  for (const { startMs } of segments) await packs.append(mediaDir, cameraId, previews.map(({ atMs, jpeg }) => ({ atMs: startMs + atMs, jpeg })));
}
