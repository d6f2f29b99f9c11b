/** Owns what happens to one world: it is laid out in a folder, started over as the engine does, and asked what is there. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LIFE_FILE, parseLife } from '../../../main/engine/catalog/life-marker.ts';
import { readCameraFile } from '../../../main/engine/cameras/camera-file.ts';
import { systemClock } from '../../../main/engine/core/clock.ts';
import { silentLogger } from '../../../main/engine/core/logger.ts';
import { createEngine } from '../../../main/engine/engine.ts';
import { openRules } from '../../../main/engine/settings/rules-store.ts';
import { openSettings } from '../../../main/engine/settings/settings-store.ts';
import { openArchive } from '../../../main/engine/storage/archive.ts';
import { runCheck } from '../../../main/engine/storage/check-run.ts';
import { DATABASE_FILE, openForReading } from '../../../main/engine/storage/database.ts';
import { locksInForce } from '../../../main/engine/storage/locks.read.ts';
import type { Finding } from '../../../main/engine/storage/reconcile.ts';
import { readIdentity } from '../../../main/engine/storage/root.ts';
import { describeError } from '../../../shared/errors.ts';
import { walkFragments } from './fragment-digests.ts';

export interface WorldFolder {
  readonly folder: string;
  readonly dataDir: string;
  readonly mediaDir: string;
}

/**
 * Writes a world into `folder`, which must be fresh. The list of disks says where the disk was; it is here now. Shared memory
 * of SQLite's log is left out: no disk keeps it.
 */
export async function layOut(world: ReadonlyMap<string, Buffer | null>, folder: string, tracedBase: string): Promise<WorldFolder> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of world) {
    if (name.endsWith('-shm') || name.startsWith('data/compiled')) continue;
    const place = path.join(folder, name);
    if (bytes === null) await mkdir(place, { recursive: true });
    else await writeFile(place, name.includes('/config/disks.json') ? bytes.toString('latin1').replaceAll(tracedBase, folder) : bytes, name.includes('/config/disks.json') ? 'latin1' : null);
  }
  return { folder, dataDir: path.join(folder, 'data'), mediaDir: path.join(folder, 'media') };
}

/** Numbers that the owner's files hold (traced-engine.ts); null where there is none. */
export interface StoredNumbers {
  readonly home: number | null;
  readonly rules: number | null;
  readonly cameras: ReadonlyMap<string, number>;
  /** Files of the owner's that are neither an old nor a new version. */
  readonly torn: readonly string[];
  /** Whether the marker that tells a power cut from a crash can be read. */
  readonly life: boolean;
}

/** Reads the owner's files as the program does. */
export async function readOwnersFiles({ dataDir }: WorldFolder): Promise<StoredNumbers> {
  const configDir = path.join(dataDir, 'config');
  const torn: string[] = [];
  const cameras = new Map<string, number>();
  for (const name of await readdir(configDir).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const text = await readFile(path.join(configDir, name), 'utf8');
    try {
      JSON.parse(text);
      if (name !== 'cameras.json') continue;
      for (const camera of readCameraFile(text)?.cameras ?? []) cameras.set(camera.id, numberIn(camera.name) ?? 0);
    } catch {
      torn.push(name);
    }
  }
  const life = parseLife(await readFile(path.join(dataDir, LIFE_FILE), 'utf8').catch(() => null)) !== null;
  const home = numberIn((await openSettings(configDir, silentLogger)).get().homeName);
  const keepFree = (await openRules(configDir, () => ({ quotaBytes: {}, keepFreeBytes: 0, maxAgeDays: null }), silentLogger)).get().keepFreeBytes;
  return { home, rules: keepFree > 1_000 ? keepFree - 1_000 : null, cameras, torn, life };
}

function numberIn(text: string): number | null {
  const match = /(\d+)$/.exec(text);
  return match === null ? null : Number(match[1]);
}

/** What a check found wrong, the world as it lies; notices are left out. */
export async function findingsOf({ dataDir, mediaDir }: WorldFolder, engine: 'failed' | 'stopped'): Promise<readonly Finding[]> {
  const rootId = await readIdentity(mediaDir);
  const findings: Finding[] = [];
  for await (const step of runCheck({ dataDir, roots: [{ rootId, path: mediaDir }], engine, thorough: true })) findings.push(...step.findings.filter((finding) => finding.notice !== true));
  return findings;
}

export interface Recovered {
  /** The index was damaged and begun anew. */
  readonly rebuilt: boolean;
  readonly rootReady: boolean;
}

