/**
 * A root is a folder that holds footage. Its identity file says which disk it is; a folder that is not there, is
 * another disk or cannot be written to is refused before anything is recorded to it (docs/design/storage.md, "Roots").
 */
import { constants, access, link, mkdir, open, readdir, readFile, statfs, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { isRootId, type RootId, rootIdFrom } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { errorCode, syncFolder } from '../core/atomic-file.ts';

export const IDENTITY_FILE = 'porchlight-disk.json';
const FORMAT = 1;

/** A root that was there, was the right disk and could be written to when it was opened. */
export interface OpenRoot {
  readonly rootId: RootId;
  /** Absolute. */
  readonly path: string;
}

export interface DiskSpace {
  /** Size of the whole disk. */
  readonly diskBytes: number;
  /** Bytes this user can still write. */
  readonly freeBytes: number;
}

/**
 * Opens the root at `folder`. Throws PorchlightError: `disk-missing` where the folder or its identity file is not
 * there (an empty mount point), `disk-wrong` where the file names another disk than `expected` or is unreadable,
 * `disk-read-only` where it cannot be written to, `disk-failing` where the disk answers with errors.
 */
export async function openRoot(folder: string, expected: RootId | null): Promise<OpenRoot> {
  const rootPath = path.resolve(folder);
  const rootId = await readIdentity(rootPath);
  if (expected !== null && rootId !== expected) {
    throw new PorchlightError('disk-wrong', `Another disk is connected at ${rootPath}. Connect the one that was there before, or add this one under Storage.`);
  }
  await requireWritable(rootPath);
  return { rootId, path: rootPath };
}

/** Which disk lies at `rootPath`, without asking whether it can be written to. Errors as `openRoot`. */
export async function readIdentity(rootPath: string): Promise<RootId> {
  let text: string;
  try {
    text = await readFile(path.join(rootPath, IDENTITY_FILE), 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENXIO' || code === 'ENODEV') {
      throw new PorchlightError('disk-missing', `The disk for footage at ${rootPath} is not there. Connect it, or choose another folder under Storage.`, error);
    }
    throw diskError(error, rootPath);
  }
  const identity = parseIdentity(text);
  if (identity === null) {
    throw new PorchlightError('disk-wrong', `The file ${IDENTITY_FILE} in ${rootPath} cannot be read, so Porchlight does not know which disk this is. Choose another folder under Storage.`);
  }
  return identity;
}

function parseIdentity(text: string): RootId | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('format' in value) || !('rootId' in value)) return null;
    return value.format === FORMAT && typeof value.rootId === 'string' && isRootId(value.rootId) ? value.rootId : null;
  } catch {
    return null;
  }
}

/**
 * Makes `folder` a root, or opens it where it is one. It must be missing, empty (a file system's own `lost+found`
 * aside) or a Porchlight disk: `conflict` otherwise; further errors as `openRoot`. Durable when it resolves.
 */
export async function createRoot(folder: string, nowMs: EpochMs): Promise<OpenRoot> {
  const rootPath = path.resolve(folder);
  try {
    await makeFolder(rootPath);
    const names = await readdir(rootPath);
    if (names.includes(IDENTITY_FILE)) return await openRoot(rootPath, null);
    if (names.some((name) => !HARMLESS_NAMES.has(name) && !name.startsWith(`${IDENTITY_FILE}.`))) {
      throw new PorchlightError('conflict', `The folder ${rootPath} already holds other files. Choose an empty folder for footage.`);
    }
    await writeIdentity(rootPath, nowMs);
  } catch (error) {
    throw diskError(error, rootPath);
  }
  return await openRoot(rootPath, null);
}

/** What systems put into a fresh disk's top folder by themselves. */
export const HARMLESS_NAMES: ReadonlySet<string> = new Set(['lost+found', 'System Volume Information', '$RECYCLE.BIN', '.Trash-1000', '.Trashes', '.fseventsd', '.Spotlight-V100', '.DS_Store', 'desktop.ini']);

