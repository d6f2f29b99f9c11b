/**
 * Bundles the shell, the engine, serve mode's supervisor and every worker into dist/main as flat files (core/worker-rpc.ts looks for workers
 * beside the engine), and the preload script as CommonJS, which Electron asks for in a sandboxed window.
 */
import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, defineConfig, type UserConfig } from 'vite';

const MAIN = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.dirname(MAIN);
const OUT = path.join(ROOT, 'dist', 'main');

/** Native modules and Electron's own are found at run time; everything else is in the bundle. */
const EXTERNAL = ['electron', 'better-sqlite3', 'bufferutil', 'utf-8-validate'];

/** Entries by output name: the three programs, and every file that names itself a worker. */
function entries(): Record<string, string> {
  const workers = globSync('engine/**/*-worker.ts', { cwd: MAIN }).map((file) => path.join(MAIN, file));
  const programs = [path.join(MAIN, 'main.ts'), path.join(MAIN, 'engine', 'engine-main.ts'), path.join(ROOT, 'tools', 'start', 'serve-main.ts')].filter((file) => existsSync(file));
  return Object.fromEntries([...programs, ...workers].map((file) => [path.basename(file, '.ts'), file]));
}

function programs(): UserConfig {
  return {
    root: MAIN,
    logLevel: 'error',
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      target: 'node24',
      outDir: OUT,
      emptyOutDir: true,
      sourcemap: true,
      minify: false,
      rolldownOptions: { input: entries(), output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' } },
    },
  };
}

function preload(): UserConfig {
  return {
    root: MAIN,
    logLevel: 'error',
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: path.join(MAIN, 'preload.ts'),
      outDir: OUT,
      emptyOutDir: false,
      minify: false,
      rolldownOptions: { external: ['electron'], output: { format: 'cjs', entryFileNames: 'preload.cjs' } },
    },
  };
}

/** Builds all of dist/main. */
export async function buildPrograms(): Promise<void> {
  await build({ configFile: false, ...programs() });
  await build({ configFile: false, ...preload() });
}

/** For `vite build --config main/vite.config.ts`: the preload follows when the programs are written. */
export default defineConfig(() => ({
  ...programs(),
  plugins: [
    {
      name: 'porchlight-preload',
      async closeBundle() {
        await build({ configFile: false, ...preload() });
      },
    },
  ],
}));
