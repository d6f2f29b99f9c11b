/** What `npm start` does: builds what is stale, then opens the window, or serve mode where there is none (DESIGN.md section 7). */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import type { CameraToAdd, EngineInit } from '../../shared/contract/engine-process.ts';
import { defaultDataDir, defaultMediaDir } from '../../main/host/default-folders.ts';
import { PorchlightError } from '../../shared/errors.ts';
import { systemClock } from '../../main/engine/core/clock.ts';
import { isLoopback } from '../../main/engine/serve/serve-address.ts';
import { openSignIn } from '../../main/engine/serve/sign-in.ts';
import { askNewPassword } from './ask-password.ts';
import { becomeSupervisor, canBecome } from './become.ts';
import { buildIfStale } from './build.ts';
import { type DemoCameras, startDemoCameras } from './demo.ts';
import { decideWindow, type DesktopFacts, hasDesktop } from './electron-runtime.ts';
import { parseOptions, readCamerasFile, type StartOptions } from './options.ts';
import { runServe } from './serve.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs until the product ends or has become its own supervisor; resolves with the exit code. Throws what a person has to read. */
export async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
  const stop = new AbortController();
  // A second Ctrl-C is for those who cannot wait: Node's own handling ends the program at once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const facts: DesktopFacts = { platform: process.platform, env: process.env, isRoot: process.getuid?.() === 0 };
  // Read before the build: a wrong file is told at once.
  const listed = options.camerasFile === null ? [] : await readCamerasFile(options.camerasFile);
  const password = options.passwordFile === null ? null : await readPassword(options.passwordFile);
  await buildIfStale(ROOT, say);
  const window = options.serve ? null : await decideWindow(ROOT, facts, say);
  if (window?.kind === 'browser') say(window.reason);
  const throwAway = options.demo && options.dataDir === null ? await mkdtemp(path.join(tmpdir(), 'porchlight-demo-')) : null;
  let demo: DemoCameras | null = null;
  try {
    if (options.demo) demo = await startDemoCameras(ROOT, stop.signal);
    if (stop.signal.aborted) return 0;
    const given = await makeInit(options, throwAway, { cameras: [...(demo?.cameras ?? []), ...listed], password }, window?.kind === 'window');
    const init = await withPassword(given, stop.signal);
    if (window?.kind === 'window') return await runWindow(window.executable, init, stop.signal);
    const order = { root: ROOT, init, openInBrowser: options.openBrowser && hasDesktop(facts) && !facts.isRoot };
    // A demo's cameras and folder are this program's to end and remove.
    if (demo === null && throwAway === null && canBecome() && !stop.signal.aborted) {
      // A process that becomes another has no end, where what was compiled would be kept.
      flushCompileCache();
      await becomeSupervisor(order);
    }
    return await runServe({ ...order, signal: stop.signal });
  } catch (error) {
    // Ctrl-C before it runs is no failure.
    if (stop.signal.aborted) return 0;
    throw error;
  } finally {
    await demo?.stop();
    if (throwAway !== null) await rm(throwAway, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function makeInit(options: StartOptions, throwAway: string | null, given: { readonly cameras: readonly CameraToAdd[]; readonly password: string | null }, inWindow: boolean): Promise<EngineInit> {
  const here = { platform: process.platform, home: homedir(), env: process.env };
  const chosen = options.dataDir ?? throwAway;
  const dataDir = chosen ?? defaultDataDir(here);
  const mediaDir = options.mediaDir ?? defaultMediaDir(here, chosen);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    version,
    mode: inWindow ? 'app' : 'serve',
    demo: options.demo,
    dataDir,
    mediaDir,
    binDir: path.join(ROOT, 'resources', 'bin'),
    secrets: inWindow ? 'shell' : 'file',
    serve: inWindow ? null : { address: options.listen, port: options.port, pageDir: path.join(ROOT, 'dist', 'renderer'), password: given.password },
    cameras: given.cameras,
  };
}

/** Asks for the password that other devices will need, where none was set and somebody is there to type one; the engine refuses to start without. */
async function withPassword(init: EngineInit, signal: AbortSignal): Promise<EngineInit> {
  const { serve } = init;
  if (serve === null || serve.password !== null || isLoopback(serve.address) || process.stdin.isTTY !== true) return init;
  const signIn = await openSignIn(path.join(init.dataDir, 'config'), systemClock);
  if (signIn.hasPassword) return init;
  const password = await askNewPassword({ input: process.stdin, write: (text) => void process.stdout.write(text), signal });
  return { ...init, serve: { ...serve, password } };
}

/** The first line of a file. */
async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/)[0] ?? '';
  } catch (error) {
    throw new PorchlightError('invalid-input', `The password file ${file} could not be read.`, error);
  }
}

/** Runs Electron; what it is to do goes through an owner-only file, because arguments can be read by every user. */
async function runWindow(executable: string, init: EngineInit, signal: AbortSignal): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-start-'));
  const file = path.join(folder, 'start.json');
  await writeFile(file, JSON.stringify(init), { mode: 0o600 });
  try {
    const child = spawn(executable, [ROOT], { stdio: 'inherit', env: { ...process.env, PORCHLIGHT_START_FILE: file } });
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    return await new Promise<number>((resolve) => {
      child.once('error', () => resolve(1));
      child.once('exit', (code) => resolve(code ?? 0));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
