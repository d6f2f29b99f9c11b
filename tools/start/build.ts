/** Builds the interface and the programs when their sources changed since the last build; otherwise does nothing, fast. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../shared/errors.ts';

/** What a build is made from, under the repository. */
const SOURCES = ['main', 'renderer', 'shared', 'resources', 'tools/start', 'vite.config.ts', 'package-lock.json'];

const stampOf = (root: string): string => path.join(root, 'dist', '.build-stamp');

/** Notes what dist/ was built from. */
export async function writeStamp(root: string): Promise<void> {
  await mkdir(path.dirname(stampOf(root)), { recursive: true });
  await writeFile(stampOf(root), await fingerprint(root));
}

/** True when something was built. Builds in a process of its own: the bundler's memory would stay for as long as the starter runs. */
export async function buildIfStale(root: string, say: (line: string) => void): Promise<boolean> {
  const stamp = stampOf(root);
  const wanted = await fingerprint(root);
  const built = existsSync(stamp) ? await readFile(stamp, 'utf8') : '';
  if (built === wanted && existsSync(path.join(root, 'dist/renderer/index.html')) && existsSync(path.join(root, 'dist/main/engine-main.js'))) return false;
  say('Building…');
  const child = spawn(process.execPath, [path.join(root, 'tools/build.ts'), '--quiet'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new PorchlightError('internal', 'Porchlight could not be built. The lines above say why.');
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
