/** A session as a viewer sees it, over real message ports. */
import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Channel, ChannelMessage } from '../../../shared/contract/channel.ts';
import type { EngineHandlers, EventName } from '../../../shared/contract/engine-api.ts';
import { CONTRACT_VERSION, type EngineHead, type ViewerHead } from '../../../shared/contract/envelope.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { silentLogger } from '../core/logger.ts';
import { type Access, OWNER } from './access.ts';
import { messagePortChannel } from './channels/message-port-channel.ts';
import type { MediaService, MediaSink, MediaStream } from '../ports/media.ts';
import { serveSession, type SessionLimits } from './server.ts';

const PORCH = 'cam-aaaaaaaaaaaa' as CameraId;
const DRIVE = 'cam-bbbbbbbbbbbb' as CameraId;

interface Opened {
  readonly name: string;
  readonly sink: MediaSink;
  readonly calls: unknown[];
}

class Viewer {
  readonly channel: Channel;
  readonly heads: EngineHead[] = [];
  readonly payloads: (Uint8Array | null)[] = [];
  closedBecause: string | null = null;
  #wake: () => void = () => undefined;

  constructor(channel: Channel) {
    this.channel = channel;
    channel.onMessage((message: ChannelMessage) => {
      this.heads.push(message.head as EngineHead);
      this.payloads.push(message.payload);
      this.#wake();
    });
    channel.onClose((reason) => {
      this.closedBecause = reason;
      this.#wake();
    });
  }

  send(head: ViewerHead): void {
    this.channel.send({ head, payload: null });
  }

