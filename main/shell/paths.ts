/** Where things lie: beside the source when started from a clone, inside the package when installed. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { app } from 'electron';
import type { EngineInit } from '../../shared/contract/engine-process.ts';
import { defaultDataDir, defaultMediaDir } from '../host/default-folders.ts';

export interface AppPaths {
  readonly preload: string;
  readonly engine: string;
  readonly pageDir: string;
  readonly icon: string;
  readonly trayIcon: string;
  readonly binDir: string;
}

/** `mainDir` is the folder of the bundle, dist/main. */
export function appPaths(mainDir: string): AppPaths {
  const root = path.dirname(path.dirname(mainDir));
  const resources = app.isPackaged ? process.resourcesPath : path.join(root, 'resources');
  return {
    preload: path.join(mainDir, 'preload.cjs'),
    engine: path.join(mainDir, 'engine-main.js'),
    pageDir: path.join(root, 'dist', 'renderer'),
    icon: path.join(resources, 'icons', '256x256.png'),
    trayIcon: path.join(resources, 'icons', '32x32.png'),
    binDir: path.join(resources, 'bin'),
  };
}

/** What the engine is told: from the starter's file when `npm start` made one, else the system's own places. */
export function engineInit(paths: AppPaths, keyring: boolean, env: Readonly<Record<string, string | undefined>> = process.env): EngineInit {
  const secrets = keyring ? 'shell' : 'file';
  const startFile = env['PORCHLIGHT_START_FILE'];
  if (startFile !== undefined) return { ...(JSON.parse(readFileSync(startFile, 'utf8')) as EngineInit), mode: 'app', secrets, serve: null };
  const here = { platform: process.platform, home: homedir(), env };
  return {
    version: app.getVersion(),
    mode: 'app',
    demo: false,
    dataDir: defaultDataDir(here),
    mediaDir: defaultMediaDir(here, null),
    binDir: paths.binDir,
    secrets,
    serve: null,
    cameras: [],
  };
}
