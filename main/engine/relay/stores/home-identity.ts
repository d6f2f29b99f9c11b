/** This home's own key and route seed: drawn once, kept in the sealed secrets, the same for every relay and device. */
import { PorchlightError } from '../../../../shared/errors.ts';
import { fromBase64url, toBase64url, toHex } from '../../../../shared/relay/bytes.ts';
import type { CryptoSuite, KeyPair } from '../../../../shared/relay/suite.ts';
import type { RemoteFile, Secrets } from './remote-file.ts';

const SECRET_NAME = 'away.home';
const KEY_BYTES = 32;

export interface HomeIdentity {
  readonly key: KeyPair;
  /** 32 bytes. */
  readonly routeSeed: Uint8Array;
}

/** The identity as it is sealed, and travels in a set-up; base64url of 32 bytes each. */
export interface IdentityText {
  readonly privateKey: string;
  readonly routeSeed: string;
}

export interface HomeIdentityStore {
  /**
   * Drawn at the first call ever. Rejects with `not-allowed` where the sealed secrets do not give it back while devices are
   * paired: a new one in silence would lock all of them out.
   */
  get(): Promise<HomeIdentity>;
  /** Null where none was drawn yet. */
  text(): Promise<IdentityText | null>;
  /** Another home's identity takes the place of this one: an imported set-up. Durable when it resolves. */
  replace(text: IdentityText | null): Promise<void>;
}

export interface HomeIdentityParts {
  readonly file: RemoteFile;
  readonly secrets: Secrets;
  readonly suite: CryptoSuite;
}

export function openHomeIdentity({ file, secrets, suite }: HomeIdentityParts): HomeIdentityStore {
  let opening: Promise<HomeIdentity> | null = null;
  const made = async ({ privateKey, routeSeed }: IdentityText): Promise<HomeIdentity> => ({ key: await suite.importKeyPair(bytesOf(privateKey)), routeSeed: bytesOf(routeSeed) });
  const keep = async (text: IdentityText): Promise<HomeIdentity> => {
    const identity = await made(text);
    await secrets.set(SECRET_NAME, JSON.stringify(text));
    await file.change({ homeKeyHex: toHex(identity.key.publicKey) });
    return identity;
  };
  const open = async (): Promise<HomeIdentity> => {
    const text = parseIdentity(await secrets.get(SECRET_NAME).catch((error: unknown) => Promise.reject(locked(error))));
    if (text === null) {
      if (file.content.devices.length > 0) throw locked();
      return await keep({ privateKey: toBase64url(suite.random(KEY_BYTES)), routeSeed: toBase64url(suite.random(KEY_BYTES)) });
    }
    const identity = await made(text);
    // After a crash between the two, or with the file lost.
    if (file.content.homeKeyHex !== toHex(identity.key.publicKey)) await file.change({ homeKeyHex: toHex(identity.key.publicKey) });
    return identity;
  };
  return {
    get() {
      opening ??= open().catch((error: unknown) => {
        // The keyring may be unlocked later.
        opening = null;
        throw error;
      });
      return opening;
    },
    text: async () => parseIdentity(await secrets.get(SECRET_NAME)),
    async replace(text) {
      opening = null;
      if (text !== null) await keep(text);
      else {
        await file.change({ homeKeyHex: null });
        await secrets.delete(SECRET_NAME);
      }
    },
  };
}

function locked(cause?: unknown): PorchlightError {
  return new PorchlightError('not-allowed', "The key of this home cannot be read, so no paired device finds it. Unlock the system's keyring, or take all devices off the list and pair them again.", cause);
}

/** Null for what is no identity. */
export function parseIdentity(text: string | null): IdentityText | null {
  if (text === null) return null;
  try {
    return readIdentity(JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

/** Null for what is no identity. */
export function readIdentity(value: unknown): IdentityText | null {
  if (typeof value !== 'object' || value === null || !('privateKey' in value) || !('routeSeed' in value)) return null;
  const { privateKey, routeSeed } = value;
  if (typeof privateKey !== 'string' || typeof routeSeed !== 'string') return null;
  return [privateKey, routeSeed].every((one) => fromBase64url(one)?.length === KEY_BYTES) ? { privateKey, routeSeed } : null;
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64url(text);
  if (bytes?.length !== KEY_BYTES) throw new RangeError(`keys have ${KEY_BYTES} bytes`);
  return bytes;
}
