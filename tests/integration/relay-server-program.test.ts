/** The relay as a program: what it prints, its signals, its container's files alone on a read-only disk, and that it writes nowhere. */
import { X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { spawnSync } from 'node:child_process';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { dialHome, joinPair, type Pair } from '../../relay/testing/relay-client.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { startChild } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';
import { type RelayProgram, startRelayProgram } from './relay-program.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const programs: RelayProgram[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(programs.splice(0).map((each) => each.child.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function start(...options: Parameters<typeof startRelayProgram>): Promise<RelayProgram> {
  const program = await startRelayProgram(...options);
  programs.push(program);
  return program;
}

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'porchlight-relay-'));
  folders.push(folder);
  return folder;
}

async function run(...args: string[]): Promise<{ readonly code: number | string; readonly output: string }> {
  const child = startChild(process.execPath, ['relay/main.ts', ...args], { cwd: ROOT });
  const code = await child.ended;
  return { code, output: child.output() };
}

/** Traffic both ways through a pair; resolves when all of it has arrived. */
async function talk({ viewer, session }: Pair, messages: number): Promise<void> {
  let received = 0;
  for (const end of [viewer, session]) end.listen(() => (received += 1));
  for (let at = 0; at < messages; at += 1) for (const end of [viewer, session]) end.send(Buffer.alloc(16_000, at));
  await waitFor('all messages', () => received === 2 * messages, 60_000);
}

function hangUp(pair: Pair): void {
  for (const socket of [pair.home, pair.viewer, pair.session]) socket.close();
}

describe('the program', () => {
  it('says in plain words what is wrong with its options', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await waitFor('a port', () => taken.listening);
    const { port } = forceUnwrap('it listens', taken.address()) as { port: number };
    const cases = await Promise.all([run('--port', 'x'), run('--prot', '1'), run('--tls', 'a', 'b'), run('--address', '127.0.0.1', '--port', `${port}`, '--no-metrics'), run('--tls', 'package.json', 'package.json'), run('--help')]);
    taken.close();
    expect(cases.map(({ code }) => code)).toEqual([2, 2, 1, 1, 2, 0]);
    expect(cases[0]?.output).toContain('--port takes a number from 0 to 65535, not "x".');
    expect(cases[1]?.output).toContain("Unknown option '--prot'.");
    expect(cases[2]?.output).toContain('a cannot be read.');
    expect(cases[3]?.output).toContain(`Port ${port} is in use.`);
    expect(cases[4]?.output).toContain('no PEM files');
    expect(cases[5]?.output).toContain('--max-mbit');
    for (const { output } of cases) expect(output, 'no stack trace').not.toMatch(/\n\s+at /);
  });

  it('tells homes before it leaves on SIGTERM, and is gone when the sockets are', async () => {
    const program = await start(['--drain-seconds', '0.3']);
    const pair = await joinPair(program.url);
    program.child.process.kill('SIGTERM');
    expect((await pair.home.nextRelay('reconnect-in')).spreadMs).toBeGreaterThan(0);
    expect((await pair.viewer.closed).code).toBe(4403);
    expect(await program.child.ended).toBe(0);
    // Where it listens and that it leaves; nothing of who was here.
    expect(program.child.output().split('\n').map((line) => line.split(' ', 3).join(' '))).toEqual(['The relay listens', `Counters: ${program.metricsUrl}`, 'Leaving: homes are']);
  });

  it('reads a new certificate on SIGHUP, keeps the old one where the new is none, and running sessions go on', async () => {
    const folder = newFolder();
    const write = async (name: string): Promise<void> => {
      const pems = await generate([{ name: 'commonName', value: name }], { keyType: 'ec', curve: 'P-256' });
      writeFileSync(path.join(folder, 'cert.pem'), pems.cert);
      writeFileSync(path.join(folder, 'key.pem'), pems.private);
    };
    await write('first');
    const program = await start(['--tls', path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')]);
    expect(program.url).toMatch(/^wss:/);
    expect(await subjectAt(program.port)).toBe('CN=first');
    const pair = await joinPair(program.url);
    await write('second');
    program.child.process.kill('SIGHUP');
    await program.child.waitForLine((line) => (line.includes('read again') ? line : null), 5_000);
    expect(await subjectAt(program.port)).toBe('CN=second');
    writeFileSync(path.join(folder, 'cert.pem'), 'nonsense');
    program.child.process.kill('SIGHUP');
    await waitFor('its answer', () => program.child.output().includes('The old certificate stays in use.'));
    expect(await subjectAt(program.port)).toBe('CN=second');
    await talk(pair, 3);
    hangUp(pair);
  });
});

function subjectAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
      resolve(certificate?.subject ?? 'none');
      socket.destroy();
    }).once('error', reject);
  });
}

/**
 * Calls that put bytes somewhere, make files, or could. Mapped files need an open for writing. What a ring of io_uring writes is no call
 * (libuv has one for its epoll): the system's own count of the process sees that, and the open files.
 */
const WRITES = 'write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,tee,vmsplice,fallocate,ftruncate,truncate';
const NAMES = 'open,openat,openat2,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat';

