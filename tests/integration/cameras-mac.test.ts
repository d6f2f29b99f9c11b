/** Bare RTSP cameras at new addresses, on real links in network namespaces: found by link-layer address, and a stranger at the old one gets no password. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';

const CHILD = fileURLToPath(new URL('cameras-mac-child.ts', import.meta.url));
const TAG = `pm${process.pid.toString(36)}`;
const HOME = `${TAG}h`;
const CAMERA = `${TAG}c`;
const STRANGER = `${TAG}s`;
const NET = '10.203.7';
const children: Child[] = [];
const made: string[] = [];

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** One bridge in Porchlight's namespace, a cable to each of the others; null when it stands, else why not. */
function buildLab(): string | null {
  try {
    for (const name of [HOME, CAMERA, STRANGER]) {
      ip('netns', 'add', name);
      made.push(name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    ip('-n', HOME, 'link', 'add', 'br0', 'type', 'bridge');
    for (const [index, name] of [CAMERA, STRANGER].entries()) {
      ip('link', 'add', 'eth0', 'netns', name, 'type', 'veth', 'peer', 'name', `port${index}`, 'netns', HOME);
      ip('-n', HOME, 'link', 'set', `port${index}`, 'master', 'br0', 'up');
      ip('-n', name, 'link', 'set', 'eth0', 'up');
    }
    ip('-n', HOME, 'addr', 'add', `${NET}.1/24`, 'dev', 'br0');
    ip('-n', HOME, 'link', 'set', 'br0', 'up');
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error);
  }
}

interface Child {
  readonly process: ChildProcess;
  line(): Promise<string>;
  ask(text: string): Promise<string>;
}

function start(space: string, ...args: readonly string[]): Child {
  const child = spawn('ip', ['netns', 'exec', space, process.execPath, CHILD, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next = await lines.next();
    if (next.done === true) throw new Error(`${args[0]} ended without a word`);
    return next.value;
  };
  const started: Child = { process: child, line, ask: (text) => (child.stdin.write(`${text}\n`), line()) };
  children.push(started);
  return started;
}

async function end(child: Child): Promise<void> {
  if (child.process.exitCode !== null || child.process.signalCode !== null) return;
  const ended = new Promise((resolve) => child.process.once('close', resolve));
  child.process.kill('SIGKILL');
  await ended;
}

afterEach(async () => {
  for (const child of children.splice(0)) await end(child);
  for (const name of made.splice(0)) ip('netns', 'del', name);
});

function lab(context: TestContext): void {
  const problem = buildLab();
  if (problem !== null && process.env.CI_REQUIRE_NETNS === '1') throw new Error(problem);
  if (problem !== null) context.skip(`network namespaces cannot be made here: ${problem}`);
}

async function cameraAt(space: string, host: string, auth: string): Promise<Child> {
  ip('-n', space, 'addr', 'flush', 'dev', 'eth0');
  ip('-n', space, 'addr', 'add', `${NET}.${host}/24`, 'dev', 'eth0');
  const child = start(space, 'camera', `${NET}.${host}`, auth);
  expect(await child.line()).toBe('ready');
  return child;
}

interface Looked {
  readonly moved: number;
  readonly url: string;
}

describe('a bare RTSP camera that has another address', () => {
  it('is found by its link-layer address, not by who has its old one', async (context) => {
    lab(context);
    const before = await cameraAt(CAMERA, '20', 'digest');
    const home = start(HOME, 'home', `${NET}.20`);
    const mac = /link\/ether (\S+)/.exec(ip('-n', CAMERA, 'link', 'show', 'eth0'))?.[1];
    expect(JSON.parse(await home.line())).toEqual({ mac });
    expect(JSON.parse(await home.ask('look'))).toEqual({ moved: 0, url: `rtsp://${NET}.20/main` });
    await end(before);
    await cameraAt(CAMERA, '77', 'digest');
    // Somebody else, who takes the same password, lives where the camera was.
    const stranger = await cameraAt(STRANGER, '20', 'digest');
    expect(JSON.parse(await home.ask('look')) as Looked).toEqual({ moved: 1, url: `rtsp://${NET}.77/main` });
    expect(await stranger.ask('wrong-logins')).toBe('0');
  }, 60_000);

  it('gets no password in readable form there', async (context) => {
    lab(context);
    const before = await cameraAt(CAMERA, '20', 'digest');
    const home = start(HOME, 'home', `${NET}.20`);
    await home.line();
    await end(before);
    await cameraAt(CAMERA, '77', 'basic');
    expect(JSON.parse(await home.ask('look'))).toEqual({ moved: 0, url: `rtsp://${NET}.20/main` });
  }, 60_000);

  it('is not looked for where its link-layer address answers at two places', async (context) => {
    lab(context);
    const before = await cameraAt(CAMERA, '20', 'digest');
    const home = start(HOME, 'home', `${NET}.20`);
    await home.line();
    await end(before);
    await cameraAt(CAMERA, '77', 'digest');
    ip('-n', CAMERA, 'addr', 'add', `${NET}.78/24`, 'dev', 'eth0');
    expect(JSON.parse(await home.ask('look'))).toEqual({ moved: 0, url: `rtsp://${NET}.20/main` });
  }, 60_000);
});
