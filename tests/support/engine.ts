/** A real engine in a process of its own, kept running by the real supervisor, asked through the local socket by the page's own client. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { controlFileOf } from '../../main/engine/serve/local-socket.ts';
import { socketChannel } from '../../main/engine/rpc/channels/socket-channel.ts';
import { EngineHost } from '../../main/host/engine-host.ts';
import { nodeStarter } from '../../main/host/node-starter.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import type { Channel } from '../../shared/contract/channel.ts';
import type { AppInfo, InputOf, OperationName, OutputOf } from '../../shared/contract/engine-api.ts';
import type { EngineInit, ServingInfo } from '../../shared/contract/engine-process.ts';
import type { Camera, CameraStatus } from '../../shared/model/camera.ts';
import type { GapCause } from '../../shared/model/gap.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { CameraTimeline, TimelineGap } from '../../shared/model/timeline.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { ENGINE_ENTRY } from './engine-entry.ts';
import { waitFor } from './wait.ts';

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** How far back the timeline is asked: longer than any test. */
const WINDOW_MS = 1_800_000;

export interface CameraAddress {
  readonly onvifUrl: string;
  readonly username: string;
  readonly password: string;
}

export interface EngineOptions {
  /** Changes to what the engine is started with. */
  readonly init?: Partial<EngineInit>;
  /** Environment of the engine and of all it starts. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is run when it is not `ENGINE_ENTRY`. */
  readonly entry?: string;
  /** An earlier engine's folder, which stays when this one ends. */
  readonly folder?: string;
}

