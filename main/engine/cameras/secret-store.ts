/**
 * Where camera passwords lie when the system has no keyring: one file, sealed with a key file beside it, both readable by
 * the owner only. What that is worth is said in docs/design/cameras.md: a copied cameras file alone tells nothing; whoever
 * reads the whole folder as this user has the passwords.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { errorCode, isMissing, readIfThere, replaceFile, syncFolder } from '../core/atomic-file.ts';
import { isKey, KEY_BYTES, SECRETS_KEY } from '../core/owner-key.ts';

/** Secrets by name; the app's keyring implements the same. */
export interface SecretStore {
  get(name: string): Promise<string | null>;
  set(name: string, secret: string): Promise<void>;
  delete(name: string): Promise<void>;
}

interface SealedFile {
  readonly format: 1;
  /** Base64 of 12 bytes nonce, 16 bytes tag, ciphertext. */
  readonly secrets: Readonly<Record<string, string>>;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Opens (or begins) `secrets.json` and `secrets.key` in `folder`. @throws PorchlightError when they are there but cannot be read. */
export async function openOwnerOnlySecrets(folder: string): Promise<SecretStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = await keyOf(path.join(folder, SECRETS_KEY));
  const store = new OwnerOnlySecrets(path.join(folder, 'secrets.json'), [key, await keptCopy(path.join(folder, `${SECRETS_KEY}.previous`), key)]);
  await store.load();
  return store;
}

/** The key's copy, made where there is none. One that is another key may be the right one: what one does not open the other may. */
async function keptCopy(file: string, key: Uint8Array): Promise<Uint8Array> {
  const copy = await readFile(file).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (copy !== null && isKey(copy)) return copy;
  await replaceFile(file, key);
  return key;
}

async function keyOf(file: string): Promise<Uint8Array> {
  try {
    const key = await readFile(file);
    if (!isKey(key)) throw new PorchlightError('internal', 'The key of the stored camera passwords is damaged. Put the file secrets.key back from a backup, or delete it and enter the passwords again.');
    await chmod(file, 0o600);
    return key;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const key = randomBytes(KEY_BYTES);
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(key);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(path.dirname(file));
    return key;
  } catch (error) {
    // Another process of the same owner was first; its key is the key.
    if (errorCode(error) === 'EEXIST') return await keyOf(file);
    throw error;
  }
}

class OwnerOnlySecrets implements SecretStore {
  readonly #file: string;
  readonly #key: Uint8Array;
  readonly #keys: readonly Uint8Array[];
  #sealed: Record<string, string> = {};
  #writing: Promise<void> = Promise.resolve();

  /** Sealed with the first, opened with whichever fits. */
  constructor(file: string, keys: readonly [Uint8Array, ...Uint8Array[]]) {
    this.#file = file;
    [this.#key] = keys;
    this.#keys = keys;
  }

  async load(): Promise<void> {
    for (const file of [this.#file, `${this.#file}.previous`]) {
      const text = await readIfThere(file);
      const read = text === null ? null : readSealed(text);
      if (read !== null) {
        this.#sealed = { ...read.secrets };
        return;
      }
    }
  }

  async get(name: string): Promise<string | null> {
    const sealed = this.#sealed[name];
    if (sealed === undefined) return null;
    for (const key of this.#keys) {
      const secret = openedBy(key, name, sealed);
      if (secret !== null) return secret;
    }
    return null;
  }

  async set(name: string, secret: string): Promise<void> {
    await this.#change({ ...this.#sealed, [name]: this.#seal(name, secret) });
  }

  async delete(name: string): Promise<void> {
    await this.#change(Object.fromEntries(Object.entries(this.#sealed).filter(([key]) => key !== name)));
  }

  async #change(next: Record<string, string>): Promise<void> {
    this.#sealed = next;
    const write = (): Promise<void> => replaceFile(this.#file, JSON.stringify({ format: 1, secrets: this.#sealed } satisfies SealedFile), 0o600);
    this.#writing = this.#writing.then(write, write);
    await this.#writing;
  }

  /** The name is authenticated with the secret, so that entries cannot be swapped. */
  #seal(name: string, secret: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(name, 'utf8'));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }
}

function openedBy(key: Uint8Array, name: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(name, 'utf8'));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    // Sealed with another key (folders mixed) or damaged: the camera then asks for its password again.
    return null;
  }
}

function readSealed(text: string): SealedFile | null {
  try {
    const value = JSON.parse(text) as SealedFile;
    const sound = value.format === 1 && typeof value.secrets === 'object' && value.secrets !== null && Object.values(value.secrets).every((one) => typeof one === 'string');
    return sound ? value : null;
  } catch {
    return null;
  }
}
