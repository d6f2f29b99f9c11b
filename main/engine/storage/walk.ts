/** Walks the folders of a stream, newest first, and gives the segment files in them; what the grammar does not know is reported apart. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { STREAM_KINDS } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { camerasIn } from './journal.ts';
import { decodeSegmentName, isDayFolder, isHourFolder, type SegmentName, streamFolder } from './segment-name.ts';

export interface FoundFile {
  readonly name: SegmentName;
  /** Relative to the root, with `/`. */
  readonly path: string;
}

export interface HourListing {
  /** Relative to the root: `<camera>/<stream>/<day>/<hour>`. */
  readonly folder: string;
  readonly files: readonly FoundFile[];
  /** Names that no segment has, relative to the root. */
  readonly unknown: readonly string[];
}

/** Streams that have a folder under the root. */
export function streamsIn(rootPath: string): readonly StreamKey[] {
  return camerasIn(rootPath).flatMap((cameraId: CameraId) => STREAM_KINDS.filter((stream) => isFolder(path.join(rootPath, streamFolder(cameraId, stream)))).map((stream) => ({ cameraId, stream })));
}

/** The hour folders of a stream, newest first; only names are read, one day folder at a time. */
export function* hoursOf(rootPath: string, key: StreamKey): Generator<string> {
  const stream = streamFolder(key.cameraId, key.stream);
  for (const day of namesIn(path.join(rootPath, stream)).filter(isDayFolder).sort().reverse()) {
    for (const hour of namesIn(path.join(rootPath, stream, day)).filter(isHourFolder).sort().reverse()) yield `${stream}/${day}/${hour}`;
  }
}

/** The files of one hour folder. */
export function listHour(rootPath: string, folder: string): HourListing {
  const files: FoundFile[] = [];
  const unknown: string[] = [];
  for (const fileName of namesIn(path.join(rootPath, folder)).sort()) {
    const relative = `${folder}/${fileName}`;
    const name = decodeSegmentName(relative);
    if (name === null) unknown.push(relative);
    else files.push({ name, path: relative });
  }
  return { folder, files, unknown };
}

/** Names in a folder; none where it is not there. Throws the system's error otherwise, so that a failing disk is not taken for an empty one. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}
