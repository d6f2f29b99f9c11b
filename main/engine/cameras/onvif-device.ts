/**
 * One ONVIF device as the rest of Porchlight sees it: typed questions, strings as the camera sent them, one sentence per
 * failure. The only door to npm onvif, which writes the bodies of operations; sending, logging in and reading are ours,
 * because there it loses cameras, hangs or kills the process (docs/design/cameras.md, "Why not Cam.connect").
 */
import onvif from 'onvif';
import { PorchlightError } from '../../../shared/errors.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import type { CameraDevice } from '../../../shared/model/camera.ts';
import type { DurationMs } from '../../../shared/time.ts';
import { escapeXml, xmlAt, xmlAttribute, xmlChildren, xmlText, type XmlNode } from '../core/xml.ts';
import type { Login } from './http-auth.ts';
import { bareEndpoint } from './identity.ts';
import type { CameraNetwork } from './network.ts';
import { readDeviceInformation, readNetworkInterfaces, readProfiles, readServices, readSystemTime, type MediaProfile, type NetworkInterface, type ServiceName } from './onvif-profiles.ts';
import { atHost, toldUrl } from './rtsp-paths.ts';
import { SoapClient, type SoapCall } from './soap-client.ts';

const { Cam } = onvif;

interface Captured {
  readonly body: string;
}

/** A Cam that writes down what it would send. Its callbacks are never called, so none can be called twice. */
class Composer extends Cam {
  captured: Captured | null = null;

  _request(options: Captured): void {
    this.captured = { body: options.body };
  }

  _envelopeHeader(): string {
    return '';
  }

  _envelopeFooter(): string {
    return '';
  }
}

function compose(write: (cam: Composer) => void, setUp: { readonly media2?: boolean } = {}): string {
  const cam = new Composer({ hostname: 'unused', autoconnect: false });
  Object.assign(cam, { media2Support: setUp.media2 === true });
  write(cam);
  const { body } = forceUnwrap('every operation of the library sends one request', cam.captured);
  return body.replace(/^<s:Envelope[^>]*>\s*<s:Body[^>]*>/, '').replace(/<\/s:Body>\s*<\/s:Envelope>$/, '');
}

const ignore = (): void => undefined;
const DEVICE = 'xmlns="http://www.onvif.org/ver10/device/wsdl"';
const MEDIA2 = 'xmlns="http://www.onvif.org/ver20/media/wsdl"';

export interface Velocity {
  /** -1 (left) to 1 (right). */
  readonly pan: number;
  /** -1 (down) to 1 (up). */
  readonly tilt: number;
  /** -1 (wide) to 1 (near). */
  readonly zoom: number;
}

/** One body per operation; strings passed in are escaped here, which the library does not do. */
export const OPERATIONS = {
  systemDateAndTime: () => compose((cam) => cam.getSystemDateAndTime(ignore)),
  services: () => compose((cam) => cam.getServices(false, ignore)),
  capabilities: () => compose((cam) => cam.getCapabilities(ignore)),
  deviceInformation: () => compose((cam) => cam.getDeviceInformation(ignore)),
  scopes: () => compose((cam) => cam.getScopes(ignore)),
  hostname: () => compose((cam) => cam.getHostname(ignore)),
  networkInterfaces: () => compose((cam) => cam.getNetworkInterfaces(ignore)),
  reboot: () => compose((cam) => cam.systemReboot(ignore)),
  /** Not in the library. */
  endpointReference: () => `<GetEndpointReference ${DEVICE}/>`,
  profiles: () => compose((cam) => cam.getProfiles(ignore)),
  /** The library asks for Type All, which crashes some services; these two are what is read. */
  profiles2: () => `<GetProfiles ${MEDIA2}><Type>VideoSource</Type><Type>VideoEncoder</Type></GetProfiles>`,
  streamUri: (profileToken: string, media2: boolean) => compose((cam) => cam.getStreamUri({ protocol: 'RTSP', profileToken: escapeXml(profileToken) }, ignore), { media2 }),
  snapshotUri: (profileToken: string, media2: boolean) => compose((cam) => cam.getSnapshotUri({ profileToken: escapeXml(profileToken) }, ignore), { media2 }),
  move: (profileToken: string, velocity: Velocity) =>
    compose((cam) => cam.continuousMove({ profileToken: escapeXml(profileToken), x: velocity.pan, y: velocity.tilt, zoom: velocity.zoom }, ignore)),
  stopMoving: (profileToken: string) => compose((cam) => cam.stop({ profileToken: escapeXml(profileToken), panTilt: true, zoom: true }, ignore)),
  presets: (profileToken: string) => compose((cam) => cam.getPresets({ profileToken: escapeXml(profileToken) }, ignore)),
  gotoPreset: (profileToken: string, preset: string) => compose((cam) => cam.gotoPreset({ profileToken: escapeXml(profileToken), preset: escapeXml(preset) }, ignore)),
} as const;

