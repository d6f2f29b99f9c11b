/** A client of the relay for tests and benchmarks: sockets whose messages can be awaited one by one, and the first words of each role. */
import { randomBytes } from 'node:crypto';
import { type RawData, WebSocket } from 'ws';
import { decodeRelayMessage, encodeHello, encodeRegister, type RelayMessage } from '../../shared/relay/protocol.ts';
import { forceUnwrap } from '../../shared/result.ts';

export interface DialOptions {
  /** 22 characters of base64url; default: always the same. */
  readonly route?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the whole dial; default 10 s. */
  readonly limitMs?: number;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

const LIMIT_MS = 10_000;

/** Races a wait against time. */
export async function within<T>(what: string, promise: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limitMs} ms for ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One WebSocket to a relay; certificates are not looked at. */
export class RelaySocket {
  readonly ws: WebSocket;
  readonly closed: Promise<Closed>;
  #queue: Buffer[] = [];
  #wake: (() => void) | null = null;
  #isClosed = false;

  constructor(url: string, { route = 'A'.repeat(22), headers = {}, limitMs = LIMIT_MS }: DialOptions = {}) {
    this.ws = new WebSocket(`${url}/v1/${route}`, { perMessageDeflate: false, rejectUnauthorized: false, headers: { ...headers }, handshakeTimeout: limitMs });
    this.ws.on('message', (data: RawData) => {
      this.#queue.push(forceUnwrap('messages come as one Buffer', Buffer.isBuffer(data) ? data : null));
      this.#wake?.();
    });
    this.ws.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.ws.once('close', (code, reason) => {
        this.#isClosed = true;
        this.#wake?.();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Resolves when it is open; rejects when it ends before. */
  async opened(): Promise<this> {
    if (this.ws.readyState === WebSocket.OPEN) return this;
    await new Promise<void>((resolve, reject) => {
      this.ws.once('open', resolve);
      this.ws.once('error', reject);
      this.ws.once('close', (code) => reject(new Error(`closed with ${code} before it was open`)));
    });
    return this;
  }

  send(message: Uint8Array): void {
    this.ws.send(message);
  }

  /** The next message, past or future; rejects when the socket ends first. */
  async next(limitMs = LIMIT_MS): Promise<Buffer> {
    const arrival = async (): Promise<Buffer> => {
      for (;;) {
        const message = this.#queue.shift();
        if (message !== undefined) return message;
        if (this.#isClosed) throw new Error(`closed with ${(await this.closed).code} while a message was awaited`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    return within('a message', arrival(), limitMs);
  }

  async nextRelay<T extends RelayMessage['type']>(type: T, limitMs = LIMIT_MS): Promise<Extract<RelayMessage, { type: T }>> {
    const message = decodeRelayMessage(await this.next(limitMs));
    if (message?.type !== type) throw new Error(`expected ${type}, got ${message?.type ?? 'something else'}`);
    return message as Extract<RelayMessage, { type: T }>;
  }

  /** From now on messages go to `listener` instead of waiting for `next`. */
  listen(listener: (message: Buffer) => void): void {
    const waiting = this.#queue;
    this.#queue = [];
    this.ws.removeAllListeners('message');
    this.ws.on('message', listener);
    for (const message of waiting) listener(message);
  }

  close(): void {
    this.ws.terminate();
  }
}

export const newToken = (): Buffer => randomBytes(16);

/** A control socket that is welcomed and has registered; the relay may still be reading the tokens. */
export async function dialHome(url: string, tokens: readonly Uint8Array[], options: DialOptions = {}): Promise<RelaySocket> {
  const home = await new RelaySocket(url, options).opened();
  home.send(encodeHello({ role: 'home', body: new Uint8Array() }));
  await home.nextRelay('welcome', options.limitMs);
  home.send(encodeRegister(tokens));
  return home;
}

/** A viewer that has said its hello and waits. */
export async function dialViewer(url: string, token: Uint8Array, options: DialOptions = {}): Promise<RelaySocket> {
  const viewer = await new RelaySocket(url, options).opened();
  viewer.send(encodeHello({ role: 'viewer', body: token }));
  return viewer;
}

/** A home's own socket for a session. */
export async function dialSession(url: string, sessionKey: Uint8Array, options: DialOptions = {}): Promise<RelaySocket> {
  const session = await new RelaySocket(url, options).opened();
  session.send(encodeHello({ role: 'home-session', body: sessionKey }));
  return session;
}

export interface Pair {
  readonly home: RelaySocket;
  readonly viewer: RelaySocket;
  readonly session: RelaySocket;
  readonly token: Buffer;
  readonly sessionKey: Uint8Array;
}

/** A joined session of a home with its viewer; with `home`, one more of a home that has registered `token`. */
export async function joinPair(url: string, options: DialOptions & { readonly home?: RelaySocket; readonly token?: Buffer } = {}): Promise<Pair> {
  const token = options.token ?? newToken();
  const home = options.home ?? (await dialHome(url, [token], options));
  const viewer = await dialViewer(url, token, options);
  const { sessionKey } = await viewer.nextRelay('session', options.limitMs);
  const ring = await home.nextRelay('ring', options.limitMs);
  if (!Buffer.from(ring.sessionKey).equals(sessionKey)) throw new Error('home and viewer were told different session keys');
  const session = await dialSession(url, sessionKey, options);
  await Promise.all([session.nextRelay('joined', options.limitMs), viewer.nextRelay('joined', options.limitMs)]);
  return { home, viewer, session, token, sessionKey };
}
