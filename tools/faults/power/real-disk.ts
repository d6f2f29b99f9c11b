/**
 * Owns power cuts on a real file system: an engine records to ext4 on a loop device, and the device's content is kept as it is at
 * a moment, by a copy that shares its blocks and so takes all of it at once (XFS reflinks). What ext4 has not handed to its disk
 * by then is lost, and its own journal is replayed by the kernel at the next mount, as after a power cut. Device-mapper's
 * dm-flakey and dm-log-writes could lose and reorder below ext4 too; the model of disk-model.ts does that everywhere.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { decodeFrames } from '../../../tests/support/decoded-frames.ts';
import type { DurationMs } from '../../../shared/time.ts';
import { startSimulator, type Simulator } from '../../sim/simulator.ts';
import { fragmentDigestsOf } from './fragment-digests.ts';
import { camerasOfList, type ReceivedFrame, type ReceivedStream } from './footage-truth.ts';
import { type Cut, judgeHome } from './judge-world.ts';
import { withScratch } from './scratch-folder.ts';
import { MAIN_VIDEO } from './trace-run.ts';
import type { Said, TracedOrder } from './traced-engine.ts';
import { SAID } from './traced-files.ts';

const run = promisify(execFile);
const ENTRY = path.join(import.meta.dirname, 'traced-engine.ts');
const OUTER_MEGABYTES = 1_024;
const DISK_MEGABYTES = 384;

export interface RealDiskOptions {
  readonly cuts: number;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface RealDiskResult {
  readonly cuts: number;
  readonly lostMs: readonly DurationMs[];
  readonly violations: readonly string[];
  /** With every fsync and fdatasync of the engine answered without being done. */
  readonly controlViolations: number;
  readonly skipped: string | null;
}

/** Null where such a disk can be made; otherwise why not. */
export async function whyNoRealDisk(): Promise<string | null> {
  if (process.platform !== 'linux') return 'loop devices are used on Linux only';
  if (process.getuid?.() !== 0) return 'a disk can be made and mounted by root only';
  for (const [tool, from] of [['mkfs.xfs', 'xfsprogs'], ['mkfs.ext4', 'e2fsprogs'], ['strace', 'strace']] as const) {
    if (!(await run('which', [tool]).then(() => true, () => false))) return `${tool} is not installed (Debian: apt-get install ${from})`;
  }
  try {
    await withScratch('mount', async (scratch) => {
      const outer = new Disks(scratch);
      try {
        await outer.make();
      } finally {
        await outer.end();
      }
    });
    return null;
  } catch (error) {
    return `no disk could be made here: ${error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)}`;
  }
}

/** The disk that is cut, and the one below it that keeps its moments. */
class Disks {
  readonly home: string;
  readonly #outer: string;
  readonly #outerImage: string;
  readonly #mounted: string[] = [];

  constructor(scratch: string) {
    this.#outerImage = path.join(scratch, 'outer.img');
    this.#outer = path.join(scratch, 'outer');
    this.home = path.join(scratch, 'home');
  }

