/** Files that are replaced whole: written beside, synced, renamed, with the previous copy kept (DESIGN.md section 4, <data>/config). */
import { constants, copyFile, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

/** Makes a folder's entries durable. Windows cannot sync a folder; there the rename alone has to do. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces `file` with `content`; after a crash at any point either the old or the new content is there. `mode` is for new files. */
export async function replaceFile(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const next = `${file}.new`;
  const handle = await open(next, 'w', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await copyFile(file, `${file}.previous`);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await rename(next, file);
  await syncFolder(path.dirname(file));
}

/** The file's text, or null where there is none. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** The system's code of an error (`ENOSPC`), or an empty string. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