/** The identity appears whole or not at all, and two programs that start at once end up with one of the two. */
async function writeIdentity(rootPath: string, nowMs: EpochMs): Promise<void> {
  const file = path.join(rootPath, IDENTITY_FILE);
  const next = `${file}.${randomBytes(4).toString('hex')}`;
  const identity = { format: FORMAT, rootId: rootIdFrom(randomBytes(12)), createdMs: nowMs };
  const handle = await open(next, 'wx', 0o644);
  try {
    await handle.writeFile(`${JSON.stringify(identity)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(next, file);
  } catch (error) {
    if (errorCode(error) === 'EPERM' || errorCode(error) === 'ENOTSUP' || errorCode(error) === 'EOPNOTSUPP' || errorCode(error) === 'ENOSYS') await copyWhereLinksAreUnknown(file, JSON.stringify(identity));
    else if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(next);
  }
  await syncFolder(rootPath);
}

/** FAT and exFAT know no hard links; an exclusive create still lets only one of two writers win. */
async function copyWhereLinksAreUnknown(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o644);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Folders whose names this thread knows to be durable, since it synced what holds them. */
const durableFolders = new Set<string>();
/** A day of sixteen cameras' hours; forgetting costs some syncs. */
const MOST_DURABLE_FOLDERS = 1_000;

/**
 * Creates a folder and what is missing above it; every entry is durable when it resolves (I4), also of a folder that is there
 * already: a life that died, or another thread, may have made it and not synced it yet. Does not use mkdir's own recursion,
 * which never ends where a file system answers ENOENT for a folder it will not make (/proc). `mode` is for what is new.
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const full = path.resolve(folder);
  try {
    await mkdir(full, mode);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      await makeDurable(full, false);
      return;
    }
    const parent = path.dirname(full);
    if (errorCode(error) !== 'ENOENT' || (await isThere(parent))) throw error;
    await makeFolder(parent, mode);
    await makeFolder(full, mode);
    return;
  }
  durableFolders.delete(full);
  await makeDurable(full, true);
}

/** As deep as a segment's hour lies below its disk: camera, stream, day, hour. */
const LEVELS = 4;
/** What systems answer for a folder above ours that we may not open or that cannot be synced: its names are not of our making. */
const NOT_OURS: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL', 'ENOTSUP', 'EROFS']);

/** Syncs what holds a folder, and what holds that, as far as this thread has not done so before. */
async function makeDurable(full: string, isNew: boolean): Promise<void> {
  for (let [at, level, strict] = [full, 0, isNew]; level < LEVELS && !durableFolders.has(at); level += 1) {
    const parent = path.dirname(at);
    if (parent === at) return;
    try {
      await syncFolder(parent);
    } catch (error) {
      if (strict || !NOT_OURS.has(errorCode(error))) throw error;
      return;
    }
    if (durableFolders.size >= MOST_DURABLE_FOLDERS) durableFolders.clear();
    durableFolders.add(at);
    [at, strict] = [parent, false];
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await access(folder);
    return true;
  } catch {
    return false;
  }
}

async function requireWritable(rootPath: string): Promise<void> {
  try {
    await access(rootPath, constants.W_OK);
    // access() asks about permissions; a disk that fell back to read-only shows only when written to.
    const probe = path.join(rootPath, `${IDENTITY_FILE}.write-test`);
    const handle = await open(probe, 'w');
    await handle.close();
    await unlink(probe);
  } catch (error) {
    // A full disk is still the right disk: retention makes room on it.
    if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT' || errorCode(error) === 'ENOENT') return;
    throw diskError(error, rootPath);
  }
}

/** Size and free space of the disk that holds `rootPath`. Throws `disk-missing` or `disk-failing`. */
export async function diskSpace(rootPath: string): Promise<DiskSpace> {
  try {
    const stats = await statfs(rootPath);
    return { diskBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize };
  } catch (error) {
    throw diskError(error, rootPath);
  }
}

/** Maps the system's code of a failed file operation under a root, once, to what a person reads; other errors pass. */
export function diskError(error: unknown, rootPath: string): unknown {
  if (error instanceof PorchlightError) return error;
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PorchlightError('disk-full', `The disk at ${rootPath} is full. Make room on it, or give Porchlight a smaller quota.`, error);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new PorchlightError('disk-read-only', `Porchlight may not write to ${rootPath}. Check the disk's write protection and the folder's permissions.`, error);
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENODEV':
    case 'ENXIO':
      return new PorchlightError('disk-missing', `The disk for footage at ${rootPath} is not there. Connect it, or choose another folder under Storage.`, error);
    case 'EIO':
    case 'EUCLEAN':
    case 'EFBIG':
      return new PorchlightError('disk-failing', `The disk at ${rootPath} reports errors. Back up what matters and replace it.`, error);
    default:
      return error;
  }
}