/** Connects to the running engine of a data folder as a terminal does. */
async function dial(dataDir: string): Promise<Channel> {
  const { socketPath, token } = JSON.parse(await readFile(controlFileOf(dataDir), 'utf8')) as { socketPath: string; token: string };
  const socket = connect(socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const channel = socketChannel(socket, MAX_ANSWER_BYTES);
  channel.send({ head: { token }, payload: null });
  return channel;
}

export class TestEngine {
  /** Removed at the end; `data` and `media` lie in it unless told otherwise. */
  readonly folder: string;
  readonly init: EngineInit;
  readonly host: EngineHost;
  readonly client: EngineClient;
  #ownsFolder: boolean;

  private constructor(folder: string, options: EngineOptions) {
    this.folder = folder;
    this.#ownsFolder = options.folder === undefined;
    this.init = {
      version: '0.0.0-test', mode: 'app', demo: false, dataDir: path.join(folder, 'data'), mediaDir: path.join(folder, 'media'), binDir: null, secrets: 'file', cameras: [], serve: null,
      ...options.init,
    };
    this.host = new EngineHost({ starter: nodeStarter(options.entry ?? ENGINE_ENTRY, options.env), init: this.init, clock: systemClock, log: silentLogger, secrets: null });
    this.client = new EngineClient({ connect: () => dial(this.init.dataDir), retryMs: () => 100 });
  }

  /** Folders and a supervisor; nothing runs before `start`. */
  static async make(options: EngineOptions = {}): Promise<TestEngine> {
    return new TestEngine(options.folder ?? (await mkdtemp(path.join(tmpdir(), 'porchlight-engine-'))), options);
  }

  /** Made and started. What a refused start leaves is removed. */
  static async started(options: EngineOptions = {}): Promise<TestEngine> {
    const engine = await TestEngine.make(options);
    try {
      await engine.start();
    } catch (error) {
      await engine.end();
      throw error;
    }
    return engine;
  }

  /** Resolves when the engine is ready; rejects with the error it refuses with. */
  async start(): Promise<ServingInfo | null> {
    return await this.host.start();
  }

  get pid(): number {
    return forceUnwrap('the engine runs', this.host.pid);
  }

  /** As a crash: at once, without a word. The supervisor starts the next life by itself. */
  kill(): number {
    const { pid } = this;
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  async ask<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> {
    return await this.client.ask(name, input);
  }

  async info(): Promise<AppInfo> {
    return await this.ask('app.info', {});
  }

  async add(camera: CameraAddress, password = camera.password): Promise<Camera> {
    return await this.ask('cameras.add', { target: { kind: 'address', address: camera.onvifUrl }, credentials: { username: camera.username, password }, name: null });
  }

  async status(cameraId: CameraId): Promise<CameraStatus> {
    return forceUnwrap('the camera is on the list', (await this.ask('cameras.list', {})).find(({ camera }) => camera.id === cameraId)).status;
  }

  async timeline(cameraId: CameraId): Promise<CameraTimeline> {
    const nowMs = Date.now();
    return forceUnwrap('one camera was asked for', (await this.ask('timeline.get', { cameraIds: [cameraId], startMs: nowMs - WINDOW_MS, endMs: nowMs + 1_000 })).cameras[0]);
  }

  /** Waits until this much of the newest footage is unbroken; returns its span. */
  async footage(cameraId: CameraId, seconds: number, limitMs = 30_000 + seconds * 1_500): Promise<{ readonly startMs: number; readonly endMs: number }> {
    return await waitFor(`${seconds} s of footage`, async () => {
      const span = (await this.timeline(cameraId)).spans.at(-1);
      return span !== undefined && span.endMs - span.startMs >= seconds * 1_000 && (await this.status(cameraId)).recording ? span : null;
    }, limitMs);
  }

  /** Waits for recording to be back after `sinceMs`; returns the gap of this cause that is closed by then. */
  async closedGap(cameraId: CameraId, cause: GapCause, sinceMs: number, limitMs = 45_000): Promise<TimelineGap> {
    return await waitFor(`a gap with the cause ${cause}`, async () => {
      const { gaps, spans } = await this.timeline(cameraId);
      const gap = gaps.find((one) => one.cause === cause && one.endMs > sinceMs);
      if (gap === undefined || !spans.some((span) => span.endMs > gap.endMs + 1_000)) throw new Error(JSON.stringify({ gaps, spans, sinceMs }));
      return gap;
    }, limitMs);
  }

  /** Files of footage under a folder, oldest first within a stream. */
  async files(mediaDir = this.init.mediaDir): Promise<string[]> {
    const names = await readdir(mediaDir, { recursive: true });
    return names.filter((name) => name.endsWith('.mp4')).map((name) => path.join(mediaDir, name)).sort();
  }

  async log(): Promise<string> {
    return await readFile(path.join(this.init.dataDir, 'logs', 'porchlight.log'), 'utf8');
  }

  /** Stops this engine in order, lets something happen to its folder, and makes the next one over it, which is not started yet. */
  async nextLife(meanwhile: () => Promise<void> | void = () => undefined, options: EngineOptions = {}): Promise<TestEngine> {
    await this.stop();
    this.client.close();
    await meanwhile();
    const next = await TestEngine.make({ ...options, folder: this.folder });
    next.#ownsFolder = this.#ownsFolder;
    this.#ownsFolder = false;
    return next;
  }

  /** Stops in order; the folders stay. */
  async stop(): Promise<void> {
    await this.host.stop();
  }

  /** Stops, and removes the folder where it is this engine's own. PORCHLIGHT_TEST_LOGS=1 shows the log first. */
  async end(): Promise<void> {
    this.client.close();
    await this.host.stop();
    if (process.env['PORCHLIGHT_TEST_LOGS'] !== undefined) process.stderr.write(await this.log().catch(() => ''));
    if (this.#ownsFolder) await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Processes whose parent is `parent`, by /proc, that are ffmpeg: with or without the words that make it die with its thread. */
export async function ffmpegOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [state, parentText] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(parentText) !== parent || state === 'Z') continue;
    // The recorders' own argument; searches for its version and batches of previews are ffmpeg too.
    if ((await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).includes('frag_every_frame')) found.push(Number(name));
  }
  return found;
}

/** A program of the test's own making, as a shell script. */
export async function writeScript(file: string, lines: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
}
