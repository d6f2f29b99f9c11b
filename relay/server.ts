/** Accepts, limits, reads the hello and hands each connection to the table of sessions (docs/design/relay.md). */
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { PorchlightError } from '../shared/errors.ts';
import { decodeHello } from '../shared/relay/protocol.ts';
import { forceUnwrap } from '../shared/result.ts';
import { Admission } from './admission.ts';
import { addressKey, Addresses, forwardedAddress } from './addresses.ts';
import { Connection, type Surroundings } from './connection.ts';
import { type Counters, createCounters, type Refusal } from './counters.ts';
import { Deadlines } from './deadlines.ts';
import { Bucket, LIMITS, type RelayLimits } from './limits.ts';
import { createMetrics, createMetricsServer } from './metrics.ts';
import { SessionTable } from './sessions.ts';
import type { HandOver } from './splice.ts';

export interface Certificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface RelayOptions {
  /** 0, and the default: any free one. */
  readonly port?: number;
  /** Default: this computer only; null: all its addresses. */
  readonly address?: string | null;
  readonly tls?: Certificate | null;
  /** 0: any free one; null, and the default: none. */
  readonly metricsPort?: number | null;
  readonly metricsAddress?: string;
  /** Believe the last address of `X-Forwarded-For`, and ask homes to dial anew now and then: only where nobody but a balancer reaches this port. */
  readonly behindProxy?: boolean;
  readonly limits?: Partial<RelayLimits>;
  /** For tests that derange the relay: sees each message of each session in place of the honest forwarding. No switch of the program leads here. */
  readonly handOver?: HandOver;
}

export interface RunningRelay {
  readonly port: number;
  /** What clients dial, without the route: `ws://127.0.0.1:1234`. */
  readonly url: string;
  readonly metricsPort: number | null;
  readonly counters: Readonly<Counters>;
  /** For connections from now on. Throws on one that is none. */
  useCertificate(tls: Certificate): void;
  /** Tells every home, waits `drainMs`, closes everything with `restarting`, and resolves when nothing of it is left. */
  stop(drainMs?: number): Promise<void>;
}

const TICK_MS = 100;
/** Pings in one tick, so that the thousands that came in one storm do not hold up the running ones each half minute. */
const PINGS_PER_TICK = 200;
const PATH = /\/v1\/[A-Za-z0-9_-]{22}$/;
const MAX_HEADER_BYTES = 8 * 1024;
/** A browser sends a message of this size in one frame; whoever sends crumbs is no client of ours. */
const MAX_FRAGMENTS = 64;
const BACKLOG = 1024;
/** Homes that come back a second; what one core does easily while others watch. */
const COME_BACK_PER_S = 500;

/** Starts a relay in this process. Throws a PorchlightError where it cannot listen or the certificate is none. */
export async function startRelay(options: RelayOptions = {}): Promise<RunningRelay> {
  const relay = new Relay(options);
  await relay.listen();
  return relay;
}

class Relay implements RunningRelay {
  readonly counters: Counters = createCounters();
  port = 0;
  metricsPort: number | null = null;
  readonly #options: RelayOptions;
  readonly #around: Surroundings;
  readonly #sessions: SessionTable;
  readonly #addresses: Addresses;
  readonly #accepts: Bucket;
  readonly #admission: Admission<Socket>;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<Connection>();
  /** WebSockets whose hello is awaited. */
  readonly #greeting = new Map<Duplex, Connection>();
  /** Sockets that have not said their hello; before TLS is through, `handshakeTimeout` is the same limit. */
  readonly #hellos: Deadlines<Duplex>;
  readonly #front: Server;
  readonly #http: HttpServer | HttpsServer;
  readonly #websockets: WebSocketServer;
  readonly #metrics;
  readonly #metricsServer: HttpServer;
  #tick: NodeJS.Timeout | null = null;
  #isLeaving = false;
  #stopped: Promise<void> | null = null;