export interface OnvifDeviceOptions {
  /** Device service, http(s)://host:port/path. */
  readonly url: URL;
  readonly login: Login | null;
  readonly allowBasic: boolean;
}

export interface PtzPreset {
  readonly token: string;
  readonly name: string;
}

/** The camera's clock is told in whole seconds; half of one is added so that the error is even. */
const CLOCK_RESOLUTION_MS: DurationMs = 1000;
/** For questions whose answer is worth little: nobody waits for them long. */
const BESIDE: Partial<SoapCall> = { optional: true, timeoutMs: 5000 };

export class OnvifDevice {
  readonly url: URL;
  readonly #network: CameraNetwork;
  readonly #soap: SoapClient;
  #services: Promise<ReadonlyMap<ServiceName, URL>> | null = null;
  #media2 = false;
  #clockOffsetMs: DurationMs | null = null;
  #asked = false;

  constructor(network: CameraNetwork, options: OnvifDeviceOptions) {
    this.url = options.url;
    this.#network = network;
    this.#soap = new SoapClient(network, { login: options.login, allowBasic: options.allowBasic, readClockOffset: () => this.#askTime() });
  }

  get host(): string {
    return this.url.hostname;
  }

  /** The camera's clock minus ours; null until it was read, or where the camera tells none. */
  get clockOffsetMs(): DurationMs | null {
    return this.#clockOffsetMs;
  }

  /** True once the camera took the login (some answer everything to everybody). */
  get loggedIn(): boolean {
    return this.#soap.loggedIn;
  }

  /** Reads the camera's clock. First of all calls, because a login is signed with it. */
  async readClock(): Promise<DurationMs | null> {
    this.#asked = true;
    const offsetMs = await this.#askTime();
    if (offsetMs !== null) this.#soap.setClockOffset(offsetMs);
    return offsetMs;
  }

