/** What a person types or pastes as an address, taken apart: where to look, and the login that was in it. Pure. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Login } from './http-auth.ts';

/** Where to look. Hosts carry brackets when they are IPv6. */
export type AddressTarget =
  | { readonly kind: 'host'; readonly host: string; readonly port: number | null }
  /** rtsp:// or rtsps:// without user information. */
  | { readonly kind: 'rtsp'; readonly url: string }
  /** http(s)://host:port/path of a device service. */
  | { readonly kind: 'onvif'; readonly url: string };

export interface TypedAddress {
  readonly target: AddressTarget;
  readonly login: Login | null;
}

/** @throws PorchlightError invalid-input, with a sentence that never repeats what may hold a password. */
export function parseAddress(typed: string): TypedAddress {
  const text = typed.trim().replace(/^["'<]+|["'>]+$/g, '');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  const name = scheme?.[1]?.toLowerCase() ?? '';
  const { login, rest } = splitLogin(text.slice(scheme?.[0].length ?? 0));
  if (rest === '' || /[\s\p{Cc}\\]/u.test(rest) || rest.length > 2048) throw invalid('This is not an address. Type the camera\'s IP address, its name, or its rtsp:// address.');
  if (name === '') return { target: plainTarget(rest), login };
  if (name === 'rtsp' || name === 'rtsps') return { target: { kind: 'rtsp', url: urlOf(`${name}://${rest}`) }, login };
  if (name === 'http' || name === 'https' || name === 'onvif') return { target: webTarget(name === 'onvif' ? 'http' : name, rest), login };
  throw invalid(`Porchlight does not know addresses that begin with ${name}://. Cameras have rtsp:// addresses, or just an IP address.`);
}

/**
 * Login and the rest. Pasted passwords hold @ / : # unescaped, so every @ is a candidate: the one followed by the most
 * likely host wins (an IP address before a name with a dot or port before a bare word).
 */
function splitLogin(text: string): { readonly login: Login | null; readonly rest: string } {
  let best = -1;
  let bestRank = 0;
  const firstSlash = text.search(/[/?#]/);
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const rank = hostRank(text.slice(at + 1));
    // Among equals the last one before the path; a later one would be part of the path.
    if (rank > bestRank || (rank === bestRank && rank > 0 && (firstSlash < 0 || at < firstSlash))) [best, bestRank] = [at, rank];
  }
  // A host in front of the path makes any @ behind it part of the path, unless what follows is an IP address.
  if (best < 0 || (firstSlash >= 0 && best > firstSlash && bestRank <= hostRank(text))) return { login: null, rest: text };
  const user = text.slice(0, best);
  const colon = user.indexOf(':');
  const login = colon < 0 ? { username: decoded(user), password: '' } : { username: decoded(user.slice(0, colon)), password: decoded(user.slice(colon + 1)) };
  return { login: login.username === '' && login.password === '' ? null : login, rest: text.slice(best + 1) };
}

function hostRank(text: string): number {
  const authority = /^(\[[0-9a-f:.%]+\]|[^\s:/?#@[\]]+)(:\d{1,5})?(?=[/?#]|$)/i.exec(text);
  if (authority === null) return 0;
  const host = authority[1] ?? '';
  if (host.startsWith('[') || isIpv4(host)) return 3;
  return host.includes('.') || authority[2] !== undefined ? 2 : 1;
}

function isIpv4(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that is meant as itself.
    return text;
  }
}

function plainTarget(rest: string): AddressTarget {
  // A bare IPv6 address has several colons and no port.
  if (/^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i.test(rest)) return hostTarget(`[${rest.replace(/%.*$/, '')}]`);
  if (/[/?#]/.test(rest)) {
    if (/^[^/?#]+\/$/.test(rest)) return hostTarget(rest.slice(0, -1));
    // "192.168.1.5:554/stream1": only RTSP has paths people pass around.
    return { kind: 'rtsp', url: urlOf(`rtsp://${rest}`) };
  }
  return hostTarget(rest);
}

function hostTarget(authority: string): AddressTarget {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]@]+)(?::(\d+))?$/i.exec(authority);
  const port = match?.[2] === undefined ? null : Number(match[2]);
  const host = match?.[1] ?? '';
  const looksNumeric = /^[\d.]+$/.test(host);
  if (host === '' || (port !== null && (port < 1 || port > 65_535)) || (looksNumeric && !isIpv4(host)) || (!host.startsWith('[') && !/^[\p{L}\p{N}._-]+$/u.test(host))) {
    throw invalid('This is not an address. Type the camera\'s IP address, like 192.168.1.20, its name, or its rtsp:// address.');
  }
  return { kind: 'host', host: host.toLowerCase(), port };
}

function webTarget(scheme: 'http' | 'https', rest: string): AddressTarget {
  const url = new URL(urlOf(`${scheme}://${rest}`));
  // A copied web page of the camera says no more than its host; only a path that is ONVIF's is a device service.
  if (/onvif/i.test(url.pathname)) return { kind: 'onvif', url: url.href };
  return { kind: 'host', host: url.hostname, port: url.port !== '' ? Number(url.port) : scheme === 'https' ? 443 : null };
}

function urlOf(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new PorchlightError('invalid-input', 'This address cannot be read. Check it for missing or extra signs.', error instanceof Error ? error.name : undefined);
  }
  if (url.hostname === '') throw invalid('This address has no host in it.');
  url.username = '';
  url.password = '';
  url.hash = '';
  // UniFi shows addresses with a switch for encrypted media, which recorders do not speak.
  if (url.search === '?enableSrtp') url.search = '';
  return url.href;
}

function invalid(sentence: string): PorchlightError {
  return new PorchlightError('invalid-input', sentence);
}
