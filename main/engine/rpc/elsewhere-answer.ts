/** Cameras whose footage is here and which are not on the list, by what their disks say of them. */
import type { CameraElsewhere } from '../../../shared/model/elsewhere.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { CameraRegistry } from '../cameras/registry.ts';
import type { Archive } from '../storage/archive.ts';
import { readCameraFile } from '../storage/camera-file.ts';

export interface ElsewhereParts {
  readonly archive: Pick<Archive, 'read' | 'roots'>;
  readonly registry: Pick<CameraRegistry, 'list' | 'removed'>;
}

/** Newest footage first. */
export async function camerasElsewhere({ archive, registry }: ElsewhereParts): Promise<readonly CameraElsewhere[]> {
  const listed = new Set(registry.list().map((camera) => camera.id));
  const usage = Map.groupBy(
    (await archive.read.usage()).filter(({ cameraId }) => !listed.has(cameraId)),
    ({ cameraId }) => cameraId,
  );
  const found = await Promise.all(
    [...usage].map(async ([cameraId, streams]): Promise<readonly CameraElsewhere[]> => {
      const bounds = await archive.read.bounds([cameraId]);
      if (bounds === null) return [];
      const removed = registry.removed().find((camera) => camera.id === cameraId);
      const usedBytes = streams.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      return [{ cameraId, name: removed?.name ?? (await nameOnDisk(archive, cameraId)), removed: removed !== undefined, usedBytes, oldestMs: bounds.startMs, newestMs: bounds.endMs }];
    }),
  );
  return found.flat().toSorted((a, b) => b.newestMs - a.newestMs);
}

async function nameOnDisk(archive: ElsewhereParts['archive'], cameraId: CameraId): Promise<string | null> {
  for (const root of archive.roots.readable()) {
    const described = await readCameraFile(root.path, cameraId);
    if (described !== null) return described.name;
  }
  return null;
}
