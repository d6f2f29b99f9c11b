/** The relay's limits one by one over real sockets: what is one too many is refused with its reason, what is within them goes on. */
import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RelayLimits } from '../../relay/limits.ts';
import { type RelayOptions, type RunningRelay, startRelay } from '../../relay/server.ts';
import { dialHome, dialSession, dialViewer, joinPair, newToken, RelaySocket, within } from '../../relay/testing/relay-client.ts';
import { CLOSE_CODES, encodeHello, encodeRegister, MAX_MESSAGE_BYTES, MAX_TOKENS, TOKEN_BYTES } from '../../shared/relay/protocol.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { waitFor } from '../support/wait.ts';

let running: RunningRelay | null = null;
const toClose: { close(): void }[] = [];

async function start(limits: Partial<RelayLimits> = {}, options: RelayOptions = {}): Promise<RunningRelay> {
  running = await startRelay({ ...options, limits: { connectsPerAddressPerS: 1_000, ...limits } });
  return running;
}

function kept<T extends { close(): void }>(socket: T): T {
  toClose.push(socket);
  return socket;
}

afterEach(async () => {
  for (const socket of toClose.splice(0)) socket.close();
  await running?.stop();
  running = null;
});

async function opened(relay: RunningRelay, headers: Record<string, string> = {}): Promise<RelaySocket> {
  return kept(await new RelaySocket(relay.url, { headers }).opened());
}

/** A TCP connection with what it got so far, and its end. */
function dialTcp(port: number): { readonly socket: Socket; readonly ended: Promise<string>; close(): void } {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  socket.on('error', () => undefined);
  return kept({ socket, ended: new Promise((resolve) => socket.once('close', () => resolve(text))), close: () => void socket.destroy() });
}

function fetchText(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).once('error', reject);
  });
}