it('writes no byte to any file, with sessions, refusals and an orderly end', { timeout: 120_000 }, async (context) => {
  if (spawnSync('strace', ['-V']).status !== 0) {
    if (process.env['PORCHLIGHT_REQUIRE_DATA'] === '1') throw new Error('strace is not installed');
    context.skip('strace is not installed');
  }
  const log = path.join(newFolder(), 'trace');
  const program = await start(['--drain-seconds', '0'], { before: ['strace', '-f', '-y', '-qq', '-s', '0', '-o', log, '-e', `trace=${WRITES},${NAMES}`] });
  const pair = await joinPair(program.url);
  await talk(pair, 600);
  const refused = await dialHome(program.url, []);
  refused.send(Buffer.from('nonsense'));
  await refused.closed;
  expect(await program.counter('disk_writes_total')).toBe(0);
  expect(await program.counter('bytes_total')).toBe(2 * 600 * 16_000);
  // The tracer's child: the tracer itself passes no signal on.
  const relayPid = Number(readFileSync(`/proc/${program.child.pid}/task/${program.child.pid}/children`, 'utf8').trim().split(' ')[0]);
  expect(readFileSync(`/proc/${relayPid}/io`, 'utf8')).toMatch(/^write_bytes: 0$/m);
  expect(filesOpenForWriting(relayPid)).toEqual([]);
  const homeLeft = pair.home.closed;
  process.kill(relayPid, 'SIGTERM');
  expect((await homeLeft).code).toBe(4403);
  expect(await program.child.ended).toBe(0);
  const calls = readFileSync(log, 'utf8').split('\n').map((line) => line.replace(/^\d+ +/, ''));
  const written = calls.filter((call) => new RegExp(`^(?:${WRITES.replaceAll(',', '|')})\\(`).test(call));
  const elsewhere = written.filter((call) => !/^writev?\(\d+<(?:socket:\[\d+\]|TCP|pipe:\[\d+\]|anon_inode:\[eventfd\])/.test(call));
  expect(elsewhere).toEqual([]);
  expect(written.filter((call) => call.includes('socket:')).length, 'the trace did see the traffic').toBeGreaterThan(600);
  const named = calls.filter((call) => new RegExp(`^(?:${NAMES.replaceAll(',', '|')})\\(`).test(call));
  expect(named.length, 'the trace did see files being opened').toBeGreaterThan(20);
  const forWriting = named.filter((call) => !/^open(?:at)?\(.*O_RDONLY/.test(call) && !/"\/dev\/null"/.test(call));
  expect(forWriting).toEqual([]);
});

/** Files of a disk that a process could write to (proc_pid_fdinfo(5): the last two bits of `flags` are the access mode). */
function filesOpenForWriting(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    let target: string;
    let flags: number;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0', 8);
    } catch (error) {
      // A socket that closed since the folder was read.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
    return target.startsWith('/') && target !== '/dev/null' && (flags & 3) !== 0 ? [target] : [];
  });
}

describe('the container', () => {
  const containerfile = readFileSync(path.join(ROOT, 'relay/Containerfile'), 'utf8');
  const copies = [...containerfile.matchAll(/^COPY (.+) (\S+)$/gm)].map((match) => ({ from: forceUnwrap('it matched', match[1]).split(' '), to: forceUnwrap('it matched', match[2]) }));

  it('has the relay’s files, all of them, and no test', () => {
    const named = copies.flatMap(({ from }) => from).filter((name) => name.startsWith('relay/') && name.endsWith('.ts'));
    const there = readdirSync(path.join(ROOT, 'relay')).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).map((name) => `relay/${name}`);
    expect(named.toSorted()).toEqual(there.toSorted());
  });

  it('has the packages of the program beside it, in the same versions', () => {
    const read = (name: string) => JSON.parse(readFileSync(path.join(ROOT, name), 'utf8')) as { version: string; dependencies: Record<string, string>; packages: Record<string, { version: string; integrity: string }> };
    const [own, root, ownLock, rootLock] = [read('relay/package.json'), read('package.json'), read('relay/package-lock.json'), read('package-lock.json')];
    expect(Object.keys(own.dependencies).toSorted()).toEqual(['bufferutil', 'ws']);
    expect(own.version).toBe(root.version);
    for (const [name, version] of Object.entries(own.dependencies)) expect(root.dependencies[name], name).toBe(version);
    const locked = Object.entries(ownLock.packages).filter(([name]) => name !== '');
    expect(locked.map(([name]) => name).toSorted()).toEqual(['node_modules/bufferutil', 'node_modules/node-gyp-build', 'node_modules/ws']);
    for (const [name, { version, integrity }] of locked) expect(rootLock.packages[name], name).toMatchObject({ version, integrity });
  });

  it('runs from those files alone, on a disk it cannot write to, as nobody', async () => {
    const folder = newFolder();
    for (const { from, to } of copies) {
      for (const name of from) {
        const target = path.join(folder, to, path.basename(name));
        mkdirSync(path.dirname(target), { recursive: true });
        cpSync(path.join(ROOT, name), target);
      }
    }
    for (const name of ['ws', 'bufferutil', 'node-gyp-build']) cpSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name), { recursive: true, dereference: true });
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    // Where this user may: the whole disk read-only for the relay, and no rights for it.
    const lock = 'mount -o remount,bind,ro / && exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$@"';
    const canLock = spawnSync('unshare', ['-m', 'sh', '-c', lock, 'sh', 'true']).status === 0;
    if (!canLock && process.env['CI_REQUIRE_NETNS'] === '1') throw new Error('the disk cannot be made read-only here');
    const program = await start([], { cwd: folder, ...(canLock ? { before: ['unshare', '-m', 'sh', '-c', lock, 'sh'] } : {}) });
    if (canLock) expect(readFileSync(`/proc/${program.child.pid}/status`, 'utf8')).toMatch(/^Uid:\s+65534\s+65534/m);
    const maps = readFileSync(`/proc/${program.child.pid}/maps`, 'utf8');
    expect(maps, 'bufferutil’s binary is in use').toContain(`${folder}/node_modules/bufferutil/prebuilds`);
    const pair = await joinPair(program.url);
    await talk(pair, 20);
    hangUp(pair);
    expect(program.child.output()).not.toMatch(/warn/i);
  });
});
