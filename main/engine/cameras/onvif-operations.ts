/**
 * The bodies of ONVIF operations, written by npm onvif: its only door. The library composes; sending, logging in and
 * reading are ours, because there it loses cameras, hangs or kills the process (docs/design/cameras.md, "Why not Cam.connect").
 */
import onvif from 'onvif';
import { forceUnwrap } from '../../../shared/result.ts';
import { escapeXml } from '../core/xml.ts';

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
