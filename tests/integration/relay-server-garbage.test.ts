/** The relay among people who send anything: it lives, gives back what they cost, and an honest session goes on meanwhile. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { dialHome, dialSession, dialViewer, joinPair, newToken, RelaySocket } from '../../relay/testing/relay-client.ts';
import { encodeHello, HELLO_BYTES, type Role } from '../../shared/relay/protocol.ts';
import { waitFor } from '../support/wait.ts';
import { MANY_FROM_HERE, type RelayProgram, startRelayProgram } from './relay-program.ts';

let program: RelayProgram | null = null;

afterEach(async () => {
  await program?.child.stop();
  program = null;
});

/** Random numbers that are the same in every run (mulberry32). */
function seeded(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number): number => Math.floor(next() * most);
  return { below, bytes: (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => below(256))) };
}

type Random = ReturnType<typeof seeded>;

const UPGRADE = 'GET /v1/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

async function tcp(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect').catch(() => undefined);
  return socket;
}

function endSomehow(socket: Socket, random: Random): void {
  const how = random.below(3);
  if (how === 0) socket.resetAndDestroy();
  else if (how === 1) socket.end();
  else socket.destroy();
}

/** A client's frame (RFC 6455 section 5.2) with any first byte and any claimed length. */
function frame(random: Random, payload: Buffer): Buffer {
  const first = random.below(256);
  const claimed = random.below(4) === 0 ? random.below(126) : payload.length;
  const isMasked = random.below(8) > 0;
  const flag = isMasked ? 0x80 : 0;
  const mask = random.bytes(isMasked ? 4 : 0);
  if (random.below(6) === 0) return Buffer.concat([Buffer.from([first, flag | 127]), random.bytes(8), mask, payload]);
  if (claimed > 125) return Buffer.concat([Buffer.from([first, flag | 126, claimed >> 8, claimed & 255]), mask, payload]);
  return Buffer.concat([Buffer.from([first, flag | claimed]), mask, payload]);
}

const ATTACKS: Readonly<Record<string, (port: number, random: Random) => Promise<void>>> = {
  'random bytes on TCP': async (port, random) => {
    const socket = await tcp(port);
    socket.write(random.bytes(1 + random.below(2_000)));
    endSomehow(socket, random);
  },
  'random HTTP': async (port, random) => {
    const socket = await tcp(port);
    const method = ['GET', 'POST', 'CONNECT', 'PRI', 'OPTIONS'][random.below(5)];
    socket.write(`${method} /${random.bytes(10).toString('hex')} HTTP/1.1\r\nHost: x\r\n${`A: ${'b'.repeat(random.below(3_000))}\r\n`.repeat(random.below(5))}`);
    if (random.below(2) === 0) socket.write(`Content-Length: ${random.below(1e9)}\r\n\r\nxxxx`);
    endSomehow(socket, random);
  },
  'random frames': async (port, random) => {
    const socket = await tcp(port);
    socket.write(UPGRADE);
    for (let at = random.below(20); at >= 0; at -= 1) socket.write(frame(random, random.bytes(random.below(300))));
    endSomehow(socket, random);
  },
  'fragments without end': async (port, random) => {
    const socket = await tcp(port);
    socket.write(UPGRADE);
    socket.write(Buffer.from([0x02, 0x80, 1, 2, 3, 4]));
    for (let at = 0; at < 200; at += 1) socket.write(Buffer.from([0x00, 0x80, 1, 2, 3, 4]));
    endSomehow(socket, random);
  },
  'random hellos': async (port, random) => {
    const socket = new RelaySocket(`ws://127.0.0.1:${port}`);
    await socket.opened().catch(() => undefined);
    const hello = Buffer.from(encodeHello({ role: 'viewer', body: random.bytes(16) }));
    if (random.below(3) > 0) hello[random.below(HELLO_BYTES)] = random.below(256);
    socket.ws.send(random.below(2) === 0 ? hello : random.bytes(random.below(20_000)), () => undefined);
    if (random.below(2) === 0) socket.close();
    else await socket.closed;
  },
  'a home that says anything': async (port, random) => {
    const home = await dialHome(`ws://127.0.0.1:${port}`, [newToken()]);
    for (let at = random.below(6); at >= 0; at -= 1) home.ws.send(Buffer.concat([Buffer.from([random.below(3)]), random.bytes(random.below(1_100))]), () => undefined);
    home.ws.close(1000);
    await home.closed;
  },
  'a session whose ends go anyhow': async (port, random) => {
    const { home, viewer, session } = await joinPair(`ws://127.0.0.1:${port}`);
    for (const end of [viewer, session]) for (let at = random.below(5); at >= 0; at -= 1) end.ws.send(random.bytes(random.below(3_000)), () => undefined);
    const order = [home, viewer, session].sort(() => random.below(3) - 1);
    for (const socket of order) socket.close();
    await Promise.all(order.map((socket) => socket.closed));
  },
  'a session that never begins': async (port, random) => {
    const token = newToken();
    const home = await dialHome(`ws://127.0.0.1:${port}`, [token]);
    const viewer = await dialViewer(`ws://127.0.0.1:${port}`, token);
    const role: Role = random.below(2) === 0 ? 'viewer' : 'home-session';
    const other = role === 'viewer' ? await dialViewer(`ws://127.0.0.1:${port}`, random.bytes(16)) : await dialSession(`ws://127.0.0.1:${port}`, random.bytes(32));
    for (const socket of [viewer, other, home]) socket.close();
  },
};