describe('the hello', () => {
  it('has to come in time, after whatever part of the way somebody stopped', async () => {
    const relay = await start({ helloMs: 400 });
    const open = await opened(relay);
    const silent = dialTcp(relay.port);
    const half = dialTcp(relay.port);
    half.socket.write('GET /v1/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const drip = setInterval(() => half.socket.write('a'), 50);
    expect(await open.closed).toEqual({ code: CLOSE_CODES.late, reason: 'late' });
    expect(await within('the silent one to be cut', silent.ended)).toBe('');
    await within('the slow one to be cut', half.ended);
    clearInterval(drip);
    expect(relay.counters.refusals['hello-late']).toBe(3);
    await waitFor('nothing to be left', () => relay.counters.connections === 0);
  });

  it('has to come in time after TLS too', async () => {
    const { generate } = await import('selfsigned');
    const pems = await generate([{ name: 'commonName', value: 'relay' }], { keyType: 'ec', curve: 'P-256' });
    const relay = await start({ helloMs: 400 }, { tls: { cert: pems.cert, key: pems.private } });
    const open = await opened(relay);
    const silent = dialTcp(relay.port);
    expect((await open.closed).code).toBe(CLOSE_CODES.late);
    await within('the one without TLS to be cut', silent.ended);
    kept((await joinPair(relay.url)).viewer);
  });

  it.each([
    ['63 bytes', randomBytes(63)],
    ['65 bytes', randomBytes(65)],
    ['64 random bytes', randomBytes(64)],
    ['another version', Buffer.concat([Buffer.from('PLR2\u0001'), Buffer.alloc(59)])],
    ['no such role', Buffer.concat([Buffer.from('PLR1\u0004'), Buffer.alloc(59)])],
    ['text', 'PLR1'],
  ])('is refused: %s', async (_, hello) => {
    const relay = await start();
    const socket = await opened(relay);
    socket.ws.send(hello);
    expect((await socket.closed).code).toBe(CLOSE_CODES.protocol);
  });

  it('is said once: a viewer that speaks before its home is there is out of place', async () => {
    const relay = await start();
    const token = newToken();
    const home = kept(await dialHome(relay.url, [token]));
    const viewer = await waitingViewer(relay, token);
    viewer.send(Buffer.from('early'));
    expect((await viewer.closed).code).toBe(CLOSE_CODES.protocol);
    const { sessionKey } = await home.nextRelay('ring');
    expect((await (await dialSession(relay.url, sessionKey)).closed).code).toBe(CLOSE_CODES.nobody);
  });
});

async function waitingViewer(relay: RunningRelay, token: Buffer): Promise<RelaySocket> {
  await waitFor('the registration', () => relay.counters.tokens > 0, 5_000, 5);
  const viewer = kept(await dialViewer(relay.url, token));
  await viewer.nextRelay('session');
  return viewer;
}

describe('one address', () => {
  it('may open so many connections a second', async () => {
    const relay = await start({ connectsPerAddressPerS: 5 });
    const dials = await Promise.allSettled(Array.from({ length: 30 }, () => opened(relay)));
    const done = dials.filter((dial) => dial.status === 'fulfilled').length;
    // Ten at once, and what comes free while thirty dial.
    expect(done).toBeGreaterThanOrEqual(10);
    expect(done).toBeLessThan(20);
    expect(relay.counters.refusals['address-rate']).toBe(30 - done);
    await waitFor('its turn to come again', () => opened(relay).then(() => true));
  });

  it('may hold so many', async () => {
    const relay = await start({ connectionsPerAddress: 3 });
    const held = await Promise.all([opened(relay), opened(relay), opened(relay)]);
    await expect(opened(relay)).rejects.toThrow();
    expect(relay.counters.refusals['address-open']).toBe(1);
    held[0].close();
    await waitFor('the place to be free', () => relay.counters.connections === 2);
    await opened(relay);
  });

  it('is that of the socket, whatever a header says', async () => {
    const relay = await start({ connectionsPerAddress: 2 });
    for (const from of ['192.0.2.1', '192.0.2.2']) await opened(relay, { 'x-forwarded-for': from });
    await expect(opened(relay, { 'x-forwarded-for': '192.0.2.3' })).rejects.toThrow();
  });

  it('is the one a balancer appended, where the relay was told to believe it', async () => {
    const relay = await start({ connectionsPerAddress: 2 }, { behindProxy: true });
    for (const from of ['192.0.2.1', '9.9.9.9, 192.0.2.1', '192.0.2.2']) await opened(relay, { 'x-forwarded-for': from });
    await expect(opened(relay, { 'x-forwarded-for': '192.0.2.1' })).rejects.toThrow('429');
    await opened(relay, { 'x-forwarded-for': '192.0.2.2' });
  });
});

describe('everybody together', () => {
  it('may open so many connections a second', async () => {
    const relay = await start({ acceptsPerS: 10 });
    const dials = await Promise.allSettled(Array.from({ length: 40 }, () => opened(relay)));
    expect(dials.filter((dial) => dial.status === 'fulfilled').length).toBeLessThan(25);
    expect(relay.counters.refusals['accept-rate']).toBeGreaterThan(15);
  });

  it('may hold so many; those that are there go on', async () => {
    const relay = await start({ connections: 3 });
    const pair = await joinPair(relay.url);
    for (const socket of [pair.home, pair.viewer, pair.session]) kept(socket);
    await expect(opened(relay)).rejects.toThrow();
    expect(relay.counters.refusals.full).toBe(1);
    pair.viewer.send(Buffer.from('on'));
    expect((await pair.session.next()).toString()).toBe('on');
  });
});

describe('a home', () => {
  it('has so many sessions, also over a control socket it dialled anew', async () => {
    const relay = await start({ sessionsPerHome: 3 });
    const token = newToken();
    let home = kept(await dialHome(relay.url, [token]));
    const pairs = [];
    for (let at = 0; at < 2; at += 1) pairs.push(await joinPair(relay.url, { home, token }));
    const newer = kept(await dialHome(relay.url, [token]));
    await waitFor('the newer one to be rung', async () => {
      const viewer = kept(await dialViewer(relay.url, token));
      const isRung = await Promise.race([newer.nextRelay('ring', 500).then(() => true), home.nextRelay('ring', 500).then(() => false)]);
      if (!isRung) viewer.close();
      return isRung;
    });
    home = newer;
    const fourth = kept(await dialViewer(relay.url, token));
    expect(await fourth.closed).toEqual({ code: CLOSE_CODES.limit, reason: 'limit' });
    expect(relay.counters.refusals['home-limit']).toBe(1);
    pairs[0]?.viewer.close();
    await waitFor('the place to be free', () => relay.counters.sessions === 1);
    await joinPair(relay.url, { home, token }).then((pair) => kept(pair.viewer));
    for (const pair of pairs) pair.session.close();
  });

  it('that does not come when rung is not waited for', async () => {
    const relay = await start({ homeComesMs: 300 });
    const token = newToken();
    kept(await dialHome(relay.url, [token]));
    const viewer = await waitingViewer(relay, token);
    expect((await viewer.closed).code).toBe(CLOSE_CODES.late);
    expect(relay.counters).toMatchObject({ waiting: 0, refusals: { 'home-late': 1 } });
  });

  it('says what a home says, and not too often', async () => {
    const relay = await start({ controlsPerS: 5 });
    const tooMany = Buffer.concat([Buffer.from([1, MAX_TOKENS + 1]), Buffer.alloc((MAX_TOKENS + 1) * TOKEN_BYTES)]);
    for (const nonsense of [tooMany, Buffer.alloc(0), Buffer.from([1, 2, 3]), Buffer.from([9])]) {
      const home = kept(await dialHome(relay.url, []));
      home.send(nonsense);
      expect((await home.closed).code).toBe(CLOSE_CODES.protocol);
    }
    const home = kept(await dialHome(relay.url, []));
    for (let at = 0; at < 50; at += 1) home.send(encodeRegister([newToken()]));
    expect((await home.closed).code).toBe(CLOSE_CODES.limit);
    expect(relay.counters).toMatchObject({ tokens: 0, refusals: { 'control-rate': 1, protocol: 4 } });
  });

  it('behind a balancer is asked to dial anew, again and again while it stays; alone it is not', async () => {
    const asked = await start({ redialLeastMs: 100, redialSpreadMs: 50 }, { behindProxy: true });
    const home = kept(await dialHome(asked.url, []));
    for (let at = 0; at < 3; at += 1) expect(await home.nextRelay('reconnect-in')).toMatchObject({ leastMs: 100, spreadMs: 50 });
    await asked.stop();
    const alone = await start({ redialLeastMs: 100, redialSpreadMs: 50 });
    const token = newToken();
    const left = kept(await dialHome(alone.url, [token]));
    await waitingViewer(alone, token);
    await left.nextRelay('ring');
    // Nothing else came in several times that long.
    await expect(left.next(600)).rejects.toThrow('waited');
  });

  it('may hold as many tokens as the protocol says', async () => {
    const relay = await start();
    kept(await dialHome(relay.url, Array.from({ length: MAX_TOKENS }, newToken)));
    await waitFor('all of them', () => relay.counters.tokens === MAX_TOKENS);
  });
});

describe('a connection', () => {
  it('carries messages up to the limit, never compressed', async () => {
    const relay = await start();
    const pair = await joinPair(relay.url);
    for (const socket of [pair.home, pair.viewer, pair.session]) kept(socket);
    pair.viewer.send(Buffer.alloc(MAX_MESSAGE_BYTES));
    expect((await pair.session.next()).length).toBe(MAX_MESSAGE_BYTES);
    pair.viewer.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    expect((await pair.viewer.closed).code).toBe(1009);
    expect((await pair.session.closed).code).toBe(CLOSE_CODES.ended);
    const offering = new WebSocket(`${relay.url}/v1/${'A'.repeat(22)}`, { perMessageDeflate: true });
    kept({ close: () => offering.terminate() });
    await within('it to open', new Promise((resolve) => offering.once('open', resolve)));
    expect(offering.extensions).toBe('');
  });

  it('whose peer is dead is cut; one that answers pings stays', async () => {
    const relay = await start({ pingMs: 200 });
    const home = kept(await dialHome(relay.url, []));
    const dead = new WebSocket(`${relay.url}/v1/${'A'.repeat(22)}`, { autoPong: false });
    kept({ close: () => dead.terminate() });
    await new Promise((resolve) => dead.once('open', resolve));
    dead.send(encodeHello({ role: 'home', body: new Uint8Array() }));
    const code = await within('the dead one to be cut', new Promise((resolve) => dead.once('close', resolve)));
    expect(code).toBe(1006);
    let pings = 0;
    home.ws.on('ping', () => (pings += 1));
    await waitFor('more pings', () => pings >= 4);
    expect(relay.counters).toMatchObject({ controlSockets: 1, refusals: { dead: 1 } });
  });

  it('that pings without end is closed', async () => {
    const relay = await start({ controlsPerS: 5 });
    const pair = await joinPair(relay.url);
    for (const socket of [pair.home, pair.viewer, pair.session]) kept(socket);
    for (let at = 0; at < 100; at += 1) pair.viewer.ws.ping();
    expect((await pair.viewer.closed).code).toBe(CLOSE_CODES.limit);
    expect((await pair.session.closed).code).toBe(CLOSE_CODES.ended);
  });
});

it('answers an unknown token after a random time', async () => {
  const relay = await start({ unknownDelayMs: 200 });
  const times = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const socket = await opened(relay);
      const startMs = performance.now();
      socket.send(encodeHello({ role: 'viewer', body: newToken() }));
      expect(await socket.closed).toEqual({ code: CLOSE_CODES.nobody, reason: 'nobody' });
      return performance.now() - startMs;
    }),
  );
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(100);
});

