/**
 * What one session may do: the single place where a session is narrower than the owner's (docs/design/processes.md).
 * The owner sees everything; a remote viewer's grants become another Access. Anything not named here is refused.
 */
import { type AppInfo, type CameraWithStatus, type EngineEvents, type EventName, isOperationName, type OperationName } from '../../../shared/contract/engine-api.ts';
import type { MediaName } from '../../../shared/contract/media.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraElsewhere } from '../../../shared/model/elsewhere.ts';
import type { CameraId } from '../../../shared/model/ids.ts';

export interface Access {
  mayCall(name: OperationName): boolean;
  maySee(cameraId: CameraId): boolean;
  mayWatch(name: MediaName, cameraId: CameraId): boolean;
  /** Events this session hears at all; those about cameras are narrowed further by `maySee`. */
  mayHear(name: EventName): boolean;
}

/** The owner, in front of the own computer. */
export const OWNER: Access = { mayCall: () => true, maySee: () => true, mayWatch: () => true, mayHear: () => true };

const REFUSAL = 'This device is not allowed to do that. The owner can change what it may see.';

/** Refuses a call that names anything the session may not touch. `input` is already parsed. */
export function assertMayCall(access: Access, name: OperationName, input: unknown): void {
  if (access === OWNER) return;
  if (!isOperationName(name) || !access.mayCall(name)) throw new PorchlightError('not-allowed', REFUSAL);
  for (const cameraId of camerasNamedIn(input)) {
    if (!access.maySee(cameraId)) throw new PorchlightError('not-allowed', REFUSAL);
  }
}

export function assertMayWatch(access: Access, name: MediaName, cameraId: CameraId): void {
  if (!access.mayWatch(name, cameraId)) throw new PorchlightError('not-allowed', REFUSAL);
}

function camerasNamedIn(input: unknown): readonly CameraId[] {
  if (typeof input !== 'object' || input === null) return [];
  const one = 'cameraId' in input && typeof input.cameraId === 'string' ? [input.cameraId as CameraId] : [];
  const many = 'cameraIds' in input && Array.isArray(input.cameraIds) ? (input.cameraIds as readonly CameraId[]) : [];
  return [...one, ...many];
}

/** Takes out of an answer what the session may not see. */
export function narrowOutput(access: Access, name: OperationName, value: unknown): unknown {
  if (access === OWNER) return value;
  if (name === 'cameras.list') return seenCameras(access, value as readonly CameraWithStatus[]);
  if (name === 'cameras.elsewhere') return (value as readonly CameraElsewhere[]).filter(({ cameraId }) => access.maySee(cameraId));
  if (name === 'app.info') return seenInfo(value as AppInfo);
  return value;
}

/** The event as this session may hear it, or null for silence. */
export function narrowEvent<Name extends EventName>(access: Access, name: Name, value: EngineEvents[Name]): unknown {
  if (access === OWNER) return value;
  if (!access.mayHear(name)) return null;
  const hear: { readonly [N in EventName]: (value: EngineEvents[N]) => unknown } = {
    'app.changed': seenInfo,
    'cameras.changed': (cameras) => seenCameras(access, cameras),
    'camera.status': (status) => (access.maySee(status.cameraId) ? status : null),
    'timeline.changed': (change) => {
      const cameraIds = change.cameraIds.filter((id) => access.maySee(id));
      return cameraIds.length > 0 ? { ...change, cameraIds } : null;
    },
    'discovery.changed': () => null,
    'storage.changed': () => null,
    'locks.changed': (locks) => locks.filter((lock) => access.maySee(lock.cameraId)),
    'settings.changed': () => null,
    'placement.changed': () => null,
    'check.changed': () => null,
    'remote.changed': () => null,
    'homes.changed': () => null,
  };
  return hear[name](value);
}

function seenCameras(access: Access, cameras: readonly CameraWithStatus[]): readonly CameraWithStatus[] {
  return cameras.filter(({ camera }) => access.maySee(camera.id));
}

/** A guest need not know where the home keeps its files. */
function seenInfo(info: AppInfo): AppInfo {
  return { ...info, dataDir: '', ffmpeg: null };
}
