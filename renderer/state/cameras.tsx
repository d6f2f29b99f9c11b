/** The cameras and their status, kept in step with the engine, for every view. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import type { CameraWithStatus } from '../../shared/contract/engine-api.ts';
import { useEngine, useEngineEvent } from '../api/engine-context.tsx';

/** Null until the engine has answered for the first time. */
const CamerasContext = createContext<readonly CameraWithStatus[] | null>(null);

export function CamerasProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const client = useEngine();
  const [cameras, setCameras] = useState<readonly CameraWithStatus[] | null>(null);
  const refresh = useCallback(() => {
    client.ask('cameras.list', {}).then(setCameras, () => undefined);
  }, [client]);
  useEffect(() => {
    refresh();
    return client.onState(({ phase }) => {
      if (phase === 'connected') refresh();
    });
  }, [client, refresh]);
  useEngineEvent('cameras.changed', setCameras);
  useEngineEvent('camera.status', (status) => {
    setCameras((before) => before?.map((each) => (each.camera.id === status.cameraId ? { ...each, status } : each)) ?? null);
  });
  return <CamerasContext value={cameras}>{children}</CamerasContext>;
}

export function useCameras(): readonly CameraWithStatus[] | null {
  return useContext(CamerasContext);
}
