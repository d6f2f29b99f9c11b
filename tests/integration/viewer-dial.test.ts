/** The viewer's way to another home, by the window's own code: real relays, real sockets, WebCrypto; the home is the other end of the session and answers by hand. */
import { afterEach, expect, test } from 'vitest';
import { utf8 } from '../../main/engine/rpc/channels/text-codec.ts';
import { type RelayOptions, type RunningRelay, startRelay } from '../../relay/server.ts';
import { dialHome, dialSession, type RelaySocket } from '../../relay/testing/relay-client.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { connectToHome } from '../../renderer/relay/connect-to-home.ts';
import { HomeLine } from '../../renderer/relay/home-line.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { decodeFrame, encodeFrame } from '../../shared/contract/frame.ts';
import { CONTRACT_VERSION, type ViewerHead } from '../../shared/contract/envelope.ts';
import type { RemoteHome, RemoteHomeKeys } from '../../shared/model/remote.ts';
import { toBase64url } from '../../shared/relay/bytes.ts';
import { ringToken, routeOf, utcDayOf } from '../../shared/relay/derive.ts';
import { acceptSession } from '../../shared/relay/session-home.ts';
import type { HomeSession } from '../../shared/relay/session-types.ts';
import type { Wire } from '../../shared/relay/wire.ts';
import { DAY_MS, HOUR_MS } from '../../shared/time.ts';
import { waitFor } from '../support/wait.ts';

const HOME_ID = '0123456789abcdef';
const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanUps.splice(0).toReversed()) await clean();
});

async function relay(options: RelayOptions = {}): Promise<RunningRelay> {
  const running = await startRelay({ ...options, limits: { connectsPerAddressPerS: 1_000, ...options.limits } });
  cleanUps.push(() => running.stop(0));
  return running;
}

function wireOver(socket: RelaySocket): Wire {
  return {
    send: (bytes) => socket.ws.readyState === socket.ws.OPEN && socket.send(bytes),
    onMessage: (listener) => socket.listen((message) => listener(new Uint8Array(message))),
    onClose: (tell) => void socket.closed.then(({ code }) => tell(`closed with ${code}`)),
    close: () => socket.ws.close(),
  };
}

/** A home with one paired device, which is the viewer. */
class TestHome {
  readonly sessions: HomeSession[] = [];
  readonly stamps: number[] = [];
  readonly ringSeed = nodeSuite.random(32);
  readonly routeSeed = nodeSuite.random(32);
  readonly psk = nodeSuite.random(32);
  readonly devicePrivateKey = nodeSuite.random(32);
  readonly log = { length: 3, head: new Uint8Array(32).fill(7) };
  /** What `homes.keys` gave out. */
  readonly givenOut: Uint8Array[] = [];
  readonly saw: unknown[] = [];
  logHead: RemoteHome['logHead'] = null;
  readonly #own = nodeSuite.generateKeyPair();

  /** Waits at a relay, on the route and with the token of a day. */
  async waitAt(url: string, dayMs = Date.now()): Promise<void> {
    const day = utcDayOf(dayMs);
    const token = await ringToken(nodeSuite, this.ringSeed, day);
    const route = toBase64url(await routeOf(nodeSuite, this.routeSeed, day));
    const control = await dialHome(url, [token], { route });
    cleanUps.push(() => control.close());
    const serve = async (): Promise<void> => {
      for (;;) {
        const ring = await control.nextRelay('ring', 120_000);
        const socket = await dialSession(url, ring.sessionKey, { route });
        cleanUps.push(() => socket.close());
        await socket.nextRelay('joined');
        this.#accept(wireOver(socket), token, ring.sessionKey).catch(() => undefined);
      }
    };
    serve().catch(() => undefined);
  }

