/** Copies one closed segment to another disk at a pace that leaves the disks to recording, and puts it under its name only when it is whole and durable. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { type DurationMs, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import { syncFolder } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import { diskError, makeFolder, readIdentity } from './root.ts';
import type { RootPlace } from './root-list.ts';

/** The one file in a root that is being copied to it. A crash leaves it; the next copy and the next start take it away. */
export const STAGING_FILE = 'porchlight-moving.part';

/** What is read and written at a time. */
const CHUNK_BYTES = 1024 * 1024;
/** What may be unsynced on the other disk at a time: a recorder's fdatasync behind it waits for no more than that. */
const SYNC_BYTES = 4 * CHUNK_BYTES;

export interface Pace {
  readonly clock: Clock;
  readonly bytesPerSecond: number;
  readonly signal: AbortSignal;
}

/**
 * Copies `file` (relative, with `/`) between two roots. The name appears in one step, so a file with a segment's name is whole on every disk. Rejects
 * with PorchlightError as `diskError`, `not-found` where the source is gone or of another size, `cancelled` where the pace's signal aborts.
 */
export async function copySegment(from: RootPlace, to: RootPlace, file: string, sizeBytes: number, pace: Pace): Promise<void> {
  const staging = path.join(to.path, STAGING_FILE);
  const target = path.join(to.path, file);
  const source = await openSource(path.join(from.path, file), from.path);
  try {
    if ((await readIdentity(to.path)) !== to.rootId) throw new PorchlightError('disk-wrong', `Another disk is connected at ${to.path}.`);
    await rm(staging, { force: true });
    const copy = await open(staging, 'wx', 0o644);
    try {
      await copyBytes(source, copy, sizeBytes, pace);
      await copy.sync();
    } finally {
      await copy.close();
    }
    await makeFolder(path.dirname(target));
    // Whoever gave up waiting has no reservation for this file any more.
    if (pace.signal.aborted) throw new PorchlightError('cancelled', 'Moving was stopped.');
    await rename(staging, target);
    await syncFolder(path.dirname(target));
    await syncFolder(to.path);
  } catch (error) {
    throw diskError(error, to.path);
  } finally {
    await source.close();
  }
}

/** A copy in two minutes or not at all: deletions wait for it meanwhile, and a minute's footage takes seconds even on a poor disk. */
const LIMIT_MS: DurationMs = 2 * MINUTE_MS;
/** What a copy may take to notice that it is to stop. */
const STOP_LIMIT_MS: DurationMs = 2 * SECOND_MS;

/** The other disk, or the first, does not answer: what is on it cannot be tidied now either. */
export class CopyStalled extends PorchlightError {}

/** As `copySegment`; rejects with `timeout` where it takes too long, with CopyStalled where a disk does not answer, and leaves what is under way to end by itself. */
export async function copyWithinLimit(from: RootPlace, to: RootPlace, file: string, sizeBytes: number, pace: Pace, limitMs: DurationMs = LIMIT_MS): Promise<void> {
  const [over, done] = [new AbortController(), new AbortController()];
  const work = copySegment(from, to, file, sizeBytes, { ...pace, signal: AbortSignal.any([pace.signal, over.signal]) }).finally(() => done.abort());
  work.catch(() => undefined);
  await pace.clock.sleep(limitMs, AbortSignal.any([done.signal, pace.signal]));
  if (!done.signal.aborted) {
    over.abort();
    await pace.clock.sleep(STOP_LIMIT_MS, done.signal);
    if (!done.signal.aborted) throw new CopyStalled('disk-failing', `The disk at ${to.path} or the one before it does not answer. Check cables and power.`);
    await work.catch(() => undefined);
    if (!pace.signal.aborted) throw new PorchlightError('timeout', `The disk at ${to.path} takes footage too slowly for any to move there. Moving is tried again.`);
  }
  await work;
}

async function openSource(file: string, rootPath: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw diskError(error, rootPath);
  }
}

async function copyBytes(source: FileHandle, copy: FileHandle, sizeBytes: number, pace: Pace): Promise<void> {
  if ((await source.stat()).size !== sizeBytes) throw new PorchlightError('not-found', 'A file has another size than the index says. The check at the next start looks into it.');
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let done = 0;
  let unsyncedBytes = 0;
  while (done < sizeBytes) {
    if (pace.signal.aborted) throw new PorchlightError('cancelled', 'Moving was stopped.');
    const beganMs = pace.clock.monotonicMs();
    const { bytesRead } = await source.read(buffer, 0, Math.min(CHUNK_BYTES, sizeBytes - done), done);
    if (bytesRead === 0) throw new PorchlightError('not-found', 'A file became shorter while it was moved.');
    await writeAll(copy, buffer.subarray(0, bytesRead), done);
    done += bytesRead;
    unsyncedBytes += bytesRead;
    if (unsyncedBytes >= SYNC_BYTES) {
      await copy.datasync();
      unsyncedBytes = 0;
    }
    await pace.clock.sleep(restMs(bytesRead, pace.clock.monotonicMs() - beganMs, pace.bytesPerSecond), pace.signal);
  }
}

async function writeAll(copy: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await copy.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw Object.assign(new Error('the disk took nothing'), { code: 'ENOSPC' });
    done += bytesWritten;
  }
}

/** A rest after each piece: never above the pace, and at least as long as the piece took, so that a busy disk is left alone half of the time and a slow one longer. Pure. */
export function restMs(bytes: number, tookMs: DurationMs, bytesPerSecond: number): DurationMs {
  return Math.max((bytes / bytesPerSecond) * SECOND_MS - tookMs, tookMs);
}
