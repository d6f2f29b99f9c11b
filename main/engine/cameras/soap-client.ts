/**
 * SOAP calls to one camera: transport, login and its ladder. The first call that needs a login goes out anonymously, the
 * camera's refusal says which login it takes, and that is remembered; a password is sent as often as it must be and no more
 * (docs/design/cameras.md, "Logging in").
 */
import { randomBytes } from 'node:crypto';
import { PorchlightError } from '../../../shared/errors.ts';
import { MINUTE_MS, type DurationMs } from '../../../shared/time.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { XmlNode } from '../core/xml.ts';
import { fetchFromCamera, type HttpReply } from './http-client.ts';
import { basicAuthorization, bestDigest, digestAuthorization, isStale, parseChallenges, type AuthChallenge, type Login } from './http-auth.ts';
import { alreadyRefused, MAX_REFUSALS, passwordNeeded, wrongPassword, type CameraNetwork } from './network.ts';
import { isLoginFault, isMustUnderstandFault, isTimeFault, isVersionFault, readSoap, soapEnvelope, soapHeaders, usernameToken, type SoapAnswer, type SoapVersion } from './soap-message.ts';

export interface SoapCall {
  readonly url: URL;
  /** One operation element with its namespace. */
  readonly body: string;
  /** Further header elements (WS-Addressing). */
  readonly header?: string;
  /** Never log in for this call (the time must be asked before a login can be made). */
  readonly anonymous?: boolean;
  /** Nothing depends on the answer: a 401 to it is no reason to leave the camera alone for a while. */
  readonly optional?: boolean;
  readonly timeoutMs?: DurationMs;
}

export interface SoapReply {
  readonly body: XmlNode;
  readonly http: HttpReply;
}

export interface SoapClientOptions {
  readonly login: Login | null;
  /** Basic sends the password readable: only to an address the owner gave. */
  readonly allowBasic: boolean;
  /** Reads the camera's clock anew; null where it tells none. */
  readonly readClockOffset: () => Promise<DurationMs | null>;
}

type LoginMode = 'none' | 'wsse' | 'digest' | 'basic';
interface Attempt {
  readonly mode: LoginMode;
  readonly offsetMs: DurationMs;
  /** What a digest answers. */
  readonly nonce: Nonce | null;
}
interface Nonce {
  readonly challenge: AuthChallenge;
  /** How often it was answered. */
  uses: number;
}
interface Exchange {
  readonly http: HttpReply;
  readonly answer: SoapAnswer;
}
/** What happened to the password within one call. */
interface Ladder {
  refusals: number;
  freshNonces: number;
  readonly offsetsTried: DurationMs[];
}

/** Small cameras were seen to think for more than 5 s, above all about the first question after they started. */
const SOAP_TIMEOUT_MS: DurationMs = 10_000;
/** The longest honest answer seen (GetCapabilities, profiles of an NVR) is well under 1 MB. */
const MAX_ANSWER_BYTES = 4 * 1_048_576;
/** Dahua answers 401 when its connections are used up; asking on at once would look like guessing. */
const REFUSED_PAUSE_MS: DurationMs = MINUTE_MS;
/** Hikvision, Dahua, Axis, Reolink and Tapo keep users for ONVIF apart from those of their own apps. */
const ONVIF_USER_HINT = 'Some makers keep a separate user for ONVIF in the camera\'s settings.';
const DROPPED_PAUSE_MS: DurationMs = 300;
/** Created windows of 5 s are the narrowest seen. */
const OFFSET_MATTERS_MS: DurationMs = 5000;

export class SoapClient {
  readonly #network: CameraNetwork;
  readonly #options: SoapClientOptions;
  #mode: LoginMode = 'none';
  #accepted = false;
  /** By path. Hikvision's newer firmware counts a login made with another service's nonce as a wrong one, so none is carried over. */
  readonly #nonces = new Map<string, Nonce>();
  #pausedUntilMs = 0;
  #offsetMs: DurationMs = 0;
  #version: SoapVersion = '1.2';
  /** Something in SOAP came back, so the version is right. */
  #spoke = false;

  constructor(network: CameraNetwork, options: SoapClientOptions) {
    this.#network = network;
    this.#options = options;
  }

  /** The camera's clock minus ours, for the login's timestamp. */
  setClockOffset(offsetMs: DurationMs): void {
    this.#offsetMs = offsetMs;
  }

  /** True once a login was taken; an answer without one proves no password. */
  get loggedIn(): boolean {
    return this.#accepted;
  }