/** Ways to stop half-way and stay; all of them are cut by the relay. */
async function linger(port: number, random: Random): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < 40; at += 1) {
    const socket = await tcp(port);
    const kind = at % 4;
    if (kind > 0) socket.write(UPGRADE.slice(0, kind === 1 ? 1 + random.below(UPGRADE.length - 2) : undefined));
    // A hello of which half comes.
    if (kind === 3) socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | 64, 0, 0, 0, 0]), random.bytes(30)]));
    sockets.push(socket);
  }
  return sockets;
}

async function wave(port: number, random: Random): Promise<void> {
  const lingering = await linger(port, random);
  const kinds = Object.values(ATTACKS);
  for (let round = 0; round < 15; round += 1) await Promise.allSettled(kinds.map((attack) => attack(port, random)));
  await Promise.all(lingering.filter((socket) => !socket.destroyed).map((socket) => once(socket, 'close')));
}

it('outlives garbage on every level, and nobody honest notices', { timeout: 120_000 }, async () => {
  program = await startRelayProgram([...MANY_FROM_HERE, '--max-accepts', '100000']);
  const { port, url, child } = program;
  const honest = await joinPair(url);
  let [sent, back, longestMs, lastMs] = [0, 0, 0, performance.now()];
  honest.session.listen((message) => honest.session.send(message));
  honest.viewer.listen((message) => {
    const nowMs = performance.now();
    if (message.readUInt32BE(0) === back) back += 1;
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  });
  const talk = setInterval(() => {
    const message = Buffer.alloc(1_000);
    message.writeUInt32BE(sent);
    honest.viewer.send(message);
    sent += 1;
  }, 20);
  const random = seeded(4);
  const settled = async (): Promise<number> => {
    await waitFor('only the honest ones to be left', async () => (await program?.counter('connections')) === 3, 20_000);
    await waitFor('no file of the others', () => (program?.openFiles() ?? 0) <= filesBefore, 20_000);
    return program?.residentBytes() ?? 0;
  };
  const filesBefore = program.openFiles();
  await wave(port, random);
  const first = await settled();
  await wave(port, random);
  await wave(port, random);
  const second = await settled();
  clearInterval(talk);
  await waitFor('the last echoes', () => back === sent);
  expect(child.process.exitCode, child.output()).toBeNull();
  // Twice as much garbage again costs nothing that stays; what a collector has not given back yet is allowed for.
  expect(second - first).toBeLessThan(25_000_000);
  expect(longestMs).toBeLessThan(2_000);
  expect(sent).toBeGreaterThan(100);
  for (const [sample, least] of [['refusals_total{reason="hello-late"}', 60], ['refusals_total{reason="bad-request"}', 20], ['refusals_total{reason="hello-bad"}', 10]] as const) {
    expect(await program.counter(sample), sample).toBeGreaterThanOrEqual(least);
  }
  expect(await program.counter('sessions')).toBe(1);
  expect(await program.counter('waiting')).toBe(0);
  expect(await program.counter('tokens')).toBe(1);
  for (const socket of [honest.home, honest.viewer, honest.session]) socket.close();
});
