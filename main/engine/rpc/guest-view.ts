/** What a guest is told of a home: pictures, names and times, and nothing of its network, disks, programs, user names or habits. Pure. */
import type { AppInfo, CameraWithStatus } from '../../../shared/contract/engine-api.ts';
import { PorchlightError, toWire, type WireError } from '../../../shared/errors.ts';
import type { Camera, CameraStatus, StreamConfig } from '../../../shared/model/camera.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../../shared/model/settings.ts';
import type { Right } from '../../../shared/model/remote.ts';

/** What is not named here does not travel: a new field is the owner's until somebody decides otherwise. */
export function infoForGuest({ version, mode, demo, nowMs, timeZone }: AppInfo): AppInfo {
  return { version, mode, demo, nowMs, timeZone, platform: '', dataDir: '', ffmpeg: null, secrets: 'owner-only-file', warnings: [] };
}

export function settingsForGuest({ homeName, theme }: Settings): Settings {
  return { ...DEFAULT_SETTINGS, homeName, theme };
}

export function cameraForGuest({ camera, status }: CameraWithStatus, rights: readonly Right[]): CameraWithStatus {
  const hasSound = rights.includes('sound');
  return { camera: cameraNarrowed(camera, hasSound), status: statusForGuest(status), rights };
}

function cameraNarrowed({ id, name, origin, streams, recorded, recordSound, paused, addedMs }: Camera, hasSound: boolean): Camera {
  return {
    id, name, origin, recorded, paused, addedMs,
    device: { maker: '', model: '', firmware: '', serial: '' },
    identity: null,
    deviceUrl: null,
    username: null,
    streams: streams.map((stream) => streamNarrowed(stream, hasSound)),
    recordSound: recordSound && hasSound,
  };
}

function streamNarrowed({ kind, videoCodec, audioCodec, width, height, fps, transport }: StreamConfig, hasSound: boolean): StreamConfig {
  return { kind, url: '', videoCodec, audioCodec: hasSound ? audioCodec : null, width, height, fps, transport, profileToken: null };
}

/** Why a camera is away may name addresses: a guest is told that it is, and whom to ask. */
const AWAY = 'This camera gives no picture at the moment. At home, Porchlight says why.';

export function statusForGuest({ cameraId, state, sinceMs, recording, problem, streams, keeping }: CameraStatus): CameraStatus {
  return {
    cameraId, state, sinceMs, recording,
    problem: problem === null ? null : { cause: problem.cause, sentence: AWAY },
    streams: streams.map((stream) => ({ ...stream, sound: 'none' })),
    clockOffsetMs: null,
    ...(keeping === undefined ? {} : { keeping }),
  };
}

/** Sentences about disks, addresses and programs stay at home; those about the question itself do not. */
export function errorForGuest(error: unknown): WireError {
  const wire = toWire(error);
  const isAboutQuestion = error instanceof PorchlightError && (wire.kind === 'not-allowed' || wire.kind === 'invalid-input' || wire.kind === 'cancelled');
  return isAboutQuestion ? wire : { kind: wire.kind, sentence: 'This cannot be shown at the moment. At home, Porchlight says why.' };
}
