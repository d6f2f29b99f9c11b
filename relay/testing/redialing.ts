/** A home and a viewer that come back by themselves, for tests and benchmarks of whole relays: jitter as the real ones have it, an echo in place of pictures. */
import { setTimeout as delay } from 'node:timers/promises';
import { decodeRelayMessage } from '../../shared/relay/protocol.ts';
import { dialHome, dialSession, dialViewer, type DialOptions, type RelaySocket } from './relay-client.ts';

export interface Comeback {
  /** Waits are drawn from 0 to `baseMs`, doubling with each failure up to `ceilingMs`. */
  readonly baseMs: number;
  readonly ceilingMs: number;
}

const HOME_COMEBACK: Comeback = { baseMs: 1_000, ceilingMs: 15_000 };
/** A viewer that is told that nobody is there tries again soon (docs/design/relay.md, "The wire to the relay"). */
const VIEWER_COMEBACK: Comeback = { baseMs: 500, ceilingMs: 4_000 };

export interface Party {
  readonly url: string;
  readonly route: string;
  readonly token: Buffer;
  readonly comeback?: Comeback;
  readonly limitMs?: number;
}

/** Dials until it works; null when stopped meanwhile. */
async function dialAgain<T>(dial: () => Promise<T>, { baseMs, ceilingMs }: Comeback, stop: AbortSignal, failed: () => void): Promise<T | null> {
  for (let failures = 0; !stop.aborted; failures += 1) {
    try {
      return await dial();
    } catch {
      failed();
      await delay(Math.random() * Math.min(ceilingMs, baseMs * 2 ** Math.min(failures, 10)), undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return null;
}

/** Answers every ring with a session that sends back what it gets. */
export class EchoHome {
  readonly #party: Party;
  readonly #stop = new AbortController();
  readonly #sessions = new Set<RelaySocket>();
  #control: RelaySocket | null = null;
  attempts = 0;
  isHere = false;
  /** Control sockets that took another's place because the relay asked for it. */
  redials = 0;

  constructor(party: Party) {
    this.#party = party;
  }

  /** Here, or on the way, until `stop`. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const control = await dialAgain(() => this.#dial(), this.#party.comeback ?? HOME_COMEBACK, signal, () => undefined);
      if (control === null) return;
      this.isHere = true;
      await this.#live(control);
      this.isHere = false;
      if (!signal.aborted) await delay(Math.random() * (this.#party.comeback ?? HOME_COMEBACK).baseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#control?.close();
    for (const session of this.#sessions) session.close();
  }

  #options(): DialOptions {
    const { route, limitMs } = this.#party;
    return { route, ...(limitMs === undefined ? {} : { limitMs }) };
  }

  #dial(): Promise<RelaySocket> {
    this.attempts += 1;
    return dialHome(this.#party.url, [this.#party.token], this.#options());
  }

  /** Hears rings; resolves when the last of the sockets that followed each other is gone. */
  async #live(first: RelaySocket): Promise<void> {
    for (let control: RelaySocket | null = first; control !== null; ) {
      const current: RelaySocket = control;
      this.#control = current;
      if (this.#stop.signal.aborted) current.close();
      const next: RelaySocket | null = await new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined;
        current.listen((bytes) => {
          const message = decodeRelayMessage(bytes);
          if (message?.type === 'ring') void this.#serve(Buffer.from(message.sessionKey));
          if (message?.type !== 'reconnect-in') return;
          clearTimeout(timer);
          timer = setTimeout(() => void this.#dial().then(resolve, () => undefined), message.leastMs + Math.random() * message.spreadMs);
        });
        void current.closed.then(() => {
          clearTimeout(timer);
          resolve(null);
        });
      });
      if (next !== null) {
        this.redials += 1;
        current.close();
      }
      control = next;
    }
  }

  async #serve(sessionKey: Buffer): Promise<void> {
    const session = await dialSession(this.#party.url, sessionKey, this.#options()).catch(() => null);
    if (session === null) return;
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    if (this.#stop.signal.aborted) session.close();
    let isJoined = false;
    session.listen((message) => {
      if (isJoined) session.send(message);
      isJoined = true;
    });
  }
}

/** Keeps a session with its home and says something in it again and again. */
export class EchoViewer {
  readonly #party: Party;
  readonly #sayEachMs: number;
  readonly #stop = new AbortController();
  #socket: RelaySocket | null = null;
  #saidMs = 0;
  attempts = 0;
  sessions = 0;
  /** When the last echo came; 0 without a session. */
  heardMs = 0;
  /** Longest time between saying and hearing within a session that lasted. */
  longestMs = 0;

  constructor(party: Party, sayEachMs = 100) {
    this.#party = party;
    this.#sayEachMs = sayEachMs;
  }

  /** Whether an echo came lately. */
  get isWatching(): boolean {
    return this.heardMs > 0 && performance.now() - this.heardMs < 1_500;
  }

  async run(): Promise<void> {
    const { signal } = this.#stop;
    const comeback = this.#party.comeback ?? VIEWER_COMEBACK;
    while (!signal.aborted) {
      const socket = await dialAgain(() => this.#dial(), comeback, signal, () => undefined);
      if (socket === null) return;
      this.sessions += 1;
      await this.#talk(socket);
      this.heardMs = 0;
      if (!signal.aborted) await delay(Math.random() * comeback.baseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Ends the session; the next is dialled at once. */
  hangUp(): void {
    this.#socket?.close();
  }

  stop(): void {
    this.#stop.abort();
    this.#socket?.close();
  }

  async #dial(): Promise<RelaySocket> {
    const { url, token, route, limitMs = 5_000 } = this.#party;
    this.attempts += 1;
    const socket = await dialViewer(url, token, { route, limitMs });
    this.#socket = socket;
    try {
      await socket.nextRelay('session', limitMs);
      await socket.nextRelay('joined', limitMs);
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  async #talk(socket: RelaySocket): Promise<void> {
    const say = (): void => {
      this.#saidMs = performance.now();
      socket.send(Buffer.alloc(256));
    };
    let timer: NodeJS.Timeout | undefined;
    socket.listen(() => {
      this.heardMs = performance.now();
      this.longestMs = Math.max(this.longestMs, this.heardMs - this.#saidMs);
      timer = setTimeout(say, this.#sayEachMs);
    });
    say();
    if (this.#stop.signal.aborted) socket.close();
    await socket.closed;
    clearTimeout(timer);
  }
}
