/** The cameras of a set-up that is taken along: what goes into the file, and how those of a file join the list that is here. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import { type CameraId, isCameraId } from '../../../shared/model/ids.ts';
import type { SetupChange } from '../../../shared/model/setup.ts';
import { type CameraFile, readCameraFile } from './camera-file.ts';
import { bareEndpoint, serialIdentity } from './identity.ts';
import type { CameraRegistry } from './registry.ts';

type List = Pick<CameraFile, 'cameras' | 'removed'>;
type Passwords = ReadonlyMap<CameraId, string | null>;

/** As settings/setup-parts.ts `SetupPart`, which engine.ts puts it among. */
export interface CameraPart {
  readonly name: 'cameras';
  collect(): Promise<unknown>;
  plan(value: unknown): Promise<{ readonly changes: readonly SetupChange[]; apply(): Promise<void>; undo(): Promise<void> }>;
}

export function cameraPart(registry: CameraRegistry): CameraPart {
  const passwordsOf = async (cameras: readonly Camera[]): Promise<Passwords> => new Map(await Promise.all(cameras.map(async ({ id }) => [id, (await registry.login(id))?.password ?? null] as const)));
  return {
    name: 'cameras',
    collect: async () => {
      const cameras = registry.list();
      return { format: 1, cameras, removed: registry.removed(), passwords: Object.fromEntries([...(await passwordsOf(cameras))].filter(([, password]) => password !== null)) };
    },
    plan: async (value) => {
      const file = readPart(value);
      const before: List = { cameras: registry.list(), removed: registry.removed() };
      const known = await passwordsOf(before.cameras);
      const { changes, list, passwords } = merge(before, known, file);
      return {
        changes,
        apply: () => registry.replaceAll(list, passwords),
        undo: () => registry.replaceAll(before, new Map([...passwords.keys()].map((id) => [id, known.get(id) ?? null]))),
      };
    },
  };
}

interface Part extends List {
  readonly passwords: Passwords;
}

function readPart(value: unknown): Part {
  const list = readCameraFile(JSON.stringify(value));
  const passwords = typeof value === 'object' && value !== null && 'passwords' in value ? value.passwords : {};
  if (list === null || typeof passwords !== 'object' || passwords === null) throw new PorchlightError('invalid-input', 'The cameras in this file cannot be read. It may be from a newer Porchlight.');
  const entries = Object.entries(passwords).filter((entry): entry is [CameraId, string] => isCameraId(entry[0]) && typeof entry[1] === 'string' && entry[1].length <= 256);
  return { cameras: list.cameras, removed: list.removed, passwords: new Map(entries) };
}

/** Cameras of the file take the place of those with their id and come behind the others; what is only here stays. Pure. */
function merge(here: List, known: Passwords, file: Part): { readonly changes: readonly SetupChange[]; readonly list: List; readonly passwords: Passwords } {
  const changes: SetupChange[] = [];
  const passwords = new Map<CameraId, string | null>();
  const cameras = [...here.cameras];
  let same = 0;
  for (const camera of file.cameras) {
    const at = cameras.findIndex((one) => one.id === camera.id);
    const other = cameras.find((one) => one.id !== camera.id && isSameCamera(one, camera));
    const password = file.passwords.get(camera.id) ?? null;
    if (other !== undefined) {
      changes.push({ kind: 'keep', sentence: `${camera.name} is set up here already, as ${other.name}. It stays as it is.` });
      continue;
    }
    const mine = cameras[at];
    const differing = mine === undefined ? [] : differences(mine, camera, (known.get(camera.id) ?? null) !== password);
    if (mine !== undefined && differing.length === 0) {
      same += 1;
      continue;
    }
    passwords.set(camera.id, password);
    if (mine === undefined) {
      changes.push({ kind: 'add', sentence: here.removed.some((one) => one.id === camera.id) ? `${camera.name} comes back on the list.` : `${camera.name} is added.` });
      cameras.push(camera);
    } else {
      changes.push({ kind: 'change', sentence: `${mine.name}: the ${wordList(differing)} of the file.` });
      cameras[at] = camera;
    }
  }
  if (same > 0) changes.push({ kind: 'keep', sentence: same === 1 ? '1 camera is the same here.' : `${same} cameras are the same here.` });
  const onlyHere = here.cameras.filter((one) => !file.cameras.some((camera) => camera.id === one.id)).length;
  if (onlyHere > 0) changes.push({ kind: 'keep', sentence: onlyHere === 1 ? '1 camera that is not in the file stays.' : `${onlyHere} cameras that are not in the file stay.` });
  const listed = new Set(cameras.map((camera) => camera.id));
  const removed = [...new Map([...file.removed, ...here.removed].map((camera) => [camera.id, camera])).values()].filter((camera) => !listed.has(camera.id));
  return { changes, list: { cameras, removed }, passwords };
}

/** The same lens of the same device, set up by hand in both places. */
function isSameCamera(a: Camera, b: Camera): boolean {
  if (a.streams[0]?.url === b.streams[0]?.url) return true;
  return a.identity !== null && b.identity !== null && bareEndpoint(a.identity) === bareEndpoint(b.identity) && (a.sourceToken ?? null) === (b.sourceToken ?? null) && serialIdentity(a.device) !== null && a.device.serial === b.device.serial;
}

/** What is another in the file, in words. */
function differences(mine: Camera, theirs: Camera, otherPassword: boolean): readonly string[] {
  const is = (word: string, ...fields: readonly (keyof Camera)[]): readonly string[] => (fields.some((field) => JSON.stringify(mine[field] ?? null) !== JSON.stringify(theirs[field] ?? null)) ? [word] : []);
  return [
    ...is('name', 'name'),
    ...is('address', 'deviceUrl', 'streams', 'identity', 'sourceToken', 'mac', 'origin', 'device'),
    ...is('user name', 'username'),
    ...(otherPassword ? ['password'] : []),
    ...is('way of recording', 'recorded', 'recordSound', 'paused', 'recording'),
  ];
}

function wordList(words: readonly string[]): string {
  return words.length <= 1 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
