/** Archives for benchmarks: a month of sixteen cameras as rows of a real index, and as files where files are wanted. */
import { mkdir, open, writeFile } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { EMPTY_CAMERA_FILE, readCameraFile, writeCameraFile } from '../../main/engine/cameras/camera-file.ts';
import { readIfThere } from '../../main/engine/core/atomic-file.ts';
import { systemClock } from '../../main/engine/core/clock.ts';
import { DATABASE_FILE } from '../../main/engine/storage/database.ts';
import { IndexWriter } from '../../main/engine/storage/index-writer.ts';
import { type Happening, WAITING_FOLDER } from '../../main/engine/storage/journal.ts';
import { RootList, type RootPlace } from '../../main/engine/storage/root-list.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import type { PackedSegment } from '../../main/engine/storage/segments.write.ts';
import { packKeyframes } from '../../shared/media/keyframe-index.ts';
import { makeSegmentTail } from '../../shared/media/segment-tail.ts';
import type { Camera } from '../../shared/model/camera.ts';
import { type CameraId, cameraIdFrom, type RootId } from '../../shared/model/ids.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/time.ts';
import { createRandom } from '../sim/media/ambience.ts';
import { minuteOfFootage, type SegmentBody, segmentBody } from './minute-of-footage.ts';

/** Rows per transaction while an archive is made. */
const ROWS_PER_STEP = 2_000;
/** Files made at the same time. */
const FILES_AT_ONCE = 16;
/** Of an archive whose disk is not here: rows without files. */
export const ABSENT_DISK = 'disk-absentabsent' as RootId;

export interface PlannedSegment {
  readonly cameraId: CameraId;
  readonly session: number;
  readonly sequence: number;
  readonly startMs: number;
}

export interface ArchivePlan {
  readonly cameraIds: readonly CameraId[];
  readonly segments: readonly PlannedSegment[];
  readonly happenings: readonly Happening[];
}

/** The same ids for the same number. */
export function benchCameraId(index: number): CameraId {
  return cameraIdFrom(Uint8Array.from({ length: 12 }, (_, at) => (index * 7 + at * 11) & 31));
}

/**
 * Minutes of footage that end at `endMs`: as many per camera as `segments` allows, each camera with an interruption every few
 * hours, the last one every few minutes; a gap for each, and twenty events a day.
 */
export function planArchive(cameras: number, segments: number, endMs: number): ArchivePlan {
  const cameraIds = Array.from({ length: cameras }, (_, index) => benchCameraId(index));
  const perCamera = Math.ceil(segments / cameras);
  const planned: PlannedSegment[] = [];
  const happenings: Happening[] = [];
  cameraIds.forEach((cameraId, index) => {
    const random = createRandom(index + 1);
    const lastsMinutes = index === cameras - 1 ? 5 : 360;
    // Backwards from the end, so that all cameras end together; then in the order of time.
    const mine: { startMs: number; first: boolean }[] = [];
    let atMs = endMs;
    for (let left = Math.min(perCamera, segments - planned.length); left > 0; left -= 1) {
      atMs -= MINUTE_MS;
      const first = left === 1 || random() < 1 / lastsMinutes;
      mine.push({ startMs: atMs, first });
      if (!first) continue;
      const outageMs = Math.round(2_000 + random() ** 4 * 10 * MINUTE_MS);
      happenings.push({ type: 'gap', gap: { cameraId, stream: 'main', startMs: atMs - outageMs, endMs: atMs, cause: 'camera-unreachable', detail: 'The camera did not answer.' } });
      atMs -= outageMs;
    }
    for (let eventMs = endMs; eventMs > atMs; eventMs -= random() * 2.4 * HOUR_MS) {
      happenings.push({ type: 'event', event: { id: `${cameraId}-${Math.round(eventMs)}`, cameraId, startMs: eventMs - 20_000, endMs: eventMs, kind: 'motion', label: '' } });
    }
    let session = 0;
    let sequence = 0;
    for (const { startMs, first } of mine.reverse()) {
      sequence = first ? 0 : sequence + 1;
      if (first) session = startMs;
      planned.push({ cameraId, session, sequence, startMs });
    }
  });
  return { cameraIds, segments: planned, happenings };
}

/** What every segment of a generated archive has in common: one minute of the same footage. */
export async function sharedBody(): Promise<SegmentBody> {
  return await segmentBody(await minuteOfFootage('main'), 0);
}

function tailOf(body: SegmentBody, planned: PlannedSegment): Uint8Array {
  const { cameraId, session, sequence, startMs } = planned;
  const { initBytes, videoFrames, keyframes, track } = body;
  return makeSegmentTail({ cameraId, stream: 'main', session, sequence, startMs, endMs: startMs + MINUTE_MS, initBytes, videoFrames, keyframes }, track);
}

/** Rows and files of one archive. */
export class GeneratedArchive {
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly #body: SegmentBody;
  readonly #packed: Uint8Array;
  readonly #writer: IndexWriter;
  readonly #place: RootPlace;
  #pending: PackedSegment[] = [];

