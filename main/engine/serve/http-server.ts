/** Serve mode's listener: the interface's files, signing in, and the WebSocket that carries the contract. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Channel } from '../../../shared/contract/channel.ts';
import { PAGE_HEADERS } from '../../../shared/contract/page-policy.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';
import { webSocketChannel } from '../rpc/channels/websocket-channel.ts';
import { MAX_SETUP_BYTES } from '../../../shared/model/setup.ts';
import type { Attempts } from './attempts.ts';
import { hostAndPort, isLoopback, isOwnHost, isOwnOrigin } from './serve-address.ts';
import type { SignIn } from './sign-in.ts';
import { needsKeyPage, passwordPage } from './sign-in-page.ts';
import type { StaticFiles } from '../core/static-files.ts';

export interface ServeOptions {
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly tls: { readonly keyPem: string; readonly certPem: string } | null;
  readonly files: StaticFiles;
  readonly signIn: SignIn;
  readonly attempts: Attempts;
  readonly log: Logger;
  /** A browser that signed in has connected. */
  readonly onChannel: (channel: Channel) => void;
}

export interface Serving {
  readonly port: number;
  /** To be opened: on this computer with its key, beyond it without. */
  readonly url: string;
  /** Ends the connections of those whose session is over: the password was changed. */
  endStaleSessions(): void;
  /** Ends every connection and waits until the port is free. */
  stop(): Promise<void>;
}

/** What a browser that is signed in may send in one message: a set-up to be taken over, else heads only, the largest a list of 64 cameras. */
const MAX_MESSAGE_BYTES = MAX_SETUP_BYTES + 256 * 1024;
const MAX_CONNECTIONS = 64;
/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION = 1008;
const MAX_FORM_BYTES = 4096;

