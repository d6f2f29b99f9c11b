/** Whether the window can be opened here: decided from files alone, with one fetch of Electron's runtime when it is missing. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HOUR_MS, MINUTE_MS } from '../../shared/time.ts';

/** About 110 MB; a slow line gets its time, a network that swallows packets does not hold a start for ever. */
const FETCH_LIMIT_MS = 3 * MINUTE_MS;
/** After a fetch that failed, starts go straight to the browser for a while. */
const RETRY_AFTER_MS = 12 * HOUR_MS;

export type WindowDecision = { readonly kind: 'window'; readonly executable: string } | { readonly kind: 'browser'; readonly reason: string };

export interface DesktopFacts {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
}

/** Whether there is a screen to open a window or a browser on. */
export function hasDesktop({ platform, env }: DesktopFacts): boolean {
  return platform !== 'linux' || (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
}

/** Electron's executable when its runtime is here; starts nothing, fetches nothing. */
export function findElectron(root: string, env: DesktopFacts['env']): string | null {
  const pathFile = path.join(root, 'node_modules', 'electron', 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : null;
  const override = env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override !== undefined && override !== '') {
    const file = path.join(override, name ?? 'electron');
    return existsSync(file) ? file : null;
  }
  if (name === null) return null;
  const file = path.join(root, 'node_modules', 'electron', 'dist', name);
  return existsSync(file) ? file : null;
}

/** Decides between the window and the browser, fetching Electron once where that could help. */
export async function decideWindow(root: string, facts: DesktopFacts, say: (line: string) => void): Promise<WindowDecision> {
  if (!hasDesktop(facts)) return { kind: 'browser', reason: 'There is no screen here, so Porchlight opens in a browser instead of a window.' };
  if (facts.platform === 'linux' && facts.isRoot) return { kind: 'browser', reason: 'The window does not run as root, so Porchlight opens in the browser.' };
  const present = findElectron(root, facts.env);
  if (present !== null) return { kind: 'window', executable: present };
  const fetched = (await failedLately(root)) ? false : await fetchElectron(root, say);
  const executable = fetched ? findElectron(root, facts.env) : null;
  if (executable !== null) return { kind: 'window', executable };
  return { kind: 'browser', reason: "Electron's runtime could not be fetched, so Porchlight opens in the browser." };
}

function failureMark(root: string): string {
  return path.join(root, 'node_modules', '.electron-fetch-failed');
}

async function failedLately(root: string): Promise<boolean> {
  const mark = await stat(failureMark(root)).catch(() => null);
  return mark !== null && Date.now() - mark.mtimeMs < RETRY_AFTER_MS;
}

async function fetchElectron(root: string, say: (line: string) => void): Promise<boolean> {
  const script = path.join(root, 'node_modules', 'electron', 'install.js');
  if (!existsSync(script)) return false;
  say("Fetching Electron's runtime (once)…");
  const code = await new Promise<number | null>((resolve) => {
    const child = spawn(process.execPath, [script], { stdio: 'ignore', timeout: FETCH_LIMIT_MS, killSignal: 'SIGKILL' });
    child.once('error', () => resolve(1));
    child.once('exit', (exitCode) => resolve(exitCode));
  });
  if (code === 0) return true;
  await writeFile(failureMark(root), '').catch(() => undefined);
  return false;
}
