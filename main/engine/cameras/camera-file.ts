/** The grammar of <data>/config/cameras.json: written from cameras, read back with every field checked. Pure. */
import { PorchlightError } from '../../../shared/errors.ts';
import { AUDIO_CODECS, RTSP_TRANSPORTS, STREAM_KINDS, VIDEO_CODECS, type Camera, type CameraDevice, type StreamConfig } from '../../../shared/model/camera.ts';
import { isCameraId } from '../../../shared/model/ids.ts';
import { readRecording } from './recording-file.ts';

export interface CameraFile {
  readonly format: 1;
  /** In the order the owner put them. */
  readonly cameras: readonly Camera[];
  /** Taken off the list; their footage stays and they can come back. */
  readonly removed: readonly Camera[];
}

export const EMPTY_CAMERA_FILE: CameraFile = { format: 1, cameras: [], removed: [] };

export function writeCameraFile(file: CameraFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The file, or null where it is damaged. @throws PorchlightError where a newer version of Porchlight wrote it. */
export function readCameraFile(text: string): CameraFile | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || typeof value.format !== 'number') return null;
  if (value.format > 1) throw new PorchlightError('database-from-future', 'The list of cameras was written by a newer version of Porchlight. Install that version again.');
  const cameras = readAll(value.cameras);
  const removed = readAll(value.removed);
  return cameras === null || removed === null ? null : { format: 1, cameras, removed };
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readAll(value: unknown): Camera[] | null {
  if (!Array.isArray(value)) return null;
  const cameras = value.map(readCamera);
  return cameras.some((camera) => camera === null) ? null : cameras.filter((camera) => camera !== null);
}

function readCamera(value: unknown): Camera | null {
  if (!isRecord(value) || typeof value.id !== 'string' || !isCameraId(value.id)) return null;
  const device = readDevice(value.device);
  const streams = Array.isArray(value.streams) ? value.streams.map(readStream) : [];
  const { origin, addedMs } = value;
  if (device === null || (origin !== 'onvif' && origin !== 'rtsp') || typeof addedMs !== 'number' || typeof value.name !== 'string') return null;
  if (streams.length === 0 || streams.some((stream) => stream === null)) return null;
  const recording = readRecording(value.recording);
  const recorded = Array.isArray(value.recorded) ? STREAM_KINDS.filter((kind) => (value.recorded as unknown[]).includes(kind)) : [];
  return {
    id: value.id,
    name: value.name,
    device,
    origin,
    identity: textOrNull(value.identity),
    deviceUrl: textOrNull(value.deviceUrl),
    sourceToken: textOrNull(value.sourceToken),
    mac: textOrNull(value.mac),
    username: textOrNull(value.username),
    streams: streams.filter((stream) => stream !== null),
    recorded: recorded.includes('main') ? recorded : ['main', ...recorded],
    recordSound: value.recordSound === true,
    paused: readPause(value.paused),
    addedMs,
    ...(recording === undefined ? {} : { recording }),
  };
}

function readDevice(value: unknown): CameraDevice | null {
  if (!isRecord(value)) return null;
  const text = (field: unknown): string => (typeof field === 'string' ? field : '');
  return { maker: text(value.maker), model: text(value.model), firmware: text(value.firmware), serial: text(value.serial) };
}

function readStream(value: unknown): StreamConfig | null {
  if (!isRecord(value) || typeof value.url !== 'string') return null;
  const kind = STREAM_KINDS.find((one) => one === value.kind);
  const videoCodec = VIDEO_CODECS.find((one) => one === value.videoCodec);
  const transport = RTSP_TRANSPORTS.find((one) => one === value.transport);
  if (kind === undefined || videoCodec === undefined || transport === undefined) return null;
  const number = (field: unknown): number => (typeof field === 'number' && Number.isFinite(field) ? field : 0);
  return {
    kind,
    url: value.url,
    videoCodec,
    audioCodec: AUDIO_CODECS.find((one) => one === value.audioCodec) ?? null,
    width: number(value.width),
    height: number(value.height),
    fps: number(value.fps),
    transport,
    profileToken: textOrNull(value.profileToken),
  };
}

function readPause(value: unknown): Camera['paused'] {
  if (!isRecord(value) || typeof value.sinceMs !== 'number') return null;
  return { sinceMs: value.sinceMs, untilMs: typeof value.untilMs === 'number' ? value.untilMs : null };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
