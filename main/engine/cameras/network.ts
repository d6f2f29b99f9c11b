/** What every conversation with a camera shares: time, log, one queue per host, and the memory of refused passwords. */
import { createHmac, randomBytes } from 'node:crypto';
import { PorchlightError } from '../../../shared/errors.ts';
import { MINUTE_MS, type DurationMs, type EpochMs } from '../../../shared/time.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Login } from './http-auth.ts';

export interface CameraNetwork {
  readonly clock: Clock;
  readonly log: Logger;
  readonly queues: HostQueues;
  readonly ledger: AttemptLedger;
}

export function createCameraNetwork(clock: Clock, log: Logger): CameraNetwork {
  return { clock, log, queues: new HostQueues(), ledger: new AttemptLedger(clock) };
}

/** One request at a time per camera: several at once make small cameras refuse or restart. */
class HostQueues {
  readonly #tails = new Map<string, Promise<unknown>>();

  async run<T>(host: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(host) ?? Promise.resolve();
    const mine = before.then(task, task);
    const tail = mine.catch(() => undefined);
    this.#tails.set(host, tail);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(host) === tail) this.#tails.delete(host);
    }
  }
}

/** Hikvision locks an address out for 30 min after 5 wrong logins, others sooner; two leaves room for the owner's own typing. */
export const MAX_REFUSALS = 2;
const REFUSAL_MEMORY_MS: DurationMs = 30 * MINUTE_MS;
const MAX_ENTRIES = 1024;

/** Remembers which password a camera refused, so that it is not sent again and the camera does not lock us out (only keyed hashes are kept). */
class AttemptLedger {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  readonly #refusals = new Map<string, { host: string; count: number; lastMs: EpochMs }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False when this password was refused too often here lately; `host` is host:port, for several cameras may share an address behind a router. */
  mayTry(host: string, login: Login): boolean {
    const entry = this.#refusals.get(this.fingerprint(host, login));
    return entry === undefined || entry.count < MAX_REFUSALS || this.#clock.monotonicMs() - entry.lastMs > REFUSAL_MEMORY_MS;
  }

  refused(host: string, login: Login): void {
    const key = this.fingerprint(host, login);
    const entry = this.#refusals.get(key);
    const nowMs = this.#clock.monotonicMs();
    const old = entry !== undefined && nowMs - entry.lastMs <= REFUSAL_MEMORY_MS ? entry.count : 0;
    this.#refusals.delete(key);
    this.#refusals.set(key, { host, count: old + 1, lastMs: nowMs });
    const oldest = this.#refusals.keys().next();
    if (this.#refusals.size > MAX_ENTRIES && oldest.done !== true) this.#refusals.delete(oldest.value);
  }

  accepted(host: string, login: Login): void {
    this.#refusals.delete(this.fingerprint(host, login));
  }

  /** The owner asked to try again, or changed something: refusals at every port of that host are forgotten. */
  forget(hostname: string): void {
    for (const [key, entry] of this.#refusals) if (entry.host === hostname || entry.host.startsWith(`${hostname}:`)) this.#refusals.delete(key);
  }

  /** Names a login at a host without telling it. */
  fingerprint(host: string, login: Login | null): string {
    return createHmac('sha256', this.#key).update(JSON.stringify([host, login?.username ?? null, login?.password ?? null])).digest('hex');
  }
}

const REFUSED_CODES = new Set(['ECONNREFUSED']);
const GONE_CODES = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ETIMEDOUT', 'ENETDOWN', 'EADDRNOTAVAIL', 'ENODEV', 'EINVAL']);
const NAME_CODES = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA']);

/** A system error on the way to a camera, as one of ours. */
export function networkError(error: unknown, host: string): PorchlightError {
  if (error instanceof PorchlightError) return error;
  const code = errorCode(error);
  if (REFUSED_CODES.has(code)) return new PorchlightError('refused', `The device at ${host} refused the connection. Check the address and the port, and that ONVIF or RTSP is switched on in the camera.`, error);
  if (NAME_CODES.has(code)) return new PorchlightError('unreachable', `There is no device called ${host} on this network. Check the spelling, or type its IP address.`, error);
  if (GONE_CODES.has(code)) return unreachable(host, error);
  return new PorchlightError('bad-answer', `The connection to ${host} broke off. Try again; if it stays, restart the camera.`, error);
}

export function unreachable(host: string, cause?: unknown): PorchlightError {
  return new PorchlightError('unreachable', `No answer from ${host}. Check that the camera has power and is on this network.`, cause);
}

/** `hint` is a further sentence, where one helps. */
export function wrongPassword(host: string, cause?: unknown, hint = ''): PorchlightError {
  return new PorchlightError('wrong-password', `The camera at ${host} did not accept this user name and password.${hint === '' ? '' : ` ${hint}`}`, cause);
}

export function alreadyRefused(host: string): PorchlightError {
  return new PorchlightError('wrong-password', `The camera at ${host} has refused this password already; it was not sent again, so that the camera does not lock us out. Check it in the camera's own app.`);
}

export function passwordNeeded(host: string): PorchlightError {
  return new PorchlightError('wrong-password', `The camera at ${host} wants a user name and a password.`);
}
