/** An engine in a real process behind serve mode, simulated cameras, and a viewer on its WebSocket. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WebSocket } from 'ws';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { webSocketChannel } from '../../main/engine/rpc/channels/websocket-channel.ts';
import { EngineHost } from '../../main/host/engine-host.ts';
import { nodeStarter } from '../../main/host/node-starter.ts';
import type { Channel } from '../../shared/contract/channel.ts';
import type { EventName, InputOf, OperationName, OutputOf } from '../../shared/contract/engine-api.ts';
import type { EngineInit, ServingInfo } from '../../shared/contract/engine-process.ts';
import { CONTRACT_VERSION, type EngineHead } from '../../shared/contract/envelope.ts';
import type { ChunkHead } from '../../shared/contract/media.ts';
import { fromWire } from '../../shared/errors.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { ENGINE_ENTRY } from '../support/engine-entry.ts';

/** Waits until `look` gives something; fails with `what` after `limitMs`. */
export async function until<T>(what: string, look: () => Promise<T | null | false | undefined> | T | null | false | undefined, limitMs = 30_000): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    const found = await look();
    if (found !== null && found !== false && found !== undefined) return found;
    if (performance.now() - startMs > limitMs) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await systemClock.sleep(25);
  }
}

export interface Home {
  readonly folder: string;
  readonly init: EngineInit;
  readonly host: EngineHost;
  start(): Promise<ServingInfo>;
  end(): Promise<void>;
}

/** A home with folders of its own; nothing runs before `start`. */
export async function makeHome(extra: Partial<EngineInit> = {}): Promise<Home> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
  const pageDir = path.join(folder, 'page');
  await mkdir(path.join(pageDir, 'assets'), { recursive: true });
  await writeFile(path.join(pageDir, 'index.html'), '<h1>the interface</h1>');
  await writeFile(path.join(pageDir, 'assets', 'app.js'), 'void 0;');
  await writeFile(path.join(folder, 'secret.txt'), 'outside the page');
  const init: EngineInit = {
    version: '0.0.0-test', mode: 'serve', demo: true, dataDir: path.join(folder, 'data'), mediaDir: path.join(folder, 'media'), binDir: null, secrets: 'file', cameras: [],
    serve: { address: '127.0.0.1', port: 0, pageDir, password: null },
    ...extra,
  };
  const host = new EngineHost({ starter: nodeStarter(ENGINE_ENTRY), init, clock: systemClock, log: silentLogger, secrets: null });
  return {
    folder,
    init,
    host,
    start: async () => forceUnwrap('serve mode was asked for', await host.start()),
    end: async () => {
      await host.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Opens the printed address as a browser does; the cookie it is given. */
export async function signInByKey(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  return forceUnwrap('the key is right', answer.headers.get('set-cookie')).split(';')[0] ?? '';
}

export interface Chunk {
  readonly stream: number;
  readonly head: ChunkHead;
  readonly payload: Uint8Array | null;
}

export interface TestViewer {
  readonly channel: Channel;
  readonly chunks: Chunk[];
  readonly events: { readonly name: EventName; readonly value: unknown }[];
  /** Set when the channel is closed. */
  closed: string | null;
  ask<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>>;
  send(head: unknown): void;
  close(): void;
}

export function viewerOn(channel: Channel): TestViewer {
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let ids = 0;
  const viewer: TestViewer = {
    channel,
    chunks: [],
    events: [],
    closed: null,
    ask: <Name extends OperationName>(name: Name, input: InputOf<Name>) =>
      new Promise<OutputOf<Name>>((resolve, reject) => {
        ids += 1;
        open.set(ids, { resolve: resolve as (value: unknown) => void, reject });
        channel.send({ head: { type: 'request', id: ids, name, input }, payload: null });
      }),
    send: (head) => channel.send({ head, payload: null }),
    close: () => channel.close('done'),
  };
  channel.onMessage((message) => {
    const head = message.head as EngineHead;
    if (head.type === 'result') open.get(head.id)?.resolve(message.payload === null ? head.value : { ...(head.value as object), bytes: message.payload });
    if (head.type === 'failure') open.get(head.id)?.reject(fromWire(head.error));
    if (head.type === 'event') viewer.events.push({ name: head.name as EventName, value: head.value });
    if (head.type === 'chunk') viewer.chunks.push({ stream: head.stream, head: head.chunk, payload: message.payload });
  });
  channel.onClose((reason) => {
    viewer.closed = reason;
    for (const waiting of open.values()) waiting.reject(new Error(`closed: ${reason}`));
  });
  viewer.send({ type: 'hello', version: CONTRACT_VERSION });
  return viewer;
}

/** A socket as a page of `origin` opens it; rejects with the HTTP status where the engine refuses. */
export function openSocket(base: string, headers: Record<string, string>): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/channel`, { headers, rejectUnauthorized: false });
    socket.once('open', () => resolve(socket));
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(String(response.statusCode)));
      socket.terminate();
    });
    socket.once('error', reject);
  });
}

export async function connectViewer(serving: ServingInfo): Promise<TestViewer> {
  const { origin } = new URL(serving.url);
  return viewerOn(webSocketChannel(await openSocket(origin, { cookie: await signInByKey(serving.url), origin })));
}
