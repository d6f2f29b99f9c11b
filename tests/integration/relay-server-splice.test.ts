/** What the relay does for a session, over real sockets: joins, carries every message in order, keeps a slow end from harming anybody, says goodbye. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningRelay, type RelayOptions, startRelay } from '../../relay/server.ts';
import type { SessionEnd } from '../../relay/splice.ts';
import { dialHome, dialSession, dialViewer, joinPair, newToken, type RelaySocket } from '../../relay/testing/relay-client.ts';
import { CLOSE_CODES, encodeRegister } from '../../shared/relay/protocol.ts';
import { waitFor } from '../support/wait.ts';

let running: RunningRelay | null = null;
const sockets: RelaySocket[] = [];

async function start(options: RelayOptions = {}): Promise<RunningRelay> {
  running = await startRelay({ ...options, limits: { connectsPerAddressPerS: 1_000, sessionBitsPerS: 0, ...options.limits } });
  return running;
}

async function pairOf(relay: RunningRelay, options: Parameters<typeof joinPair>[1] = {}) {
  const pair = await joinPair(relay.url, options);
  sockets.push(pair.home, pair.viewer, pair.session);
  return pair;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await running?.stop();
  running = null;
});

describe('a session', () => {
  it('is joined by the key that both ends were told, and carries bytes as they are both ways', async () => {
    const relay = await start();
    const { viewer, session } = await pairOf(relay);
    for (const size of [0, 1, 255, 256, 16_384]) {
      const message = randomBytes(size);
      viewer.send(message);
      expect((await session.next()).equals(message)).toBe(true);
      session.send(message);
      expect((await viewer.next()).equals(message)).toBe(true);
    }
    expect(relay.counters).toMatchObject({ sessions: 1, sessionsTotal: 1, messagesTotal: 10, bytesTotal: 2 * (1 + 255 + 256 + 16_384), controlSockets: 1, waiting: 0 });
  });

  it('keeps every message and their order while thousands wait', async () => {
    const relay = await start();
    const { viewer, session } = await pairOf(relay);
    const messages = 5_000;
    let [next, wrong] = [0, 0];
    viewer.listen((message) => {
      if (message.readUInt32BE(0) !== next || message.length !== 16_384) wrong += 1;
      next += 1;
    });
    // An end that reads nothing yet: how fast it is otherwise is the machine's business.
    viewer.ws.pause();
    for (let at = 0; at < messages; at += 1) {
      const message = Buffer.alloc(16_384);
      message.writeUInt32BE(at);
      session.send(message);
    }
    await waitFor('the source to be held back, for this many do not fit into the system', () => relay.counters.pausesSlow > 0);
    viewer.ws.resume();
    await waitFor('all messages', () => next === messages);
    expect(wrong).toBe(0);
  });

  it('ends for both when one goes, after what was under way', async () => {
    const relay = await start();
    const { viewer, session, home } = await pairOf(relay);
    session.send(Buffer.from('last words'));
    session.ws.close(1000);
    expect((await viewer.next()).toString()).toBe('last words');
    expect(await viewer.closed).toEqual({ code: CLOSE_CODES.ended, reason: 'ended' });
    await waitFor('the table to be empty', () => relay.counters.sessions === 0);
    // The control socket is another matter.
    const again = await joinPair(relay.url, { home, token: await reRegister(home) });
    sockets.push(again.viewer, again.session);
  });

  it('ends when an end speaks text', async () => {
    const relay = await start();
    const { viewer, session } = await pairOf(relay);
    viewer.ws.send('hello');
    expect((await viewer.closed).code).toBe(CLOSE_CODES.protocol);
    expect((await session.closed).code).toBe(CLOSE_CODES.ended);
  });

  it('is one of several of a home at once, none seeing the others', async () => {
    const relay = await start();
    const token = newToken();
    const home = await dialHome(relay.url, [token]);
    const pairs = [];
    for (let at = 0; at < 5; at += 1) pairs.push(await pairOf(relay, { home, token }));
    pairs.forEach(({ session }, at) => session.send(Buffer.from([at])));
    const got = await Promise.all(pairs.map(({ viewer }) => viewer.next()));
    expect(got.map((message) => message[0])).toEqual([0, 1, 2, 3, 4]);
  });
});

async function reRegister(home: RelaySocket): Promise<Buffer> {
  const token = newToken();
  home.send(encodeRegister([token]));
  // The relay reads a socket's messages in order, and this test's own: a ring proves the registration.
  await waitFor('the registration', async () => {
    const viewer = await dialViewer(running?.url ?? '', token);
    const told = await viewer.nextRelay('session').catch(() => null);
    viewer.close();
    if (told !== null) await home.nextRelay('ring');
    return told !== null;
  });
  return token;
}

describe('a token', () => {
  it('belongs to whoever registered it last; the older socket keeps its others', async () => {
    const relay = await start();
    const [shared, own] = [newToken(), newToken()];
    const older = await dialHome(relay.url, [shared, own]);
    await waitFor('the older registration', () => relay.counters.tokens === 2);
    const newer = await dialHome(relay.url, [shared]);
    sockets.push(older, newer);
    const joined = await waitFor('the newer registration', async () => {
      const viewer = await dialViewer(relay.url, shared);
      sockets.push(viewer);
      return Promise.race([newer.nextRelay('ring', 2_000).then(() => 'newer'), older.nextRelay('ring', 2_000).then(() => null)]);
    });
    expect(joined).toBe('newer');
    await pairOf(relay, { home: older, token: own });
    // The older one going takes nothing of the newer's away.
    older.close();
    await waitFor('the older socket to be gone', () => relay.counters.controlSockets === 1);
    sockets.push(await dialViewer(relay.url, shared));
    await newer.nextRelay('ring');
  });

  it('is nobody’s after the home took it back or went, and an unknown session key is nobody’s', async () => {
    const relay = await start();
    const token = newToken();
    const home = await dialHome(relay.url, [token]);
    await waitFor('the registration', () => relay.counters.tokens === 1);
    home.send(encodeRegister([]));
    await waitFor('the set to be empty', () => relay.counters.tokens === 0);
    const viewer = await dialViewer(relay.url, token);
    expect((await viewer.closed).code).toBe(CLOSE_CODES.nobody);
    home.send(encodeRegister([token]));
    await waitFor('the registration', () => relay.counters.tokens === 1);
    home.close();
    await waitFor('the home to be gone', () => relay.counters.tokens === 0);
    expect((await (await dialViewer(relay.url, token)).closed).code).toBe(CLOSE_CODES.nobody);
    expect((await (await dialSession(relay.url, randomBytes(32))).closed).code).toBe(CLOSE_CODES.nobody);
    expect(relay.counters.refusals.nobody).toBe(3);
  });
});

describe('an end that takes nothing', () => {
  it('costs another viewer of the same home nothing, holds little memory, and is given up with its pair', async () => {
    const stallMs = 1_500;
    const relay = await start({ limits: { stallMs } });
    const token = newToken();
    const home = await dialHome(relay.url, [token]);
    const stalled = await pairOf(relay, { home, token });
    const good = await pairOf(relay, { home, token });
    stalled.viewer.ws.pause();
    const frame = randomBytes(16_384);
    // As fast as it goes, whether taken or not: what the system's own buffers hold must be full too.
    const startMs = performance.now();
    let sent = 0;
    const push = setInterval(() => {
      for (let at = 0; at < 64 && stalled.session.ws.bufferedAmount < 4_000_000; at += 1) stalled.session.send(frame);
      good.session.send(frame);
      sent += 1;
    }, 5);
    let received = 0;
    good.viewer.listen(() => {
      received += 1;
    });
    const rssBefore = process.memoryUsage.rss();
    const ended = await stalled.session.closed;
    const afterMs = performance.now() - startMs;
    clearInterval(push);
    expect(ended.code).toBe(CLOSE_CODES.ended);
    expect(afterMs).toBeGreaterThan(stallMs);
    expect(relay.counters.refusals.stalled).toBe(1);
    await waitFor('the good viewer to have all', () => received === sent);
    expect(sent).toBeGreaterThan(100);
    // The clients of this test hold more than the relay does, so this only catches a relay that takes in everything.
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(150_000_000);
    await waitFor('the stalled session to be gone', () => relay.counters.sessions === 1);
  });

  it('is not given up while it takes a little now and then', async () => {
    const relay = await start({ limits: { stallMs: 700 } });
    const { viewer, session } = await pairOf(relay);
    let received = 0;
    viewer.listen(() => {
      received += 1;
    });
    const message = randomBytes(16_384);
    // 24 MB: more than the systems' buffers of both sides hold.
    const messages = 1_500;
    for (let at = 0; at < messages; at += 1) session.send(message);
    // Reads for 5 ms of every 300: a line that moves, though hardly.
    let rounds = 0;
    const rhythm = setInterval(() => {
      rounds += 1;
      viewer.ws.resume();
      setTimeout(() => rounds < 8 && viewer.ws.pause(), 5);
    }, 300);
    viewer.ws.pause();
    await waitFor('the slow time to be over', () => rounds >= 8);
    clearInterval(rhythm);
    viewer.ws.resume();
    await waitFor('every message', () => received === messages);
    expect(relay.counters.refusals.stalled).toBe(0);
  });
});

it('holds a session to its rate by reading more slowly, losing nothing', async () => {
  // 8 Mbit/s: 1 MB at once, then 1 MB a second.
  const relay = await start({ limits: { sessionBitsPerS: 8_000_000 } });
  const { viewer, session } = await pairOf(relay);
  let bytes = 0;
  viewer.listen((message) => {
    bytes += message.length;
  });
  const startMs = performance.now();
  const total = 200 * 16_000;
  for (let at = 0; at < 200; at += 1) session.send(Buffer.alloc(16_000));
  await waitFor('all bytes', () => bytes === total, 10_000, 10);
  const seconds = (performance.now() - startMs) / 1000;
  expect(seconds).toBeGreaterThan((total - 1_000_000) / 1_000_000 - 0.2);
  expect(seconds).toBeLessThan(6);
  expect(relay.counters.pausesRate).toBeGreaterThan(0);
});

describe('before it restarts', () => {
  it('tells homes when to come back, then closes everything with that reason, and is gone', async () => {
    const relay = await start();
    const { home, viewer, session } = await pairOf(relay);
    const waitingViewer = await dialViewer(relay.url, await reRegister(home));
    sockets.push(waitingViewer);
    await waitingViewer.nextRelay('session');
    await home.nextRelay('ring');
    const stopping = relay.stop(300);
    const notice = await home.nextRelay('reconnect-in');
    expect(notice.leastMs).toBeGreaterThan(0);
    expect(notice.spreadMs).toBeGreaterThanOrEqual(1_000);
    // The running session goes on until the end of the notice.
    session.send(Buffer.from('still here'));
    expect((await viewer.next()).toString()).toBe('still here');
    await stopping;
    const codes = await Promise.all([home, viewer, session, waitingViewer].map(async (socket) => (await socket.closed).code));
    expect(codes).toEqual([4403, 4403, 4403, 4403]);
    await expect(dialHome(relay.url, [])).rejects.toThrow();
    expect(relay.counters.connections).toBe(0);
  });
});

it('hands messages to a test’s hook instead, which may misroute them', async () => {
  const ends = new Set<SessionEnd>();
  const relay = await start({
    handOver: ({ from, to, message, deliver }) => {
      ends.add(from);
      const other = [...ends].find((end) => end.role === to.role && end !== to && end.isOpen);
      deliver(other ?? to, message);
    },
  });
  const [one, two] = [await pairOf(relay), await pairOf(relay)];
  for (const { viewer, session } of [one, two]) {
    viewer.send(Buffer.from('v'));
    session.send(Buffer.from('s'));
    await waitFor('both ends to be known', () => ends.size % 2 === 0 && ends.size > 0);
  }
  await waitFor('four ends', () => ends.size === 4);
  two.session.send(Buffer.from('for two'));
  const got: string[] = [];
  while (!got.includes('for two')) got.push((await one.viewer.next()).toString());
});
