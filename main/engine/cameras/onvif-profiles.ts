/** Media profiles, services and device facts read from ONVIF answers (Media ver10 and ver20, Device ver10). Pure. */
import type { CameraDevice } from '../../../shared/model/camera.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { xmlAt, xmlAttribute, xmlChildren, xmlFind, xmlText, type XmlNode } from '../core/xml.ts';

export interface MediaProfile {
  readonly token: string;
  readonly name: string;
  /** The lens it shows; profiles of one lens are one camera. Empty where the camera did not say. */
  readonly sourceToken: string;
  /** Name of the lens's configuration; often no more than "VideoSource_1". */
  readonly sourceName: string;
  /** `other` is a codec we do not record; null where the profile has no encoder or did not say (H.265 seen through Media1). */
  readonly codec: 'h264' | 'h265' | 'mjpeg' | 'other' | null;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly ptz: boolean;
}

/** Profiles with a video source; metadata-only ones are left out. Reads Media1 and Media2 answers. */
export function readProfiles(body: XmlNode): MediaProfile[] {
  const seen = new Set<string>();
  const found: MediaProfile[] = [];
  for (const node of xmlChildren(xmlAt(body, 'GetProfilesResponse'), 'Profiles').slice(0, 256)) {
    const token = xmlAttribute(node, 'token');
    // Media2 puts the configurations under one roof and drops the long names.
    const parts = xmlAt(node, 'Configurations');
    const source = xmlAt(node, 'VideoSourceConfiguration') ?? xmlAt(parts, 'VideoSource');
    const encoder = xmlAt(node, 'VideoEncoderConfiguration') ?? xmlAt(parts, 'VideoEncoder');
    if (token === '' || seen.has(token) || (source === null && encoder === null)) continue;
    seen.add(token);
    found.push({
      token,
      name: xmlText(node, 'Name'),
      sourceToken: xmlText(source, 'SourceToken'),
      sourceName: xmlText(source, 'Name'),
      codec: readCodec(xmlText(encoder, 'Encoding')),
      width: wholeNumber(xmlText(encoder, 'Resolution', 'Width')),
      height: wholeNumber(xmlText(encoder, 'Resolution', 'Height')),
      fps: Number.parseFloat(xmlText(encoder, 'RateControl', 'FrameRateLimit')) || 0,
      ptz: xmlAt(node, 'PTZConfiguration') !== null || xmlAt(parts, 'PTZ') !== null,
    });
  }
  return found;
}

function readCodec(encoding: string): MediaProfile['codec'] {
  const name = encoding.toUpperCase().replace(/^VIDEO\//, '').replace(/[.\s]/g, '');
  if (name === '') return null;
  if (name === 'H264') return 'h264';
  if (name === 'H265' || name === 'HEVC') return 'h265';
  return name === 'JPEG' || name === 'MJPEG' ? 'mjpeg' : 'other';
}

function wholeNumber(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isFinite(value) && value > 0 && value < 100_000 ? value : 0;
}

export type ServiceName = 'device' | 'media' | 'media2' | 'ptz' | 'events' | 'imaging';

const NAMESPACES: readonly (readonly [RegExp, ServiceName])[] = [
  [/ver10\/device\/wsdl/i, 'device'],
  [/ver20\/media\/wsdl/i, 'media2'],
  [/ver10\/media\/wsdl/i, 'media'],
  [/ver20\/ptz\/wsdl/i, 'ptz'],
  [/ver10\/events\/wsdl/i, 'events'],
  [/ver20\/imaging\/wsdl/i, 'imaging'],
];

/** Service addresses as sent, from GetServices or GetCapabilities. */
export function readServices(body: XmlNode): Map<ServiceName, string> {
  const services = new Map<ServiceName, string>();
  for (const node of xmlChildren(xmlAt(body, 'GetServicesResponse'), 'Service')) {
    const name = NAMESPACES.find(([pattern]) => pattern.test(xmlText(node, 'Namespace')))?.[1];
    if (name !== undefined) services.set(name, xmlText(node, 'XAddr'));
  }
  const capabilities = xmlAt(body, 'GetCapabilitiesResponse', 'Capabilities');
  for (const [element, name] of [['Device', 'device'], ['Media', 'media'], ['PTZ', 'ptz'], ['Events', 'events'], ['Imaging', 'imaging']] as const) {
    const address = xmlText(capabilities, element, 'XAddr');
    if (address !== '') services.set(name, address);
  }
  return services;
}

export function readDeviceInformation(body: XmlNode): CameraDevice | null {
  const node = xmlAt(body, 'GetDeviceInformationResponse');
  if (node === null) return null;
  const text = (name: string): string => xmlText(node, name).replace(/[\p{Cc}\p{Cf}]/gu, ' ').trim().slice(0, 128);
  return { maker: text('Manufacturer'), model: text('Model'), firmware: text('FirmwareVersion'), serial: text('SerialNumber') };
}

/** The camera's clock in UTC; null where it tells none. Its resolution is one second. */
export function readSystemTime(body: XmlNode): EpochMs | null {
  const node = xmlAt(body, 'GetSystemDateAndTimeResponse', 'SystemDateAndTime');
  const time = xmlAt(node, 'UTCDateTime') ?? xmlAt(node, 'LocalDateTime');
  const part = (...path: string[]): number => Number.parseInt(xmlText(time, ...path), 10);
  const atMs = Date.UTC(part('Date', 'Year'), part('Date', 'Month') - 1, part('Date', 'Day'), part('Time', 'Hour'), part('Time', 'Minute'), part('Time', 'Second'));
  return Number.isFinite(atMs) ? atMs : null;
}

export interface NetworkInterface {
  readonly name: string;
  /** Lower case with colons; empty where not told. */
  readonly mac: string;
  readonly addresses: readonly string[];
}

export function readNetworkInterfaces(body: XmlNode): NetworkInterface[] {
  return xmlChildren(xmlAt(body, 'GetNetworkInterfacesResponse'), 'NetworkInterfaces').map((node) => ({
    name: xmlText(node, 'Info', 'Name'),
    mac: xmlText(node, 'Info', 'HwAddress').toLowerCase().replace(/-/g, ':'),
    addresses: xmlFind(xmlAt(node, 'IPv4'), 'Address').map((address) => xmlText(address)).filter((address) => address !== ''),
  }));
}
