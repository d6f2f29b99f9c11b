/** Owns the seam between a simulated camera and the ONVIF services it offers. */
import type { StreamFormat } from '../media/stream-feed.ts';
import type { QuirkSet } from '../quirks.ts';
import type { SimStream } from '../send-log.ts';
import type { EventHub } from './event-hub.ts';
import type { PtzHead } from './ptz-service.ts';
import type { SoapRequest } from './soap.ts';

/** One stream of one video source; sources count from 1. */
export interface SimProfile {
  readonly source: number;
  readonly stream: SimStream;
}

export interface OnvifHost {
  /** 1 for the first camera. */
  readonly index: number;
  readonly name: string;
  readonly model: string;
  readonly serial: string;
  readonly uuid: string;
  readonly quirks: QuirkSet;
  readonly events: EventHub;
  readonly ptz: PtzHead | null;
  readonly imaging: Map<string, string>;
  address(): string;
  httpPort(): number;
  /** Address of another port where subscriptions may live. */
  otherHttpPort(): number;
  rtspPort(): number;
  hasSub(): boolean;
  /** How many video sources it has; 1 but for recorders and cameras with several lenses. */
  sources(): number;
  format(profile: SimProfile): Promise<StreamFormat>;
  /** Path of the stream, without a leading slash. */
  streamPath(profile: SimProfile): string;
  /** The camera's own clock, which may be wrong; milliseconds since 1970. */
  clockMs(): number;
  reboot(): void;
}

/** Gives the inside of the answer's Body, or throws a SoapFault. */
export type Operation = (request: SoapRequest, host: OnvifHost) => string | Promise<string>;
export type OperationTable = Readonly<Record<string, Operation>>;

export const SERVICE_PATHS = {
  tds: '/onvif/device_service',
  trt: '/onvif/media_service',
  tr2: '/onvif/media2_service',
  tptz: '/onvif/ptz_service',
  timg: '/onvif/imaging_service',
  tev: '/onvif/event_service',
} as const;

/** The address a service is announced under; quirks bend it. */
export function serviceAddress(host: OnvifHost, service: keyof typeof SERVICE_PATHS): string {
  const { quirks } = host;
  const scheme = quirks.flag('https-xaddr') ? 'https' : 'http';
  const address = quirks.flag('wrong-ip-xaddr') ? '192.0.2.77' : host.address();
  const path = service === 'tr2' && quirks.flag('media2-at-device') ? SERVICE_PATHS.tds : SERVICE_PATHS[service];
  return `${scheme}://${address}:${host.httpPort()}${path}`;
}

/** The services this camera says it has. */
export function offeredServices(host: OnvifHost): (keyof typeof SERVICE_PATHS)[] {
  const { quirks } = host;
  const offered: (keyof typeof SERVICE_PATHS)[] = ['tds'];
  if (quirks.flag('single-service')) return offered;
  if (!quirks.flag('media2-only')) offered.push('trt');
  if (!quirks.flag('media1-only')) offered.push('tr2');
  if (host.ptz !== null && !quirks.flag('no-ptz')) offered.push('tptz');
  offered.push('timg');
  if (!quirks.flag('no-events')) offered.push('tev');
  return offered;
}
