/** `npm start -- --serve` as a person runs it: it prints an address, ends on Ctrl-C, and leaves nothing behind however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processIdentity } from '../../main/engine/ffmpeg/ledger.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { signInByKey, until } from './engine-rig.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** The first start of a run builds. */
const BUILD_LIMIT_MS = 60_000;

let folder: string;
let simulator: Simulator;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
  await mkdir(path.join(folder, 'tmp'));
  simulator = await startSimulator({ cameras: 1, source: 'test', discovery: false });
  const { onvifUrl, username, password } = forceUnwrap('the simulator has a camera', simulator.cameras[0]);
  await writeFile(path.join(folder, 'cameras.json'), JSON.stringify([{ name: 'Porch', address: onvifUrl, username, password }]));
});

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await simulator?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  said(): string;
  complained(): string;
}

function start(...args: string[]): Started {
  const child = spawn(process.execPath, [path.join(ROOT, 'tools/start.ts'), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: path.join(folder, 'tmp') } });
  running.push(child);
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => (out += String(bytes)));
  child.stderr.on('data', (bytes) => (err += String(bytes)));
  return { child, exited: new Promise((resolve) => child.once('close', resolve)), said: () => out, complained: () => err };
}

/** Those that run. What has ended and waits for its parent to ask is gone: who inherits an orphan may take its time. */
async function alive(pids: readonly number[]): Promise<number[]> {
  const identities = await Promise.all(pids.map(processIdentity));
  return pids.filter((_, index) => identities[index] !== null);
}

async function enginePid(dataDir: string): Promise<number> {
  const life = JSON.parse(await readFile(path.join(dataDir, 'life.json'), 'utf8')) as { pid: number };
  return life.pid;
}

/** Pids of ffmpeg that the engine noted. */
async function children(dataDir: string): Promise<number[]> {
  const noted = await readFile(path.join(dataDir, 'children.txt'), 'utf8').catch(() => '');
  return noted.split('\n').map((line) => Number.parseInt(line, 10)).filter((pid) => pid > 0);
}

async function address(started: Started): Promise<string> {
  return await until('the address', () => /Porchlight is ready: (\S+)/.exec(started.said())?.[1] ?? null, BUILD_LIMIT_MS);
}

test('prints an address that opens, records the listed cameras, and ends in order on Ctrl-C', async () => {
  const dataDir = path.join(folder, 'first');
  const started = start('--serve', '--port', '0', '--no-open', '--data', dataDir, '--cameras', path.join(folder, 'cameras.json'));
  const url = await address(started);
  const cookie = await signInByKey(url);
  expect(await (await fetch(new URL(url).origin, { headers: { cookie } })).text()).toContain('<div id="root">');
  // What names the cameras' passwords on the way to the supervisor is gone when it runs.
  expect((await readdir(path.join(folder, 'tmp'))).filter((name) => name.startsWith('porchlight-start-'))).toEqual([]);
  await until('a recorder', async () => (await children(dataDir)).length > 0);
  const pids = [await enginePid(dataDir), ...(await children(dataDir))];
  started.child.kill('SIGINT');
  expect(await started.exited).toBe(0);
  expect(await alive(pids)).toEqual([]);
  expect(started.said()).not.toContain(forceUnwrap('it has one', simulator.cameras[0]).password.concat('@'));
  expect(started.complained()).toBe('');
});

test('leaves no engine and no recorder when it is killed itself', async () => {
  const dataDir = path.join(folder, 'second');
  const started = start('--serve', '--port', '0', '--no-open', '--data', dataDir, '--cameras', path.join(folder, 'cameras.json'));
  await address(started);
  await until('a recorder', async () => (await children(dataDir)).length > 0);
  const pids = [await enginePid(dataDir), ...(await children(dataDir))];
  started.child.kill('SIGKILL');
  await started.exited;
  await until('all of them to end', async () => (await alive(pids)).length === 0);
  expect(JSON.parse(await readFile(path.join(dataDir, 'life.json'), 'utf8'))).toMatchObject({ stopped: { reason: 'orphaned' } });
});

test('says in one sentence what is wrong, and ends with 1', async () => {
  const started = start('--serve', '--port', '0', '--no-open', '--data', path.join(folder, 'third'), '--cameras', path.join(folder, 'none.json'));
  expect(await started.exited).toBe(1);
  expect(started.complained().trim().split('\n')).toHaveLength(1);
  expect(started.complained()).toContain('none.json');
});
