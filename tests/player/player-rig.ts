/** Real recordings and a real-time live feed behind the engine's own playback and session code, and a page that plays them. */
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { build } from 'vite';
import { WebSocketServer } from 'ws';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { FootageStreams } from '../../main/engine/playback/footage-streams.ts';
import type { LiveMessage } from '../../main/engine/ports/ingest.ts';
import { OWNER } from '../../main/engine/rpc/access.ts';
import { webSocketChannel } from '../../main/engine/rpc/channels/websocket-channel.ts';
import { serveSession } from '../../main/engine/rpc/server.ts';
import type { EngineHandlers } from '../../shared/contract/engine-api.ts';
import { boxesIn } from '../../shared/media/boxes.ts';
import { videoTrackOf } from '../../shared/media/init.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { testPictures } from '../../tools/sim/media/test-pictures.ts';
import { CAMERA, type Clip, makeClip, TestArchive } from '../integration/playback-fixture.ts';

export { CAMERA };

export const FPS = 15;
export const FRAME_MS = 1000 / FPS;
const WIDTH = 320;
const HEIGHT = 180;
/** A keyframe every second, a segment every ten. */
export const SEGMENT_SECONDS = 10;
const SECONDS = 60;
/** Missing in the middle of every archive: the camera was off. */
export const GAP_MS = 20_000;
export const GAP_AT_MS = 30_000;
/** Of the damaged archive: the second whose pictures are noise, and the one whose boxes are. */
export const NOISE_SECOND = 5;
export const BROKEN_SECOND = 13;

export type ArchiveName = 'plain' | 'reordered' | 'damaged' | 'sounding';
/** What the sounding archive's microphone hears all the time. */
export const TONE_HERTZ = 440;

/** One archive of 60 s of pictures, each with its number: 30 s, a gap, 30 s; two sessions of three segments. */
export interface RecordedHome {
  readonly startMs: number;
  /** Wall time of a picture; the first is number 0. */
  timeOf(picture: number): number;
  /** The picture that covers a moment; null in the gap. */
  pictureAt(wallMs: number): number | null;
}

export interface PlayerRig {
  readonly home: RecordedHome;
  /** Pictures that are coded out of order are shown so much later than they are decoded. */
  readonly reorderMs: number;
  /** The page over one archive; `host` is what the page believes to be at. */
  url(archive: ArchiveName, host?: string): string;
  /** Live chunks are held back while true. */
  stallLive(stalled: boolean): void;
  /** Cuts every channel, as a network does. */
  dropChannels(): void;
  stop(): Promise<void>;
}

async function makePictures(folder: string, seconds: number): Promise<string> {
  const file = path.join(folder, 'pictures.yuv');
  const series = testPictures({ width: WIDTH, height: HEIGHT, fps: FPS, frames: FPS * seconds, seed: 1 });
  const paint = series.createPainter();
  const picture = { width: WIDTH, height: HEIGHT, y: new Uint8Array(WIDTH * HEIGHT), u: new Uint8Array((WIDTH * HEIGHT) / 4), v: new Uint8Array((WIDTH * HEIGHT) / 4) };
  const handle = await open(file, 'w');
  for (let index = 0; index < FPS * seconds; index += 1) {
    paint(index, picture);
    await handle.writev([picture.y, picture.u, picture.v]);
  }
  await handle.close();
  return file;
}

