/** Owns SOAP 1.2 as cameras speak it: what a request asks, answers, faults (ONVIF Core Specification, sections 5.8 and 5.9). */
import { XMLParser } from 'fast-xml-parser';

export const NAMESPACES = {
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  trt: 'http://www.onvif.org/ver10/media/wsdl',
  tr2: 'http://www.onvif.org/ver20/media/wsdl',
  tptz: 'http://www.onvif.org/ver20/ptz/wsdl',
  timg: 'http://www.onvif.org/ver20/imaging/wsdl',
  tev: 'http://www.onvif.org/ver10/events/wsdl',
  tt: 'http://www.onvif.org/ver10/schema',
  ter: 'http://www.onvif.org/ver10/error',
  tns1: 'http://www.onvif.org/ver10/topics',
  wsnt: 'http://docs.oasis-open.org/wsn/b-2',
  wstop: 'http://docs.oasis-open.org/wsn/t-1',
  wsa: 'http://www.w3.org/2005/08/addressing',
} as const;

export type ServicePrefix = 'tds' | 'trt' | 'tr2' | 'tptz' | 'timg' | 'tev' | 'wsnt';
const SERVICE_PREFIXES: readonly ServicePrefix[] = ['tds', 'trt', 'tr2', 'tptz', 'timg', 'tev', 'wsnt'];

/** An element without its namespace: children by name, attributes with @, text under #text or as the bare value. */
export type XmlNode = { readonly [name: string]: XmlValue };
export type XmlValue = string | XmlNode | readonly (string | XmlNode)[] | undefined;

export interface SoapRequest {
  /** The operation's local name, as GetProfiles. */
  readonly operation: string;
  /** By the operation's namespace; null when it is none of ours. */
  readonly service: ServicePrefix | null;
  readonly body: XmlNode;
  readonly header: XmlNode;
  readonly raw: string;
}

/** Answered as a SOAP fault. */
export class SoapFault extends Error {
  readonly status: number;
  /** Subcodes from the outer to the inner, with prefix: ter:NotAuthorized. */
  readonly subcodes: readonly string[];

  constructor(status: number, subcodes: readonly string[], reason: string) {
    super(reason);
    this.status = status;
    this.subcodes = subcodes;
  }
}

const parser = new XMLParser({ removeNSPrefix: true, ignoreAttributes: false, attributeNamePrefix: '@', parseTagValue: false, parseAttributeValue: false });

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The child of this name as a node; an empty one when it is missing or bare text. Of several the first. */
export function childNode(node: XmlNode, name: string): XmlNode {
  const value = node[name];
  const one = Array.isArray(value) ? (value as readonly (string | XmlNode)[])[0] : value;
  return typeof one === 'object' && !Array.isArray(one) ? (one as XmlNode) : {};
}

/** The text of the child of this name, trimmed; '' when missing. Of several the first. */
export function childText(node: XmlNode, name: string): string {
  const value = node[name];
  const one = Array.isArray(value) ? (value as readonly (string | XmlNode)[])[0] : value;
  if (typeof one === 'string') return one.trim();
  const inner = one === undefined ? undefined : (one as XmlNode)['#text'];
  return typeof inner === 'string' ? inner.trim() : '';
}

/** Reads a request; throws a fault when it is no SOAP. */
export function parseSoap(raw: string): SoapRequest {
  let document: XmlNode;
  try {
    document = parser.parse(raw) as XmlNode;
  } catch {
    throw new SoapFault(400, ['ter:WellFormed'], 'Well-formed Error');
  }
  const envelope = childNode(document, 'Envelope');
  const bodyNode = childNode(envelope, 'Body');
  const operation = Object.keys(bodyNode).find((name) => !name.startsWith('@') && name !== '#text');
  if (operation === undefined) throw new SoapFault(400, ['ter:WellFormed'], 'No operation in the Body');
  const tag = new RegExp(`<(?:([\\w.-]+):)?${operation}(?=[\\s/>])([^>]*)>`).exec(raw);
  const prefix = tag?.[1];
  const declaration = prefix === undefined ? 'xmlns' : `xmlns:${prefix}`;
  const pattern = new RegExp(`\\s${declaration}\\s*=\\s*["']([^"']+)["']`);
  const namespace = pattern.exec(tag?.[2] ?? '')?.[1] ?? pattern.exec(raw)?.[1] ?? '';
  const service = SERVICE_PREFIXES.find((name) => NAMESPACES[name] === namespace) ?? null;
  return { operation, service, body: childNode(bodyNode, operation), header: childNode(envelope, 'Header'), raw };
}

function declarations(): string {
  return Object.entries(NAMESPACES)
    .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
    .join('');
}

/** An answer around this body; `header` goes into the SOAP header. */
export function soapEnvelope(body: string, header = ''): string {
  const head = header === '' ? '' : `<s:Header>${header}</s:Header>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"${declarations()}>${head}<s:Body>${body}</s:Body></s:Envelope>`;
}

export function faultBody(fault: SoapFault): string {
  const nested = fault.subcodes.reduceRight((inner, code) => `<s:Subcode><s:Value>${code}</s:Value>${inner}</s:Subcode>`, '');
  const understand = fault.subcodes[0] === 's:MustUnderstand';
  const code = understand ? '<s:Value>s:MustUnderstand</s:Value>' : `<s:Value>s:Sender</s:Value>${nested}`;
  return `<s:Fault><s:Code>${code}</s:Code><s:Reason><s:Text xml:lang="en">${escapeXml(fault.message)}</s:Text></s:Reason></s:Fault>`;
}

/** xs:dateTime in UTC with a Z. */
export function xmlTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Milliseconds of an xs:duration such as PT1M30S (no years or months), or of a dateTime minus `nowMs`; null if neither. */
export function durationMs(text: string, nowMs: number): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text);
  if (match !== null) {
    const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
    return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  }
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at - nowMs;
}
