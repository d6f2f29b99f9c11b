/** The archive that seek, scrub and timeline are asked of: 30 days of 16 cameras in the index, and the last part of one camera as files. */
import { systemClock } from '../../main/engine/core/clock.ts';
import { runBatch } from '../../main/engine/ffmpeg/jobs.ts';
import { PictureDecoder } from '../../main/engine/previews/picture-decoder.ts';
import { PreviewPacks } from '../../main/engine/storage/preview-pack.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import { MINUTE_MS } from '../../shared/time.ts';
import { ABSENT_DISK, GeneratedArchive, listPausedCameras, planArchive, type PlannedSegment } from './archive-generator.ts';
import { keyframesOf, minuteOfFootage } from './minute-of-footage.ts';
import type { Workplace } from './workplace.ts';

export const MONTH_SEGMENTS = 30 * 24 * 60 * 16;
export const MONTH_CAMERAS = 16;
/** Footage ends this long before now, so that nothing of it counts as live. */
const ENDS_AGO_MS = 3 * MINUTE_MS;
const PREVIEW_QUALITY = 6;

export interface Month {
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly cameraIds: readonly CameraId[];
  /** The camera whose last minutes are here as files. */
  readonly cameraId: CameraId;
  /** First and end of these minutes, one right after the other. */
  readonly playable: { readonly startMs: number; readonly endMs: number };
  /** Their files, in order. */
  readonly files: readonly string[];
  readonly endMs: number;
  readonly segments: number;
}

/** Makes it; `minutes` of it are whole files, `previews` puts pictures of these minutes beside them. */
export async function makeMonth(place: Workplace, options: { readonly segments: number; readonly minutes: number; readonly previews: boolean }): Promise<Month> {
  const folders = { dataDir: place.path('month', 'data'), mediaDir: place.path('month', 'media') };
  const endMs = Math.floor((Date.now() - ENDS_AGO_MS) / 1000) * 1000;
  const plan = planArchive(MONTH_CAMERAS, options.segments, endMs);
  const cameraId = plan.cameraIds[0];
  if (cameraId === undefined) throw new Error('an archive without cameras');
  const archive = await GeneratedArchive.open(folders);
  const playable: PlannedSegment[] = Array.from({ length: options.minutes }, (_, sequence) => ({ cameraId, session: endMs - options.minutes * MINUTE_MS, sequence, startMs: endMs - (options.minutes - sequence) * MINUTE_MS }));
  const startMs = playable[0]?.startMs ?? endMs;
  for (const one of plan.segments) if (one.cameraId !== cameraId || one.startMs + MINUTE_MS <= startMs) archive.addRow(one, ABSENT_DISK);
  for (const one of playable) archive.addRow(one, archive.rootId);
  archive.addHappenings(plan.happenings.filter((each) => each.type === 'event' || each.gap.cameraId !== cameraId || each.gap.endMs <= startMs));
  await archive.writeFiles(playable);
  archive.close([archive.rootId, ABSENT_DISK]);
  await listPausedCameras(folders.dataDir, plan.cameraIds);
  if (options.previews) await addPreviews(folders.mediaDir, cameraId, playable);
  return { ...folders, cameraIds: plan.cameraIds, cameraId, playable: { startMs, endMs }, files: playable.map((one) => archive.pathOf(one)), endMs, segments: plan.segments.length };
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
