/**
 * The set-up as it was before an import: copied beside it, and put back at the next start where the import was cut short
 * (docs/design/config-export.md, E5).
 */
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere, replaceFile, syncFolder } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';

/** The last set-up before an import, in <data>/config. */
export const BACKUP_FOLDER = 'before-import';
const MARKER = 'import-under-way';
/** Drafts, previous copies and what was damaged are no set-up. */
const IS_SETUP = /^[a-z-]+\.(?:json|key)$/;

/** Copies the set-up and notes that an import begins; durable when it resolves. */
export async function beginImport(configDir: string): Promise<void> {
  const folder = path.join(configDir, BACKUP_FOLDER);
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  for (const name of await setupFiles(configDir)) {
    await copyFile(path.join(configDir, name), path.join(draft, name));
    const handle = await open(path.join(draft, name), 'r+');
    await handle.chmod(0o600);
    await handle.sync();
    await handle.close();
  }
  await syncFolder(draft);
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  await syncFolder(configDir);
  await replaceFile(path.join(configDir, MARKER), '');
}

/** The import is whole, or undone. */
export async function endImport(configDir: string): Promise<void> {
  await rm(path.join(configDir, MARKER), { force: true });
  await syncFolder(configDir);
}

/** Before anything reads the set-up: an import that was cut short has not happened. Returns whether one was. */
export async function undoCutImport(configDir: string, log: Logger): Promise<boolean> {
  if ((await readIfThere(path.join(configDir, MARKER))) === null) return false;
  const folder = path.join(configDir, BACKUP_FOLDER);
  const before = new Set(await setupFiles(folder));
  for (const name of before) {
    const draft = path.join(configDir, `${name}.new`);
    await copyFile(path.join(folder, name), draft);
    const handle = await open(draft, 'r+');
    await handle.sync();
    await handle.close();
    await rename(draft, path.join(configDir, name));
  }
  // What the import made where nothing was.
  for (const name of await setupFiles(configDir)) if (!before.has(name)) await rm(path.join(configDir, name));
  await syncFolder(configDir);
  await endImport(configDir);
  log.warn('taking over a set-up was cut short; the set-up before it is in force');
  return true;
}

async function setupFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => IS_SETUP.test(name));
}
