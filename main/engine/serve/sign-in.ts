/** Who may open serve mode: the key in the printed address, or the owner's password; then a signed cookie (docs/design/processes.md). */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DAY_MS, type EpochMs } from '../../../shared/time.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import { DOOR_PASSWORD_LENGTH } from '../../../shared/model/doors.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';

/** scrypt's parameters (RFC 7914): N = 2^15, r = 8, p = 1 take 32 MB and about a tenth of a second here. */
const SCRYPT = { N: 32_768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;
const KEY_BYTES = 32;
/** A phone in the house signs in again once a month. */
const SESSION_MS = 30 * DAY_MS;
/** Characters. */
export const SHORTEST_PASSWORD = DOOR_PASSWORD_LENGTH;

interface Secrets {
  readonly format: 1;
  /** Signs session cookies. */
  readonly signingKey: string;
  /** In the address printed for this computer. */
  readonly accessKey: string;
  readonly password: { readonly salt: string; readonly hash: string } | null;
}

export interface SignIn {
  readonly accessKey: string;
  readonly hasPassword: boolean;
  /** Replaces the password and ends every session that a password began. Throws `invalid-input` on one that is too short. */
  setPassword(password: string): Promise<void>;
  isAccessKey(key: string): boolean;
  isPassword(password: string): Promise<boolean>;
  /** A session begun with the key of this computer's address outlives a change of the password: its owner made that change. */
  newSession(by?: 'password' | 'key'): string;
  isSession(cookie: string | undefined): boolean;
}

/** Opens <data>/config/serve.json, owner-only, and makes it on the first start. */
export async function openSignIn(configDir: string, clock: Clock): Promise<SignIn> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const file = path.join(configDir, 'serve.json');
  let secrets = parseSecrets(await readIfThere(file)) ?? parseSecrets(await readIfThere(`${file}.previous`));
  if (secrets === null) {
    secrets = { format: 1, signingKey: newKey(), accessKey: newKey(), password: null };
    await save(file, secrets);
  }
  let current: Secrets = secrets;
  return {
    get accessKey() {
      return current.accessKey;
    },
    get hasPassword() {
      return current.password !== null;
    },
    async setPassword(password) {
      if (password.length < SHORTEST_PASSWORD) throw new PorchlightError('invalid-input', `The password needs at least ${SHORTEST_PASSWORD} characters.`);
      const salt = randomBytes(16);
      const hash = await derive(password, salt);
      current = { ...current, signingKey: newKey(), password: { salt: salt.toString('base64url'), hash: hash.toString('base64url') } };
      await save(file, current);
    },
    isAccessKey: (key) => equal(key, current.accessKey),
    async isPassword(password) {
      if (current.password === null) return false;
      const hash = await derive(password, Buffer.from(current.password.salt, 'base64url'));
      return equal(hash.toString('base64url'), current.password.hash);
    },
    newSession(by = 'password') {
      const body = `${Math.round(clock.nowMs() + SESSION_MS)}.${randomBytes(12).toString('base64url')}`;
      return `${body}.${by === 'key' ? signByKey(current, body) : sign(current.signingKey, body)}`;
    },
    isSession: (cookie) => isLiveSession(cookie, current, clock.nowMs()),
  };
}

function isLiveSession(cookie: string | undefined, secrets: Secrets, nowMs: EpochMs): boolean {
  const match = /^((\d{1,16})\.[\w-]{16})\.([\w-]{43})$/.exec(cookie ?? '');
  if (match === null) return false;
  const [, body = '', expiresMs = '0', signature = ''] = match;
  const isSigned = equal(signature, sign(secrets.signingKey, body)) || equal(signature, signByKey(secrets, body));
  return isSigned && Number(expiresMs) > nowMs;
}

function sign(key: string, body: string, label = 'session'): string {
  return createHmac('sha256', Buffer.from(key, 'base64url')).update(`${label}:${body}`).digest('base64url');
}

function signByKey({ accessKey }: Secrets, body: string): string {
  return sign(accessKey, body, 'key-session');
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString('base64url');
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, SCRYPT, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

async function save(file: string, secrets: Secrets): Promise<void> {
  await replaceFile(file, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
}

function parseSecrets(text: string | null): Secrets | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Secrets>;
    if (value.format !== 1 || typeof value.signingKey !== 'string' || typeof value.accessKey !== 'string') return null;
    const password = value.password ?? null;
    if (password !== null && (typeof password.salt !== 'string' || typeof password.hash !== 'string')) return null;
    return { format: 1, signingKey: value.signingKey, accessKey: value.accessKey, password };
  } catch {
    return null;
  }
}
