/** Takes files off a disk in the order that I2 asks for, with the folders they leave empty and the previews of their time. */
import { rmSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type EpochMs, utcDay, utcHour } from '../../../shared/time.ts';
import { errorCode } from '../core/atomic-file.ts';
import { removeIfEmpty, syncFolderSync } from './journal.ts';
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

/** Folder of a camera's previews relative to its root, with `/`. */
export function previewsFolder(cameraId: CameraId): string {
  return `${cameraId}/previews`;
}

/** Removes the preview packs of hours wholly before `beforeMs`; returns how many. A pack is `<day>/<hour>.<anything>`. */
export function prunePreviews(rootPath: string, cameraId: CameraId, beforeMs: EpochMs): number {
  const firstKept = `${utcDay(beforeMs)}/${utcHour(beforeMs)}`;
  let removed = 0;
  for (const day of namesIn(path.join(rootPath, previewsFolder(cameraId))).filter((name) => isDayFolder(name) && name <= utcDay(beforeMs))) {
    const folder = path.join(rootPath, previewsFolder(cameraId), day);
    for (const name of namesIn(folder)) {
      if (`${day}/${name.slice(0, 2)}` >= firstKept) continue;
      rmSync(path.join(folder, name), { force: true });
      removed += 1;
    }
    removeIfEmpty(folder);
  }
  return removed;
}
