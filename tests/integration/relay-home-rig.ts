/** A home's live part at real relays with cameras, stores and a viewer that tests steer. */
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createRemoteHome } from '../../main/engine/relay/home.ts';
import type { MediaService, MediaSink, MediaStream } from '../../main/engine/ports/media.ts';
import type { NewView, PairedDevice, RemoteHomeService } from '../../main/engine/relay/home-parts.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { OWNER } from '../../main/engine/rpc/access.ts';
import { accessOf } from '../../main/engine/rpc/remote-access.ts';
import { serveSession } from '../../main/engine/rpc/server.ts';
import { type RelayOptions, type RunningRelay, startRelay } from '../../relay/server.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { utf8 } from '../../renderer/api/utf8.ts';
import { dialRelay } from '../../renderer/relay/relay-dial.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import type { EngineHandlers } from '../../shared/contract/engine-api.ts';
import type { ChunkHead, InitChunk, MediaName, MediaOpenParsed } from '../../shared/contract/media.ts';
import { cameraIdFrom } from '../../shared/model/ids.ts';
import type { Grants, Right } from '../../shared/model/remote.ts';
import { deviceIdOf, ringToken, routeOf, utcDayOf } from '../../shared/relay/derive.ts';
import { openSession } from '../../shared/relay/session-viewer.ts';
import type { ViewerSession } from '../../shared/relay/session-types.ts';
import type { KeyPair } from '../../shared/relay/suite.ts';
import { waitFor } from '../support/wait.ts';

export const PORCH = cameraIdFrom(new Uint8Array(12).fill(1));
export const BEDROOM = cameraIdFrom(new Uint8Array(12).fill(2));
const PICTURE_BYTES = { main: 20_000, sub: 1_500 } as const;
const clock = { nowMs: () => performance.now(), after: (ms: number, run: () => void) => systemClock.after(ms, run) };

export const stops: (() => unknown)[] = [];
/** Ends what a test began, the newest first. */
export async function endAll(): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop();
}

/** 25 pictures a second, a keyframe each second; main needs 500 kB/s. */
const media: MediaService = {
  open<Name extends MediaName>(_name: Name, input: MediaOpenParsed<Name>, first: number, sink: MediaSink): MediaStream {
    let credits = first;
    let number = 0;
    const size = PICTURE_BYTES[input.stream === 'sub' ? 'sub' : 'main'];
    const send = (head: ChunkHead, bytes: number): void => {
      credits -= 1;
      sink.chunk(head, new Uint8Array(bytes).fill(7));
    };
    send({ kind: 'init', initId: 1 }, 700);
    const stop = systemClock.every(40, () => {
      number += 1;
      if (credits > 0) send({ kind: 'media', initId: 1, seekId: 0, baseWallMs: 0, baseMediaMs: 0, keyframe: number % 25 === 1, endMs: Date.now() }, size);
    });
    return { addCredits: (more) => (credits += more), control: () => undefined, close: stop };
  },
};

export interface TestHome {
  readonly service: RemoteHomeService;
  readonly own: KeyPair;
  readonly routeSeed: Uint8Array;
  readonly devices: PairedDevice[];
  readonly views: NewView[];
  /** What a line of the log of views waits for. */
  disk: () => Promise<void>;
  stop(): Promise<void>;
}

