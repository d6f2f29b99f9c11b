/** Who an ONVIF device is and which streams of it can be recorded, asked in the order a login needs. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { DurationMs } from '../../../shared/time.ts';
import type { CameraDevice, StreamConfig } from '../../../shared/model/camera.ts';
import type { Login } from './http-auth.ts';
import { chooseIdentity } from './identity.ts';
import { lensesOf, lensLabels, type Lens } from './lenses.ts';
import type { CameraNetwork } from './network.ts';
import { OnvifDevice } from './onvif-device.ts';
import type { MediaProfile } from './onvif-profiles.ts';
import { describeStream, requireRecordable } from './rtsp-describe.ts';
import { candidateProfiles, chooseStreams, type CandidateStream } from './stream-choice.ts';

/** One lens that can be recorded. */
export interface OnvifSource {
  /** Empty where the device names none. */
  readonly token: string;
  readonly label: string;
  readonly streams: readonly StreamConfig[];
}

export interface OnvifFindings {
  readonly deviceUrl: string;
  readonly identity: string | null;
  readonly endpoint: string | null;
  readonly device: CameraDevice;
  readonly name: string;
  /** At least one; several for a recorder or a camera with several lenses. */
  readonly sources: readonly OnvifSource[];
  readonly clockOffsetMs: DurationMs | null;
}

export interface OnvifProbeOptions {
  readonly url: URL;
  readonly login: Login | null;
  readonly allowBasic: boolean;
  /** Endpoint reference it was found by; empty or null where it was not. */
  readonly foundAs: string | null;
}

/** A recorder with many channels that do not answer must not keep the owner waiting for ever. */
const LENSES_WITHIN_MS: DurationMs = 60_000;

/** @throws PorchlightError of any kind the contract names for adding a camera. */
export async function probeOnvif(network: CameraNetwork, options: OnvifProbeOptions): Promise<OnvifFindings> {
  const device = new OnvifDevice(network, options);
  await device.readClock();
  // First question that needs the password: connect-like calls answer everybody and prove nothing.
  const information = await informationOf(network, device);
  const profiles = await device.profiles();
  if (profiles.length === 0) throw new PorchlightError('no-video', `The camera at ${device.host} offers no video.`);
  const sources = await describeLenses(network, device, lensesOf(profiles), options);
  const endpoint = await beside(() => device.endpointReference(), null);
  return {
    deviceUrl: options.url.href,
    identity: chooseIdentity(endpoint, options.foundAs, information),
    endpoint,
    device: information,
    name: suggestName(information, await beside(() => device.scopes(), []), await beside(() => device.hostname(), ''), device.host),
    sources,
    clockOffsetMs: device.clockOffsetMs,
  };
}

/** What the camera says it is; nothing where it can say nothing sensible. Its profiles ask for the password too. */
async function informationOf(network: CameraNetwork, device: OnvifDevice): Promise<CameraDevice> {
  try {
    return await device.deviceInformation();
  } catch (error) {
    if (!(error instanceof PorchlightError) || error.kind !== 'bad-answer') throw error;
    network.log.info(`${device.host}: does not say what it is: ${error.message}`);
    return { maker: '', model: '', firmware: '', serial: '' };
  }
}

/** A question at the end of a probe that has all it needs: whatever goes wrong with it, the camera can be recorded. */
async function beside<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof PorchlightError) return otherwise;
    throw error;
  }
}

/** Every lens that can be recorded. @throws PorchlightError why none can, or that the password is refused. */
async function describeLenses(network: CameraNetwork, device: OnvifDevice, lenses: readonly Lens[], options: OnvifProbeOptions): Promise<OnvifSource[]> {
  const labels = lensLabels(lenses);
  const found: OnvifSource[] = [];
  let failure: PorchlightError | null = null;
  const untilMs = network.clock.monotonicMs() + LENSES_WITHIN_MS;
  for (const [index, lens] of lenses.entries()) {
    try {
      if (found.length > 0 && network.clock.monotonicMs() > untilMs) throw new PorchlightError('timeout', `The device at ${device.host} took too long to tell of all its cameras. Add it once more for the others.`);
      const streams = await describeLens(network, device, lens, options);
      // One picture under two sources is one camera.
      if (!found.some((one) => one.streams[0]?.url === streams[0]?.url)) found.push({ token: lens.token, label: labels[index] ?? '', streams });
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      // A channel that this user may not see; the password itself is known to be right.
      if (error.kind === 'wrong-password' && found.length === 0) throw error;
      if (lenses.length > 1) network.log.info(`${device.host}: video source ${lens.token} cannot be recorded: ${error.message}`);
      failure ??= error;
    }
  }
  if (found.length === 0) throw failure ?? new PorchlightError('no-video', `The camera at ${device.host} offers no video.`);
  return found;
}

