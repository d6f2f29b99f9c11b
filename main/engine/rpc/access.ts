/**
 * What one session may do: the single place where a session is narrower than the owner's (docs/design/processes.md).
 * The owner sees everything; a remote viewer's grants become another Access. Anything not named here is refused, and an
 * answer or event for which nobody wrote down what a guest may see of it does not leave.
 */
import { type AppInfo, type CameraWithStatus, type EngineEvents, type EventName, isOperationName, type OperationName, type OutputOf } from '../../../shared/contract/engine-api.ts';
import { decodeColumns } from '../../../shared/contract/timeline-columns.ts';
import type { MediaName } from '../../../shared/contract/media.ts';
import { PorchlightError, toWire, type WireError } from '../../../shared/errors.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Right } from '../../../shared/model/remote.ts';
import { cameraForGuest, errorForGuest, infoForGuest, settingsForGuest, statusForGuest } from './guest-view.ts';

export interface Access {
  /** With a camera: whether it may ask this about that camera; null: whether it may ask this at all. */
  mayCall(name: OperationName, cameraId: CameraId | null): boolean;
  /** Whether it may know of the camera. */
  maySee(cameraId: CameraId): boolean;
  mayWatch(name: MediaName, cameraId: CameraId): boolean;
  /** With a camera: whether it hears this of that camera; null: whether it hears this at all. */
  mayHear(name: EventName, cameraId: CameraId | null): boolean;
  /** What it is told it may do with the camera. */
  rightsOf(cameraId: CameraId): readonly Right[];
}

/** The owner, in front of the own computer. Known by identity: no rule below applies. */
export const OWNER: Access = { mayCall: () => true, maySee: () => true, mayWatch: () => true, mayHear: () => true, rightsOf: () => [] };

const REFUSAL = 'This device is not allowed to do that. The owner can change what it may see.';

function refusal(): PorchlightError {
  return new PorchlightError('not-allowed', REFUSAL);
}

/** Refuses a call that names anything the session may not touch. `input` is already parsed. */
export function assertMayCall(access: Access, name: OperationName, input: unknown): void {
  if (access === OWNER) return;
  if (!isOperationName(name) || !access.mayCall(name, null)) throw refusal();
  const named = camerasNamedIn(input);
  // What asks about cameras and names none would be about all of them.
  if (named !== null && (named.length === 0 || !named.every((cameraId) => access.maySee(cameraId) && access.mayCall(name, cameraId)))) throw refusal();
}

export function assertMayWatch(access: Access, name: MediaName, cameraId: CameraId): void {
  if (!access.mayWatch(name, cameraId)) throw refusal();
}

/** Null where the question is not about cameras. */
function camerasNamedIn(input: unknown): readonly CameraId[] | null {
  if (typeof input !== 'object' || input === null || !('cameraId' in input || 'cameraIds' in input)) return null;
  const one = 'cameraId' in input ? [input.cameraId as CameraId] : [];
  const many = 'cameraIds' in input && Array.isArray(input.cameraIds) ? (input.cameraIds as readonly CameraId[]) : [];
  return [...one, ...many];
}

/** What a guest may see of an answer. `input`: what was asked, parsed and allowed. */
type Narrow<Name extends OperationName> = (output: OutputOf<Name>, access: Access, input: unknown) => unknown;

/** Of the cameras that were asked for, each of which the session may ask about. */
function isOfAsked(access: Access, name: OperationName, input: unknown): (cameraId: CameraId) => boolean {
  const asked = new Set(camerasNamedIn(input) ?? []);
  return (cameraId) => asked.has(cameraId) && access.maySee(cameraId) && access.mayCall(name, cameraId);
}

/** The answer is pictures of the one camera that was asked for, and names nothing else. */
function onlyPictures<Output>(output: Output): Output {
  return output;
}

