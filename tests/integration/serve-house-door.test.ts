/** The way in for other devices in the house: opened, guarded, closed and remembered, asked of the real listeners. */
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webSocketChannel } from '../../main/engine/rpc/channels/websocket-channel.ts';
import { houseAddresses } from '../../main/engine/serve/serve-address.ts';
import type { DoorsState } from '../../shared/model/doors.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { connectViewer, type Home, makeHome, openSocket, type TestViewer, until, viewerOn } from './engine-rig.ts';

const PASSWORD = 'correct horse';
let home: Home;
let owner: TestViewer;

const remembered = async (): Promise<{ readonly open: boolean; readonly port: number }> => JSON.parse(await readFile(path.join(home.init.dataDir, 'config', 'doors.json'), 'utf8')) as { open: boolean; port: number };

/** Whether anything listens on a port of this computer. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

interface Answer {
  readonly status: number;
  readonly cookie: string;
  readonly fingerprint: string;
  readonly body: string;
}

/** As a phone's browser asks, which took the certificate for good. `from`: the address it comes from. */
function ask(port: number, method: string, where: string, headers: Record<string, string> = {}, body = '', from = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`https://127.0.0.1:${port}${where}`, { method, headers, rejectUnauthorized: false, agent: false, localAddress: from }, (answer) => {
      const certificate = (answer.socket as unknown as { getPeerCertificate(): { fingerprint256: string } }).getPeerCertificate();
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, cookie: (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '', fingerprint: certificate.fingerprint256, body: Buffer.concat(parts).toString('utf8') }));
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

const signIn = (port: number, password: string, from?: string): Promise<Answer> => ask(port, 'POST', '/sign-in', { origin: `https://127.0.0.1:${port}` }, new URLSearchParams({ password }).toString(), from);

beforeAll(async () => {
  home = await makeHome();
  owner = await connectViewer(await home.start());
}, 120_000);
afterAll(async () => {
  owner?.close();
  await home?.end();
}, 60_000);

test('closed until it is wanted, and not opened without a password', async () => {
  expect(await owner.ask('doors.state', {})).toEqual({ kind: 'switch', open: false, hasPassword: false, urls: [], fingerprint: null, sentence: null });
  await expect(owner.ask('doors.setOpen', { open: true })).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('password') });
  await expect(owner.ask('doors.setPassword', { password: 'short' })).rejects.toMatchObject({ kind: 'invalid-input' });
  expect(await owner.ask('doors.setPassword', { password: PASSWORD })).toMatchObject({ open: false, hasPassword: true });
});

test('open, it shows the certificate whose fingerprint the owner is shown, and lets in who has the password', async () => {
  const state = await owner.ask('doors.setOpen', { open: true });
  const { port, open } = await remembered();
  expect(open).toBe(true);
  expect(state).toMatchObject({ kind: 'switch', open: true, hasPassword: true, fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/), sentence: null });
  expect(state.urls).toEqual(houseAddresses('0.0.0.0', networkInterfaces()).map((address) => `https://${address}:${port}/`));
  expect(await until('the owner to hear of it', () => owner.events.find(({ name, value }) => name === 'doors.changed' && (value as DoorsState).open))).toBeDefined();
  const page = await ask(port, 'GET', '/');
  expect([page.status, page.fingerprint, page.body.includes('password')]).toEqual([401, state.fingerprint, true]);
  // The key of this computer's own address is none here.
  const key = forceUnwrap('the printed address has a key', /"accessKey": "([^"]+)"/.exec(await readFile(path.join(home.init.dataDir, 'config', 'serve.json'), 'utf8'))?.[1]);
  expect((await ask(port, 'GET', `/?key=${key}`)).status).toBe(401);
  const phone = await signIn(port, PASSWORD);
  expect([phone.status, phone.cookie.startsWith(`__Host-porchlight-${port}=`)]).toEqual([303, true]);
  expect((await ask(port, 'GET', '/', { cookie: phone.cookie })).body).toContain('the interface');
});

