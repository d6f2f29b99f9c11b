/** What a datagram on UDP 3702 says, parsed leniently: pure, and harmless whatever the bytes are (WS-Discovery 2005/04). */
import { decodeXml, parseXml, xmlAt, xmlChildren, xmlFind, xmlText, type XmlNode } from '../core/xml.ts';

/** One device in a ProbeMatches, Hello or Bye. */
export interface DeviceAnnouncement {
  /** Endpoint reference without `urn:uuid:`, in lower case; empty where the device gave none. */
  readonly endpoint: string;
  /** True when its types or scopes say that it is an ONVIF device. */
  readonly isOnvif: boolean;
  readonly scopes: readonly string[];
  /** As sent, split at white space; may be relative, foreign or nonsense. */
  readonly addresses: readonly string[];
}

export interface DiscoveryMessage {
  readonly kind: 'probe-matches' | 'hello' | 'bye';
  /** Id of the probe that is answered, without prefix; empty in Hello and Bye. */
  readonly relatesTo: string;
  readonly devices: readonly DeviceAnnouncement[];
}

/** A UDP datagram cannot be longer; more than this many devices in one are an attack, not a reply. */
const MAX_BYTES = 65_536;
const MAX_DEVICES = 64;
const MAX_WORDS = 64;
const ONVIF_NAMESPACE = /^https?:\/\/(www\.)?onvif\.org\//i;

const KINDS = [
  { kind: 'probe-matches', body: 'ProbeMatches', item: 'ProbeMatch' },
  { kind: 'hello', body: 'Hello', item: null },
  { kind: 'bye', body: 'Bye', item: null },
] as const;

/** The message in a datagram, or null for everything that is none. Never throws. */
export function parseDiscoveryMessage(bytes: Uint8Array): DiscoveryMessage | null {
  if (bytes.length === 0 || bytes.length > MAX_BYTES) return null;
  const text = decodeXml(bytes);
  const envelope = xmlAt(parseXml(text), 'Envelope');
  const body = xmlAt(envelope, 'Body');
  if (body === null) return null;
  const namespaces = declaredNamespaces(text);
  for (const { kind, body: name, item } of KINDS) {
    const element = xmlAt(body, name);
    if (element === null) continue;
    const nodes = item === null ? [element] : xmlChildren(element, item);
    return {
      kind,
      relatesTo: bareUuid(xmlText(envelope, 'Header', 'RelatesTo')),
      devices: nodes.slice(0, MAX_DEVICES).map((node) => announcement(node, namespaces)),
    };
  }
  return null;
}

/** An id without the prefixes devices put before it or leave out. */
export function bareUuid(text: string): string {
  return text.trim().toLowerCase().replace(/^urn:/, '').replace(/^uuid:/, '');
}

function announcement(node: XmlNode, namespaces: ReadonlyMap<string, string>): DeviceAnnouncement {
  const scopes = scopesOf(words(xmlText(node, 'Scopes')));
  const types = words(xmlText(node, 'Types'));
  return {
    endpoint: bareUuid(xmlText(xmlFind(node, 'EndpointReference')[0] ?? null, 'Address')).slice(0, 256),
    isOnvif: types.some((type) => isOnvifType(type, namespaces)) || scopes.some((scope) => scope.toLowerCase().startsWith('onvif://')),
    scopes,
    addresses: words(xmlText(node, 'XAddrs')),
  };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '').slice(0, MAX_WORDS);
}

/** Some leave blanks in a scope as they are (thingino: `onvif://www.onvif.org/name/Wyze Cam V3`): a word that begins no URI goes on with the one before. */
function scopesOf(parts: readonly string[]): string[] {
  const scopes: string[] = [];
  for (const part of parts) {
    const before = scopes.at(-1);
    if (before === undefined || /^[a-z][a-z0-9+.-]*:/i.test(part)) scopes.push(part);
    else scopes[scopes.length - 1] = `${before} ${part}`;
  }
  return scopes;
}

/** `Device` alone is also what printers are (wsdp:Device), so its prefix must be ONVIF's or not be declared at all. */
function isOnvifType(type: string, namespaces: ReadonlyMap<string, string>): boolean {
  const [prefix, local] = type.includes(':') ? [type.slice(0, type.indexOf(':')), type.slice(type.indexOf(':') + 1)] : ['', type];
  if (local === 'NetworkVideoTransmitter') return true;
  if (local !== 'Device') return false;
  const namespace = namespaces.get(prefix);
  return namespace === undefined ? prefix === 'tds' : ONVIF_NAMESPACE.test(namespace);
}

function declaredNamespaces(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const match of text.matchAll(/\sxmlns:([\w.-]+)\s*=\s*["']([^"']*)["']/g)) {
    found.set(match[1] ?? '', match[2] ?? '');
    if (found.size > 100) break;
  }
  return found;
}
