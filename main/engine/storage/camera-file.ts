/** <root>/<camera>/camera.json: a camera's name and streams beside its footage, for whoever finds the disk without the settings. */
import path from 'node:path';
import { STREAM_KINDS, type StreamKind } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import { diskError, makeFolder } from './root.ts';

export interface DescribedCamera {
  readonly id: CameraId;
  readonly name: string;
  readonly streams: readonly StreamKind[];
}

/** Writes the description where it differs from what is there; durable when it resolves. Throws PorchlightError `disk-…`. */
export async function writeCameraFile(rootPath: string, camera: DescribedCamera, nowMs: EpochMs): Promise<void> {
  const folder = path.join(rootPath, camera.id);
  const known = await readCameraFile(rootPath, camera.id);
  if (known !== null && known.name === camera.name && known.streams.join() === camera.streams.join()) return;
  try {
    await makeFolder(folder);
    await replaceFile(path.join(folder, 'camera.json'), `${JSON.stringify({ format: 1, ...camera, writtenMs: nowMs }, null, 2)}\n`, 0o644);
  } catch (error) {
    throw diskError(error, rootPath);
  }
}

/** What a camera's folder says of it, or null. */
export async function readCameraFile(rootPath: string, cameraId: CameraId): Promise<DescribedCamera | null> {
  try {
    const value = JSON.parse((await readIfThere(path.join(rootPath, cameraId, 'camera.json'))) ?? 'null') as { readonly name?: unknown; readonly streams?: unknown } | null;
    if (value === null || typeof value.name !== 'string' || !Array.isArray(value.streams)) return null;
    const { streams } = value;
    return { id: cameraId, name: value.name, streams: STREAM_KINDS.filter((kind) => streams.includes(kind)) };
  } catch {
    return null;
  }
}