/** Does what a start of the engine does to the archive, up to the end of the comparison beside recording. */
export async function recoverWorld({ dataDir, mediaDir }: WorldFolder): Promise<Recovered> {
  const archive = await openArchive({ dataDir, clock: systemClock, logger: silentLogger });
  try {
    const rootReady = archive.roots.forRecording() !== null;
    if (archive.roots.list().length === 0) await archive.roots.add(mediaDir);
    const rebuilt = (await readdir(dataDir)).some((name) => name.includes('.corrupt-'));
    await archive.recoverTails();
    await archive.reconcile();
    return { rebuilt, rootReady };
  } finally {
    await archive.close();
  }
}

/** Starts a whole engine over the world, without its cameras, and stops it in order. Its rules are taken away: what they delete is not lost. */
export async function recoverByEngine({ dataDir, mediaDir }: WorldFolder): Promise<Recovered> {
  for (const name of ['storage.json', 'storage.json.previous']) await rm(path.join(dataDir, 'config', name), { force: true });
  const engine = await createEngine({ version: '0.0.0-faults', mode: 'app', demo: true, dataDir, mediaDir, binDir: null, secrets: 'file', serve: null, cameras: [] });
  try {
    // The comparison beside recording is over when nothing is being rebuilt and a check of its own has had its turn.
    await engine.handlers['storage.summary']({});
  } finally {
    await engine.stop('owner');
  }
  return await recoverWorld({ folder: '', dataDir, mediaDir });
}

export interface KeptFootage {
  /** Of all pictures that a player finds. */
  readonly digests: ReadonlySet<string>;
  /** Files that no player gets through to their end. */
  readonly broken: readonly string[];
}

/** Reads all footage here as a player would, from each file's start. */
export async function keptFootage({ mediaDir }: WorldFolder): Promise<KeptFootage> {
  const digests = new Set<string>();
  const broken: string[] = [];
  for (const name of await readdir(mediaDir, { recursive: true }).catch(() => [])) {
    if (!name.endsWith('.mp4')) continue;
    const bytes = await readFile(path.join(mediaDir, name));
    const { found, endBytes } = walkFragments(bytes);
    for (const { digest } of found) digests.add(digest);
    if (endBytes !== bytes.length) broken.push(`${name} is no footage from byte ${endBytes} of ${bytes.length} on`);
  }
  return { digests, broken };
}

const TIMELINE_TABLES = {
  segments: 'SELECT camera_id, stream, session, sequence, name_ms, start_ms, end_ms, size_bytes, init_bytes, video_frames, hex(packed) AS packed FROM segments JOIN keyframes ON keyframes.segment_id = segments.id JOIN streams ON streams.id = stream_id ORDER BY camera_id, stream, session, sequence',
  gaps: 'SELECT camera_id, stream, start_ms, end_ms, cause, detail FROM gaps JOIN streams ON streams.id = stream_id ORDER BY 1, 2, 3, 4, 5',
  events: 'SELECT id, camera_id, start_ms, end_ms, kind, label FROM events ORDER BY id',
  locks: 'SELECT * FROM locks ORDER BY id',
  unlocks: 'SELECT * FROM unlocks ORDER BY id',
  ungaps: 'SELECT camera_id, stream, start_ms, end_ms, cause, detail FROM ungaps JOIN streams ON streams.id = stream_id ORDER BY 1, 2, 3, 4, 5',
} as const;

/** Numbers of the locks that are in force (traced-engine.ts). */
export function locksIn({ dataDir }: WorldFolder): ReadonlySet<number> {
  const db = openForReading(path.join(dataDir, DATABASE_FILE));
  try {
    return new Set(locksInForce(db).map((lock) => numberIn(lock.note) ?? 0));
  } finally {
    db.close();
  }
}

/** The whole timeline as text, for comparing (I5). */
export function timelineOf({ dataDir }: WorldFolder): string {
  const db = openForReading(path.join(dataDir, DATABASE_FILE));
  try {
    return Object.entries(TIMELINE_TABLES).map(([name, sql]) => `${name}\n${(db.prepare(sql).all() as object[]).map((row) => JSON.stringify(row)).join('\n')}`).join('\n');
  } finally {
    db.close();
  }
}

/** Deletes the index and starts again by `recover`; what the timeline is then (I5). */
export async function timelineWithoutIndex(world: WorldFolder, recover: (world: WorldFolder) => Promise<Recovered>): Promise<string> {
  for (const suffix of ['', '-wal', '-shm']) await rm(path.join(world.dataDir, DATABASE_FILE + suffix), { force: true });
  await recover(world);
  return timelineOf(world);
}

/** An error in a line. */
export function sayError(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${describeError(error.cause)})` : '';
  return `${describeError(error)}${cause}`;
}
