/**
 * Before anything reads the set-up: a file in <data>/config that was torn gives way to its previous copy and is kept beside it, so that
 * the next change does not put the damage over the good copy. The list of cameras sees to itself (cameras/registry.ts).
 */
import { copyFile, open, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere, syncFolder } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';
import { isKey, SECRETS_KEY } from '../core/owner-key.ts';

/** What a person calls the files. */
const WORDS: Readonly<Record<string, string>> = {
  'settings.json': 'The settings',
  'storage.json': 'The rules for storage',
  'disks.json': 'The list of disks',
  'placement.json': 'The choice of disks for footage',
  'remote.json': 'The list of devices that may look in from away',
  'homes.json': 'The list of homes to look into',
  'doors.json': 'The way in for other devices',
  'secrets.json': 'The stored passwords of cameras',
  'keyring.json': 'The stored passwords of cameras',
};
const CAMERAS = 'cameras.json';

/** Returns a sentence for each file that was torn. */
export async function mendSetup(configDir: string, log: Logger): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const name of (await readdir(configDir)).filter((one) => one.endsWith('.json') && one !== CAMERAS).sort()) {
    const file = path.join(configDir, name);
    if (isWhole(await readIfThere(file))) continue;
    await rename(file, `${file}.damaged`);
    const hasCopy = isWhole(await readIfThere(`${file}.previous`));
    if (hasCopy) await putBack(`${file}.previous`, file);
    await syncFolder(configDir);
    const what = WORDS[name] ?? `The file ${name}`;
    const sentence = hasCopy
      ? `${what} could not be read; the copy before the last change is used. Look whether all is as you want it.`
      : `${what} could not be read, and there is no earlier copy: what was set there has to be set again.`;
    log.warn(sentence);
    sentences.push(sentence);
  }
  return [...sentences, ...(await mendKey(configDir, log))];
}

/** A key that is damaged must not keep the cameras that need no password from being recorded. */
async function mendKey(configDir: string, log: Logger): Promise<readonly string[]> {
  const file = path.join(configDir, SECRETS_KEY);
  const keyIn = async (where: string): Promise<boolean | null> => await readFile(where).then(isKey, () => null);
  if ((await keyIn(file)) !== false) return [];
  await rename(file, `${file}.damaged`);
  const hasCopy = (await keyIn(`${file}.previous`)) === true;
  if (hasCopy) await putBack(`${file}.previous`, file);
  await syncFolder(configDir);
  if (hasCopy) {
    log.warn('the key of the stored passwords was damaged; its copy is used');
    return [];
  }
  const sentence = 'The key of the stored camera passwords is damaged, and there is no copy: enter the passwords again, or put the file secrets.key back from a backup.';
  log.warn(sentence);
  return [sentence];
}

async function putBack(copy: string, file: string): Promise<void> {
  const draft = `${file}.new`;
  await copyFile(copy, draft);
  const handle = await open(draft, 'r+');
  await handle.sync();
  await handle.close();
  await rename(draft, file);
}

/** Torn text is no JSON: all of these files are objects, which end with their last brace. */
function isWhole(text: string | null): boolean {
  if (text === null) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
