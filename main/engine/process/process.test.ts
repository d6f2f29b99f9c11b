/** The data folder's lock, the log file and the box of secrets, against real files and processes. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostMessage, ParentLink } from '../../../shared/contract/engine-process.ts';
import { systemClock } from '../core/clock.ts';
import { createLogger } from '../core/logger.ts';
import { lockDataFolder } from './data-lock.ts';
import { openLogFile } from './log-file.ts';
import { keyringBox } from './secret-box.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock of a data folder', () => {
  it('is one holder’s until given back', async () => {
    const lock = await lockDataFolder(folder);
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ kind: 'data-in-use' });
    await lock.release();
    await (await lockDataFolder(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to exactly one of many who start at once, also over a dead holder', async () => {
    await writeFile(path.join(folder, 'porchlight.lock'), JSON.stringify({ pid: 4_194_303, started: 'boot/1' }));
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataFolder(folder)));
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  });

  it('is free after its holder was killed', async () => {
    const script = `import { lockDataFolder } from ${JSON.stringify(path.join(import.meta.dirname, 'data-lock.ts'))}; await lockDataFolder(${JSON.stringify(folder)}); process.stdout.write('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ kind: 'data-in-use' });
    child.kill('SIGKILL');
    await gone;
    await (await lockDataFolder(folder)).release();
  });

  it('is free when another process was given its holder’s id', async ({ skip }) => {
    skip(process.platform !== 'linux', 'process start times are read from /proc');
    await writeFile(path.join(folder, 'porchlight.lock'), JSON.stringify({ pid: process.pid, started: 'an-earlier-boot/1' }));
    await (await lockDataFolder(folder)).release();
  });

  it('is free when it was cut short', async () => {
    await writeFile(path.join(folder, 'porchlight.lock'), '{"pid":');
    await (await lockDataFolder(folder)).release();
  });
});

describe('the log', () => {
  it('rotates, keeps the newest and holds no secrets', async () => {
    const log = await openLogFile(path.join(folder, 'logs'), systemClock);
    const logger = createLogger(log.sink).scoped('recorder');
    logger.warn('cannot open rtsp://admin:hunter2@10.0.0.1/stream');
    logger.debug('not for the file');
    for (let line = 0; line < 400; line += 1) logger.info('words and '.repeat(800));
    logger.info('the last line');
    await log.close();
    const files = (await readdir(path.join(folder, 'logs'))).sort();
    expect(files).toContain('porchlight.log.1');
    const texts = await Promise.all(files.map((file) => readFile(path.join(folder, 'logs', file), 'utf8')));
    expect(texts.join('')).not.toContain('hunter2');
    expect(texts.join('')).not.toContain('not for the file');
    expect(texts.join('')).toContain('WARN recorder: cannot open rtsp://***@10.0.0.1/stream');
    expect(log.recent().at(-1)).toContain('the last line');
  });
});

describe('the box of secrets', () => {
  it('asks the shell, opens what was kept without a keyring, and says so when the keyring refuses', async () => {
    const listeners: ((message: HostMessage, ports: readonly unknown[]) => void)[] = [];
    let locked = false;
    const link: ParentLink = {
      post: (message) => {
        if (message.type !== 'secret') return;
        const text = 'seal' in message.request ? Buffer.from(message.request.seal).toString('hex') : Buffer.from(message.request.open, 'hex').toString();
        listeners.forEach((listener) => listener({ type: 'secret', id: message.id, text: locked ? null : text }, []));
      },
      onMessage: (listener) => void listeners.push(listener),
      onGone: () => undefined,
    };
    const box = keyringBox(link);
    const sealed = await box.seal('hunter2');
    expect(sealed).not.toContain('hunter2');
    expect(await box.open(sealed)).toBe('hunter2');
    expect(await box.open('plain:older')).toBe('older');
    await expect(box.open('older')).rejects.toMatchObject({ kind: 'not-allowed' });
    locked = true;
    await expect(box.open(sealed)).rejects.toMatchObject({ kind: 'not-allowed' });
  });
});