describe('over HTTP', () => {
  it('there is no page, only whether it is well', async () => {
    const relay = await start();
    expect(await fetchText(relay.port, '/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect((await fetchText(relay.port, '/')).status).toBe(404);
    expect((await fetchText(relay.port, '/metrics')).status).toBe(404);
    for (const path of ['/', '/v1/', '/v1/short', `/v1/${'A'.repeat(23)}`, `/v1/${'A'.repeat(22)}?x=1`, `/v2/${'A'.repeat(22)}`]) {
      const ws = new WebSocket(`${relay.url}${path}`);
      const failed = await within('an answer', new Promise<Error>((resolve) => ws.once('error', resolve)));
      expect(failed.message, path).toContain('404');
    }
  });

  it('counters are on a port of their own, on this computer', async () => {
    const relay = await start({}, { metricsPort: 0, address: null });
    const pair = await joinPair(relay.url);
    for (const socket of [pair.home, pair.viewer, pair.session]) kept(socket);
    pair.viewer.send(Buffer.alloc(1000));
    await pair.session.next();
    const { text } = await fetchText(forceUnwrap('it was asked for', relay.metricsPort), '/metrics');
    expect(text).toContain('porchlight_relay_sessions 1\n');
    expect(text).toContain('porchlight_relay_bytes_total 1000\n');
    expect(text, 'no address, token or route').not.toMatch(/127\.0\.0\.1|AAAA/);
    expect(text).not.toContain(pair.token.toString('hex'));
  });
});
