/** Electron's program, for the tests that need the real runtime. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** The runtime's program, found without starting or fetching anything; null where there is none. */
export function electronRuntime(): string | null {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  const pathFile = path.join(ROOT, 'node_modules/electron/path.txt');
  if (override === undefined && !existsSync(pathFile)) return null;
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : process.platform === 'win32' ? 'electron.exe' : 'electron';
  const program = path.join(override ?? path.join(ROOT, 'node_modules/electron/dist'), name);
  return existsSync(program) ? program : null;
}