  async #accept(wire: Wire, token: Uint8Array, sessionKey: Uint8Array): Promise<void> {
    const session = await acceptSession({
      suite: nodeSuite, text: utf8, wire, token, sessionKey, own: await this.#own,
      clock: { nowMs: () => performance.now(), after: (ms, run) => { const timer = setTimeout(run, ms); return () => clearTimeout(timer); } },
      findDevice: async () => ({ psk: this.psk }),
      acceptStamp: async (stampMs) => this.stamps.push(stampMs) > 0,
      logHead: () => this.log,
      wallMs: () => Date.now(),
    });
    this.sessions.push(session);
    cleanUps.push(() => session.close('the test is over'));
    const answer = (head: unknown): void => void session.sendSealed({ lane: { kind: 'control' }, camera: 0, ptsMs: 0, frame: encodeFrame({ head, payload: null }, utf8) });
    session.onMessage((frame) => {
      const head = decodeFrame(frame, utf8).head as ViewerHead;
      if (head.type === 'hello') answer({ type: 'welcome', version: CONTRACT_VERSION });
      if (head.type === 'request') answer({ type: 'result', id: head.id, value: [] });
    });
  }

  /** The engine of the viewer's own computer, as far as looking in asks it. */
  ownEngine(relays: readonly string[]): { ask: EngineClient['ask'] } {
    let lastStampMs = 0;
    const answers: Record<string, (input: never) => unknown> = {
      'homes.list': (): RemoteHome[] => [{ id: HOME_ID, name: 'Lakeside', relays, pairedMs: 0, logHead: this.logHead }],
      'homes.keys': async () => {
        const { publicKey } = await this.#own;
        const keys: RemoteHomeKeys = { homePublicKey: toBase64url(publicKey), devicePrivateKey: toBase64url(this.devicePrivateKey), psk: toBase64url(this.psk), ringSeed: toBase64url(this.ringSeed), routeSeed: toBase64url(this.routeSeed) };
        const bytes = new TextEncoder().encode(JSON.stringify(keys));
        this.givenOut.push(bytes);
        return { bytes };
      },
      'homes.stamp': () => ({ stampMs: (lastStampMs = Math.max(Date.now(), lastStampMs + 1)) }),
      'homes.sawLog': (input: unknown) => {
        this.saw.push(input);
        return null;
      },
    };
    return { ask: (async (name: string, input: never) => await answers[name]?.(input)) as EngineClient['ask'] };
  }

  /** The window. */
  look(relays: readonly string[]): { readonly client: EngineClient; readonly line: HomeLine } {
    const line = new HomeLine();
    const own = this.ownEngine(relays);
    const client = new EngineClient({ connect: () => connectToHome(HOME_ID, own, line), retryMs: () => 200 });
    cleanUps.push(() => {
      client.close();
      line.close();
    });
    return { client, line };
  }
}

const reasonOf = (line: HomeLine): string => (line.sight.kind === 'blank' ? line.sight.reason : '');