/** Stream configurations of one lens; each is known to answer a DESCRIBE with video that is recorded. */
export async function describeLens(network: CameraNetwork, device: OnvifDevice, lens: Lens, options: Pick<OnvifProbeOptions, 'login' | 'allowBasic'>): Promise<StreamConfig[]> {
  const candidates = candidateProfiles(lens.profiles);
  if (candidates.length === 0) throw new PorchlightError('codec-not-supported', `The camera at ${device.host} offers no H.264 or H.265 video. Set its video to H.264 in its own settings.`);
  const described: CandidateStream[] = [];
  let failure: PorchlightError | null = null;
  for (const profile of candidates) {
    try {
      const stream = await describeProfile(network, device, profile, options);
      if (!described.some((one) => one.url === stream.url)) described.push(stream);
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      // A password that was refused once must not be sent again for the next profile.
      if (error.kind === 'wrong-password') {
        throw device.loggedIn ? new PorchlightError('wrong-password', `The camera at ${device.host} takes this login, but not for its video stream. It may want another user for RTSP.`, error) : error;
      }
      network.log.info(`${device.host}: profile ${profile.token} cannot be recorded: ${error.message}`);
      failure ??= error;
      // A channel of a recorder without a camera behind it keeps everybody waiting.
      if (error.kind === 'timeout' && described.length === 0) break;
    }
  }
  const streams = chooseStreams(described);
  if (streams.length === 0) throw failure ?? new PorchlightError('no-video', `The camera at ${device.host} offers no video.`);
  return streams;
}

/** One profile as a stream, known to answer a DESCRIBE with video that is recorded. */
export async function describeProfile(network: CameraNetwork, device: OnvifDevice, profile: MediaProfile, options: Pick<OnvifProbeOptions, 'login' | 'allowBasic'>): Promise<CandidateStream> {
  const url = await device.streamUri(profile.token);
  const described = await describeStream(network, { url, login: options.login, allowBasic: options.allowBasic });
  const stream = requireRecordable(described, device.host);
  return {
    url,
    videoCodec: stream.videoCodec,
    audioCodec: stream.audioCodec,
    width: stream.width || profile.width,
    height: stream.height || profile.height,
    fps: stream.fps || profile.fps,
    transport: 'tcp',
    profileToken: profile.token,
  };
}

const DULL_NAMES = /^(ip ?cam(era)?|network ?camera|nvt|onvif|camera|device|unknown|localhost|ipc|default|hostname|none)?$/i;

/** A name a person would recognise: the camera's own, else its host name, else maker and model. */
function suggestName(device: CameraDevice, scopes: readonly string[], hostname: string, host: string): string {
  const scoped = scopes.map((scope) => /^onvif:\/\/www\.onvif\.org\/name\/(.+)$/i.exec(scope)?.[1]).find((name) => name !== undefined) ?? '';
  const own = [unescaped(scoped).replace(/[_+]/g, ' '), hostname].map(clean).find((name) => !isDull(name, device));
  if (own !== undefined) return own;
  const maker = clean(device.maker);
  const model = clean(device.model);
  const both = model.toLowerCase().startsWith(maker.toLowerCase()) ? model : `${maker} ${model}`.trim();
  return both === '' ? `Camera at ${host}` : both.slice(0, 60);
}

/** Says nothing beyond what maker, model and address already do. */
function isDull(name: string, device: CameraDevice): boolean {
  const lower = name.toLowerCase();
  const known = [device.maker, device.model, `${device.maker} ${device.model}`, device.serial].map((part) => part.trim().toLowerCase());
  return DULL_NAMES.test(name) || known.includes(lower) || /^[\d.]+$/.test(name) || /^[0-9a-f:-]{12,}$/i.test(name);
}

function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').replace(/\s+/g, ' ').trim().slice(0, 60);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