export async function homeAt(urls: readonly string[], forgotten = false): Promise<TestHome> {
  const log = silentLogger;
  const [own, routeSeed] = [await nodeSuite.generateKeyPair(), nodeSuite.random(32)];
  const devices: PairedDevice[] = [];
  const stamps = new Map<string, number>();
  const views: NewView[] = [];
  const get = (id: string): PairedDevice | null => devices.find((device) => device.id === id) ?? null;
  const handlers = {
    'previews.latest': () => ({ item: { atMs: 1, offsetBytes: 0, sizeBytes: 4 }, bytes: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) }),
    'cameras.list': () => [],
    'events.list': () => [{ id: 'a', cameraId: BEDROOM, kind: 'motion', label: '', startMs: 1, endMs: 2 }],
  } as unknown as EngineHandlers;
  const service = createRemoteHome({
    clock: systemClock, log, own, routeSeed, media,
    devices: {
      list: () => devices, get, seen: () => undefined, add: async (device) => void devices.push(device),
      acceptStamp: async (id, stampMs) => stampMs > (stamps.get(id) ?? 0) && stamps.set(id, stampMs) !== undefined,
    },
    views: {
      append: async (view) => {
        await home.disk();
        views.push(view);
      },
      head: () => ({ length: views.length, head: new Uint8Array(32) }),
    },
    hasSubStream: () => true,
    recordsSub: () => true,
    serve: (channel, { id }, pictures) => void serveSession(channel, { handlers, media: pictures, events: () => () => undefined, access: forgotten ? OWNER : accessOf(() => get(id)?.grants ?? null, Date.now), log }),
    homeName: () => 'Lake house', names: () => ['Lake house'], samplePicture: async () => null,
    relays: { enabled: true, urls },
  });
  const over = new AbortController();
  const running = service.run(over.signal);
  const stop = async (): Promise<void> => {
    over.abort();
    await running;
  };
  stops.push(stop);
  const home: TestHome = { service, own, routeSeed, devices, views, disk: async () => undefined, stop };
  return home;
}

export async function relayWith(options: RelayOptions = {}): Promise<RunningRelay> {
  const relay = await startRelay(options);
  stops.push(() => relay.stop(0));
  return relay;
}

export const connected = (home: TestHome) => waitFor('the home to be at its relay', () => home.service.relays().every(({ phase }) => phase === 'connected'), 20_000, 10);

/** A device that was paired before, as both sides keep it. */
export async function deviceOf(home: TestHome, rights: readonly Right[], untilMs: number | null = null): Promise<PairedDevice & { readonly key: KeyPair }> {
  const key = await webSuite.importKeyPair(nodeSuite.random(32));
  const grants: Grants = { cameras: [{ cameraId: PORCH, rights }], untilMs };
  const device: PairedDevice = { id: await deviceIdOf(nodeSuite, key.publicKey), name: 'Phone', publicKey: key.publicKey, psk: nodeSuite.random(32), ringSeed: nodeSuite.random(32), grants };
  home.devices.push(device);
  await home.service.devicesChanged();
  return { ...device, key };
}

let stampMs = Date.now();
export async function lookIn(home: TestHome, relayUrl: string, device: PairedDevice & { readonly key: KeyPair }): Promise<ViewerSession> {
  const day = utcDayOf(Date.now());
  const token = await ringToken(webSuite, device.ringSeed, day);
  const { wire, sessionKey } = await dialRelay({ relay: relayUrl, route: await routeOf(webSuite, home.routeSeed, day), token });
  return await openSession({ suite: webSuite, text: utf8, wire, sessionKey, token, clock, own: device.key, homePublicKey: home.own.publicKey, psk: device.psk, stampMs: (stampMs += 1) });
}

export function clientOf(connect: () => Promise<ViewerSession>): EngineClient {
  const client = new EngineClient({ connect, retryMs: () => 100 });
  stops.push(() => client.close());
  return client;
}

export interface Seen {
  readonly inits: InitChunk[];
  pictures: number;
  closed: Error | null | undefined;
}

export function watch(client: EngineClient, stream: 'main' | 'sub' = 'main', cameraId = PORCH): Seen {
  const seen: Seen = { inits: [], pictures: 0, closed: undefined };
  const handle = client.openMedia('live', { cameraId, stream }, 64, {
    onChunk: (chunk) => {
      if (chunk.kind === 'init') seen.inits.push(chunk);
      else seen.pictures += 1;
      handle.grant(1);
    },
    onClosed: (error) => (seen.closed = error),
  });
  return seen;
}