  get image(): string {
    return path.join(this.#outer, 'disk.img');
  }

  async make(): Promise<void> {
    await run('truncate', ['-s', `${OUTER_MEGABYTES}M`, this.#outerImage]);
    await run('mkfs.xfs', ['-q', '-m', 'reflink=1', this.#outerImage]);
    await this.#mount(this.#outerImage, this.#outer);
    await run('truncate', ['-s', `${DISK_MEGABYTES}M`, this.image]);
    await run('mkfs.ext4', ['-q', '-F', this.image]);
    await this.mountHome(this.image);
  }

  async mountHome(image: string): Promise<void> {
    await this.#mount(image, this.home);
  }

  async unmountHome(): Promise<void> {
    await this.#unmount(this.home);
  }

  /** The disk as it is now, all of it at one moment. */
  async keep(name: string): Promise<string> {
    const kept = path.join(this.#outer, name);
    await run('cp', ['--reflink=always', this.image, kept]);
    return kept;
  }

  async end(): Promise<void> {
    for (const point of this.#mounted.toReversed()) await this.#unmount(point);
  }

  async #mount(image: string, point: string): Promise<void> {
    await mkdir(point, { recursive: true });
    await run('mount', ['-o', 'loop', image, point]);
    this.#mounted.push(point);
  }

  async #unmount(point: string): Promise<void> {
    if (!this.#mounted.includes(point)) return;
    await run('umount', [point]).catch(() => run('umount', ['-l', point]));
    this.#mounted.splice(this.#mounted.indexOf(point), 1);
  }
}

interface KeptMoment {
  readonly image: string;
  readonly cut: Cut;
}

/** Records on a real disk, keeps `cuts` moments of it, and judges each after a mount; then once more with all syncs made void. */
export async function realDiskCuts(options: RealDiskOptions): Promise<RealDiskResult> {
  const skipped = await whyNoRealDisk();
  if (skipped !== null) return { cuts: 0, lostMs: [], violations: [], controlViolations: 0, skipped };
  const real = await recordAndCut(options, options.cuts, false);
  options.onProgress(`real disk: ${real.lostMs.length} cuts, ${real.violations.length} violations`);
  const control = await recordAndCut(options, 1, true);
  options.onProgress(`real disk without syncs: ${control.violations.length} violations${control.violations[0] === undefined ? '' : `, such as: ${control.violations[0]}`}`);
  return { cuts: real.lostMs.length, ...real, controlViolations: control.violations.length, skipped: null };
}

async function recordAndCut(options: RealDiskOptions, cuts: number, withoutSyncs: boolean): Promise<{ readonly lostMs: readonly DurationMs[]; readonly violations: readonly string[] }> {
  return await withScratch('disk', async (scratch) => {
    const disks = new Disks(scratch);
    const simulator = await startSimulator({ cameras: 2, source: 'test', main: MAIN_VIDEO, sub: null, audio: 'none', discovery: false, controlPort: false });
    try {
      await disks.make();
      const moments = await keepMoments(disks, simulator, options, cuts, withoutSyncs);
      const streams = await recordedStreams(disks.home, simulator, scratch);
      await disks.unmountHome();
      const lostMs: DurationMs[] = [];
      const violations: string[] = [];
      for (const [index, { image, cut }] of moments.entries()) {
        if (options.signal.aborted) break;
        await disks.mountHome(image);
        const home = { folder: disks.home, dataDir: path.join(disks.home, 'data'), mediaDir: path.join(disks.home, 'media') };
        const verdict = await judgeHome(home, { cut, streams, recovery: 'archive', withoutIndex: index % 2 === 0 });
        await disks.unmountHome();
        lostMs.push(verdict.loss.lostMs);
        violations.push(...verdict.violations.map((violation) => `real disk, cut ${index + 1}: ${violation}`));
      }
      return { lostMs, violations };
    } finally {
      await disks.end();
      await simulator.stop();
    }
  });
}

/** Lets an engine record, and keeps the disk's content at moments of chance; the engine has ended in order when it resolves. */
async function keepMoments(disks: Disks, simulator: Simulator, { random, signal }: RealDiskOptions, cuts: number, withoutSyncs: boolean): Promise<readonly KeptMoment[]> {
  const cameras = simulator.cameras.map((camera) => ({ name: null, address: camera.onvifUrl, username: camera.username, password: camera.password }));
  const order: TracedOrder = { dataDir: path.join(disks.home, 'data'), mediaDir: path.join(disks.home, 'media'), cameras, seconds: 3 + cuts * 2, quotaBytes: 1_000_000_000, from: 0, pauses: false, subStreams: false };
  const command = [process.execPath, ENTRY, JSON.stringify(order)];
  const [program = '', ...args] = withoutSyncs ? ['strace', '-f', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:retval=0', ...command] : command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => void errors.push(line));
  const said: Said[] = [];
  const recording = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith(SAID)) return;
      const one = JSON.parse(line.slice(SAID.length)) as Said;
      said.push(one);
      if (one.what === 'home') resolve();
    });
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, how) => resolve(code ?? how ?? 'unknown'));
  });
  await Promise.race([recording, ended]);
  const moments: KeptMoment[] = [];
  // Time for both cameras' sessions to have begun; then one moment in each two seconds.
  await delay(3_000, undefined, { signal });
  for (let index = 0; index < cuts; index += 1) {
    await delay(600 + random() * 1_200, undefined, { signal });
    const cut = { at: index, timeMs: Date.now(), said: [...said] };
    moments.push({ image: await disks.keep(`cut-${index}.img`), cut });
  }
  const outcome = await ended;
  if (outcome !== 0) throw new Error(`the engine on the real disk ended with ${outcome}:\n${errors.slice(-10).join('\n')}`);
  return moments;
}

/** What was recorded by the end, decoded, by the times of the send log. */
async function recordedStreams(home: string, simulator: Simulator, scratch: string): Promise<readonly ReceivedStream[]> {
  const mediaDir = path.join(home, 'media');
  const simulated = simulator.cameras.map((camera) => ({ camera: camera.index, host: camera.host }));
  const ids = camerasOfList(await readFile(path.join(home, 'data/config/cameras.json'), 'utf8'), simulated);
  const found = new Map<string, ReceivedFrame[]>();
  for (const name of (await readdir(mediaDir, { recursive: true })).filter((one) => one.endsWith('.mp4')).sort()) {
    const bytes = await readFile(path.join(mediaDir, name));
    const place = path.join(scratch, 'decode.mp4');
    await writeFile(place, bytes);
    const codes = await decodeFrames(place, MAIN_VIDEO.width, MAIN_VIDEO.height);
    const fragments = fragmentDigestsOf(bytes);
    if (codes.length !== fragments.length) throw new Error(`${name}: ${codes.length} pictures in ${fragments.length} fragments`);
    const [cameraId = ''] = name.split('/');
    const sent = new Map(simulator.cameras.find((camera) => camera.index === ids.get(cameraId))?.sendLog('main').map((entry) => [entry.frameIndex, entry.sentMs]));
    const frames = found.get(cameraId) ?? [];
    found.set(cameraId, frames);
    fragments.forEach(({ digest }, index) => {
      const sentMs = sent.get(codes[index]?.frameNumber ?? -1);
      if (sentMs === undefined) throw new Error(`${name}: nobody sent its picture ${index}`);
      frames.push({ sentMs, arrivedMs: sentMs, digest, deletedMs: null, killedMs: null });
    });
  }
  return [...found].map(([name, frames]) => ({ name, frames: frames.toSorted((a, b) => a.sentMs - b.sentMs) }));
}
