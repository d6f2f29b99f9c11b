/** Camera passwords in <data>/config/keyring.json, each sealed by a box that only the running system opens. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';

/** Seals text and opens it again; the keyring's, in the app. */
export interface Sealer {
  seal(secret: string): Promise<string>;
  open(sealed: string): Promise<string>;
}

export interface SealedSecrets {
  get(name: string): Promise<string | null>;
  set(name: string, secret: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** Opens the file, owner-only, and makes it on the first write. */
export async function openSealedSecrets(configDir: string, sealer: Sealer): Promise<SealedSecrets> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const file = path.join(configDir, 'keyring.json');
  const sealed = new Map(Object.entries(parse(await readIfThere(file)) ?? parse(await readIfThere(`${file}.previous`)) ?? {}));
  let writing: Promise<void> = Promise.resolve();
  const save = async (): Promise<void> => {
    const text = JSON.stringify({ format: 1, sealed: Object.fromEntries(sealed) }, null, 2);
    const write = writing.then(() => replaceFile(file, `${text}\n`, 0o600));
    writing = write.catch(() => undefined);
    await write;
  };
  return {
    async get(name) {
      const text = sealed.get(name);
      return text === undefined ? null : await sealer.open(text);
    },
    async set(name, secret) {
      sealed.set(name, await sealer.seal(secret));
      await save();
    },
    async delete(name) {
      if (sealed.delete(name)) await save();
    },
  };
}

function parse(text: string | null): Record<string, string> | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as { readonly format?: unknown; readonly sealed?: unknown };
    if (value.format !== 1 || typeof value.sealed !== 'object' || value.sealed === null) return null;
    return Object.fromEntries(Object.entries(value.sealed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return null;
  }
}
