/** Asks a device that is known to be the right one for the addresses of its streams anew: they change with its address and with its firmware. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera, StreamConfig } from '../../../shared/model/camera.ts';
import type { Login } from './http-auth.ts';
import { lensesOf } from './lenses.ts';
import type { CameraNetwork } from './network.ts';
import type { OnvifDevice } from './onvif-device.ts';
import { describeLens, describeProfile } from './onvif-probe.ts';

/**
 * The camera's streams as the device serves them now: by the profiles it had, else chosen anew from its video source.
 * Each answered a DESCRIBE, with a login no stranger can use.
 * @throws PorchlightError when its main stream is not to be had.
 */
export async function streamsAnew(network: CameraNetwork, device: OnvifDevice, camera: Camera, login: Login | null): Promise<StreamConfig[]> {
  const options = { login, allowBasic: false };
  // Decides between Media1 and Media2 too.
  const profiles = await device.profiles();
  const streams: StreamConfig[] = [];
  let failure: PorchlightError | null = null;
  for (const stream of camera.streams) {
    const profile = profiles.find((one) => one.token === stream.profileToken);
    if (profile === undefined) continue;
    try {
      const now = await describeProfile(network, device, profile, options);
      // What did not change must not look changed: an SDP that tells no size or rate is no news.
      streams.push({ ...stream, url: now.url, videoCodec: now.videoCodec, audioCodec: now.audioCodec, width: now.width || stream.width, height: now.height || stream.height, fps: now.fps || stream.fps });
    } catch (error) {
      if (!(error instanceof PorchlightError) || error.kind === 'wrong-password' || error.kind === 'unreachable') throw error;
      failure ??= error;
    }
  }
  if (streams.some((stream) => stream.kind === 'main')) return streams;
  const lenses = lensesOf(profiles);
  const wanted = camera.sourceToken ?? null;
  const lens = wanted === null ? (lenses.length === 1 ? lenses[0] : undefined) : lenses.find((one) => one.token === wanted);
  if (lens === undefined) throw failure ?? new PorchlightError('no-video', `The device at ${device.host} does not offer this camera any more.`);
  return await describeLens(network, device, lens, options);
}