function encode(folder: string, pictures: string, name: string, bFrames: number, sounds = false): Clip {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${WIDTH}x${HEIGHT}`, '-r', String(FPS), '-i', pictures];
  const sound = sounds ? { input: ['-f', 'lavfi', '-i', `sine=f=${TONE_HERTZ}:r=16000`], output: ['-shortest', '-c:a', 'aac', '-b:a', '48k'] } : { input: [], output: [] };
  return makeClip(folder, name, [...input, ...sound.input], [...sound.output, '-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', '-x264-params', `keyint=${FPS}:min-keyint=${FPS}:scenecut=0:open-gop=0:bframes=${bFrames}:b-adapt=0`]);
}

async function record(archive: TestArchive, clip: Clip, startMs: number): Promise<string[]> {
  const files: string[] = [];
  for (let second = 0; second < SECONDS; second += SEGMENT_SECONDS) {
    const late = second * 1000 >= GAP_AT_MS;
    const located = await archive.record(clip, second, second + SEGMENT_SECONDS, late ? 2 : 1, (late ? second - GAP_AT_MS / 1000 : second) / SEGMENT_SECONDS, startMs + second * 1000 + (late ? GAP_MS : 0));
    files.push(forceUnwrap('its disk is here', located.path));
  }
  return files;
}

/** Noise in every picture of one second, and a hole in the boxes of another. */
async function damage(archive: TestArchive, files: readonly string[]): Promise<void> {
  for (const [second, kind] of [[NOISE_SECOND, 'pictures'], [BROKEN_SECOND, 'boxes']] as const) {
    const index = Math.floor(second / SEGMENT_SECONDS);
    const file = forceUnwrap('the segment is there', files[index]);
    const { keyframes } = forceUnwrap('the segment is there', archive.segments[index]).segment;
    const from = forceUnwrap('the keyframe is there', keyframes[second % SEGMENT_SECONDS]).offsetBytes;
    const to = forceUnwrap('the next one is there', keyframes[(second % SEGMENT_SECONDS) + 1]).offsetBytes;
    const bytes = new Uint8Array(await readFile(file));
    if (kind === 'boxes') bytes.fill(0x55, from + 40, to);
    else for (const box of boxesIn(bytes, from, to)) if (box.type === 'mdat') bytes.fill(0x55, box.start + box.headerBytes + 6, box.start + box.sizeBytes);
    await writeFile(file, bytes);
  }
}

/** Passes the clip on in real time, over and over, as the ingest thread does: the group of pictures so far first. */
class LiveClip {
  readonly #clip: Clip;
  readonly #ports = new Map<MessagePort, number>();
  readonly #startMs = Date.now();
  readonly #timer: ReturnType<typeof setInterval>;
  stalled = false;

  constructor(clip: Clip) {
    this.#clip = clip;
    this.#timer = setInterval(() => this.#send(), 20);
  }

  subscribe(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage({ type: 'init', initId: 1, bytes: new Uint8Array(this.#clip.initBytes) } satisfies LiveMessage);
    this.#ports.set(port1, Math.floor(this.#now() / FPS) * FPS);
    port1.on('close', () => this.#ports.delete(port1));
    this.#send();
    return port2;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const port of this.#ports.keys()) port.close();
  }

  #now(): number {
    return Math.floor((Date.now() - this.#startMs) / FRAME_MS);
  }

  #send(): void {
    if (this.stalled) return;
    const now = this.#now();
    for (const [port, sent] of this.#ports) {
      for (let index = sent; index < now; index += 1) port.postMessage(this.#fragment(index));
      this.#ports.set(port, Math.max(sent, now));
    }
  }

  #fragment(index: number): LiveMessage {
    const frames = this.#clip.fragments.length;
    const fragment = forceUnwrap('a clip has fragments', this.#clip.fragments[index % frames]);
    const { timescale } = forceUnwrap('a clip has video', videoTrackOf(this.#clip.init));
    const mediaMs = (forceUnwrap('a fragment has a track', fragment.tracks[0]).baseDecodeTime / timescale) * 1000;
    const wallMs = this.#startMs + index * FRAME_MS;
    return { type: 'fragment', initId: 1, bytes: new Uint8Array(fragment.bytes), keyframe: fragment.keyframe, video: true, baseWallMs: wallMs, baseMediaMs: mediaMs, endMs: wallMs + FRAME_MS };
  }
}

async function buildPage(): Promise<string> {
  const built = await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, target: 'es2022', modulePreload: false, rolldownOptions: { input: path.join(import.meta.dirname, 'page.ts') } },
  });
  const [bundle] = Array.isArray(built) ? built : [built];
  const chunk = bundle !== undefined && 'output' in bundle ? bundle.output.find((file) => file.type === 'chunk') : undefined;
  return forceUnwrap('the page was built', chunk).code;
}

/** Makes the recordings, builds the page and serves both on a free port. */
export async function startPlayerRig(): Promise<PlayerRig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-player-'));
  const [script, pictures] = await Promise.all([buildPage(), makePictures(folder, SECONDS)]);
  const clips = { ordered: encode(folder, pictures, 'ordered.mp4', 0), reordered: encode(folder, pictures, 'reordered.mp4', 2), sounding: encode(folder, pictures, 'sounding.mp4', 0, true) };
  await rm(pictures);
  const startMs = Date.now() - 3_600_000 + 0.25;
  const live = new LiveClip(clips.ordered);
  const media = new Map<string, FootageStreams>();
  const clipOf: Readonly<Record<ArchiveName, Clip>> = { plain: clips.ordered, damaged: clips.ordered, reordered: clips.reordered, sounding: clips.sounding };
  for (const name of ['plain', 'reordered', 'damaged', 'sounding'] as const) {
    const archive = new TestArchive(path.join(folder, name));
    const files = await record(archive, clipOf[name], startMs);
    if (name === 'damaged') await damage(archive, files);
    media.set(name, new FootageStreams({ reader: archive.reader, ingest: { openSegment: archive.ingest.openSegment, subscribe: () => live.subscribe() }, clock: systemClock, log: silentLogger, chooseStream: () => 'main' }));
  }
  const { server, sockets } = await serve(script, media);
  const { port } = server.address() as AddressInfo;
  return {
    home: homeFrom(startMs),
    reorderMs: reorderOf(clips.reordered),
    url: (archive, host = '127.0.0.1') => `http://${host}:${port}/${archive}/`,
    stallLive: (stalled) => {
      live.stalled = stalled;
    },
    dropChannels: () => {
      for (const socket of sockets.clients) socket.terminate();
    },
    stop: async () => {
      live.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      for (const streams of media.values()) await streams.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function reorderOf({ init, fragments }: Clip): number {
  const { timescale } = forceUnwrap('a clip has video', videoTrackOf(init));
  return (forceUnwrap('a clip has pictures', fragments[0]?.tracks[0]?.samples[0]).compositionOffsetTicks / timescale) * 1000;
}

function homeFrom(startMs: number): RecordedHome {
  const gapFrames = (GAP_AT_MS / 1000) * FPS;
  return {
    startMs,
    timeOf: (picture) => startMs + picture * FRAME_MS + (picture >= gapFrames ? GAP_MS : 0),
    pictureAt: (wallMs) => {
      const sinceMs = wallMs - startMs;
      if (sinceMs < GAP_AT_MS) return Math.floor(sinceMs / FRAME_MS + 1e-6);
      return sinceMs < GAP_AT_MS + GAP_MS ? null : Math.floor((sinceMs - GAP_MS) / FRAME_MS + 1e-6);
    },
  };
}

async function serve(script: string, media: ReadonlyMap<string, FootageStreams>): Promise<{ server: Server; sockets: WebSocketServer }> {
  const server = createServer((request, response) => {
    const isScript = request.url?.endsWith('/page.js') === true;
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><title>player</title><link rel="icon" href="data:,"><body><script type="module" src="./page.js"></script>');
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const streams = media.get(request.url?.split('/')[1] ?? '');
    if (streams === undefined) {
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      serveSession(webSocketChannel(accepted), { handlers: {} as EngineHandlers, media: streams, events: () => () => undefined, access: OWNER, log: silentLogger });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, sockets };
}

