/** What a device from away may do: every word of the contract is tried with every set of rights, and only what the table names gets through. */
import { describe, expect, it } from 'vitest';
import type { AppInfo, CameraWithStatus, EventName, OperationName } from '../../../shared/contract/engine-api.ts';
import { COMMANDS, OPERATIONS } from '../../../shared/contract/engine-api.ts';
import { MEDIA_OPEN, type MediaName } from '../../../shared/contract/media.ts';
import { columnsOf, encodeColumns } from '../../../shared/contract/timeline-columns.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type Grants, type Right, RIGHTS } from '../../../shared/model/remote.ts';
import { DEFAULT_SETTINGS } from '../../../shared/model/settings.ts';
import { assertMayCall, assertMayWatch, isNarrowed, narrowError, narrowEvent, narrowOutput, OWNER } from './access.ts';
import { accessOf, EVENT_RIGHTS, MEDIA_RIGHTS, OPERATION_RIGHTS } from './remote-access.ts';

const PORCH = 'cam-aaaaaaaaaaaa' as CameraId;
const DRIVE = 'cam-bbbbbbbbbbbb' as CameraId;
const BED = 'cam-cccccccccccc' as CameraId;
const NOW_MS = 1_000_000;

/** Checked by the compiler to be all of them. */
const EVENTS_THERE_ARE: Readonly<Record<EventName, true>> = {
  'app.changed': true, 'cameras.changed': true, 'camera.status': true, 'discovery.changed': true, 'timeline.changed': true, 'storage.changed': true, 'locks.changed': true, 'settings.changed': true, 'placement.changed': true,
  'check.changed': true, 'doors.changed': true, 'remote.changed': true, 'reach.changed': true, 'homes.changed': true,
};
const EVENT_NAMES = Object.keys(EVENTS_THERE_ARE) as readonly EventName[];
const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly OperationName[];
const MEDIA_NAMES = Object.keys(MEDIA_OPEN) as readonly MediaName[];
const STRANGE = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'cameras', 'cameras.list ', 'CAMERAS.LIST'] as const;

function grantsOf(rights: readonly Right[], untilMs: number | null = null): Grants {
  return { cameras: [{ cameraId: PORCH, rights }], untilMs };
}

/** Every set of rights there is: 64. */
const SETS: readonly (readonly Right[])[] = Array.from({ length: 2 ** RIGHTS.length }, (_, bits) => RIGHTS.filter((_right, at) => (bits >> at) & 1));

function isAllowed(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ kind: 'not-allowed' });
    return false;
  }
}

/** What the brief of the feature says, apart from the table that is tested. */
function shouldBeAllowed(name: OperationName, rights: readonly Right[]): boolean {
  const anyOf: Partial<Record<OperationName, readonly Right[]>> = {
    'app.info': RIGHTS,
    'settings.get': RIGHTS,
    'cameras.list': RIGHTS,
    'remote.reach': RIGHTS,
    'timeline.get': ['playback', 'previews'],
    'timeline.drawn': ['playback', 'previews'],
    'events.list': ['playback', 'previews'],
    'coverage.days': ['playback'],
    'previews.at': ['previews'],
    'previews.sheet': ['previews'],
    'previews.latest': ['previews', 'live'],
  };
  return (anyOf[name] ?? []).some((right) => rights.includes(right));
}

const ABOUT_ONE: ReadonlySet<string> = new Set(['previews.at', 'previews.sheet', 'previews.latest']);
const ABOUT_MANY: ReadonlySet<string> = new Set(['timeline.get', 'timeline.drawn', 'events.list', 'coverage.days']);

function inputFor(name: string, ...cameraIds: readonly CameraId[]): object {
  if (ABOUT_ONE.has(name)) return { cameraId: cameraIds[0] };
  return ABOUT_MANY.has(name) ? { cameraIds } : {};
}

