/** What `npm start` decides before it starts anything. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideWindow, findElectron, hasDesktop } from './electron-runtime.ts';
import { parseOptions, readCamerasFile } from './options.ts';
import { otherAddresses } from './serve.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the options', () => {
  it('are taken from where the person stands', () => {
    const options = parseOptions(['--serve', '--data', 'cams', '--media', '/mnt/disk', '--port', '0'], '/home/ann');
    expect(options).toMatchObject({ serve: true, demo: false, dataDir: '/home/ann/cams', mediaDir: '/mnt/disk', port: 0, listen: '127.0.0.1' });
  });

  it('mean serve mode where they make sense nowhere else, and a demo leaves the usual port alone', () => {
    expect(parseOptions(['--listen', '0.0.0.0'], '/').serve).toBe(true);
    expect(parseOptions(['--port', '80'], '/').serve).toBe(true);
    expect(parseOptions([], '/').serve).toBe(false);
    expect(parseOptions(['--serve'], '/').port).toBe(8722);
    expect(parseOptions(['--demo'], '/').port).toBe(0);
  });

  it.each([['--port', 'http'], ['--port', '70000'], ['--sevre'], ['extra']])('%s %s is refused with the usage', (...args) => {
    expect(() => parseOptions(args, '/')).toThrow(/--listen ADDR/);
  });

  it('take cameras from a file, and say which entry is wrong', async () => {
    const file = path.join(folder, 'cameras.json');
    await writeFile(file, JSON.stringify([{ address: '192.168.1.20', username: 'admin', password: 'x' }, { name: 'Drive', address: 'rtsp://10.0.0.2/a' }]));
    expect(await readCamerasFile(file)).toEqual([
      { name: null, address: '192.168.1.20', username: 'admin', password: 'x' },
      { name: 'Drive', address: 'rtsp://10.0.0.2/a', username: null, password: null },
    ]);
    await writeFile(file, JSON.stringify([{ address: 'a' }, { name: 'no address' }]));
    await expect(readCamerasFile(file)).rejects.toThrow(/Camera 2 .*"address"/);
    await writeFile(file, '{');
    await expect(readCamerasFile(file)).rejects.toMatchObject({ kind: 'invalid-input' });
  });
});

describe('the window', () => {
  const desktop = { platform: 'linux' as const, env: { DISPLAY: ':0' }, isRoot: false };
  const silent = (): void => undefined;

  async function giveElectron(): Promise<string> {
    const electron = path.join(folder, 'node_modules', 'electron');
    await mkdir(path.join(electron, 'dist'), { recursive: true });
    await writeFile(path.join(electron, 'path.txt'), 'electron');
    await writeFile(path.join(electron, 'dist', 'electron'), '');
    return path.join(electron, 'dist', 'electron');
  }

  it('opens where there is a screen and a runtime', async () => {
    const executable = await giveElectron();
    expect(await decideWindow(folder, desktop, silent)).toEqual({ kind: 'window', executable });
  });

  it('is a browser without a screen, and as root, in one line each and without a fetch', async () => {
    await giveElectron();
    expect(hasDesktop({ ...desktop, env: {} })).toBe(false);
    for (const facts of [{ ...desktop, env: {} }, { ...desktop, isRoot: true }]) {
      const decision = await decideWindow(folder, facts, silent);
      expect(decision.kind).toBe('browser');
      expect(decision.kind === 'browser' ? decision.reason.split('\n') : []).toHaveLength(1);
    }
  });

  it('needs the file itself, not only its name', async () => {
    const executable = await giveElectron();
    await rm(executable);
    expect(findElectron(folder, {})).toBeNull();
    expect(findElectron(folder, { ELECTRON_OVERRIDE_DIST_PATH: path.join(folder, 'nowhere') })).toBeNull();
  });

  it('is tried to be fetched once; a fetch that failed is not repeated at the next start', async () => {
    const electron = path.join(folder, 'node_modules', 'electron');
    await mkdir(electron, { recursive: true });
    await writeFile(path.join(electron, 'install.js'), 'process.exit(1)');
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    expect(await decideWindow(folder, desktop, say)).toMatchObject({ kind: 'browser' });
    expect(await decideWindow(folder, desktop, say)).toMatchObject({ kind: 'browser' });
    expect(said).toHaveLength(1);
  });
});

describe('the addresses for other devices', () => {
  const interfaces = { lo: [{ address: '127.0.0.1', family: 'IPv4', internal: true }], eth0: [{ address: '192.168.1.5', family: 'IPv4', internal: false }, { address: 'fe80::1', family: 'IPv6', internal: false }], gone: undefined };
  it.each([
    ['0.0.0.0', ['192.168.1.5']],
    ['192.168.1.5', []],
    ['127.0.0.1', []],
  ])('listening on %s are %j', (listen, addresses) => {
    expect(otherAddresses(listen, interfaces)).toEqual(addresses);
  });
});
