/** Where on a host a camera answers: ONVIF and RTSP ports tried side by side, anonymously. */
import { PorchlightError } from '../../../shared/errors.ts';
import { networkError, type CameraNetwork } from './network.ts';
import { OPERATIONS } from './onvif-device.ts';
import { fetchFromCamera, type HttpReply } from './http-client.ts';
import { speaksRtsp } from './rtsp-describe.ts';
import { readSoap, soapEnvelope, soapHeaders } from './soap-message.ts';

/** Usual port, Reolink, Tapo, no-name, Xiongmai, YooSee, https. */
const ONVIF_PORTS = [80, 8000, 2020, 8080, 8899, 5000, 443] as const;
const RTSP_PORTS = [554, 8554] as const;
/** The standard's path, Axis's, Tapo's, one of no-name cameras. */
const DEVICE_PATHS = ['/onvif/device_service', '/onvif/services', '/onvif/service', '/onvif/devices'] as const;
/** As long as a question to a camera may take; who is not there at all is known sooner. */
const KNOCK_TIMEOUT_MS = 10_000;
/** ONVIF tells more than RTSP, and answers later on small cameras. */
const ONVIF_GRACE_MS = 1500;

/** What a host says over WS-Discovery to whoever asks: the first of its devices that is `wanted`, or null. */
export type AskHost = (host: string, wanted: (told: Told) => boolean) => Promise<Told | null>;

export interface Told {
  /** Endpoint reference without prefix; may be empty. */
  readonly endpoint: string;
  /** Its device service at that host, best first. */
  readonly urls: readonly string[];
}

export interface HostEndpoints {
  /** Device services that answered, surest first. */
  readonly onvif: readonly URL[];
  /** rtsp://host:port of what speaks RTSP. */
  readonly rtsp: readonly URL[];
  /** What went wrong everywhere, for the case that nothing was found. */
  readonly failures: readonly PorchlightError[];
}

/**
 * Knocks at all usual ports of `host` (in URL form), or at `port` only. Sends no login. Answers as soon as a sure ONVIF
 * service was found, or a moment after RTSP was; what is still silent then ends by its own time limit. `askHost` finds those at
 * ports and paths of their own.
 */
export async function findEndpoints(network: CameraNetwork, host: string, port: number | null, askHost: AskHost = () => Promise.resolve(null)): Promise<HostEndpoints> {
  const failures: PorchlightError[] = [];
  const services: { readonly url: URL; readonly sure: boolean }[] = [];
  const streams: URL[] = [];
  const enough = new AbortController();
  const noted = async (task: Promise<unknown>): Promise<void> => {
    try {
      await task;
    } catch (error) {
      // Nobody may be waiting for this knock any more, so nothing is thrown from it.
      failures.push(networkError(error, host));
    }
  };
  let isTold = false;
  const knockWhereTold = async (): Promise<void> => {
    const urls = (await askHost(host, () => true))?.urls ?? [];
    isTold = urls.length > 0;
    for (const address of urls) {
      if (enough.signal.aborted) return;
      await noted(
        knockAt(network, new URL(address)).then((found) => {
          services.push(found);
          enough.abort();
        }),
      );
    }
  };
  const knockWeb = async (base: URL): Promise<void> => {
    const found = await knockOnvif(network, base);
    services.push(found);
    if (found.sure) enough.abort();
  };
  const told = port === null ? noted(knockWhereTold()) : Promise.resolve();
  const knockStream = async (url: URL): Promise<void> => {
    await speaksRtsp(network, url.href);
    streams.push(url);
    await network.clock.sleep(ONVIF_GRACE_MS, enough.signal);
    // One that said that it has ONVIF may be slow to answer there.
    if (isTold) await told;
    enough.abort();
  };
  const schemes = (at: number): string[] => (at === 443 ? ['https'] : port === null || at === 554 ? ['http'] : ['http', 'https']);
  const web = (port === null ? ONVIF_PORTS : [port]).flatMap((at) => schemes(at).map((scheme) => noted(knockWeb(new URL(`${scheme}://${host}:${at}`)))));
  const rtsp = (port === null ? RTSP_PORTS : [port]).map((at) => noted(knockStream(new URL(`rtsp://${host}:${at}/`))));
  const satisfied = new Promise<void>((resolve) => enough.signal.addEventListener('abort', () => resolve(), { once: true }));
  await Promise.race([satisfied, Promise.all([...web, told]).then(() => (streams.length > 0 ? undefined : Promise.all(rtsp)))]);
  return { onvif: services.sort((a, b) => Number(b.sure) - Number(a.sure)).map((found) => found.url), rtsp: [...streams], failures: [...failures] };
}

/** Asks the time, which ONVIF answers to everybody. `sure` when SOAP came back, not just a door with a lock. */
async function knockOnvif(network: CameraNetwork, base: URL): Promise<{ readonly url: URL; readonly sure: boolean }> {
  let locked: URL | null = null;
  for (const path of DEVICE_PATHS) {
    const url = new URL(path, base);
    const reply = await ask(network, url);
    if (readSoap(reply.bytes).kind !== 'none') return { url, sure: true };
    if (reply.status === 401) locked ??= url;
    if (reply.status !== 404 && reply.status !== 405) break;
  }
  if (locked !== null) return { url: locked, sure: false };
  throw new PorchlightError('not-a-camera', `A web server answers at ${base.hostname}, but it is no ONVIF camera.`);
}

/** At an address that the device told: a lock is answer enough. @throws PorchlightError where it is no ONVIF service. */
async function knockAt(network: CameraNetwork, url: URL): Promise<{ readonly url: URL; readonly sure: boolean }> {
  const reply = await ask(network, url);
  if (readSoap(reply.bytes).kind !== 'none' || reply.status === 401) return { url, sure: true };
  throw new PorchlightError('not-a-camera', `The device at ${url.hostname} has no ONVIF service at this address.`, `HTTP ${reply.status}`);
}

async function ask(network: CameraNetwork, url: URL): Promise<HttpReply> {
  const body = OPERATIONS.systemDateAndTime();
  return await fetchFromCamera(network.clock, { url, method: 'POST', headers: soapHeaders(body), body: Buffer.from(soapEnvelope('', body)), timeoutMs: KNOCK_TIMEOUT_MS, maxBytes: 262_144 });
}

/** The one sentence for a host where no camera was found. */
export function nothingFound(host: string, failures: readonly PorchlightError[]): PorchlightError {
  const kinds = new Set(failures.map((failure) => failure.kind));
  const first = failures[0];
  const unnamed = failures.find((failure) => failure.message.startsWith('There is no device called'));
  if (unnamed !== undefined) return unnamed;
  if (failures.length === 1 && first !== undefined) return first;
  if (kinds.has('not-a-camera') || kinds.has('bad-answer') || kinds.has('timeout')) {
    return new PorchlightError('not-a-camera', `The device at ${host} answers, but not as a camera. If it is one, switch on ONVIF or RTSP in its own app, or paste its rtsp:// address.`, first);
  }
  if (kinds.has('refused')) {
    return new PorchlightError('refused', `There is a device at ${host}, but it refuses connections where cameras take them. Switch on ONVIF or RTSP in its own app.`, first);
  }
  return new PorchlightError('unreachable', `No answer from ${host}. Check the address, that the camera has power, and that it is on this network.`, first);
}
