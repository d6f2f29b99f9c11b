/** The real relay in this process with real sockets, deranged through the hook that no switch of the shipped program leads to. */
import { setTimeout as wait } from 'node:timers/promises';
import type { SessionClock, Wire } from '../../shared/relay/wire.ts';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import type { Passage, SessionEnd } from '../../relay/splice.ts';
import { dialHome, dialSession, dialViewer, type RelaySocket } from '../../relay/testing/relay-client.ts';
import { toBase64url, toHex } from '../../shared/relay/bytes.ts';
import { type Delivery, type DrillRelay, type EndName, HONEST, type Joined, other, type Rule } from './drill-relay.ts';
import { type Household, isMarked } from './households.ts';
import type { Side } from './ledger.ts';

const AT_ONCE = 16;
const POLL_MS = 5;
const MOST_TRIES = 5;
/** Everybody of the drill comes from one address, and all at once. */
const NO_LIMITS = { connectsPerAddressPerS: 1e6, connectionsPerAddress: 1e6, acceptsPerS: 1e6, connections: 1e6, controlsPerS: 1e6, sessionBitsPerS: 0, sessionsPerHome: 1e6 };

const clock: SessionClock = {
  nowMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

const nameOf = ({ household, side }: EndName): string => `${side} ${household}`;

/** A joined socket as a wire. */
function wireOf(socket: RelaySocket): Wire {
  let listener: ((bytes: Uint8Array) => void) | null = null;
  let early: Uint8Array[] = [];
  socket.listen((message) => {
    if (listener === null) early.push(message);
    else listener(message);
  });
  return {
    send: (bytes) => socket.send(bytes),
    onMessage(listen) {
      listener = listen;
      for (const bytes of early.splice(0)) listen(bytes);
      early = [];
    },
    onClose: (listen) => void socket.closed.then(({ code, reason }) => listen(`${code} ${reason}`)),
    close: (reason) => socket.ws.close(1000, reason),
  };
}

/** One end as the relay has it. */
interface KnownEnd {
  readonly end: SessionEnd;
  readonly deliver: Passage['deliver'];
}

export class SocketRelay implements DrillRelay {
  readonly clock = clock;
  readonly seen = { messages: 0, marked: 0 };
  rule: Rule = HONEST;
  readonly #relay: RunningRelay;
  readonly #sockets: RelaySocket[] = [];
  /** Households by session key. */
  readonly #households = new Map<string, number>();
  readonly #ends = new Map<string, KnownEnd>();
  /** For ends the relay has not yet shown: nothing has passed them. */
  readonly #held = new Map<string, Uint8Array[]>();

  private constructor(relay: RunningRelay) {
    this.#relay = relay;
  }

  static async start(): Promise<SocketRelay> {
    const hook: { pass: (passage: Passage) => void } = { pass: () => undefined };
    const relay = new SocketRelay(await startRelay({ limits: NO_LIMITS, handOver: (passage) => hook.pass(passage) }));
    hook.pass = (passage) => relay.#pass(passage);
    return relay;
  }

  async join(households: readonly Household[]): Promise<readonly Joined[]> {
    await this.hangUp();
    const joined: Joined[] = [];
    for (let at = 0; at < households.length; at += AT_ONCE) joined.push(...(await Promise.all(households.slice(at, at + AT_ONCE).map((household) => this.#joinOne(household)))));
    return joined;
  }

  inject({ to, message }: Delivery): void {
    const known = this.#ends.get(nameOf(to));
    if (known !== undefined) known.deliver(known.end, message);
    else this.#held.set(nameOf(to), [...(this.#held.get(nameOf(to)) ?? []), message]);
  }

  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = clock.nowMs() + limitMs;
    while (!condition()) {
      if (clock.nowMs() > endMs) return condition();
      await wait(POLL_MS);
    }
    return true;
  }

  async hangUp(): Promise<void> {
    const sockets = this.#sockets.splice(0);
    for (const socket of sockets) socket.close();
    await Promise.all(sockets.map(({ closed }) => closed));
    for (const known of [this.#households, this.#ends, this.#held]) known.clear();
  }

  async stop(): Promise<void> {
    await this.hangUp();
    await this.#relay.stop();
  }

  async #joinOne(household: Household): Promise<Joined> {
    const { url } = this.#relay;
    const route = { route: toBase64url(household.token) };
    const control = await dialHome(url, [household.token], route);
    const { viewer, sessionKey } = await this.#ring(household);
    const ring = await control.nextRelay('ring');
    if (toHex(ring.sessionKey) !== toHex(sessionKey)) throw new Error('home and viewer were told different session keys');
    this.#households.set(toHex(sessionKey), household.index);
    const home = await dialSession(url, sessionKey, route);
    await Promise.all([home.nextRelay('joined'), viewer.nextRelay('joined')]);
    this.#sockets.push(control, viewer, home);
    return { household, sessionKey: Uint8Array.from(sessionKey), home: wireOf(home), viewer: wireOf(viewer) };
  }

  /** The relay may still be reading the home's tokens: who comes too early is sent away, and tries again as any viewer does. */
  async #ring({ token }: Household): Promise<{ readonly viewer: RelaySocket; readonly sessionKey: Uint8Array }> {
    for (let tries = 1; ; tries += 1) {
      const viewer = await dialViewer(this.#relay.url, token, { route: toBase64url(token) });
      try {
        return { viewer, sessionKey: (await viewer.nextRelay('session')).sessionKey };
      } catch (error) {
        viewer.close();
        if (tries === MOST_TRIES) throw error;
      }
    }
  }

  #pass({ from, to, message, deliver }: Passage): void {
    const household = this.#households.get(toHex(from.sessionKey));
    if (household === undefined) return;
    const side: Side = from.role === 'viewer' ? 'viewer' : 'home';
    const name: EndName = { household, side };
    this.seen.messages += 1;
    if (isMarked(message)) this.seen.marked += 1;
    // A message is part of a larger buffer of the socket's, which rows may keep.
    const deliveries = this.rule(name, Uint8Array.from(message));
    this.#learn(name, from, deliver);
    this.#learn({ household, side: other(side) }, to, deliver);
    for (const delivery of deliveries) this.inject(delivery);
  }

  #learn(name: EndName, end: SessionEnd, deliver: Passage['deliver']): void {
    this.#ends.set(nameOf(name), { end, deliver });
    const held = this.#held.get(nameOf(name));
    if (held === undefined) return;
    this.#held.delete(nameOf(name));
    for (const message of held) deliver(end, message);
  }
}
