/** Where a benchmark works and what it starts: a folder of its own, the product, simulated cameras; all of it gone when it ends. */
import { connect } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { socketChannel } from '../../main/engine/rpc/channels/socket-channel.ts';
import { controlFileOf } from '../../main/engine/serve/local-socket.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import type { Channel } from '../../shared/contract/channel.ts';
import type { CameraWithStatus } from '../../shared/contract/engine-api.ts';
import { startChild } from '../../tests/support/child.ts';
import type { SimulatedCamera } from '../../tests/support/simulator-process.ts';
import { waitFor } from '../../tests/support/wait.ts';
import { buildIfStale } from '../start/build.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');
/** The first start may have to build the interface. */
const START_LIMIT_MS = 180_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Things to undo, the last one first, also when a benchmark fails or is interrupted. */
export class Workplace {
  readonly #undo: (() => Promise<unknown>)[] = [];
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Runs `work` in a folder of its own under the system's temporary folder (`TMPDIR` chooses another disk). */
  static async with<T>(work: (place: Workplace) => Promise<T>): Promise<T> {
    const place = new Workplace(await mkdtemp(path.join(tmpdir(), 'porchlight-bench-')));
    const interrupted = (): void => void place.#clear().finally(() => process.exit(130));
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    try {
      return await work(place);
    } finally {
      await place.#clear();
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
    }
  }

  /** Keeps something to be ended with the benchmark. */
  keep<T extends { stop(): Promise<unknown> }>(thing: T): T {
    this.#undo.push(() => thing.stop());
    return thing;
  }

  path(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  async #clear(): Promise<void> {
    for (const undo of this.#undo.splice(0).toReversed()) await undo().catch((error: unknown) => console.error('something did not end in order:', error));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A camera as `--cameras FILE` names it. */
export interface ListedCamera {
  readonly name: string;
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

/** By ONVIF, with both streams; `mainOnly`: by the address of its main stream, which is then all that is known of it. */
export function listCamera(camera: SimulatedCamera, mainOnly = false): ListedCamera {
  return { name: camera.name, address: mainOnly ? camera.rtspMain : camera.onvifUrl, username: camera.username, password: camera.password };
}

export interface Product {
  /** Of the starter: the root of the tree of processes. */
  readonly pid: number;
  /** With the key that signs a browser in. */
  readonly url: string;
  readonly dataDir: string;
  readonly client: EngineClient;
  /** Milliseconds of performance.now() at which it was started. */
  readonly startedMs: number;
  stop(): Promise<void>;
}

export interface ProductOptions {
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly cameras?: readonly ListedCamera[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ends it with the benchmark from its first moment on: an interrupt may come before it is ready. */
  readonly place?: Workplace;
}

/** `npm start -- --serve` as a person would start it; resolves when the interface is being served. */
export async function startProduct({ dataDir, mediaDir, cameras = [], env = {}, place }: ProductOptions): Promise<Product> {
  const args = [path.join(ROOT, 'tools/start.ts'), '--serve', '--no-open', '--port', '0', '--data', dataDir, '--media', mediaDir];
  if (cameras.length > 0) {
    const file = `${dataDir}.cameras.json`;
    await writeFile(file, JSON.stringify(cameras), { mode: 0o600 });
    args.push('--cameras', file);
  }
  // Built here and not by the product, whose processes would keep the memory that a build takes and their time.
  await buildIfStale(ROOT, () => undefined);
  const startedMs = performance.now();
  const child = startChild(process.execPath, args, { cwd: ROOT, env });
  place?.keep({ stop: () => child.stop(30_000) });
  try {
    const url = await child.waitForLine((line) => /^Porchlight is ready: (\S+)/.exec(line)?.[1] ?? null, START_LIMIT_MS);
    const client = new EngineClient({ connect: () => openChannel(dataDir) });
    const stop = async (): Promise<void> => {
      client.close();
      await child.stop(30_000);
    };
    return { pid: child.pid, url, dataDir, client, startedMs, stop };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** A channel over the engine's local socket, as tools/cli.ts opens one. */
async function openChannel(dataDir: string): Promise<Channel> {
  const control = JSON.parse(await readFile(controlFileOf(dataDir), 'utf8')) as { readonly socketPath: string; readonly token: string };
  const socket = connect(control.socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const channel = socketChannel(socket, MAX_ANSWER_BYTES);
  channel.send({ head: { token: control.token }, payload: null });
  return channel;
}

/** Waits until every stream of `count` cameras is live and what is to be recorded is recorded. */
export async function waitForRecording({ client }: Product, count: number, limitMs = 120_000): Promise<readonly CameraWithStatus[]> {
  return await waitFor(`${count} cameras that record`, async () => {
    const list = await client.ask('cameras.list', {});
    const ready = list.filter(({ camera, status }) => status.recording && status.streams.length >= camera.streams.length && status.streams.every((stream) => stream.state === 'live'));
    return ready.length >= count ? list : null;
  }, limitMs, 250);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
