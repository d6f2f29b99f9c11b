/** Where Porchlight keeps its own data and the footage when nobody chose: each system's custom (docs/design/processes.md). */
import path from 'node:path';

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Settings, index and logs: XDG Base Directory on Linux, Application Support on macOS, %APPDATA% on Windows. */
export function defaultDataDir({ platform, home, env }: Surroundings): string {
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'Porchlight');
  if (platform === 'win32') return path.join(env['APPDATA'] ?? path.join(home, 'AppData', 'Roaming'), 'Porchlight');
  const xdg = env['XDG_DATA_HOME'];
  // The specification tells to ignore paths that are not absolute.
  return path.join(xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(home, '.local', 'share'), 'porchlight');
}

/** Footage: the folder where the system keeps films. A chosen data folder takes its footage along. */
export function defaultMediaDir({ platform, home }: Surroundings, chosenDataDir: string | null): string {
  if (chosenDataDir !== null) return path.join(chosenDataDir, 'media');
  return path.join(home, platform === 'darwin' ? 'Movies' : 'Videos', 'Porchlight');
}
