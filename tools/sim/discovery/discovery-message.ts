/** Owns the WS-Discovery messages of a camera: Hello, Bye and ProbeMatches (WS-Discovery 2005/04; ONVIF Core, section 7). */
import { randomUUID } from 'node:crypto';
import type { QuirkSet } from '../quirks.ts';
import { escapeXml } from '../onvif/soap.ts';

/** What discovery says about a camera. */
export interface DiscoverableCamera {
  readonly uuid: string;
  readonly quirks: QuirkSet;
  address(): string;
  httpPort(): number;
  scopes(): string[];
}

export type DiscoveryAction = 'Hello' | 'Bye' | 'ProbeMatches' | 'ResolveMatches';

const SHARED_URN = '4c616e74-6572-6e77-6f72-6b7300000000';

function xaddrs(camera: DiscoverableCamera): string | null {
  const { quirks } = camera;
  const own = `http://${camera.address()}:${camera.httpPort()}/onvif/device_service`;
  if (quirks.flag('xaddrs-missing')) return null;
  if (quirks.flag('xaddrs-empty')) return '';
  if (quirks.flag('xaddrs-relative')) return '/onvif/device_service';
  if (quirks.flag('xaddrs-https-only')) return own.replace('http:', 'https:');
  const list = [own];
  if (quirks.flag('xaddrs-foreign-first')) list.unshift('http://192.0.2.77/onvif/device_service');
  if (quirks.flag('xaddrs-link-local-first')) list.unshift('http://169.254.11.12/onvif/device_service');
  if (quirks.flag('xaddrs-ipv6-first')) list.unshift('http://[fe80::4e57:ff:fe00:1]/onvif/device_service');
  if (quirks.flag('xaddrs-spaces')) return `\n        ${list.join('  ')}  ${own.replace('http:', 'https:').replace(/:\d+\//, ':443/')} `;
  return list.join(' ');
}

function matchBody(camera: DiscoverableCamera, uuid: string): string {
  const { quirks } = camera;
  const printer = quirks.flag('printer-types');
  const types = printer ? 'wsdp:Device wprt:PrintDeviceType' : 'dn:NetworkVideoTransmitter tds:Device';
  const scopes = printer ? ['ldap:///ou=printers'] : camera.scopes();
  if (quirks.flag('big-reply')) for (let i = 0; i < 60; i += 1) scopes.push(`onvif://www.onvif.org/extra/scope-number-${i}-${'x'.repeat(20)}`);
  const joined = scopes.map(escapeXml).join(quirks.flag('scopes-newlines') ? '\n      ' : ' ');
  const addresses = xaddrs(camera);
  const addressPart = addresses === null ? '' : `<d:XAddrs>${escapeXml(addresses)}</d:XAddrs>`;
  return `<a:EndpointReference><a:Address>urn:uuid:${uuid}</a:Address></a:EndpointReference><d:Types>${types}</d:Types><d:Scopes>${joined}</d:Scopes>${addressPart}<d:MetadataVersion>1</d:MetadataVersion>`;
}

function envelope(action: DiscoveryAction, body: string, relatesTo: string | null, messageNumber: number): string {
  const to = relatesTo === null ? 'urn:schemas-xmlsoap-org:ws:2005:04:discovery' : 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous';
  const relates = relatesTo === null ? '' : `<a:RelatesTo>${escapeXml(relatesTo)}</a:RelatesTo>`;
  const namespaces = [
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope"',
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"',
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"',
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"',
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"',
    'xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"',
    'xmlns:wprt="http://schemas.microsoft.com/windows/2006/08/wdp/print"',
  ].join(' ');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope ${namespaces}><s:Header><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>${relates}<a:To>${to}</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/${action}</a:Action><d:AppSequence InstanceId="1" MessageNumber="${messageNumber}"/></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

/** A Hello or Bye of this camera. */
export function announcement(camera: DiscoverableCamera, action: 'Hello' | 'Bye', messageNumber: number): string {
  return envelope(action, `<d:${action}>${matchBody(camera, endpointUuid(camera))}</d:${action}>`, null, messageNumber);
}

function endpointUuid(camera: DiscoverableCamera): string {
  return camera.quirks.flag('shared-urn') ? SHARED_URN : camera.uuid;
}

/** The answer to a Probe (or Resolve), as the camera's quirks have it. `invented` names another camera than the real one. */
export function probeMatches(camera: DiscoverableCamera, kind: 'Probe' | 'Resolve', relatesTo: string, messageNumber: number, invented = false): string {
  const { quirks } = camera;
  const element = kind === 'Probe' ? 'ProbeMatch' : 'ResolveMatch';
  const matches: string[] = [];
  if (!quirks.flag('empty-matches')) {
    matches.push(matchBody(camera, invented ? randomUUID() : endpointUuid(camera)));
    for (let i = 1; i < quirks.number('many-matches'); i += 1) {
      const other: DiscoverableCamera = { ...camera, address: () => `192.0.2.${i % 250}`, httpPort: () => 80, scopes: () => camera.scopes(), quirks };
      matches.push(matchBody(other, randomUUID()));
    }
  }
  const related = quirks.flag('wrong-relates-to') ? `urn:uuid:${randomUUID()}` : relatesTo;
  const body = `<d:${element}es>${matches.map((match) => `<d:${element}>${match}</d:${element}>`).join('')}</d:${element}es>`;
  return envelope(`${element}es`, body, related, messageNumber);
}

/** What a Probe asks for, or null when the message is none we answer. */
export function readProbe(text: string): { readonly kind: 'Probe' | 'Resolve' | 'Hello'; readonly messageId: string; readonly types: string; readonly address: string } | null {
  const kind = /<(?:[\w.-]+:)?(Probe|Resolve|Hello)[\s/>]/.exec(text)?.[1] as 'Probe' | 'Resolve' | 'Hello' | undefined;
  const messageId = /<(?:[\w.-]+:)?MessageID[^>]*>\s*([^<\s]+)\s*</.exec(text)?.[1];
  if (kind === undefined || messageId === undefined) return null;
  const types = /<(?:[\w.-]+:)?Types[^>]*>([^<]*)</.exec(text)?.[1]?.trim() ?? '';
  const address = /<(?:[\w.-]+:)?Address[^>]*>\s*(urn:[^<\s]+)\s*</.exec(text)?.[1] ?? '';
  return { kind, messageId, types, address };
}