  async #askTime(): Promise<DurationMs | null> {
    const { clock } = this.#network;
    const sentMs = clock.nowMs();
    try {
      const { body, http } = await this.#soap.call({ url: this.url, body: OPERATIONS.systemDateAndTime(), anonymous: true });
      const toldMs = readSystemTime(body);
      if (toldMs === null) return http.dateMs === null ? null : this.#noteOffset(http.dateMs, sentMs);
      return this.#noteOffset(toldMs, sentMs);
    } catch (error) {
      // Some want a login for this too, or never learnt it; the login's own time is then a guess that is often right.
      if (error instanceof PorchlightError && error.kind === 'bad-answer') return null;
      throw error;
    }
  }

  #noteOffset(toldMs: number, sentMs: number): DurationMs {
    const middleMs = (sentMs + this.#network.clock.nowMs()) / 2;
    this.#clockOffsetMs = Math.round(toldMs + CLOCK_RESOLUTION_MS / 2 - middleMs);
    return this.#clockOffsetMs;
  }

  async #call(url: URL, body: string, more: Partial<SoapCall> = {}): Promise<XmlNode> {
    if (!this.#asked) await this.readClock();
    try {
      return (await this.#soap.call({ url, body, ...more })).body;
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      for (const there of this.#otherPlaces(url, body, error)) {
        try {
          const { body: answer } = await this.#soap.call({ url: there, body, ...more });
          await this.#moveService(url, there);
          return answer;
        } catch (failure) {
          if (!(failure instanceof PorchlightError) || failure.kind !== 'not-a-camera') throw failure;
        }
      }
      throw error;
    }
  }

  /** Where else a service may be that is not where the camera said. */
  #otherPlaces(url: URL, body: string, error: PorchlightError): readonly URL[] {
    // TLS spoken to a plain port breaks off in no particular way.
    const nobodyThere = error.kind === 'refused' || error.kind === 'unreachable' || (error.kind === 'bad-answer' && url.protocol !== this.url.protocol);
    // Announced on a port or scheme that is not there; the device service's own is worth one try.
    if (url.origin !== this.url.origin) return nobodyThere ? [new URL(`${url.pathname}${url.search}`, this.url)] : [];
    if (error.kind !== 'not-a-camera' || url.pathname === this.url.pathname) return [];
    // YooSee announces paths that it does not serve; the usual one beside the device service's, and that itself, are worth a try.
    const name = /xmlns="[^"]*\/ver\d+\/(\w+)\/wsdl"/.exec(body)?.[1] ?? 'media';
    return [new URL(`/onvif/${name}_service`, this.url), this.url].filter((place) => place.pathname !== url.pathname);
  }

  /** Any operation of any service, for the event loop: `body` is one operation element, `header` WS-Addressing elements. */
  async call(service: ServiceName | URL, body: string, more: Pick<SoapCall, 'header' | 'timeoutMs'> = {}): Promise<XmlNode> {
    return await this.#call(service instanceof URL ? service : await this.#serviceUrl(service), body, more);
  }

  async deviceInformation(): Promise<CameraDevice> {
    const device = readDeviceInformation(await this.#call(this.url, OPERATIONS.deviceInformation()));
    if (device === null) throw new PorchlightError('bad-answer', `The camera at ${this.host} did not say what it is.`);
    return device;
  }

  /** Endpoint reference without prefix; null where the camera does not tell it. */
  async endpointReference(): Promise<string | null> {
    const body = await this.#optional(() => this.#call(this.url, OPERATIONS.endpointReference(), BESIDE));
    const told = bareEndpoint(xmlText(body, 'GetEndpointReferenceResponse', 'GUID'));
    return told === '' ? null : told;
  }

  async networkInterfaces(): Promise<NetworkInterface[]> {
    const body = await this.#optional(() => this.#call(this.url, OPERATIONS.networkInterfaces(), BESIDE));
    return body === null ? [] : readNetworkInterfaces(body);
  }

  async scopes(): Promise<string[]> {
    const body = await this.#optional(() => this.#call(this.url, OPERATIONS.scopes(), BESIDE));
    return xmlChildren(xmlAt(body, 'GetScopesResponse'), 'Scopes').map((node) => xmlText(node, 'ScopeItem')).filter((scope) => scope !== '');
  }

  async hostname(): Promise<string> {
    const body = await this.#optional(() => this.#call(this.url, OPERATIONS.hostname(), BESIDE));
    return xmlText(body, 'GetHostnameResponse', 'HostnameInformation', 'Name');
  }

  /** Media profiles through Media2 where it works, else Media1 (D-Link and Milesight advertise a Media2 that does not). */
  async profiles(): Promise<MediaProfile[]> {
    const services = await this.services();
    if (!services.has('media') && !services.has('media2')) throw new PorchlightError('no-video', `The device at ${this.host} offers no video over ONVIF. If it is a camera, paste its rtsp:// address.`);
    if (services.has('media2')) {
      try {
        const profiles = readProfiles(await this.#call(await this.#serviceUrl('media2'), OPERATIONS.profiles2()));
        if (profiles.length > 0 || !services.has('media')) {
          this.#media2 = true;
          return profiles;
        }
      } catch (error) {
        if (!services.has('media') || !isCallFailure(error)) throw error;
        this.#network.log.info(`${this.host}: Media2 does not work, Media1 is used`);
      }
    }
    this.#media2 = false;
    return readProfiles(await this.#call(await this.#serviceUrl('media'), OPERATIONS.profiles()));
  }

  /** RTSP address of a profile, at the host we reach the camera by, with its query and without user information. */
  async streamUri(profileToken: string): Promise<string> {
    const service = await this.#serviceUrl(this.#media2 ? 'media2' : 'media');
    const answer = xmlAt(await this.#call(service, OPERATIONS.streamUri(profileToken, this.#media2)).catch((error: unknown) => {
      if (!(error instanceof PorchlightError) || error.kind !== 'bad-answer') throw error;
      throw new PorchlightError('bad-answer', `The camera at ${this.host} did not say where its stream is. If you know its rtsp:// address, paste that.`, error);
    }), 'GetStreamUriResponse');
    return this.#here(xmlText(answer, 'MediaUri', 'Uri') || xmlText(answer, 'Uri'), ['rtsp:', 'rtsps:']);
  }

  /** HTTP address of a still picture, at the host we reach the camera by. */
  async snapshotUri(profileToken: string): Promise<string> {
    const service = await this.#serviceUrl(this.#media2 ? 'media2' : 'media');
    const answer = xmlAt(await this.#call(service, OPERATIONS.snapshotUri(profileToken, this.#media2)), 'GetSnapshotUriResponse');
    return this.#here(xmlText(answer, 'MediaUri', 'Uri') || xmlText(answer, 'Uri'), ['http:', 'https:']);
  }

  async reboot(): Promise<void> {
    await this.#call(this.url, OPERATIONS.reboot());
  }

  async move(profileToken: string, velocity: Velocity): Promise<void> {
    await this.call('ptz', OPERATIONS.move(profileToken, velocity));
  }

  async stopMoving(profileToken: string): Promise<void> {
    await this.call('ptz', OPERATIONS.stopMoving(profileToken));
  }

  async presets(profileToken: string): Promise<PtzPreset[]> {
    const body = await this.call('ptz', OPERATIONS.presets(profileToken));
    return xmlChildren(xmlAt(body, 'GetPresetsResponse'), 'Preset').map((node) => ({ token: xmlAttribute(node, 'token'), name: xmlText(node, 'Name') }));
  }

  async gotoPreset(profileToken: string, presetToken: string): Promise<void> {
    await this.call('ptz', OPERATIONS.gotoPreset(profileToken, presetToken));
  }

  /** Service addresses at the host we reach the camera by; ports as announced, which may differ from the device service's. */
  services(): Promise<ReadonlyMap<ServiceName, URL>> {
    this.#services ??= this.#readServices().catch((error: unknown) => {
      this.#services = null;
      throw error;
    });
    return this.#services;
  }

  async #readServices(): Promise<ReadonlyMap<ServiceName, URL>> {
    const first = await this.#optional(async () => readServices(await this.#call(this.url, OPERATIONS.services(), { optional: true })));
    const told = first !== null && (first.has('media') || first.has('media2')) ? first : readServices(await this.#call(this.url, OPERATIONS.capabilities()));
    return new Map([...told].map(([name, address]) => [name, this.#serviceAt(address)]));
  }

  #serviceAt(address: string): URL {
    try {
      const url = new URL(address, this.url);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') return this.url;
      // A foreign host is a factory address or the inside of a NAT; then its port means nothing either.
      if (url.hostname !== this.url.hostname) return new URL(`${url.pathname}${url.search}`, this.url);
      return url;
    } catch {
      return this.url;
    }
  }

  async #moveService(from: URL, to: URL): Promise<void> {
    const services = await this.services();
    this.#services = Promise.resolve(new Map([...services].map(([name, url]) => [name, url.href === from.href ? to : url])));
  }

  async #serviceUrl(name: ServiceName): Promise<URL> {
    const url = (await this.services()).get(name);
    if (url === undefined) throw new PorchlightError('not-allowed', `The camera at ${this.host} does not offer this (${name}).`);
    return url;
  }

  #here(address: string, protocols: readonly string[]): string {
    const url = toldUrl(address, protocols[0] === 'rtsp:' ? `rtsp://${this.host}` : this.url.origin);
    if (url === null || !protocols.includes(url.protocol)) throw new PorchlightError('bad-answer', `The camera at ${this.host} gave no usable address of its stream. If you know its rtsp:// address, paste that.`, url?.protocol ?? 'not an address');
    return atHost(url.href, this.host);
  }

  /** Null instead of a refusal that only says "I do not know that". */
  async #optional<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (isCallFailure(error)) return null;
      throw error;
    }
  }
}

/** One operation failed; the camera and the login may well be fine. */
function isCallFailure(error: unknown): boolean {
  return error instanceof PorchlightError && (error.kind === 'bad-answer' || error.kind === 'not-allowed' || error.kind === 'not-a-camera' || error.kind === 'timeout');
}
