/** Takes files off a disk in the order that I2 asks for, with the folders they leave empty and the previews of their time. */
import { rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, utcDay } from '../../../shared/time.ts';
import { errorCode } from '../core/atomic-file.ts';
import { removeIfEmpty, syncFolderSync } from './journal.ts';
import { encodePackName, previewFilesOlderThan, previewFolder } from './preview-name.ts';
import { decodeSegmentName, isDayFolder } from './segment-name.ts';
import { namesIn } from './walk.ts';

/**
 * Unlinks segment files and syncs their folders; what was gone already counts as done. Returns the paths that are certainly
 * gone: their garbage rows may go. A path that is no segment's name is refused, whatever a damaged row says.
 */
export function unlinkFiles(rootPath: string, paths: readonly string[]): readonly string[] {
  const done: string[] = [];
  for (const [folder, files] of Map.groupBy(paths, (file) => path.posix.dirname(file))) {
    const gone = files.filter((file) => decodeSegmentName(file) !== null && unlinkOne(path.join(rootPath, file)));
    if (gone.length === 0) continue;
    syncIfThere(path.join(rootPath, folder));
    done.push(...gone);
  }
  return done;
}

function unlinkOne(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}

function syncIfThere(folder: string): void {
  try {
    syncFolderSync(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes hour folders (relative to the root) that are empty, and their day folders when those are. The folder being recorded to is not: its recorder makes it again where it lost that race. */
export function clearEmptyFolders(rootPath: string, folders: readonly string[]): void {
  for (const folder of new Set(folders)) {
    if (removeIfEmpty(path.join(rootPath, folder))) removeIfEmpty(path.join(rootPath, path.posix.dirname(folder)));
  }
}

/** Removes the preview packs of hours wholly before `beforeMs`; returns how many. */
export function prunePreviews(rootPath: string, cameraId: CameraId, beforeMs: EpochMs): number {
  const folder = previewFolder(rootPath, cameraId);
  const days = namesIn(folder).filter((day) => isDayFolder(day) && day <= utcDay(beforeMs));
  const old = previewFilesOlderThan(days.flatMap((day) => namesIn(path.join(folder, day)).map((name) => `${day}/${name}`)), beforeMs);
  for (const pack of old) rmSync(path.join(folder, pack), { force: true });
  for (const day of days) removeIfEmpty(path.join(folder, day));
  return old.length;
}

/** Removes the preview packs of these hours (each by its first moment); returns how many there were. */
export function removePreviewHours(rootPath: string, cameraId: CameraId, hours: readonly EpochMs[]): number {
  const folder = previewFolder(rootPath, cameraId);
  const gone = hours.map(encodePackName).filter((pack) => unlinkIfThere(path.join(folder, pack)));
  for (const day of new Set(gone.map((pack) => path.posix.dirname(pack)))) removeIfEmpty(path.join(folder, day));
  return gone.length;
}

function unlinkIfThere(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return false;
  }
}