  /** @throws PorchlightError unreachable, refused, timeout, wrong-password, not-allowed, not-a-camera or bad-answer. */
  async call(call: SoapCall): Promise<SoapReply> {
    const { host } = call.url;
    if (this.#network.clock.monotonicMs() < this.#pausedUntilMs) throw refusedForNow(host);
    const ladder: Ladder = { refusals: 0, freshNonces: 0, offsetsTried: [] };
    let attempt = this.#firstAttempt(call);
    for (;;) {
      const exchange = await this.#network.queues.run(call.url.hostname, () => this.#exchange(call, attempt));
      const next = await this.#judge(call, attempt, exchange, ladder);
      if (next === null) return this.#take(host, attempt, exchange);
      attempt = next;
    }
  }

  #firstAttempt(call: SoapCall): Attempt {
    const nonce = this.#nonces.get(call.url.pathname) ?? null;
    const knows = call.anonymous !== true && (this.#mode !== 'digest' || nonce !== null);
    return { mode: knows ? this.#mode : 'none', offsetMs: this.#offsetMs, nonce };
  }

  #take(host: string, attempt: Attempt, exchange: Exchange): SoapReply {
    const { answer, http } = exchange;
    if (attempt.mode !== 'none' && answer.kind !== 'none') {
      this.#mode = attempt.mode;
      this.#accepted = true;
      this.#offsetMs = attempt.offsetMs;
      if (this.#options.login !== null) this.#network.ledger.accepted(host, this.#options.login);
    }
    if (answer.kind === 'body' && http.status < 300) return { body: answer.body, http };
    if (answer.kind === 'fault') throw new PorchlightError('bad-answer', `The camera at ${host} could not do that.`, `${http.status} ${answer.fault.codes}: ${answer.fault.reason}`);
    if (http.status === 404 || http.status === 405) throw new PorchlightError('not-a-camera', `The device at ${host} has no ONVIF service at this address.`, `HTTP ${http.status}`);
    throw new PorchlightError('bad-answer', `The device at ${host} did not answer like a camera.`, `HTTP ${http.status} ${http.contentType}`);
  }

  /** The next attempt, or null when this answer stands. */
  async #judge(call: SoapCall, attempt: Attempt, { answer, http }: Exchange, ladder: Ladder): Promise<Attempt | null> {
    const { host } = call.url;
    if (answer.kind === 'fault' && isMustUnderstandFault(answer.fault) && attempt.mode === 'wsse') {
      if (ladder.refusals > 0) throw wrongPassword(host);
      ladder.refusals = MAX_REFUSALS;
      this.#mode = 'none';
      return { ...attempt, mode: 'none' };
    }
    const refused = http.status === 401 || (answer.kind === 'fault' && isLoginFault(answer.fault)) || (http.status === 403 && answer.kind === 'none');
    if (!refused) return null;
    const { login } = this.#options;
    if (call.anonymous === true) return null;
    const challenges = parseChallenges(http.challenges);
    const digest = bestDigest(challenges);
    if (attempt.mode === 'none') {
      if (login === null) throw passwordNeeded(host);
      if (ladder.refusals > 0) throw wrongPassword(host);
      if (!this.#network.ledger.mayTry(host, login)) throw alreadyRefused(host);
      // One that took digests at another of its services need not say so again.
      const known = digest ?? (this.#mode === 'digest' ? ([...this.#nonces.values()].at(-1)?.challenge ?? null) : null);
      return known === null ? { ...attempt, mode: 'wsse' } : this.#withDigest(call, attempt, known);
    }
    if (attempt.mode === 'digest' && digest !== null && ladder.freshNonces < (call.optional === true ? 1 : 2) && (isStale(digest) || (attempt.nonce?.uses ?? 0) > 1)) {
      // Too old a nonce is no refusal of the password.
      ladder.freshNonces += 1;
      return this.#withDigest(call, attempt, digest);
    }
    ladder.refusals += 1;
    if (login !== null && !this.#accepted) this.#network.ledger.refused(host, login);
    const mayGoOn = ladder.refusals < MAX_REFUSALS && (login === null || this.#accepted || this.#network.ledger.mayTry(host, login));
    if (digest === null && !this.#options.allowBasic && !this.#accepted && challenges.some((challenge) => challenge.scheme === 'basic')) throw onlyReadable(host);
    const next = mayGoOn ? await this.#otherWay(call, attempt, { answer, http }, digest, challenges, ladder) : null;
    if (next !== null) return next;
    if (!this.#accepted) throw wrongPassword(host, answer.kind === 'fault' ? answer.fault.reason : `HTTP ${http.status}`, ONVIF_USER_HINT);
    if (http.status !== 401 || call.optional === true) throw new PorchlightError('not-allowed', `The camera at ${host} does not let this user do that.`, answer.kind === 'fault' ? answer.fault.reason : `HTTP ${http.status}`);
    this.#pausedUntilMs = this.#network.clock.monotonicMs() + REFUSED_PAUSE_MS;
    throw refusedForNow(host);
  }

  /** After a refused WSSE login: digest where offered, else the time put right, else Basic. */
  async #otherWay(call: SoapCall, attempt: Attempt, { answer, http }: Exchange, digest: AuthChallenge | null, challenges: readonly AuthChallenge[], ladder: Ladder): Promise<Attempt | null> {
    if (attempt.mode === 'wsse' && digest !== null) return this.#withDigest(call, attempt, digest);
    if (attempt.mode !== 'wsse') return null;
    if (this.#options.allowBasic && http.status === 401 && challenges.some((challenge) => challenge.scheme === 'basic')) return { ...attempt, mode: 'basic' };
    ladder.offsetsTried.push(attempt.offsetMs);
    const told = (await this.#options.readClockOffset()) ?? (http.dateMs === null ? null : http.dateMs - this.#network.clock.nowMs());
    const isNew = (offsetMs: DurationMs): boolean => ladder.offsetsTried.every((tried) => Math.abs(tried - offsetMs) > OFFSET_MATTERS_MS);
    if (told !== null && isNew(told)) return { ...attempt, offsetMs: told };
    // A camera that tells local time as UTC may check logins against the true time.
    if (isNew(0)) return { ...attempt, offsetMs: 0 };
    // The reading is good to a second, the narrowest windows are not much wider.
    if (told !== null && answer.kind === 'fault' && isTimeFault(answer.fault)) return { ...attempt, offsetMs: told };
    return null;
  }

  #withDigest(call: SoapCall, attempt: Attempt, challenge: AuthChallenge): Attempt {
    const nonce: Nonce = { challenge, uses: 0 };
    this.#nonces.delete(call.url.pathname);
    this.#nonces.set(call.url.pathname, nonce);
    return { ...attempt, mode: 'digest', nonce };
  }

  async #exchange(call: SoapCall, attempt: Attempt): Promise<Exchange> {
    const security = attempt.mode === 'wsse' && this.#options.login !== null ? usernameToken(this.#options.login, randomBytes(16), this.#network.clock.nowMs() + attempt.offsetMs) : '';
    const header = `${call.header ?? ''}${security}`;
    const exchange = await this.#exchangeIn(this.#version, call, header, attempt);
    if (this.#spoke || !knowsOther(exchange)) {
      this.#spoke ||= exchange.answer.kind !== 'none';
      return exchange;
    }
    // Firmware built for SOAP 1.1 says so, or answers 1.2 with nothing.
    const other = await this.#exchangeIn('1.1', call, header, attempt);
    if (other.answer.kind === 'none') return exchange;
    [this.#version, this.#spoke] = ['1.1', true];
    return other;
  }

  async #exchangeIn(version: SoapVersion, call: SoapCall, header: string, attempt: Attempt): Promise<Exchange> {
    const body = Buffer.from(soapEnvelope(header, call.body, version), 'utf8');
    let http = await this.#post(version, call, call.url, body, attempt);
    const moved = http.location === null || http.status < 300 || http.status > 399 ? null : redirectWithin(call.url, http.location);
    if (moved !== null) http = await this.#post(version, call, moved, body, attempt);
    return { http, answer: readSoap(http.bytes) };
  }

  async #post(version: SoapVersion, call: SoapCall, url: URL, body: Uint8Array, attempt: Attempt): Promise<HttpReply> {
    const authorization = this.#authorization(url, body, attempt);
    const send = (): Promise<HttpReply> => fetchFromCamera(this.#network.clock, {
      url,
      method: 'POST',
      headers: { ...soapHeaders(call.body, version), ...(authorization === null ? {} : { Authorization: authorization }) },
      body,
      timeoutMs: call.timeoutMs ?? SOAP_TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    try {
      return await send();
    } catch (error) {
      if (!isDropped(error) || !/^<Get/.test(call.body)) throw error;
      // Small cameras drop a connection now and then without having read what came; what only asks may be asked again.
      await this.#network.clock.sleep(DROPPED_PAUSE_MS);
      return await send();
    }
  }

  #authorization(url: URL, body: Uint8Array, attempt: Attempt): string | null {
    const { login } = this.#options;
    if (login === null) return null;
    if (attempt.mode === 'basic') return basicAuthorization(login);
    if (attempt.mode !== 'digest' || attempt.nonce === null) return null;
    attempt.nonce.uses += 1;
    return digestAuthorization(attempt.nonce.challenge, login, { method: 'POST', uri: `${url.pathname}${url.search}`, body, nonceCount: attempt.nonce.uses, clientNonce: randomBytes(8).toString('hex') });
  }
}

function isDropped(error: unknown): boolean {
  return error instanceof PorchlightError && ['ECONNRESET', 'EPIPE'].includes(errorCode(error.cause));
}

/** An answer that speaks for a service of another version: it says so, refuses the type, or is empty. */
function knowsOther({ http, answer }: Exchange): boolean {
  if (answer.kind === 'fault') return isVersionFault(answer.fault);
  return answer.kind === 'none' && (http.status === 415 || (http.bytes.length === 0 && (http.status === 200 || http.status === 400 || http.status === 500)));
}

/** A redirect is followed on the same host only (http to https); a login goes nowhere else. */
function redirectWithin(from: URL, location: string): URL | null {
  try {
    const to = new URL(location, from);
    return to.hostname === from.hostname && (to.protocol === 'http:' || to.protocol === 'https:') ? to : null;
  } catch {
    return null;
  }
}

function onlyReadable(host: string): PorchlightError {
  return new PorchlightError('wrong-password', `The camera at ${host} only takes passwords in a form that anybody on the network could read; none was sent so. To use it all the same, add it by its address.`);
}

function refusedForNow(host: string): PorchlightError {
  return new PorchlightError('refused', `The camera at ${host} refuses the login it took before; it may have too many connections. Porchlight waits a minute before it asks again.`);
}