  private constructor(folders: { readonly dataDir: string; readonly mediaDir: string }, body: SegmentBody, writer: IndexWriter, place: RootPlace) {
    this.dataDir = folders.dataDir;
    this.mediaDir = folders.mediaDir;
    this.#body = body;
    this.#packed = packKeyframes(body.keyframes);
    this.#writer = writer;
    this.#place = place;
  }

  /** Begins or goes on with the archive in these folders; no engine may be running on them. */
  static async open(folders: { readonly dataDir: string; readonly mediaDir: string }): Promise<GeneratedArchive> {
    await mkdir(folders.dataDir, { recursive: true });
    await mkdir(folders.mediaDir, { recursive: true });
    const roots = await RootList.load(folders.dataDir, systemClock);
    const place = roots.list()[0] ?? (await roots.add(folders.mediaDir));
    const writer = new IndexWriter(path.join(folders.dataDir, DATABASE_FILE), path.join(folders.dataDir, WAITING_FOLDER), systemClock.nowMs());
    return new GeneratedArchive(folders, await sharedBody(), writer, place);
  }

  get rootId(): RootId {
    return this.#place.rootId;
  }

  pathOf({ cameraId, session, sequence, startMs }: PlannedSegment): string {
    return path.join(this.mediaDir, encodeSegmentName({ cameraId, stream: 'main', session, sequence, startMs }));
  }

  /** A row; `rootId` is ABSENT_DISK for footage that is indexed and not here. */
  addRow(planned: PlannedSegment, rootId: RootId): void {
    const { cameraId, session, sequence, startMs } = planned;
    const { initBytes, videoFrames, bytes } = this.#body;
    const sizeBytes = bytes.length + tailOf(this.#body, planned).length;
    this.#pending.push({ cameraId, stream: 'main', rootId, session, sequence, nameMs: startMs, startMs, endMs: startMs + MINUTE_MS, sizeBytes, initBytes, videoFrames, packed: this.#packed });
    if (this.#pending.length >= ROWS_PER_STEP) this.#flush();
  }

  addHappenings(happenings: readonly Happening[]): void {
    for (let at = 0; at < happenings.length; at += ROWS_PER_STEP) this.#writer.apply([{ happenings: happenings.slice(at, at + ROWS_PER_STEP) }]);
  }

  /** Whole files: each a copy of its own on the disk. */
  async writeFiles(planned: readonly PlannedSegment[]): Promise<void> {
    for (const one of planned) {
      const file = this.pathOf(one);
      await mkdir(path.dirname(file), { recursive: true });
      const handle = await open(file, 'w');
      try {
        await handle.writev([this.#body.bytes, tailOf(this.#body, one)]);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    }
  }

  /** Files of full length whose footage is a hole: head and tail are there, and take about 8 kB of disk. */
  async writeSparseFiles(planned: readonly PlannedSegment[]): Promise<void> {
    const head = this.#body.bytes.subarray(0, this.#body.initBytes);
    let made = '';
    const make = async (one: PlannedSegment): Promise<void> => {
      const file = this.pathOf(one);
      const folder = path.dirname(file);
      if (folder !== made) mkdirSync(folder, { recursive: true });
      made = folder;
      const handle = await open(file, 'w');
      try {
        await handle.write(head, 0, head.length, 0);
        const tail = tailOf(this.#body, one);
        await handle.write(tail, 0, tail.length, this.#body.bytes.length);
      } finally {
        await handle.close();
      }
    };
    let next = 0;
    const work = async (): Promise<void> => {
      for (let one = planned[next++]; one !== undefined; one = planned[next++]) await make(one);
    };
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
  }

  /** Everything is in the index, which is told that its disks have been read. */
  close(rootIds: readonly RootId[]): void {
    this.#flush();
    for (const rootId of rootIds) this.#writer.markIndexed(rootId, systemClock.nowMs());
    this.#writer.close();
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#writer.apply([{ segments: this.#pending }]);
    this.#pending = [];
  }
}

/** Puts cameras that are paused on the owner's list, in front of those already there. */
export async function listPausedCameras(dataDir: string, cameraIds: readonly CameraId[]): Promise<void> {
  const file = path.join(dataDir, 'config', 'cameras.json');
  const text = await readIfThere(file);
  const known = (text === null ? null : readCameraFile(text)) ?? EMPTY_CAMERA_FILE;
  const added = cameraIds.map((id, index): Camera => ({
    id,
    name: `Camera ${index + 1}`,
    device: { maker: '', model: '', firmware: '', serial: '' },
    origin: 'rtsp',
    identity: null,
    deviceUrl: null,
    username: null,
    streams: [{ kind: 'main', url: `rtsp://127.0.0.1:9/${index}`, videoCodec: 'h264', audioCodec: null, width: 1920, height: 1080, fps: 30, transport: 'tcp', profileToken: null }],
    recorded: ['main'],
    recordSound: false,
    paused: { sinceMs: Date.now() - DAY_MS, untilMs: null },
    addedMs: Date.now() - 31 * DAY_MS,
  }));
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, writeCameraFile({ ...known, cameras: [...added, ...known.cameras] }), { mode: 0o600 });
}
