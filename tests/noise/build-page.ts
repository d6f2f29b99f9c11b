/** Builds the page of tests/noise/page.ts, and the same checks for Electron's main process. */
import path from 'node:path';
import { build } from 'vite';
import { forceUnwrap } from '../../shared/result.ts';

async function bundle(entry: string, ssr: boolean): Promise<string> {
  const built = await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, target: 'es2022', modulePreload: false, ssr, rolldownOptions: { input: path.join(import.meta.dirname, entry) } },
  });
  const [first] = Array.isArray(built) ? built : [built];
  const chunk = first !== undefined && 'output' in first ? first.output.find((file) => file.type === 'chunk') : undefined;
  return forceUnwrap(`${entry} was built`, chunk).code;
}

/** One script that puts `checkVectors` on the window. */
export function buildVectorPage(): Promise<string> {
  return bundle('page.ts', false);
}

/** One module for Electron's main process: the vectors over its node:crypto, which is BoringSSL's. */
export function buildVectorMain(): Promise<string> {
  return bundle('electron-main.ts', true);
}
