/** Owns one household of the fault suite: simulated cameras, an archive, and the product over it as `npm start -- --serve` starts it. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CameraId } from '../../shared/model/ids.ts';
import type { CameraTimeline } from '../../shared/model/timeline.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { type SimulatorProcess, startSimulatorProcess } from '../../tests/support/simulator-process.ts';
import { waitFor } from '../../tests/support/wait.ts';
import { listCamera, type Product, startProduct, waitForRecording } from '../bench/workplace.ts';
import { endAll, isEngine, isRecorder, leftOver, MARK, type OwnProcess, processesOf } from './processes.ts';

/** On a machine that does much else, a start takes its time. */
const RECORDING_LIMIT_MS = 90_000;

export class FaultHouse {
  readonly folder: string;
  readonly dataDir: string;
  readonly mediaDir: string;
  readonly mark = randomUUID();
  readonly simulator: SimulatorProcess;
  /** The simulated camera, by the id that the product gave it. */
  readonly cameras = new Map<CameraId, number>();
  #product: Product | null = null;
  #earlier: ReadonlySet<string> = new Set();
  #beganMs = 0;

  private constructor(folder: string, simulator: SimulatorProcess) {
    this.folder = folder;
    this.dataDir = path.join(folder, 'data');
    // A folder of its own, where a disk can be mounted.
    this.mediaDir = path.join(folder, 'disk', 'media');
    this.simulator = simulator;
  }

  static async build(cameras: number): Promise<FaultHouse> {
    const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'porchlight-faults-')));
    await mkdir(path.join(folder, 'disk'));
    return new FaultHouse(folder, await startSimulatorProcess(['--cameras', String(cameras)], 120_000, 'tools/faults/cameras-main.ts'));
  }

  /** Where a kind may mount a disk of its own. */
  get diskDir(): string {
    return path.dirname(this.mediaDir);
  }

  get product(): Product {
    return forceUnwrap('the product runs', this.#product);
  }

  /** When this life was begun, by this program's clock. */
  get beganMs(): number {
    return this.#beganMs;
  }

  /** Begins a life of the product, supervised, and waits until every camera is recorded. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const first = this.cameras.size === 0;
    this.#beganMs = Date.now();
    const cameras = first ? this.simulator.cameras.map((camera) => listCamera(camera)) : [];
    this.#product = await startProduct({ dataDir: this.dataDir, mediaDir: this.mediaDir, cameras, env: { ...env, [MARK]: this.mark } });
    const list = await waitForRecording(this.#product, this.simulator.cameras.length, RECORDING_LIMIT_MS);
    if (!first) return;
    for (const { camera } of list) {
      const { index } = forceUnwrap('the camera is a simulated one', this.simulator.cameras.find(({ host }) => camera.deviceUrl?.includes(`//${host}:`)));
      this.cameras.set(camera.id, index);
    }
  }

  /** Counts the lives since this moment as one: the product was started again within a round. */
  continueFrom(beganMs: number): void {
    this.#beganMs = beganMs;
  }

  /** A round begins: what is there by now is no part of it. */
  async beginRound(): Promise<void> {
    this.#earlier = new Set(await this.#segmentFiles());
  }

  /** Files of this round, in the order of (session, sequence) within each stream. */
  async newFiles(cameraId: CameraId): Promise<readonly string[]> {
    const order = (file: string): string => /-s(\d+)-(\d+)\.mp4$/.exec(file)?.slice(1).map((part) => part.padStart(16, '0')).join('-') ?? '';
    const files = (await this.#segmentFiles()).filter((file) => !this.#earlier.has(file) && file.includes(`${cameraId}${path.sep}main${path.sep}`));
    return files.toSorted((a, b) => order(a).localeCompare(order(b)));
  }

  async #segmentFiles(): Promise<string[]> {
    const names = await readdir(this.mediaDir, { recursive: true }).catch(() => []);
    return names.filter((name) => name.endsWith('.mp4')).map((name) => path.join(this.mediaDir, name));
  }

  processes(): readonly OwnProcess[] {
    return processesOf(this.mark);
  }

  enginePid(): number {
    return forceUnwrap('the engine runs', this.processes().find(isEngine)).pid;
  }

  recorders(): readonly OwnProcess[] {
    return this.processes().filter(isRecorder);
  }

  /** Waits until every camera is recorded by the engine that runs now. */
  async recording(limitMs = RECORDING_LIMIT_MS): Promise<void> {
    await waitForRecording(this.product, this.simulator.cameras.length, limitMs);
  }

  /** Waits for so much more footage of every camera, unbroken. `clockAheadMs`: of the product's clock. */
  async footage(seconds: number, clockAheadMs = 0, limitMs = 60_000): Promise<void> {
    const wantedMs = Date.now() + clockAheadMs + seconds * 1_000;
    await waitFor(`${seconds} s of footage of each camera`, async () => {
      const timelines = await this.timelines(Date.now() + clockAheadMs);
      return timelines.every(({ spans }) => {
        const last = spans.at(-1);
        return last !== undefined && last.endMs - last.startMs >= seconds * 1_000 && last.endMs >= wantedMs;
      });
    }, limitMs, 200);
  }

  /** This round of every camera as the product tells it, by the product's clock, which shows `nowMs`; some minutes, so that nothing is drawn together. */
  async timelines(nowMs = Date.now()): Promise<readonly CameraTimeline[]> {
    const lastedMs = Date.now() - this.#beganMs;
    return (await this.product.client.ask('timeline.get', { cameraIds: [...this.cameras.keys()], startMs: nowMs - lastedMs, endMs: nowMs + 2_000 })).cameras;
  }

  /** The product was ended from outside; nothing of it is asked any more. */
  async forget(): Promise<void> {
    await this.#product?.stop();
    this.#product = null;
  }

  /** Ends the product in order; answers with the processes that are still there after that, which are ended too. */
  async stop(): Promise<readonly OwnProcess[]> {
    await this.forget();
    const left = await leftOver(this.mark, 3_000);
    endAll(left);
    return left;
  }

  /** `keep`: the archive stays, to be looked at. */
  async end(keep = false): Promise<void> {
    await this.stop();
    await this.simulator.stop();
    if (!keep) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
