/** Who gets into serve mode and who does not, asked of the real listener. */
import { request } from 'node:https';
import { createServer } from 'node:net';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServingInfo } from '../../shared/contract/engine-process.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { type Home, makeHome, openSocket, signInByKey } from './engine-rig.ts';

describe('on this computer', () => {
  let home: Home;
  let serving: ServingInfo;
  let origin: string;
  let cookie: string;
  beforeAll(async () => {
    home = await makeHome();
    serving = await home.start();
    origin = new URL(serving.url).origin;
    cookie = await signInByKey(serving.url);
  });
  afterAll(() => home.end());

  test('the page comes with strict headers, only to who has the key', async () => {
    const page = await fetch(origin, { headers: { cookie } });
    expect(await page.text()).toContain('the interface');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    // Elsewhere only WebSockets may go, without TLS only to this computer.
    expect(policy).toContain("connect-src 'self' wss: ws://127.0.0.1:* ws://localhost:*;");
    expect(policy.replace(/connect-src[^;]*/, '')).not.toMatch(/\*|https?:|wss?:/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('permissions-policy')).toMatch(/^camera=\(self\), microphone=\(\), /);
    for (const other of ['', cookie.replace(/.$/, '')]) {
      const refused = await fetch(origin, { headers: { cookie: other } });
      expect(refused.status).toBe(401);
      expect(await refused.text()).not.toContain('the interface');
    }
    expect((await fetch(`${origin}/?key=wrong`, { redirect: 'manual' })).status).toBe(401);
  });

  test('the cookie is for this page alone and no script reads it', async () => {
    const set = (await fetch(serving.url, { redirect: 'manual' })).headers.get('set-cookie') ?? '';
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Strict/);
  });

  test.each(['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/assets/../../secret.txt', '//etc/passwd', '/index.html%00.js'])('%s leaves the folder nowhere', async (wanted) => {
    const answer = await fetch(`${origin}${wanted}`, { headers: { cookie } });
    expect(await answer.text()).not.toMatch(/outside the page|root:/);
    expect(answer.status).toBe(404);
  });

  test('the channel opens to the own page only', async () => {
    (await openSocket(origin, { cookie, origin })).terminate();
    await expect(openSocket(origin, { cookie, origin: 'http://evil.example' })).rejects.toThrow('403');
    await expect(openSocket(origin, { cookie })).rejects.toThrow('403');
    await expect(openSocket(origin, { origin })).rejects.toThrow('401');
    const port = new URL(origin).port;
    await expect(openSocket(origin, { cookie, origin: `http://evil.example:${port}`, host: `evil.example:${port}` })).rejects.toThrow('421');
  });

  test('a taken port is a sentence with a next step, not a crash', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const bound = taken.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const second = await makeHome();
    const other = await makeHome({ serve: { ...forceUnwrap('it serves', second.init.serve), port } });
    await expect(other.start()).rejects.toMatchObject({ kind: 'port-in-use', message: expect.stringContaining('--port') });
    await other.end();
    await second.end();
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('beyond this computer', () => {
  test('nothing opens without a password', async () => {
    const home = await makeHome({ serve: { address: '0.0.0.0', port: 0, pageDir: '/nowhere', password: null } });
    await expect(home.start()).rejects.toMatchObject({ kind: 'not-allowed', message: expect.stringContaining('password') });
    await home.end();
  });

  test('it speaks TLS with a certificate of its own, wants the password, and counts guesses', async () => {
    const plain = await makeHome();
    const home = await makeHome({ serve: { ...forceUnwrap('it serves', plain.init.serve), address: '0.0.0.0', password: 'correct horse' } });
    const serving = await home.start();
    const port = serving.port;
    const origin = `https://127.0.0.1:${port}`;
    const ask = (method: string, where: string, headers: Record<string, string>, body = ''): Promise<{ status: number; cookie: string | null; fingerprint: string }> =>
      new Promise((resolve, reject) => {
        const asked = request(`${origin}${where}`, { method, headers, rejectUnauthorized: false, agent: false }, (answer) => {
          const certificate = (answer.socket as unknown as { getPeerCertificate(): { fingerprint256: string } }).getPeerCertificate();
          answer.resume();
          answer.once('end', () => resolve({ status: answer.statusCode ?? 0, cookie: answer.headers['set-cookie']?.[0] ?? null, fingerprint: certificate.fingerprint256 }));
        });
        asked.once('error', reject);
        asked.end(body);
      });
    const form = (password: string): string => new URLSearchParams({ password }).toString();
    const first = await ask('GET', '/', {});
    expect(first.status).toBe(401);
    expect(first.fingerprint).toBe(serving.fingerprint);
    expect((await ask('POST', '/sign-in', { origin: 'https://evil.example' }, form('correct horse'))).status).toBe(403);
    const signedIn = await ask('POST', '/sign-in', { origin }, form('correct horse'));
    expect(signedIn).toMatchObject({ status: 303, cookie: expect.stringMatching(/^__Host-.*Secure/) });
    const cookie = (signedIn.cookie ?? '').split(';')[0] ?? '';
    (await openSocket(origin, { cookie, origin })).terminate();
    const statuses: number[] = [];
    for (let guess = 0; guess < 9; guess += 1) statuses.push((await ask('POST', '/sign-in', { origin }, form(`guess ${guess}`))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 429]);
    expect((await ask('POST', '/sign-in', { origin }, form('correct horse'))).status).toBe(429);
    expect((await ask('GET', '/', { cookie })).status).toBe(200);
    const stored = await readFile(path.join(home.init.dataDir, 'config', 'serve.json'), 'utf8');
    expect(stored).not.toContain('correct horse');
    await home.end();
    await plain.end();
  });
});