describe('a device from away', () => {
  it('may ask what its rights say of its camera, and nothing else of the contract', () => {
    for (const rights of SETS) {
      const access = accessOf(() => grantsOf(rights), () => NOW_MS);
      for (const name of OPERATION_NAMES) {
        expect(isAllowed(() => assertMayCall(access, name, inputFor(name, PORCH))), `${name} with ${rights.join('+')}`).toBe(shouldBeAllowed(name, rights));
        // Of cameras it has nothing to do with: never, alone or among its own.
        if (!ABOUT_ONE.has(name) && !ABOUT_MANY.has(name)) continue;
        for (const cameraIds of [[DRIVE], [PORCH, DRIVE], [DRIVE, PORCH], ['__proto__' as CameraId], [undefined as unknown as CameraId], []]) {
          if (ABOUT_ONE.has(name) && cameraIds[0] === PORCH) continue;
          expect(isAllowed(() => assertMayCall(access, name, inputFor(name, ...cameraIds))), `${name} of ${cameraIds.join()}`).toBe(false);
        }
      }
      for (const name of STRANGE) expect(isAllowed(() => assertMayCall(access, name as OperationName, {}))).toBe(false);
    }
  });

  it('runs nothing: no command is in the table, and each operation in it has a rule for its answer', () => {
    for (const name of Object.keys(OPERATION_RIGHTS) as OperationName[]) {
      expect(Object.hasOwn(COMMANDS, name), name).toBe(false);
      expect(isNarrowed(name), name).toBe(true);
      // Cameras are named in these fields and in no others, so the check sees all of them.
      const fields = Object.keys((OPERATIONS[name].input as unknown as { readonly shape: object }).shape).filter((field) => /camera/i.test(field));
      expect(fields, name).toEqual(ABOUT_ONE.has(name) ? ['cameraId'] : ABOUT_MANY.has(name) ? ['cameraIds'] : []);
    }
  });

  it('watches live with live and footage with playback, of its own cameras', () => {
    for (const rights of SETS) {
      const access = accessOf(() => grantsOf(rights), () => NOW_MS);
      for (const name of MEDIA_NAMES) {
        expect(isAllowed(() => assertMayWatch(access, name, PORCH)), `${name} with ${rights.join('+')}`).toBe(rights.includes(name));
        for (const other of [DRIVE, '__proto__', 'constructor', ''] as CameraId[]) expect(isAllowed(() => assertMayWatch(access, name, other))).toBe(false);
      }
      for (const name of STRANGE) expect(isAllowed(() => assertMayWatch(access, name as MediaName, PORCH))).toBe(false);
    }
    expect(Object.keys(MEDIA_RIGHTS).sort()).toEqual([...MEDIA_NAMES].sort());
  });

  it('may nothing at all once its end date has come, it is revoked, or its rights are taken', () => {
    const state: { grants: Grants | null; nowMs: number } = { grants: grantsOf(RIGHTS, NOW_MS), nowMs: NOW_MS - 1 };
    const access = accessOf(() => state.grants, () => state.nowMs);
    const maySomething = (): boolean =>
      OPERATION_NAMES.some((name) => isAllowed(() => assertMayCall(access, name, inputFor(name, PORCH)))) ||
      MEDIA_NAMES.some((name) => isAllowed(() => assertMayWatch(access, name, PORCH))) ||
      EVENT_NAMES.some((name) => access.mayHear(name, null) || access.mayHear(name, PORCH)) ||
      access.maySee(PORCH);
    expect(maySomething()).toBe(true);
    state.nowMs = NOW_MS;
    expect(maySomething()).toBe(false);
    for (const grants of [null, grantsOf([]), { cameras: [], untilMs: null }]) {
      state.grants = grants;
      expect(maySomething()).toBe(false);
    }
  });

  it('gets no answer to a question whose right ended while it was looked up', () => {
    const state: { grants: Grants | null } = { grants: grantsOf(['playback']) };
    const access = accessOf(() => state.grants, () => NOW_MS);
    const input = { cameraIds: [PORCH] };
    expect(narrowOutput(access, 'events.list', [], input)).toEqual([]);
    state.grants = grantsOf(['live']);
    expect(isAllowed(() => narrowOutput(access, 'events.list', [], input))).toBe(false);
    expect(isAllowed(() => narrowOutput(access, 'storage.summary', {}, {}))).toBe(false);
  });
});

