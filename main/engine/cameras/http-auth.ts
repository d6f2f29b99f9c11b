/** HTTP and RTSP authentication: challenges read leniently, answers made by RFC 7616, RFC 2617 (RFC 2069 where no qop) and RFC 7617. Pure but for the hash. */
import { createHash } from 'node:crypto';

export interface AuthChallenge {
  readonly scheme: 'digest' | 'basic';
  /** Names in lower case, values unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface DigestRequest {
  readonly method: string;
  /** As on the request line. */
  readonly uri: string;
  readonly body: Uint8Array;
  /** How often this nonce was used, from 1. */
  readonly nonceCount: number;
  readonly clientNonce: string;
}

/** Best first; `-sess` variants follow their base. */
const ALGORITHMS: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512-256': 'sha512-256', md5: 'md5' };

const SCHEMES = new Set(['digest', 'basic', 'bearer', 'negotiate', 'ntlm']);

/** Challenges of any number of WWW-Authenticate headers, several per header too; what is not understood is left out. */
export function parseChallenges(headers: readonly string[]): AuthChallenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const header of headers) {
    let current: Map<string, string> | null = null;
    for (const match of header.slice(0, 4096).matchAll(/([^\s,="]+)(?:\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]*)))?/g)) {
      const name = (match[1] ?? '').toLowerCase();
      const value = match[2]?.replace(/\\(.)/g, '$1') ?? match[3];
      if (value === undefined) {
        // A bare word that names no scheme is noise between parameters.
        if (!SCHEMES.has(name)) continue;
        current = new Map();
        found.push({ scheme: name, parameters: current });
      } else current?.set(name, value);
    }
  }
  return found.flatMap(({ scheme, parameters }) => (scheme === 'digest' || scheme === 'basic' ? [{ scheme, parameters }] : []));
}

/** The strongest digest challenge we can answer, or null. */
export function bestDigest(challenges: readonly AuthChallenge[]): AuthChallenge | null {
  const strength = (challenge: AuthChallenge): number => Object.keys(ALGORITHMS).indexOf(baseAlgorithm(challenge));
  const usable = challenges.filter((challenge) => challenge.scheme === 'digest' && challenge.parameters.has('nonce') && strength(challenge) >= 0);
  return usable.sort((a, b) => strength(a) - strength(b))[0] ?? null;
}

/**
 * The algorithm that keeps ffmpeg, the recorder, from logging in; null where it can. Of several digests it takes the last one, and knows MD5 only,
 * in these letters (libavformat/httpauth.c, version 5.1, tried in both orders).
 */
export function unknownToFfmpeg(challenges: readonly AuthChallenge[]): string | null {
  const algorithm = challenges.findLast((challenge) => challenge.scheme === 'digest')?.parameters.get('algorithm') ?? '';
  return ['', 'MD5', 'MD5-sess'].includes(algorithm) ? null : algorithm;
}

/** True when the server says that only the nonce was too old, not that the password was wrong. */
export function isStale(challenge: AuthChallenge): boolean {
  return challenge.parameters.get('stale')?.toLowerCase() === 'true';
}

function baseAlgorithm(challenge: AuthChallenge): string {
  const stated = (challenge.parameters.get('algorithm') ?? '').toLowerCase();
  return (stated === '' ? 'md5' : stated).replace(/-sess$/, '');
}

/** Value of an Authorization header, in the Latin-1 form that carries UTF-8 bytes. */
export function digestAuthorization(challenge: AuthChallenge, login: Login, request: DigestRequest): string {
  const stated = challenge.parameters.get('algorithm');
  const hashName = ALGORITHMS[baseAlgorithm(challenge)] ?? 'md5';
  const hash = (text: string | Uint8Array): string => createHash(hashName).update(text).digest('hex');
  const realm = challenge.parameters.get('realm') ?? '';
  const nonce = challenge.parameters.get('nonce') ?? '';
  const offered = (challenge.parameters.get('qop') ?? '').toLowerCase().split(/[\s,]+/).filter((word) => word !== '');
  const qop = offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : null;
  const count = request.nonceCount.toString(16).padStart(8, '0');
  const secret = hash(`${login.username}:${realm}:${login.password}`);
  const ha1 = stated?.toLowerCase().endsWith('-sess') === true ? hash(`${secret}:${nonce}:${request.clientNonce}`) : secret;
  const ha2 = hash(qop === 'auth-int' ? `${request.method}:${request.uri}:${hash(request.body)}` : `${request.method}:${request.uri}`);
  const response = hash(qop === null ? `${ha1}:${nonce}:${ha2}` : `${ha1}:${nonce}:${count}:${request.clientNonce}:${qop}:${ha2}`);
  const parts = [`username="${quoted(login.username)}"`, `realm="${quoted(realm)}"`, `nonce="${quoted(nonce)}"`, `uri="${quoted(request.uri)}"`];
  // Some cameras compare `algorithm` with what they sent, and choke on one they did not send.
  if (stated !== undefined) parts.push(`algorithm=${stated}`);
  if (qop !== null) parts.push(`qop=${qop}`, `nc=${count}`, `cnonce="${request.clientNonce}"`);
  parts.push(`response="${response}"`);
  const opaque = challenge.parameters.get('opaque');
  if (opaque !== undefined) parts.push(`opaque="${quoted(opaque)}"`);
  return asHeader(`Digest ${parts.join(', ')}`);
}

/** Sends the password in the clear: only where nothing better is offered and the address was given by the owner. */
export function basicAuthorization(login: Login): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`, 'utf8').toString('base64')}`;
}

function quoted(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replace(/[\r\n]/g, '');
}

function asHeader(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
