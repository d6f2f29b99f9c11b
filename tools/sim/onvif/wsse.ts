/** Owns the check of WS-Security UsernameToken (WSS UsernameToken Profile 1.0; ONVIF Core Specification 5.9.4). */
import { createHash } from 'node:crypto';
import type { Credentials, Lockout } from '../auth-gate.ts';
import type { QuirkSet } from '../quirks.ts';
import { SoapFault, childNode, childText, type XmlNode } from './soap.ts';

/** base64(SHA-1(nonce + created + password)), the password as UTF-8. */
export function passwordDigest(nonce: Buffer, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created, 'utf8').update(password, 'utf8').digest('base64');
}

/** Whether a UsernameToken is there at all. */
export function hasUsernameToken(header: XmlNode): boolean {
  return Object.keys(childNode(childNode(header, 'Security'), 'UsernameToken')).length > 0;
}

export class WsseCheck {
  readonly #seenNonces = new Set<string>();
  readonly #quirks: QuirkSet;
  readonly #credentials: () => Credentials;
  readonly #lockout: Lockout;
  readonly #clockMs: () => number;

  constructor(quirks: QuirkSet, credentials: () => Credentials, lockout: Lockout, clockMs: () => number) {
    this.#quirks = quirks;
    this.#credentials = credentials;
    this.#lockout = lockout;
    this.#clockMs = clockMs;
  }

  /** Throws the fault a camera answers when the token does not open the door. */
  check(header: XmlNode): void {
    if (this.#quirks.flag('connection-limit')) throw new SoapFault(400, ['ter:NotAuthorized'], 'Sender not Authorized');
    const token = childNode(childNode(header, 'Security'), 'UsernameToken');
    const created = childText(token, 'Created');
    const nonce = childText(token, 'Nonce');
    const windowS = this.#quirks.number('created-window');
    const awayMs = Math.abs(Date.parse(created) - this.#clockMs());
    if (windowS > 0 && !(awayMs <= windowS * 1000)) throw new SoapFault(400, ['ter:NotAuthorized'], 'Wsse authorized time check failed');
    if (this.#quirks.flag('replay-protection')) {
      if (this.#seenNonces.has(nonce)) throw new SoapFault(400, ['ter:NotAuthorized'], 'Sender not Authorized: replayed nonce');
      this.#seenNonces.add(nonce);
    }
    const { username, password } = this.#credentials();
    const type = childNode(token, 'Password')['@Type'];
    const plain = typeof type === 'string' && type.endsWith('#PasswordText');
    const expected = plain ? password : passwordDigest(Buffer.from(nonce, 'base64'), created, password);
    const right = childText(token, 'Username') === username && childText(token, 'Password') === expected;
    if (this.#lockout.judge(right)) return;
    const limit = this.#quirks.number('lockout') || 5;
    const left = this.#quirks.flag('attempts-left') ? `, You still have ${Math.max(0, limit - this.#lockout.wrongLogins)} attempt(s)` : '';
    throw new SoapFault(400, ['ter:NotAuthorized'], `Sender not Authorized${left}`);
  }
}