const CAMERA: CameraWithStatus = {
  camera: {
    id: PORCH, name: 'Porch', device: { maker: 'Acme', model: 'X', firmware: '1', serial: 'SERIAL-1' }, origin: 'onvif', identity: 'urn:uuid:secret', deviceUrl: 'http://192.168.7.9/onvif', sourceToken: 'src', mac: '00:11:22:33:44:55', username: 'admin',
    streams: [{ kind: 'main', url: 'rtsp://192.168.7.9/s', videoCodec: 'h264', audioCodec: 'aac', width: 1920, height: 1080, fps: 20, transport: 'tcp', profileToken: 'profile_1' }],
    recorded: ['main'], recordSound: true, paused: null, addedMs: 1,
  },
  status: { cameraId: PORCH, state: 'offline', sinceMs: 1, recording: false, problem: { cause: 'camera-unreachable', sentence: 'Nothing answers at 192.168.7.9.' }, streams: [], clockOffsetMs: 3 },
};
const OTHER: CameraWithStatus = { camera: { ...CAMERA.camera, id: DRIVE, name: 'Drive' }, status: { ...CAMERA.status, cameraId: DRIVE } };
const INFO: AppInfo = {
  version: '1.0.0', mode: 'serve', demo: false, nowMs: 1, timeZone: 'Europe/Berlin', platform: 'linux', dataDir: '/home/mia/data', ffmpeg: { path: '/home/mia/ffmpeg', version: '5', source: 'path' }, secrets: 'keyring', certificateFingerprint: 'AA:BB',
  warnings: [{ kind: 'disk', sentence: 'The disk at /mnt/mia is full.' }],
};
const OF_THE_HOME = ['192.168.7.9', 'SERIAL-1', 'urn:uuid', 'admin', '00:11', 'profile_1', 'mia', 'AA:BB', 'eth9', 'Drive', DRIVE, BED];

function tellsNothing(answer: unknown): void {
  const text = JSON.stringify(answer);
  for (const word of OF_THE_HOME) expect(text, word).not.toContain(word);
}

