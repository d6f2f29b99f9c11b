/** Lenient, bounded reading of XML that devices send: never throws on garbage, expands no entity a sender declared. */
import { XMLParser } from 'fast-xml-parser';

/** An element as the parser leaves it: text, or attributes (`@name`), text (`#text`) and children by local name. */
export type XmlNode = string | { readonly [name: string]: unknown };

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  // Serial numbers, tokens and versions must stay the strings they are ("5.10", "000").
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
});

/**
 * Text of an XML message: byte order mark first, then the declared encoding, else UTF-8; bytes that are no UTF-8 are
 * read as Latin-1, which is what cameras that lie about it mean.
 */
export function decodeXml(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const declared = /^[^<]*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']/i.exec(head)?.[1] ?? 'utf-8';
  for (const label of [declared, 'latin1']) {
    try {
      return new TextDecoder(label, { fatal: true }).decode(bytes);
    } catch {
      continue;
    }
  }
  return '';
}

/** The document as a tree, or null where the text is none. Documents with a DTD are refused: SOAP has none, entity bombs do. */
export function parseXml(text: string): XmlNode | null {
  if (!text.includes('<') || /<!DOCTYPE|<!ENTITY/i.test(text)) return null;
  try {
    const tree: unknown = parser.parse(text);
    return isNode(tree) ? tree : null;
  } catch {
    return null;
  }
}

function isNode(value: unknown): value is XmlNode {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

/** All children of that local name, in order. */
export function xmlChildren(node: XmlNode | null, name: string): XmlNode[] {
  if (node === null || typeof node === 'string' || !Object.hasOwn(node, name)) return [];
  const value = node[name];
  return (Array.isArray(value) ? (value as unknown[]) : [value]).filter(isNode);
}

/** The first element along a path of local names, or null. */
export function xmlAt(node: XmlNode | null, ...path: readonly string[]): XmlNode | null {
  let at = node;
  for (const name of path) at = xmlChildren(at, name)[0] ?? null;
  return at;
}

/** Trimmed text of the element along a path; empty where it is missing. */
export function xmlText(node: XmlNode | null, ...path: readonly string[]): string {
  const at = xmlAt(node, ...path);
  if (at === null) return '';
  if (typeof at === 'string') return at.trim();
  const text = at['#text'];
  return typeof text === 'string' ? text.trim() : '';
}

/** An attribute by its local name; empty where it is missing. */
export function xmlAttribute(node: XmlNode | null, name: string): string {
  if (node === null || typeof node === 'string') return '';
  const value = node[`@${name}`];
  return typeof value === 'string' ? value : '';
}

/** Every element of that local name at any depth, in document order per level. */
export function xmlFind(node: XmlNode | null, name: string): XmlNode[] {
  if (node === null || typeof node === 'string') return [];
  const found = xmlChildren(node, name);
  for (const key of Object.keys(node)) {
    if (key.startsWith('@') || key === '#text') continue;
    for (const child of xmlChildren(node, key)) found.push(...xmlFind(child, name));
  }
  return found;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Text made safe for element content and attribute values; signs XML 1.0 cannot carry are left out. */
export function escapeXml(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\uFFFD]/g, '').replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);
}
