/** Builds the interface and the programs when their sources changed since the last build; otherwise does nothing, fast. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What a build is made from, under the repository. */
const SOURCES = ['main', 'renderer', 'shared', 'resources', 'vite.config.ts', 'package-lock.json'];

/** True when something was built. */
export async function buildIfStale(root: string, say: (line: string) => void): Promise<boolean> {
  const stamp = path.join(root, 'dist', '.build-stamp');
  const wanted = await fingerprint(root);
  const built = existsSync(stamp) ? await readFile(stamp, 'utf8') : '';
  if (built === wanted && existsSync(path.join(root, 'dist/renderer/index.html')) && existsSync(path.join(root, 'dist/main/engine-main.js'))) return false;
  say('Building…');
  const { build } = await import('vite');
  await build({ configFile: path.join(root, 'vite.config.ts'), root: path.join(root, 'renderer'), logLevel: 'error' });
  const { buildPrograms } = await import('../../main/vite.config.ts');
  await buildPrograms();
  await mkdir(path.dirname(stamp), { recursive: true });
  await writeFile(stamp, wanted);
  return true;
}

/** Names, sizes and times of all sources: a changed file changes it, and nothing is read. */
async function fingerprint(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const full = path.join(root, source);
    const entry = await stat(full).catch(() => null);
    if (entry === null) continue;
    const files = entry.isDirectory() ? await filesUnder(full) : [full];
    for (const file of files.sort()) {
      const { size, mtimeMs } = await stat(file);
      hash.update(`${path.relative(root, file)} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts') && !entry.name.endsWith('.tsbuildinfo')).map((entry) => path.join(entry.parentPath, entry.name));
}