test('opens a session, sees while it lives, wipes what it was given, and keeps where the log stood', async () => {
  const { url } = await relay();
  const home = new TestHome();
  await home.waitAt(url);
  const { client, line } = home.look([url]);
  expect(line.maySee()).toBe(false);
  expect(await client.ask('cameras.list', {})).toEqual([]);
  expect(line.sight.kind).toBe('clear');
  expect(home.givenOut.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  expect(home.saw).toEqual([{ homeId: HOME_ID, length: 3, headHex: '07'.repeat(32) }]);
  // A new session comes by itself, under a later stamp.
  home.sessions[0]?.close('restarted');
  await waitFor('the next session', () => home.sessions.length === 2 && line.sight.kind === 'clear');
  expect(home.stamps[1]).toBeGreaterThan(home.stamps[0] ?? Number.POSITIVE_INFINITY);
});

test('is blank at once when the home ends the session, and says what it said', async () => {
  const { url } = await relay();
  const home = new TestHome();
  await home.waitAt(url);
  const { client, line } = home.look([url]);
  await client.ask('cameras.list', {});
  const seen: string[] = [];
  const endedMs = performance.now();
  let blankMs = Number.POSITIVE_INFINITY;
  line.onChange(() => {
    seen.push(reasonOf(line));
    if (line.sight.kind === 'blank') blankMs = Math.min(blankMs, performance.now());
  });
  home.sessions[0]?.close('Somebody at home took the right back.');
  await waitFor('a blank line', () => Number.isFinite(blankMs), 5_000, 10);
  expect(seen[0]).toMatch(/took the right back/);
  expect(blankMs - endedMs).toBeLessThan(1_000);
});

test('finds a home whose day is the neighbouring one', async () => {
  const { url } = await relay();
  const home = new TestHome();
  const isMorning = Date.now() % DAY_MS < 12 * HOUR_MS;
  await home.waitAt(url, Date.now() + (isMorning ? -DAY_MS : DAY_MS));
  const { client, line } = home.look([url]);
  await client.ask('cameras.list', {});
  expect(line.sight.kind).toBe('clear');
});

test('goes past relays that are not there', async () => {
  const { url } = await relay();
  const home = new TestHome();
  await home.waitAt(url);
  const { client } = home.look(['ws://127.0.0.1:1', 'ws://127.0.0.1:2', url, 'ws://127.0.0.1:3']);
  expect(await client.ask('cameras.list', {})).toEqual([]);
});

test('says that the home does not answer, or that no relay does', async () => {
  const { url } = await relay();
  const home = new TestHome();
  const { line } = home.look([url, 'ws://127.0.0.1:1']);
  await waitFor('a reason', () => /^The home does not answer/.test(reasonOf(line)));
  const nowhere = new TestHome().look(['ws://127.0.0.1:1']);
  await waitFor('a reason', () => /^The relay 127\.0\.0\.1:1 cannot be reached from here/.test(reasonOf(nowhere.line)));
});

test('is blank while a relay delays everything evenly, however regularly it comes, and says so', async () => {
  let delayMs = 0;
  const { url } = await relay({ handOver: ({ to, message, deliver }) => (delayMs === 0 ? deliver(to, message) : void setTimeout(() => deliver(to, message), delayMs)) });
  const home = new TestHome();
  await home.waitAt(url);
  const { client, line } = home.look([url]);
  await client.ask('cameras.list', {});
  delayMs = 2_000;
  await waitFor('it to be called late', () => /^Everything from there comes 4 s late/.test(reasonOf(line)), 15_000);
  expect(line.maySee()).toBe(false);
  expect(client.state.phase).toBe('connected');
});

test('opens nothing of another home that a relay puts in its place, and says why the picture went', async () => {
  const ends: { readonly token: Buffer }[] = [];
  let crossed = false;
  const { url } = await relay({
    handOver: ({ from, to, message, deliver }) => {
      if (from.role === 'home-session' && !ends.includes(to)) ends.push(to);
      const other = ends.find((end) => end !== to);
      deliver(crossed && from.role === 'home-session' && other !== undefined ? (other as typeof to) : to, message);
    },
  });
  const looks = [];
  for (const home of [new TestHome(), new TestHome()]) {
    await home.waitAt(url);
    const look = home.look([url]);
    await look.client.ask('cameras.list', {});
    const reasons: string[] = [];
    look.line.onChange(() => reasons.push(reasonOf(look.line)));
    looks.push({ ...look, reasons });
  }
  crossed = true;
  for (const { reasons } of looks) await waitFor('the reason', () => reasons.some((reason) => reason !== ''), 10_000);
  const told = looks.map(({ reasons }) => reasons.find((reason) => reason !== '') ?? '');
  // Whoever is cut off first sends nothing any more that could reach the other.
  expect(told.some((reason) => reason.startsWith('What came was not sealed by the other end'))).toBe(true);
  for (const reason of told) expect(reason).toMatch(/^What came was not sealed by the other end|^No sign of life/);
});

test('warns when the log of views is not the one it saw, and does not take the other for it', async () => {
  const { url } = await relay();
  const home = new TestHome();
  home.logHead = { length: 9, headHex: 'ee'.repeat(32) };
  await home.waitAt(url);
  const { client, line } = home.look([url]);
  await client.ask('cameras.list', {});
  expect(line.warning).toMatch(/not the one this computer saw before/);
  expect(home.saw).toEqual([]);
});