  constructor(options: RelayOptions) {
    const limits = { ...LIMITS, ...options.limits };
    const nowMs = (): number => performance.now();
    this.#options = options;
    this.#around = { limits, counters: this.counters, nowMs, pings: new Deadlines(limits.pingMs), closing: new Deadlines(limits.closeMs) };
    this.#sessions = new SessionTable(this.#around, { handOver: options.handOver ?? null, behindProxy: options.behindProxy ?? false });
    this.#addresses = new Addresses(limits);
    this.#accepts = new Bucket(limits.acceptsPerS, limits.acceptsPerS, nowMs());
    this.#hellos = new Deadlines(limits.helloMs);
    this.#websockets = new WebSocketServer({
      ...{ noServer: true, clientTracking: false, perMessageDeflate: false, autoPong: false, skipUTF8Validation: true },
      ...{ maxPayload: limits.messageBytes, maxFragments: MAX_FRAGMENTS },
    });
    this.#http = this.#createHttp(options.tls ?? null);
    this.#admission = new Admission({ admit: (socket) => this.#admit(socket), drop: (socket) => this.#dropWaiting(socket), mostWaitMs: limits.helloMs, nowMs });
    // Nothing is read of a connection before it is admitted.
    this.#front = createNetServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
    this.#metrics = createMetrics(this.counters);
    this.#metricsServer = createMetricsServer(this.#metrics, () => this.#isLeaving);
  }

  get url(): string {
    const { tls } = this.#options;
    const address = this.#options.address ?? '127.0.0.1';
    const host = address.includes(':') ? `[${address}]` : address;
    return `${tls === undefined || tls === null ? 'ws' : 'wss'}://${host}:${this.port}`;
  }

  async listen(): Promise<void> {
    const { port = 0, address = '127.0.0.1', metricsPort = null, metricsAddress = '127.0.0.1' } = this.#options;
    try {
      this.port = await listenOn(this.#front, port, address);
      if (metricsPort !== null) this.metricsPort = await listenOn(this.#metricsServer, metricsPort, metricsAddress);
    } catch (error) {
      this.#front.close();
      this.#metrics.close();
      throw error;
    }
    this.#tick = setInterval(() => this.#sweep(), TICK_MS);
  }

  useCertificate(tls: Certificate): void {
    try {
      if ('setSecureContext' in this.#http) this.#http.setSecureContext({ cert: tls.cert, key: tls.key });
    } catch (error) {
      throw badCertificate(error);
    }
  }

  stop(drainMs = 0): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    this.#isLeaving = true;
    const spreadMs = Math.round(Math.min(30_000, Math.max(1_000, (this.counters.controlSockets / COME_BACK_PER_S) * 1000)));
    this.#sessions.announceRestart(1_000, spreadMs);
    if (drainMs > 0) await new Promise((resolve) => setTimeout(resolve, drainMs));
    const closed = new Promise<void>((resolve) => this.#front.close(() => resolve()));
    this.#admission.stop();
    this.#sessions.endAll('restarting');
    for (const connection of this.#connections) connection.close('restarting', null);
    for (const socket of this.#hellos.takeDue(Number.POSITIVE_INFINITY)) socket.destroy();
    const insist = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, this.#around.limits.closeMs);
    await closed;
    // The server counts its sockets out before each has told its owner.
    await new Promise((resolve) => setImmediate(resolve));
    clearTimeout(insist);
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#metricsServer.closeAllConnections();
    if (this.metricsPort !== null) await new Promise((resolve) => this.#metricsServer.close(resolve));
    this.#metrics.close();
  }

  #createHttp(tls: Certificate | null): HttpServer | HttpsServer {
    const basics: ServerOptions = { maxHeaderSize: MAX_HEADER_BYTES };
    const server = tls === null ? createHttpServer(basics) : createHttps(basics, tls, this.#around.limits.helloMs);
    server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#hellos.add(socket, this.#around.nowMs());
      socket.once('close', () => this.#hellos.delete(socket));
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
    server.on('clientError', (_error: Error, socket: Duplex) => {
      this.counters.refusals['bad-request'] += 1;
      socket.destroy();
    });
    return server;
  }

  /** A new TCP connection, before a byte of it is read. */
  #accept(socket: Socket): void {
    this.counters.connectionsTotal += 1;
    const nowMs = this.#around.nowMs();
    const key = this.#options.behindProxy === true ? null : addressKey(socket.remoteAddress ?? '');
    const refusal = this.#refusalOf(key, nowMs);
    socket.on('error', () => undefined);
    if (refusal !== null) {
      this.counters.refusals[refusal] += 1;
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    this.counters.connections = this.#sockets.size;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.counters.connections = this.#sockets.size;
      if (key !== null) this.#addresses.leave(key);
    });
    this.#admission.add(socket);
  }

  #admit(socket: Socket): void {
    if (socket.destroyed) return;
    this.#http.emit('connection', socket);
    socket.resume();
  }

  #dropWaiting(socket: Socket): void {
    this.counters.refusals['accept-rate'] += 1;
    socket.resetAndDestroy();
  }

  #refusalOf(key: string | null, nowMs: number): Refusal | null {
    if (!this.#accepts.take(nowMs)) return 'accept-rate';
    if (this.#sockets.size >= this.#around.limits.connections) return 'full';
    return key === null ? null : this.#addresses.enter(key, nowMs);
  }

  /** Anything that is no WebSocket: whether the relay is well, and no page. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const isHealth = request.url === '/healthz';
    const status = isHealth ? (this.#isLeaving ? 503 : 200) : 404;
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(isHealth ? (this.#isLeaving ? 'leaving\n' : 'ok\n') : 'This is a Porchlight relay. There is nothing to see here.\n');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const key = this.#options.behindProxy === true ? addressKey(forwardedAddress(request.headers['x-forwarded-for']) ?? request.socket.remoteAddress ?? '') : null;
    const refusal = this.#isLeaving ? 'leaving' : !PATH.test(request.url ?? '') ? 'bad-request' : key === null ? null : this.#addresses.enter(key, this.#around.nowMs());
    if (refusal !== null) {
      this.counters.refusals[refusal] += 1;
      const status = refusal === 'leaving' ? '503 Service Unavailable' : refusal === 'bad-request' ? '404 Not Found' : '429 Too Many Requests';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    if (key !== null) socket.once('close', () => this.#addresses.leave(key));
    this.#websockets.handleUpgrade(request, socket, head, (ws) => this.#greet(new Connection(ws, socket, this.#around), socket));
  }

  /** Waits for the hello; the socket's deadline runs since before the handshake. */
  #greet(connection: Connection, socket: Duplex): void {
    this.#connections.add(connection);
    this.#greeting.set(socket, connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      this.#greeting.delete(socket);
    });
    connection.onMessage = (message) => {
      this.#hellos.delete(socket);
      this.#greeting.delete(socket);
      const hello = decodeHello(message);
      if (hello === null) return connection.close('protocol', 'hello-bad');
      if (this.#isLeaving) return connection.close('restarting', 'leaving');
      connection.onMessage = () => connection.close('protocol', 'protocol');
      const body = Buffer.from(hello.body);
      if (hello.role === 'home') this.#sessions.addHome(connection);
      else if (hello.role === 'home-session') {
        if (!this.#sessions.join(connection, body)) this.#closeUnknown(connection);
      } else {
        const refusal = this.#sessions.ring(connection, body);
        if (refusal === 'nobody') this.#closeUnknown(connection);
        else if (refusal !== null) connection.close('limit', refusal);
      }
    };
  }

  /** After a random time, so that how long it took says nothing about what is known here. */
  #closeUnknown(connection: Connection): void {
    const timer = setTimeout(() => connection.close('nobody', 'nobody'), Math.random() * this.#around.limits.unknownDelayMs);
    connection.onClosed = () => clearTimeout(timer);
  }

  #sweep(): void {
    const nowMs = this.#around.nowMs();
    for (const socket of this.#hellos.takeDue(nowMs)) this.#endSilent(socket);
    for (const connection of this.#around.pings.takeDue(nowMs, PINGS_PER_TICK)) connection.pingOrCut();
    for (const connection of this.#around.closing.takeDue(nowMs)) connection.destroy();
    this.#sessions.sweep(nowMs);
    this.#addresses.forget(nowMs);
  }

  /** No hello in time: with its close code where the WebSocket is open, without a word else. */
  #endSilent(socket: Duplex): void {
    const connection = this.#greeting.get(socket);
    if (connection !== undefined) return connection.close('late', 'hello-late');
    this.counters.refusals['hello-late'] += 1;
    socket.destroy();
  }
}

function createHttps(basics: ServerOptions, tls: Certificate, handshakeTimeout: number): HttpsServer {
  try {
    return createHttpsServer({ ...basics, cert: tls.cert, key: tls.key, handshakeTimeout, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] });
  } catch (error) {
    throw badCertificate(error);
  }
}

function badCertificate(cause: unknown): PorchlightError {
  return new PorchlightError('invalid-input', 'The certificate and its key do not belong together, or are no PEM files. Give the full chain first, then its private key.', cause);
}

function listenOn(server: Server, port: number, host: string | null): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port, host)));
    server.listen({ port, ...(host === null ? {} : { host }), backlog: BACKLOG }, () => resolve((forceUnwrap('it listens on TCP', server.address()) as AddressInfo).port));
  });
}

function cannotListen(error: NodeJS.ErrnoException, port: number, host: string | null): PorchlightError {
  if (error.code === 'EADDRINUSE') return new PorchlightError('port-in-use', `Port ${port} is in use. Choose another one with --port or --metrics-port.`, error);
  if (error.code === 'EACCES') return new PorchlightError('not-allowed', `This user may not open port ${port}. Use a number above 1024, or a balancer in front.`, error);
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') return new PorchlightError('invalid-input', `This computer does not have the address ${host ?? 'asked for'}.`, error);
  return new PorchlightError('internal', 'The port could not be opened.', error);
}