test('a changed password signs out who came with the old one, and not the owner at this computer', async () => {
  const { port } = await remembered();
  const origin = `https://127.0.0.1:${port}`;
  const { cookie } = await signIn(port, PASSWORD);
  const phone = viewerOn(webSocketChannel(await openSocket(origin, { cookie, origin })));
  await phone.ask('app.info', {});
  const startMs = performance.now();
  await owner.ask('doors.setPassword', { password: 'another horse' });
  await until('the phone to be cut off', () => phone.closed !== null);
  expect(performance.now() - startMs).toBeLessThan(5_000);
  await expect(openSocket(origin, { cookie, origin })).rejects.toThrow('401');
  expect((await ask(port, 'GET', '/', { cookie })).status).toBe(401);
  expect((await signIn(port, PASSWORD)).status).toBe(401);
  expect(await owner.ask('doors.state', {})).toMatchObject({ open: true });
  expect(owner.closed).toBeNull();
});

test('whoever changes it from another device has the answer first', async () => {
  const { port } = await remembered();
  const origin = `https://127.0.0.1:${port}`;
  const { cookie } = await signIn(port, 'another horse');
  const phone = viewerOn(webSocketChannel(await openSocket(origin, { cookie, origin })));
  expect(await phone.ask('doors.setPassword', { password: PASSWORD })).toMatchObject({ hasPassword: true });
  await until('the phone to be cut off', () => phone.closed !== null);
  expect((await signIn(port, PASSWORD)).status).toBe(303);
});

test('guesses are counted by address, and hold up nobody else', async () => {
  const { port } = await remembered();
  const statuses: number[] = [];
  for (let guess = 0; guess < 10; guess += 1) statuses.push((await signIn(port, `guess ${guess}`, '127.0.0.7')).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 429, 429]);
  expect((await signIn(port, PASSWORD, '127.0.0.7')).status).toBe(429);
  expect((await signIn(port, PASSWORD, '127.0.0.8')).status).toBe(303);
}, 60_000);

test('it is open again after a restart at the same address, and closed for good when it is switched off', async () => {
  const { port } = await remembered();
  const { cookie } = await signIn(port, PASSWORD);
  const shown = (await owner.ask('doors.state', {})).fingerprint;
  await home.host.stop();
  expect(await isListening(port)).toBe(false);
  // A port that somebody else took meanwhile keeps the way in closed, says so, and keeps nothing else from working.
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(port, '0.0.0.0', resolve));
  const next = await makeHome({ ...home.init });
  const blocked = await connectViewer(await next.start());
  expect(await blocked.ask('doors.state', {})).toMatchObject({ open: false, sentence: expect.stringContaining(String(port)) });
  await new Promise((resolve) => taken.close(resolve));
  expect(await blocked.ask('doors.setOpen', { open: true })).toMatchObject({ open: true, fingerprint: shown, sentence: null });
  expect((await ask(port, 'GET', '/', { cookie })).body).toContain('the interface');
  const origin = `https://127.0.0.1:${port}`;
  const phone = viewerOn(webSocketChannel(await openSocket(origin, { cookie, origin })));
  expect(await blocked.ask('doors.setOpen', { open: false })).toMatchObject({ open: false, urls: [] });
  expect(await isListening(port)).toBe(false);
  await until('the phone to be cut off', () => phone.closed !== null);
  expect(await remembered()).toMatchObject({ open: false, port });
  await next.end();
}, 120_000);

test('the app opens nothing', async () => {
  const app = await makeHome({ mode: 'app', serve: null });
  await app.host.start();
  const { socketPath, token } = JSON.parse(await readFile(path.join(app.init.dataDir, 'control.json'), 'utf8')) as { socketPath: string; token: string };
  const { socketChannel } = await import('../../main/engine/rpc/channels/socket-channel.ts');
  const channel = socketChannel(connect(socketPath), 1024 * 1024);
  channel.send({ head: { token }, payload: null });
  const viewer = viewerOn(channel);
  expect(await viewer.ask('doors.state', {})).toMatchObject({ kind: 'app', open: false, sentence: expect.stringContaining('--serve') });
  await expect(viewer.ask('doors.setOpen', { open: true })).rejects.toMatchObject({ kind: 'not-allowed' });
  await expect(viewer.ask('doors.setPassword', { password: PASSWORD })).rejects.toMatchObject({ kind: 'not-allowed' });
  viewer.close();
  await app.end();
}, 120_000);
