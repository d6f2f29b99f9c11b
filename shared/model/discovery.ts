/** Cameras seen on the network before they are added. Everything here is hearsay until a device has authenticated. */
import type { AudioCodec, CameraDevice, StreamConfig, VideoCodec } from './camera.ts';
import type { CameraId } from './ids.ts';

export interface FoundCamera {
  /** Stable while searching: endpoint reference and host. */
  readonly key: string;
  readonly identity: string;
  /** Best address first: http(s)://host:port/path of the device service. */
  readonly deviceUrls: readonly string[];
  readonly host: string;
  readonly maker: string;
  readonly model: string;
  /** The configured camera it is, if it is one. */
  readonly cameraId: CameraId | null;
}

export interface DiscoveryState {
  readonly searching: boolean;
  readonly found: readonly FoundCamera[];
  /** What was searched, and what could not be ("could not search on eth1"). */
  readonly interfaces: readonly { readonly name: string; readonly address: string; readonly problem: string | null }[];
  /** A hint when nothing was found and the system is a likely reason (macOS Local Network permission). */
  readonly hint: string | null;
}

/** What a camera said of itself after it let us in. */
export interface ProbedCamera {
  readonly origin: 'onvif' | 'rtsp';
  readonly identity: string | null;
  readonly deviceUrl: string | null;
  readonly device: CameraDevice;
  readonly suggestedName: string;
  readonly streams: readonly StreamConfig[];
  readonly clockOffsetMs: number | null;
  /** Of a device with several video sources: the one `suggestedName` and `streams` are of; null or absent for a device's only one. */
  readonly sourceToken?: string | null;
  /** Every video source of such a device that can be recorded, in its own order; each becomes a camera. Absent where there is one. */
  readonly sources?: readonly ProbedSource[];
  /** Of a camera on the same network: its link-layer address; null or absent where it is not known. */
  readonly mac?: string | null;
}

/** One lens of a device that has several: a channel of a recorder, an eye of a camera with two. */
export interface ProbedSource {
  readonly token: string;
  /** Its own name, else its number. */
  readonly label: string;
  readonly suggestedName: string;
  readonly streams: readonly StreamConfig[];
}

/** Tracks of one RTSP address as its SDP announces them. */
export interface DescribedStream {
  readonly videoCodec: VideoCodec | 'mjpeg' | 'other' | null;
  readonly audioCodec: AudioCodec | null;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}
