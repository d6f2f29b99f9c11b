/** Serve mode's guards, each against the attack it is there for. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { createAttempts } from './attempts.ts';
import { openCertificate } from './certificate.ts';
import { isLoopback, isOwnHost, isOwnOrigin } from './serve-address.ts';
import { openSignIn } from './sign-in.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function clockAt(time: { nowMs: number }): Clock {
  return { ...systemClock, nowMs: () => time.nowMs, monotonicMs: () => time.nowMs };
}

describe('the Host header', () => {
  const local = { address: '127.0.0.1', port: 8722, secure: false };
  const home = { address: '0.0.0.0', port: 8722, secure: true };

  it.each(['127.0.0.1:8722', 'localhost:8722', '[::1]:8722', 'LOCALHOST:8722'])('%s is this computer', (host) => expect(isOwnHost(host, local)).toBe(true));
  it.each(['evil.example:8722', '127.0.0.1.evil.example:8722', 'localhost.evil.example:8722', '127.0.0.1:80', '192.168.1.5:8722', '127.0.0.1@evil:8722', '', undefined])('%s is not', (host) =>
    expect(isOwnHost(host, local)).toBe(false),
  );
  it('beyond this computer is an address or an own name, never another name', () => {
    expect(isOwnHost('192.168.1.5:8722', home)).toBe(true);
    expect(isOwnHost('evil.example:8722', home)).toBe(false);
  });
});

describe('the Origin header', () => {
  it('is the page itself, to the letter', () => {
    expect(isOwnOrigin('http://127.0.0.1:8722', '127.0.0.1:8722', false)).toBe(true);
    for (const origin of [undefined, 'null', 'http://127.0.0.1:9999', 'https://127.0.0.1:8722', 'http://evil.example', 'http://127.0.0.1:8722.evil.example']) {
      expect(isOwnOrigin(origin, '127.0.0.1:8722', false)).toBe(false);
    }
  });
  it('loopback is known in all its forms', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '192.168.0.1', '1127.0.0.1', '127.evil'].some(isLoopback)).toBe(false);
  });
});

describe('signing in', () => {
  it('keeps key and sessions over a restart, in a file only the owner reads, without the password', async () => {
    const first = await openSignIn(folder, systemClock);
    await first.setPassword('correct horse battery');
    const cookie = first.newSession();
    const again = await openSignIn(folder, systemClock);
    expect(again.isAccessKey(first.accessKey)).toBe(true);
    expect(again.isSession(cookie)).toBe(true);
    expect(await again.isPassword('correct horse battery')).toBe(true);
    expect(await again.isPassword('correct horse batterz')).toBe(false);
    const file = path.join(folder, 'serve.json');
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await readFile(file, 'utf8')).not.toContain('horse');
  });

  it('refuses forged, ended and older sessions', async () => {
    const time = { nowMs: 1_000_000 };
    const signIn = await openSignIn(folder, clockAt(time));
    const cookie = signIn.newSession();
    const [expires = '', id = '', signature = ''] = cookie.split('.');
    expect(signIn.isSession(cookie)).toBe(true);
    expect(signIn.isSession(`${Number(expires) + 1}.${id}.${signature}`)).toBe(false);
    expect(signIn.isSession(undefined)).toBe(false);
    await signIn.setPassword('another password');
    expect(signIn.isSession(cookie)).toBe(false);
    const next = signIn.newSession();
    time.nowMs = Number(next.split('.')[0]);
    expect(signIn.isSession(next)).toBe(false);
  });

  it('wants a password worth its name, and none means none', async () => {
    const signIn = await openSignIn(folder, systemClock);
    expect(await signIn.isPassword('')).toBe(false);
    await expect(signIn.setPassword('short')).rejects.toMatchObject({ kind: 'invalid-input' });
  });
});

describe('guesses', () => {
  it('are bounded per address and in total, and forgotten with time', () => {
    const time = { nowMs: 0 };
    const attempts = createAttempts(clockAt(time), { windowMs: 1000, perAddress: 2, total: 3 });
    expect([attempts.allow('a'), attempts.allow('a'), attempts.allow('a')]).toEqual([true, true, false]);
    expect([attempts.allow('b'), attempts.allow('c')]).toEqual([true, false]);
    time.nowMs = 1000;
    expect(attempts.allow('a')).toBe(true);
    attempts.succeeded('a');
    expect([attempts.allow('a'), attempts.allow('a'), attempts.allow('a')]).toEqual([true, true, false]);
  });
});

describe('the certificate', () => {
  it('is made once, with an owner-only key, and renewed before it ends', async () => {
    const time = { nowMs: Date.parse('2026-01-01') };
    const made = await openCertificate(folder, clockAt(time));
    expect(made.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect((await stat(path.join(folder, 'serve-key.pem'))).mode & 0o077).toBe(0);
    expect((await openCertificate(folder, clockAt(time))).fingerprint).toBe(made.fingerprint);
    time.nowMs += 800 * 86_400_000;
    expect((await openCertificate(folder, clockAt(time))).fingerprint).not.toBe(made.fingerprint);
  });
});