/** Opens the port. Throws `port-in-use`, or `not-allowed` where the address cannot be used. */
export async function startServing(options: ServeOptions): Promise<Serving> {
  const server = options.tls === null ? createHttpServer() : createHttpsServer({ key: options.tls.keyPem, cert: options.tls.certPem, minVersion: 'TLSv1.2' });
  await listen(server, options.address, options.port);
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port;
  const door = new Door(options, port);
  server.on('request', (request, response) => void door.answer(request, response));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => door.upgrade(request, socket, head));
  server.on('clientError', (_error, socket) => socket.destroy());
  const scheme = options.tls === null ? 'http' : 'https';
  const shown = options.address === '0.0.0.0' || options.address === '::' ? 'localhost' : options.address;
  const key = isLoopback(options.address) ? `?key=${options.signIn.accessKey}` : '';
  return {
    port,
    url: `${scheme}://${hostAndPort(shown, port)}/${key}`,
    endStaleSessions: () => door.endStaleSessions(),
    stop: async () => {
      door.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(error, address, port));
    server.once('error', onError);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function listenError(error: Error, address: string, port: number): PorchlightError {
  const code = errorCode(error);
  if (code === 'EADDRINUSE') return new PorchlightError('port-in-use', `Port ${port} is taken by another program, perhaps another Porchlight. Close it, or start with --port and another number.`, error);
  if (code === 'EACCES') return new PorchlightError('not-allowed', `This user may not open port ${port}. Use a number above 1024 with --port.`, error);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new PorchlightError('invalid-input', `${address} is no address of this computer. Use one of its own addresses, or 0.0.0.0 for all of them, with --listen.`, error);
  return new PorchlightError('internal', `Porchlight could not listen on ${hostAndPort(address, port)}.`, error);
}

/** Checks everybody who comes and shows them where to go. */
class Door {
  readonly #options: ServeOptions;
  readonly #listen: { readonly address: string; readonly port: number; readonly secure: boolean };
  readonly #cookieName: string;
  /** The cookie each socket came with. */
  readonly #sessions = new WeakMap<WebSocket, string | undefined>();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: true });

  constructor(options: ServeOptions, port: number) {
    this.#options = options;
    this.#listen = { address: options.address, port, secure: options.tls !== null };
    // Cookies are shared by all ports of a host; the port in the name keeps two Porchlights apart. RFC 6265bis's __Host- binds it to TLS and this host.
    this.#cookieName = options.tls === null ? `porchlight-${port}` : `__Host-porchlight-${port}`;
  }

  endStaleSessions(): void {
    for (const socket of this.#sockets.clients) {
      if (this.#options.signIn.isSession(this.#sessions.get(socket))) continue;
      socket.close(POLICY_VIOLATION, 'signed out');
    }
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#options.log.error('a page could not be sent', error);
      if (response.headersSent) response.destroy();
      else send(response, 500, 'text/plain; charset=utf-8', 'Something went wrong inside Porchlight.');
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOwnHost(request.headers.host, this.#listen)) {
      send(response, 421, 'text/plain; charset=utf-8', 'Porchlight does not answer to this name. Use its address.');
      return;
    }
    const url = new URL(request.url ?? '/', 'http://porchlight.invalid');
    if (request.method === 'POST' && url.pathname === '/sign-in') {
      await this.#signIn(request, response);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, 405, 'text/plain; charset=utf-8', 'Only pages are given out here.');
      return;
    }
    const key = url.searchParams.get('key');
    if (key !== null && isLoopback(this.#options.address) && this.#options.signIn.isAccessKey(key)) {
      this.#redirectHome(response, 'key');
      return;
    }
    if (!this.#isSignedIn(request)) {
      this.#askToSignIn(response, url.pathname === '/' ? null : url.pathname);
      return;
    }
    await this.#sendFile(url.pathname, request.method === 'HEAD', response);
  }

  async #sendFile(pathname: string, headOnly: boolean, response: ServerResponse): Promise<void> {
    const file = await this.#options.files.find(pathname);
    if (file === null) {
      send(response, 404, 'text/plain; charset=utf-8', 'There is no such page.');
      return;
    }
    const body = await file.read();
    response.writeHead(200, {
      ...PAGE_HEADERS,
      'content-type': file.contentType,
      'content-length': body.length,
      'cache-control': file.immutable ? 'private, max-age=31536000, immutable' : 'no-cache',
    });
    response.end(headOnly ? undefined : body);
  }

  /** Pages lead to the form; parts of a page are refused. */
  #askToSignIn(response: ServerResponse, part: string | null): void {
    if (part !== null && part !== '/index.html') send(response, 401, 'text/plain; charset=utf-8', 'Sign in first.');
    else if (isLoopback(this.#options.address)) send(response, 401, 'text/html; charset=utf-8', needsKeyPage());
    else send(response, 401, 'text/html; charset=utf-8', passwordPage(null));
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { signIn, attempts, log } = this.#options;
    if (!isOwnOrigin(request.headers.origin, request.headers.host, this.#listen.secure)) {
      send(response, 403, 'text/plain; charset=utf-8', 'Sign in from the page itself.');
      return;
    }
    const address = request.socket.remoteAddress ?? 'unknown';
    if (!attempts.allow(address)) {
      log.warn(`too many wrong passwords from ${address}`);
      send(response, 429, 'text/html; charset=utf-8', passwordPage('Too many wrong passwords. Wait a quarter of an hour and try again.'));
      return;
    }
    const password = new URLSearchParams(await readForm(request)).get('password') ?? '';
    if (!(await signIn.isPassword(password))) {
      send(response, 401, 'text/html; charset=utf-8', passwordPage('That is not the password.'));
      return;
    }
    attempts.succeeded(address);
    this.#redirectHome(response, 'password');
  }

  #redirectHome(response: ServerResponse, by: 'password' | 'key'): void {
    const secure = this.#listen.secure ? '; Secure' : '';
    const cookie = `${this.#cookieName}=${this.#options.signIn.newSession(by)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${30 * 86_400}${secure}`;
    response.writeHead(303, { ...PAGE_HEADERS, location: '/', 'set-cookie': cookie, 'cache-control': 'no-store' });
    response.end();
  }

  #sessionOf(request: IncomingMessage): string | undefined {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
    return pairs.find((pair) => pair.startsWith(`${this.#cookieName}=`))?.slice(this.#cookieName.length + 1);
  }

  #isSignedIn(request: IncomingMessage): boolean {
    return this.#options.signIn.isSession(this.#sessionOf(request));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refuse = (line: string): void => {
      socket.on('error', () => undefined);
      socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    };
    const url = new URL(request.url ?? '/', 'http://porchlight.invalid');
    if (url.pathname !== '/channel') refuse('404 Not Found');
    else if (!isOwnHost(request.headers.host, this.#listen)) refuse('421 Misdirected Request');
    else if (!isOwnOrigin(request.headers.origin, request.headers.host, this.#listen.secure)) refuse('403 Forbidden');
    else if (!this.#isSignedIn(request)) refuse('401 Unauthorized');
    else if (this.#sockets.clients.size >= MAX_CONNECTIONS) refuse('503 Service Unavailable');
    else {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.#sessions.set(webSocket, this.#sessionOf(request));
        this.#options.onChannel(webSocketChannel(webSocket));
      });
    }
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { ...PAGE_HEADERS, 'content-type': contentType, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(body);
}

async function readForm(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > MAX_FORM_BYTES) throw new PorchlightError('invalid-input', 'That form is too long.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
