/** A camera as configured, and what is known of it at the moment. */
import type { DurationMs, EpochMs } from '../time.ts';
import type { GapCause } from './gap.ts';
import type { CameraId } from './ids.ts';
import { ALWAYS, type Keeping, type RecordingMode } from './recording-mode.ts';

export const STREAM_KINDS = ['main', 'sub'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

export const VIDEO_CODECS = ['h264', 'h265'] as const;
/** Video that is recorded; anything else (MJPEG, MPEG-4) is refused with `codec-not-supported`. */
export type VideoCodec = (typeof VIDEO_CODECS)[number];
export const AUDIO_CODECS = ['aac', 'pcmu', 'pcma', 'g726', 'g722', 'opus', 'mp3', 'other'] as const;
export type AudioCodec = (typeof AUDIO_CODECS)[number];
export const RTSP_TRANSPORTS = ['tcp', 'udp'] as const;
export type RtspTransport = (typeof RTSP_TRANSPORTS)[number];

export interface StreamConfig {
  readonly kind: StreamKind;
  /** rtsp:// or rtsps:// without user information. */
  readonly url: string;
  readonly videoCodec: VideoCodec;
  readonly audioCodec: AudioCodec | null;
  /** Picture size in pixels; 0 where the camera did not say. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; 0 where the camera did not say. */
  readonly fps: number;
  readonly transport: RtspTransport;
  /** ONVIF media profile, by which the stream is found again. */
  readonly profileToken: string | null;
}

export interface CameraDevice {
  readonly maker: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
}

/** What the owner set up; lives in <data>/config/cameras.json, the password apart from it. */
export interface Camera {
  readonly id: CameraId;
  readonly name: string;
  readonly device: CameraDevice;
  /** How it speaks: ONVIF, or a bare RTSP address. */
  readonly origin: 'onvif' | 'rtsp';
  /** ONVIF endpoint reference (urn:uuid:…) or serial, by which it is found again at a new address. */
  readonly identity: string | null;
  /** ONVIF device service, http(s)://host:port/path; null for bare RTSP. */
  readonly deviceUrl: string | null;
  /** ONVIF video source it is, of a device that has several (a recorder, a camera with two lenses); null or absent for a device's only one. */
  readonly sourceToken?: string | null;
  /** Link-layer address, lower case with colons, by which a bare RTSP camera is found again on the same network and ONVIF cameras of one serial are told apart; null or absent where it is not known. */
  readonly mac?: string | null;
  readonly username: string | null;
  readonly streams: readonly StreamConfig[];
  /** Streams kept on disk; always holds `main`. */
  readonly recorded: readonly StreamKind[];
  readonly recordSound: boolean;
  /** Set while the owner has paused recording; null when recording. */
  readonly paused: { readonly sinceMs: EpochMs; readonly untilMs: EpochMs | null } | null;
  readonly addedMs: EpochMs;
  /** Absent: always. */
  readonly recording?: RecordingMode;
}

export function recordingModeOf({ recording }: Pick<Camera, 'recording'>): RecordingMode {
  return recording ?? ALWAYS;
}

export type ConnectionState = 'connecting' | 'live' | 'offline' | 'refused' | 'paused';

/** What was done with a stream's sound, in words for the camera's page. */
export type SoundHandling = 'none' | 'off' | 'copied' | 'transcoded' | 'announced-but-silent';

export interface StreamStatus {
  readonly kind: StreamKind;
  readonly state: ConnectionState;
  readonly recording: boolean;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitsPerSecond: number;
  readonly keyframeDistanceMs: DurationMs | null;
  readonly sound: SoundHandling;
}

export interface CameraStatus {
  readonly cameraId: CameraId;
  readonly state: ConnectionState;
  /** Since when `state` holds. */
  readonly sinceMs: EpochMs;
  readonly recording: boolean;
  /** Why it is not live, as a cause and a sentence that says what happens next; null when live. */
  readonly problem: { readonly cause: GapCause; readonly sentence: string } | null;
  readonly streams: readonly StreamStatus[];
  /** The camera's clock minus ours; null until asked. */
  readonly clockOffsetMs: DurationMs | null;
  /** What is kept of it now, by its mode; absent until that is known. */
  readonly keeping?: Keeping;
  /** Set while the owner's "Record now" goes on. */
  readonly recordNowUntilMs?: EpochMs;
}