describe('what it is told', () => {
  const access = accessOf(() => grantsOf(['live', 'playback', 'previews']), () => NOW_MS);
  const gap = { startMs: 1, endMs: 2, cause: 'camera-unreachable', detail: 'at 192.168.7.9' } as const;
  const event = (cameraId: CameraId) => ({ id: `e-${cameraId}`, cameraId, kind: 'motion', label: '', startMs: 1, endMs: 2 }) as const;
  const timelineOf = (cameraId: CameraId) => ({ cameraId, spans: [], gaps: [gap], events: [event(cameraId)] });

  it('names its own cameras and nothing of the network, the disks and the programs of the home', () => {
    const list = narrowOutput(access, 'cameras.list', [CAMERA, OTHER], {}) as readonly CameraWithStatus[];
    expect(list.map(({ camera, rights }) => [camera.name, rights])).toEqual([['Porch', ['live', 'playback', 'previews']]]);
    tellsNothing(list);
    const info = narrowOutput(access, 'app.info', INFO, {});
    expect(info).toMatchObject({ version: '1.0.0', timeZone: 'Europe/Berlin', warnings: [] });
    tellsNothing(info);
    const settings = { ...DEFAULT_SETTINGS, homeName: 'Cabin', theme: 'dark', ffmpegPath: '/home/mia/ffmpeg', searchInterfaces: ['eth9'] } as const;
    const told = narrowOutput(access, 'settings.get', settings, {});
    expect(told).toMatchObject({ homeName: 'Cabin', theme: 'dark' });
    tellsNothing(told);
    const input = { cameraIds: [PORCH] };
    tellsNothing(narrowOutput(access, 'timeline.get', { startMs: 1, endMs: 2, cameras: [timelineOf(PORCH), timelineOf(DRIVE)], bounds: null, nowMs: 2 }, input));
    tellsNothing(narrowOutput(access, 'events.list', [event(PORCH), event(DRIVE), event(BED)], input));
    const days = [{ startMs: 1, endMs: 2, expectedMs: 1, recordedMs: 0, notScheduledMs: 0, missing: [], longestGaps: [gap] }];
    const coverage = narrowOutput(access, 'coverage.days', { timeZone: 'UTC', nowMs: 2, cameras: [{ cameraId: PORCH, days }, { cameraId: DRIVE, days }] }, input);
    expect(coverage).toMatchObject({ cameras: [{ cameraId: PORCH }] });
    tellsNothing(coverage);
  });

  it('gets no columns that could be of other cameras', () => {
    const one = columnsOf({ spans: [], gaps: [], events: [] });
    const answer = { startMs: 1, endMs: 2, bounds: null, nowMs: 2, cameraIds: [PORCH], bytes: encodeColumns([one]) };
    const input = { cameraIds: [PORCH] };
    expect(narrowOutput(access, 'timeline.drawn', answer, input)).toEqual(answer);
    expect(isAllowed(() => narrowOutput(access, 'timeline.drawn', { ...answer, bytes: encodeColumns([one, one]) }, input))).toBe(false);
    expect(isAllowed(() => narrowOutput(access, 'timeline.drawn', { ...answer, cameraIds: [PORCH, DRIVE], bytes: encodeColumns([one, one]) }, input))).toBe(false);
  });

  it('does not even learn that there is sound where it has no right to it', () => {
    const soundOf = (rights: readonly Right[]) => (narrowOutput(accessOf(() => grantsOf(rights), () => NOW_MS), 'cameras.list', [CAMERA], {}) as readonly CameraWithStatus[]).map(({ camera }) => [camera.recordSound, camera.streams[0]?.audioCodec]);
    expect(soundOf(['live', 'sound'])).toEqual([[true, 'aac']]);
    expect(soundOf(['live'])).toEqual([[false, null]]);
  });

  it('hears of its own cameras, and of nothing the table does not name', () => {
    const values: { readonly [Name in EventName]: unknown } = {
      'app.changed': INFO,
      'settings.changed': { ...DEFAULT_SETTINGS, ffmpegPath: '/home/mia/ffmpeg' },
      'cameras.changed': [CAMERA, OTHER],
      'camera.status': CAMERA.status,
      'timeline.changed': { cameraIds: [PORCH, DRIVE], startMs: 1, endMs: 2 },
      'discovery.changed': {}, 'storage.changed': {}, 'locks.changed': [{ cameraId: PORCH }], 'placement.changed': {}, 'check.changed': {}, 'doors.changed': {}, 'remote.changed': {}, 'homes.changed': [],
      'reach.changed': { relays: ['wss://relay.example'], dataDir: '/home/mia' },
    };
    for (const rights of SETS) {
      const mine = accessOf(() => grantsOf(rights), () => NOW_MS);
      for (const name of EVENT_NAMES) {
        const heard = narrowEvent(mine, name, values[name] as never);
        const should = rights.length > 0 && Object.hasOwn(EVENT_RIGHTS, name) && (name !== 'timeline.changed' || rights.includes('playback') || rights.includes('previews'));
        expect(heard !== null, `${name} with ${rights.join('+')}`).toBe(should);
        if (heard !== null) tellsNothing(heard);
      }
    }
    expect(narrowEvent(access, 'camera.status', OTHER.status)).toBeNull();
    expect(narrowEvent(access, 'timeline.changed', { cameraIds: [DRIVE], startMs: 1, endMs: 2 })).toBeNull();
    for (const name of STRANGE) expect(narrowEvent(access, name as EventName, {} as never)).toBeNull();
  });

  it('is told that something failed, not where the home keeps it', () => {
    tellsNothing(narrowError(access, new PorchlightError('disk-missing', 'The disk at /mnt/mia is not here.')));
    expect(narrowError(access, new PorchlightError('invalid-input', 'The end lies before the start.')).sentence).toContain('end');
    expect(narrowError(OWNER, new PorchlightError('disk-missing', 'The disk at /mnt/mia is not here.')).sentence).toContain('/mnt/mia');
  });
});
