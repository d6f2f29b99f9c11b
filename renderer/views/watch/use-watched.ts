/** What Watch shows: the cameras of the list, and the one a link leads to whose footage alone is here. */
import { useMemo } from 'react';
import type { CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import type { CameraElsewhere } from '../../../shared/model/elsewhere.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { useQuery } from '../../api/engine-context.tsx';
import { useCameras } from '../../state/cameras.tsx';
import { useIsAway } from '../../state/place.tsx';

/** Null until it is known. `linked`: the camera the address names. */
export function useWatched(linked: CameraId | null): readonly CameraWithStatus[] | null {
  const listed = useCameras();
  // Another home shows the cameras it names, and no others.
  const isAway = useIsAway();
  const isListed = isAway || linked === null || listed === null || listed.some(({ camera }) => camera.id === linked);
  const elsewhere = useQuery('cameras.elsewhere', isListed ? null : {});
  const found = elsewhere.data?.find(({ cameraId }) => cameraId === linked);
  const waiting = !isListed && elsewhere.loading;
  return useMemo(() => {
    if (waiting) return null;
    return listed === null || found === undefined || isListed ? listed : [...listed, withFootageAlone(found)];
  }, [listed, found, isListed, waiting]);
}

function withFootageAlone({ cameraId, name, removed, oldestMs, newestMs }: CameraElsewhere): CameraWithStatus {
  const sentence = removed ? 'This camera was removed from the list. Its footage is here.' : 'A camera that is not set up here. Its footage is.';
  return {
    camera: {
      id: cameraId, name: name ?? 'A camera without a name', device: { maker: '', model: '', firmware: '', serial: '' }, origin: 'rtsp', identity: null, deviceUrl: null, username: null,
      streams: [], recorded: ['main'], recordSound: false, paused: null, addedMs: oldestMs,
    },
    status: { cameraId, state: 'offline', sinceMs: newestMs, recording: false, problem: { cause: 'stopped-by-you', sentence }, streams: [], clockOffsetMs: null },
  };
}
