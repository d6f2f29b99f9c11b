/** Asks a camera that is not recorded what is wrong with its stream: what an RTSP answer says plainly, the recorder's ffmpeg does not. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import type { Diagnosis } from './health.ts';
import type { Login } from './http-auth.ts';
import type { CameraNetwork } from './network.ts';
import { describeStream, requireRecordable } from './rtsp-describe.ts';

/** What an error says of the camera's own trouble; null where it says none. Pure. */
export function diagnosisOf(error: unknown): Diagnosis | null {
  if (!(error instanceof PorchlightError)) return null;
  if (error.kind === 'not-found') return 'no-such-stream';
  if (error.kind === 'no-video') return 'no-video';
  return error.kind === 'codec-not-supported' ? 'codec' : null;
}

/** One DESCRIBE of the main stream: what is wrong, null when nothing is or it was not told, `nobody` when nobody answers there. */
export async function diagnose(network: CameraNetwork, camera: Camera, login: Login | null): Promise<Diagnosis | null | 'nobody'> {
  const url = camera.streams.find((stream) => stream.kind === 'main')?.url;
  if (url === undefined) return null;
  try {
    requireRecordable(await describeStream(network, { url, login, allowBasic: false }), new URL(url).hostname);
    return null;
  } catch (error) {
    if (!(error instanceof PorchlightError)) throw error;
    // Refusals of the connection and of a viewer are of one kind; only the first leaves nobody to ask.
    const nobody = error.kind === 'unreachable' || error.kind === 'not-a-camera' || (error.kind === 'refused' && error.cause instanceof Error);
    return nobody ? 'nobody' : diagnosisOf(error);
  }
}