/** What leaves, operation by operation; one that is not here does not. */
const OUTPUTS: { readonly [Name in OperationName]?: Narrow<Name> } = {
  'app.info': infoForGuest,
  'settings.get': settingsForGuest,
  'remote.reach': ({ relays }) => ({ relays }),
  'cameras.list': (cameras, access) => seenCameras(access, cameras),
  'timeline.get': ({ startMs, endMs, cameras, bounds, nowMs }, access, input) => {
    const isAsked = isOfAsked(access, 'timeline.get', input);
    // An id is not shown, a detail may name a disk or an address.
    const shown = cameras.filter(({ cameraId }) => isAsked(cameraId)).map((camera) => ({ ...camera, gaps: camera.gaps.map((gap) => ({ ...gap, detail: '' })), events: camera.events.filter((event) => isAsked(event.cameraId)) }));
    return { startMs, endMs, cameras: shown, bounds, nowMs };
  },
  'timeline.drawn': (output, access, input) => {
    const isAsked = isOfAsked(access, 'timeline.drawn', input);
    // Columns say nothing of their cameras: there are as many as are named, and all of those were asked for.
    if (!output.cameraIds.every(isAsked) || decodeColumns(output.bytes).length !== output.cameraIds.length) throw refusal();
    return output;
  },
  'previews.at': onlyPictures,
  'previews.sheet': onlyPictures,
  'previews.latest': onlyPictures,
  'events.list': (events, access, input) => events.filter(({ cameraId }) => isOfAsked(access, 'events.list', input)(cameraId)),
  'coverage.days': ({ timeZone, nowMs, cameras }, access, input) => {
    const isAsked = isOfAsked(access, 'coverage.days', input);
    const shown = cameras.filter(({ cameraId }) => isAsked(cameraId));
    return { timeZone, nowMs, cameras: shown.map((camera) => ({ ...camera, days: camera.days.map((day) => ({ ...day, longestGaps: day.longestGaps.map((gap) => ({ ...gap, detail: '' })) })) })) };
  },
};

/** Operations whose answer somebody decided upon; remote-access.ts allows no other. */
export function isNarrowed(name: OperationName): boolean {
  return Object.hasOwn(OUTPUTS, name);
}

/** Takes out of an answer what the session may not see. `input`: the parsed question. Throws `not-allowed` where nobody said what a guest may see of it. */
export function narrowOutput(access: Access, name: OperationName, value: unknown, input: unknown): unknown {
  if (access === OWNER) return value;
  // Again, at the time of the answer: a right may have ended while it was looked up.
  assertMayCall(access, name, input);
  const narrow = isNarrowed(name) ? (OUTPUTS[name] as Narrow<never> | undefined) : undefined;
  if (narrow === undefined) throw refusal();
  return narrow(value as never, access, input);
}

/** What a guest may hear of an event, or null for silence. */
type NarrowEvent<Name extends EventName> = (value: EngineEvents[Name], access: Access) => unknown;

const EVENTS: { readonly [Name in EventName]: NarrowEvent<Name> | null } = {
  'app.changed': (info: AppInfo) => infoForGuest(info),
  'settings.changed': (settings) => settingsForGuest(settings),
  'cameras.changed': (cameras, access) => seenCameras(access, cameras),
  'reach.changed': ({ relays }) => ({ relays }),
  'camera.status': (status, access) => (access.maySee(status.cameraId) && access.mayHear('camera.status', status.cameraId) ? statusForGuest(status) : null),
  'timeline.changed': ({ cameraIds, startMs, endMs }, access) => {
    const heard = cameraIds.filter((id) => access.maySee(id) && access.mayHear('timeline.changed', id));
    return heard.length > 0 ? { cameraIds: heard, startMs, endMs } : null;
  },
  'discovery.changed': null,
  'storage.changed': null,
  'locks.changed': null,
  'placement.changed': null,
  'check.changed': null,
  'doors.changed': null,
  'remote.changed': null,
  'homes.changed': null,
};

/** The event as this session may hear it, or null for silence. */
export function narrowEvent<Name extends EventName>(access: Access, name: Name, value: EngineEvents[Name]): unknown {
  if (access === OWNER) return value;
  if (!Object.hasOwn(EVENTS, name) || !access.mayHear(name, null)) return null;
  return EVENTS[name]?.(value, access) ?? null;
}

/** What a session is told of a failure. */
export function narrowError(access: Access, error: unknown): WireError {
  return access === OWNER ? toWire(error) : errorForGuest(error);
}

function seenCameras(access: Access, cameras: readonly CameraWithStatus[]): readonly CameraWithStatus[] {
  return cameras.filter(({ camera }) => access.maySee(camera.id)).map((one) => cameraForGuest(one, access.rightsOf(one.camera.id)));
}