  async until<T>(find: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== null && found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  answerTo(id: number): Promise<EngineHead & { type: 'result' | 'failure' }> {
    return this.until(() => this.heads.find((head): head is EngineHead & { type: 'result' | 'failure' } => (head.type === 'result' || head.type === 'failure') && head.id === id));
  }
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

function connect(handlers: Partial<EngineHandlers>, access: Access = OWNER, limits?: SessionLimits) {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const listeners = new Set<(name: EventName, value: never) => void>();
  const streams: Opened[] = [];
  const media: MediaService = {
    open: (name, input, credits, sink): MediaStream => {
      const calls: unknown[] = [{ open: input, credits }];
      streams.push({ name, sink, calls });
      return { addCredits: (more) => calls.push({ credits: more }), control: (control) => calls.push(control), close: () => calls.push('close') };
    },
  };
  const session = serveSession(messagePortChannel(port1), {
    handlers: handlers as EngineHandlers,
    media,
    events: (listener) => {
      listeners.add(listener as (name: EventName, value: never) => void);
      return () => listeners.delete(listener as (name: EventName, value: never) => void);
    },
    access,
    log: silentLogger,
    ...(limits === undefined ? {} : { limits }),
  });
  const viewer = new Viewer(messagePortChannel(port2));
  const tell = (name: EventName, value: unknown): void => listeners.forEach((listener) => listener(name, value as never));
  return { viewer, session, streams, tell, listeners };
}

function greet(viewer: Viewer): void {
  viewer.send({ type: 'hello', version: CONTRACT_VERSION });
}

describe('a session', () => {
  it('answers a parsed request once, with bytes beside the head', async () => {
    const { viewer } = connect({ 'previews.at': (input) => ({ item: { atMs: input.toleranceMs, offsetBytes: 0, sizeBytes: 3 }, bytes: new Uint8Array([1, 2, 3]) }) });
    greet(viewer);
    viewer.send({ type: 'request', id: 7, name: 'previews.at', input: { cameraId: PORCH, atMs: 5 } });
    const answer = await viewer.answerTo(7);
    expect(answer).toEqual({ type: 'result', id: 7, value: { item: { atMs: 30_000, offsetBytes: 0, sizeBytes: 3 } } });
    expect([...(viewer.payloads[viewer.heads.indexOf(answer)] ?? [])]).toEqual([1, 2, 3]);
  });

  it('refuses what does not parse, and what it does not know, without calling a handler', async () => {
    let called = 0;
    const { viewer } = connect({ 'cameras.retry': () => ((called += 1), null) });
    greet(viewer);
    viewer.send({ type: 'request', id: 1, name: 'cameras.retry', input: { cameraId: '../../etc' } });
    viewer.send({ type: 'request', id: 2, name: 'constructor', input: {} });
    expect(await viewer.answerTo(1)).toMatchObject({ type: 'failure', error: { kind: 'invalid-input' } });
    expect(await viewer.answerTo(2)).toMatchObject({ type: 'failure', error: { kind: 'invalid-input' } });
    expect(called).toBe(0);
  });

  it('lets kind and sentence of an error cross, never its cause', async () => {
    const { viewer } = connect({
      'cameras.list': () => {
        throw new PorchlightError('unreachable', 'The camera does not answer.', new Error('rtsp://admin:hunter2@10.0.0.1'));
      },
      'settings.get': () => {
        throw new Error('a bug with hunter2');
      },
    });
    greet(viewer);
    viewer.send({ type: 'request', id: 1, name: 'cameras.list', input: {} });
    viewer.send({ type: 'request', id: 2, name: 'settings.get', input: {} });
    expect(await viewer.answerTo(1)).toEqual({ type: 'failure', id: 1, error: { kind: 'unreachable', sentence: 'The camera does not answer.' } });
    expect(await viewer.answerTo(2)).toMatchObject({ error: { kind: 'internal' } });
    expect(JSON.stringify(viewer.heads)).not.toContain('hunter2');
  });

  it('closes on an unreadable head, on anything before hello, and on another version', async () => {
    for (const head of [{ type: 'nonsense' }, { type: 'request', id: 1, name: 'app.info', input: {} }, { type: 'hello', version: CONTRACT_VERSION + 1 }]) {
      const { viewer } = connect({});
      viewer.send(head as ViewerHead);
      await viewer.until(() => viewer.closedBecause);
      expect(viewer.heads).toEqual([]);
    }
  });

  it('bounds open requests and media streams', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<null>((resolve) => {
      release = () => resolve(null);
    });
    const { viewer } = connect({ 'discovery.search': () => gate }, OWNER, { openRequests: 1, openStreams: 1, credits: 10 });
    greet(viewer);
    viewer.send({ type: 'request', id: 1, name: 'discovery.search', input: {} });
    viewer.send({ type: 'request', id: 2, name: 'discovery.search', input: {} });
    expect(await viewer.answerTo(2)).toMatchObject({ type: 'failure', error: { kind: 'conflict' } });
    release();
    expect(await viewer.answerTo(1)).toMatchObject({ type: 'result' });
    viewer.send({ type: 'open', stream: 1, name: 'live', input: { cameraId: PORCH, stream: 'best' }, credits: 1 });
    viewer.send({ type: 'open', stream: 2, name: 'live', input: { cameraId: PORCH, stream: 'best' }, credits: 1 });
    expect(await viewer.until(() => viewer.heads.find((head) => head.type === 'closed'))).toMatchObject({ stream: 2, error: { kind: 'conflict' } });
  });

  it('carries a media stream: chunks out, credits and seeks in, and gives it back when the viewer is gone', async () => {
    const { viewer, streams, session } = connect({});
    greet(viewer);
    viewer.send({ type: 'open', stream: 3, name: 'playback', input: { cameraId: PORCH, stream: 'main', fromMs: 1000, seekId: 1 }, credits: 1_000_000 });
    const opened = await viewer.until(() => (viewer.heads.some((head) => head.type === 'welcome') ? streams[0] : null) ?? false).catch(() => undefined);
    const stream = opened ?? streams[0];
    stream?.sink.chunk({ kind: 'init', initId: 1 }, new Uint8Array([9]));
    expect(await viewer.until(() => viewer.heads.find((head) => head.type === 'chunk'))).toEqual({ type: 'chunk', stream: 3, chunk: { kind: 'init', initId: 1 } });
    viewer.send({ type: 'credit', stream: 3, credits: 2 });
    viewer.send({ type: 'control', stream: 3, control: { kind: 'seek', toMs: 5, seekId: 2 } });
    viewer.channel.close('tab closed');
    expect(await session.ended).toBe('tab closed');
    expect(stream?.calls).toEqual([
      // No viewer may hold more credits than the limit, however many it grants.
      { open: { cameraId: PORCH, stream: 'main', fromMs: 1000, seekId: 1 }, credits: 4096 },
      { credits: 2 },
      { kind: 'seek', toMs: 5, seekId: 2, one: false },
      'close',
    ]);
  });

  it('tells events after the greeting and stops when the channel closes', async () => {
    const { viewer, tell, listeners, session } = connect({});
    greet(viewer);
    await viewer.until(() => viewer.heads.find((head) => head.type === 'welcome'));
    tell('timeline.changed', { cameraIds: [PORCH], startMs: 1, endMs: 2 });
    expect(await viewer.until(() => viewer.heads.find((head) => head.type === 'event'))).toEqual({ type: 'event', name: 'timeline.changed', value: { cameraIds: [PORCH], startMs: 1, endMs: 2 } });
    viewer.channel.close('done');
    await session.ended;
    expect(listeners.size).toBe(0);
  });
});

describe('a narrowed session', () => {
  const guest: Access = {
    mayCall: (name) => ['cameras.list', 'timeline.get', 'app.info', 'storage.summary'].includes(name),
    maySee: (cameraId) => cameraId === PORCH,
    mayWatch: (name, cameraId) => name === 'live' && cameraId === PORCH,
    mayHear: (name) => name === 'timeline.changed',
    rightsOf: () => ['live', 'playback'],
  };

  it('sees and hears only what was granted', async () => {
    const entry = (id: CameraId) => ({ camera: { id, streams: [] }, status: { cameraId: id, streams: [], problem: null } });
    const { viewer, tell, streams } = connect({ 'cameras.list': () => [entry(PORCH), entry(DRIVE)] as never, 'cameras.remove': () => null, 'storage.summary': () => ({ roots: ['/disk'] }) as never }, guest);
    greet(viewer);
    // Allowed by name, but nobody said what a guest may see of the answer.
    viewer.send({ type: 'request', id: 4, name: 'storage.summary', input: {} });
    expect(await viewer.answerTo(4)).toMatchObject({ type: 'failure', error: { kind: 'not-allowed' } });
    viewer.send({ type: 'request', id: 1, name: 'cameras.list', input: {} });
    viewer.send({ type: 'request', id: 2, name: 'cameras.remove', input: { cameraId: PORCH } });
    viewer.send({ type: 'request', id: 3, name: 'timeline.get', input: { cameraIds: [PORCH, DRIVE], startMs: 0, endMs: 1 } });
    viewer.send({ type: 'open', stream: 1, name: 'live', input: { cameraId: DRIVE, stream: 'best' }, credits: 1 });
    viewer.send({ type: 'open', stream: 2, name: 'playback', input: { cameraId: PORCH, stream: 'best', fromMs: 0, seekId: 0 }, credits: 1 });
    expect(await viewer.answerTo(1)).toMatchObject({ value: [{ camera: { id: PORCH } }] });
    expect(await viewer.answerTo(2)).toMatchObject({ type: 'failure', error: { kind: 'not-allowed' } });
    expect(await viewer.answerTo(3)).toMatchObject({ type: 'failure', error: { kind: 'not-allowed' } });
    await viewer.until(() => viewer.heads.filter((head) => head.type === 'closed').length === 2);
    expect(streams).toEqual([]);
    tell('camera.status', { cameraId: PORCH });
    tell('timeline.changed', { cameraIds: [DRIVE], startMs: 1, endMs: 2 });
    tell('timeline.changed', { cameraIds: [DRIVE, PORCH], startMs: 3, endMs: 4 });
    const event = await viewer.until(() => viewer.heads.find((head) => head.type === 'event'));
    expect(event).toMatchObject({ name: 'timeline.changed', value: { cameraIds: [PORCH], startMs: 3 } });
  });
});
