/** Owns the check of HTTP and RTSP logins: Basic (RFC 7617) and Digest with MD5 and SHA-256 (RFC 7616), and lockout. */
import { createHash, randomBytes } from 'node:crypto';
import type { QuirkSet } from './quirks.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type AuthScheme = 'digest' | 'sha256' | 'both' | 'basic' | 'none';

const LOCKOUT_MS = 30 * 60_000;
const NONCES_KEPT = 1000;

/** Counts wrong logins of one camera, over RTSP and ONVIF together. */
export class Lockout {
  #wrong = 0;
  #wrongInAll = 0;
  #untilMs = 0;
  readonly #quirks: QuirkSet;

  constructor(quirks: QuirkSet) {
    this.#quirks = quirks;
  }

  /** Takes the outcome of a check and gives the one that counts: locked out means wrong, whatever was sent. */
  judge(right: boolean): boolean {
    const limit = this.#quirks.number('lockout');
    if (limit > 0 && performance.now() < this.#untilMs) return false;
    if (right) {
      this.#wrong = 0;
      return true;
    }
    this.#wrong += 1;
    this.#wrongInAll += 1;
    if (limit > 0 && this.#wrong >= limit) this.#untilMs = performance.now() + LOCKOUT_MS;
    return false;
  }

  get wrongLogins(): number {
    return this.#wrong;
  }

  /** Since the camera was made, right ones in between or not. */
  get wrongLoginsInAll(): number {
    return this.#wrongInAll;
  }
}

function hash(algorithm: 'md5' | 'sha256', text: string): string {
  return createHash(algorithm).update(text, 'utf8').digest('hex');
}

/** The parameters of an Authorization header, names in lower case. */
export function parseAuthorization(header: string): { scheme: string; parameters: ReadonlyMap<string, string>; rest: string } {
  const space = header.indexOf(' ');
  const scheme = (space < 0 ? header : header.slice(0, space)).toLowerCase();
  const rest = space < 0 ? '' : header.slice(space + 1);
  const parameters = new Map<string, string>();
  for (const match of rest.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    parameters.set((match[1] ?? '').toLowerCase(), (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  return { scheme, parameters, rest };
}

export interface AuthGateOptions {
  readonly realm: string;
  readonly credentials: () => Credentials;
  readonly scheme: () => AuthScheme;
  readonly quirks: QuirkSet;
  readonly lockout: Lockout;
}

/** One camera's doorman for RTSP or for HTTP. */
export class AuthGate {
  readonly #options: AuthGateOptions;
  readonly #nonces = new Map<string, { readonly used: boolean }>();

  constructor(options: AuthGateOptions) {
    this.#options = options;
  }

  /** The WWW-Authenticate values to send with a 401. */
  challenges(stale = false): string[] {
    const { realm, quirks } = this.#options;
    const scheme = this.#options.scheme();
    if (scheme === 'basic') return [`Basic realm="${realm}"`];
    const nonce = randomBytes(16).toString('hex');
    // After a stale one the next is good, or nobody would ever get in.
    this.#nonces.set(nonce, { used: stale });
    const oldest = this.#nonces.keys().next();
    if (this.#nonces.size > NONCES_KEPT && oldest.value !== undefined) this.#nonces.delete(oldest.value);
    const name = quirks.flag('digest-lower-case') ? 'digest' : 'Digest';
    const qop = quirks.flag('digest-qop-space') ? 'auth, auth-int' : 'auth';
    const odd = quirks.flag('digest-odd-parameters') ? ', x-vendor-tag="a=b,c", x-empty=' : '';
    // The realm first, as cameras have it: some clients (live555's) read nothing else.
    const tail = `realm="${realm}", nonce="${nonce}", qop="${qop}"${stale ? ', stale=true' : ''}${odd}`;
    const values: string[] = [];
    if (scheme === 'sha256' || scheme === 'both') values.push(`${name} ${tail}, algorithm=SHA-256`);
    if (scheme === 'digest' || scheme === 'both') values.push(`${name} ${tail}, algorithm=MD5`);
    return values;
  }

  /** Whether this login opens the door. `stale` asks for the same login with a new nonce; it counts as no attempt. */
  check(method: string, authorization: string | undefined): { readonly ok: boolean; readonly stale: boolean } {
    if (this.#options.quirks.flag('connection-limit')) return { ok: false, stale: false };
    const scheme = this.#options.scheme();
    if (scheme === 'none') return { ok: true, stale: false };
    if (authorization === undefined) return { ok: false, stale: false };
    const given = parseAuthorization(authorization);
    if (given.scheme === 'basic' && scheme === 'basic') return { ok: this.#options.lockout.judge(this.#basicRight(given.rest)), stale: false };
    if (given.scheme !== 'digest' || scheme === 'basic') return { ok: false, stale: false };
    const nonce = this.#nonces.get(given.parameters.get('nonce') ?? '');
    if (nonce === undefined) return { ok: false, stale: true };
    if (this.#options.quirks.flag('digest-stale') && !nonce.used) {
      this.#nonces.delete(given.parameters.get('nonce') ?? '');
      return { ok: false, stale: true };
    }
    return { ok: this.#options.lockout.judge(this.#digestRight(method, given.parameters)), stale: false };
  }

  #basicRight(rest: string): boolean {
    const { username, password } = this.#options.credentials();
    return Buffer.from(rest, 'base64').toString('utf8') === `${username}:${password}`;
  }

  #digestRight(method: string, parameters: ReadonlyMap<string, string>): boolean {
    const { username, password } = this.#options.credentials();
    const algorithm = (parameters.get('algorithm') ?? 'MD5').toUpperCase() === 'SHA-256' ? 'sha256' : 'md5';
    const scheme = this.#options.scheme();
    if (algorithm === 'sha256' && scheme === 'digest') return false;
    if (algorithm === 'md5' && scheme === 'sha256') return false;
    if (parameters.get('username') !== username) return false;
    const ha1 = hash(algorithm, `${username}:${this.#options.realm}:${password}`);
    const ha2 = hash(algorithm, `${method}:${parameters.get('uri') ?? ''}`);
    const nonce = parameters.get('nonce') ?? '';
    const qop = parameters.get('qop');
    const middle = qop === undefined ? nonce : `${nonce}:${parameters.get('nc') ?? ''}:${parameters.get('cnonce') ?? ''}:${qop}`;
    return parameters.get('response') === hash(algorithm, `${ha1}:${middle}:${ha2}`);
  }
}
