/** CPU and memory of recording: the whole product against bare ffmpeg processes that copy the same streams to nowhere. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startSimulatorProcess, type SimulatedCamera } from '../../tests/support/simulator-process.ts';
import { type BenchReport, type Figure, figure } from './figures.ts';
import type { BenchOptions } from './options.ts';
import { aloneBytes, cpuSecondsOf, memoryOf } from './process-usage.ts';
import { listCamera, type Product, sleep, startProduct, waitForRecording, Workplace } from './workplace.ts';

/** As many cameras as the budget names. */
const CAMERAS = 8;
const MANY_CAMERAS = 64;
const SECONDS = 60;
/** Connections stand and first bursts are over. */
const SETTLE_MS = 4_000;
const PSS_SAMPLES = 5;
/** Cameras are asked by ONVIF and connected one after another; a busy machine needs its time for sixty-four. */
const START_LIMIT_PER_CAMERA_MS = 8_000;

export async function run(options: BenchOptions): Promise<BenchReport> {
  const seconds = options.seconds ?? SECONDS;
  const count = options.cameras ?? CAMERAS;
  return await Workplace.with(async (place) => {
    const figures: Figure[] = [];
    const few = await measure(place, 'few', count, seconds, ['main', 'previews', 'sub']);
    const cores = (cpuSeconds: number): number => cpuSeconds / few.floorSeconds;
    figures.push(figure(`CPU of ${count} bare ffmpeg`, (100 * few.floorCpu) / seconds / count, '% of a core per camera'));
    figures.push(figure('CPU, main streams only, no previews decoded', few.main, `s in ${seconds} s`, { floor: few.floorCpu, budget: 2 }));
    figures.push(figure('CPU, main streams only, previews made from them', few.previews, `s in ${seconds} s`, { floor: few.floorCpu }));
    figures.push(figure('CPU, with sub streams and previews made from them', few.sub, `s in ${seconds} s`, { floor: few.floorCpu, budget: 3 }));
    figures.push(figure('of which per camera', (100 * few.sub) / seconds / count, '% of a core'));
    figures.push(...memoryFigures(few.pss, count));
    const notes = [`Floor: ${count} × ffmpeg -rtsp_transport tcp -i URL -c copy -f null -, ${cores(few.floorCpu).toFixed(3)} cores; the simulator is a process of its own and not counted.`];
    if (options.many) {
      try {
        const many = await measure(place, 'many', MANY_CAMERAS, seconds, ['sub']);
        figures.push(figure(`CPU per camera at ${MANY_CAMERAS} cameras (floor: at ${count})`, many.sub / MANY_CAMERAS, `s in ${seconds} s`, { floor: few.sub / count, budget: 1.2 }));
        figures.push(...memoryFigures(many.pss, MANY_CAMERAS).map((each) => ({ ...each, name: `${each.name}, at ${MANY_CAMERAS}` })));
      } catch (error) {
        // What was measured of the few is not lost to a machine that cannot carry so many.
        notes.push(`${MANY_CAMERAS} cameras were not measured: ${error instanceof Error ? error.message : String(error)}.`);
        process.exitCode = 1;
      }
    }
    return { bench: 'record', figures, notes };
  });
}

type Part = 'main' | 'previews' | 'sub';

interface Measured extends Record<Part, number> {
  readonly floorCpu: number;
  readonly floorSeconds: number;
  readonly pss: Memory;
}

/** Proportional set sizes in bytes. */
interface Memory {
  readonly starter: number;
  readonly engine: number;
  readonly ffmpeg: number;
  /** All of them, if nothing else ran on the machine. */
  readonly alone: number;
}

function memoryFigures({ starter, engine, ffmpeg, alone }: Memory, count: number): Figure[] {
  const perCamera = (name: string, bytes: number, more: { readonly budget?: number } = {}): Figure => figure(name, bytes / count / 1e6, 'MB', more);
  return [
    perCamera('PSS per camera, all processes, with sub stream', starter + engine + ffmpeg, { budget: 45 }),
    perCamera('of which ffmpeg', ffmpeg),
    perCamera('of which the engine', engine),
    perCamera('of which the starter', starter),
    perCamera('the same, with pages shared with the bench and the simulator counted whole', alone),
  ];
}

async function measure(place: Workplace, name: string, count: number, seconds: number, parts: readonly Part[]): Promise<Measured> {
  const simulator = await startSimulatorProcess(['--source', 'bench', '--cameras', String(count), '--audio', 'aac', '--discovery-port', '0'], 300_000);
  try {
    const floorCpu = name === 'few' ? await measureFloor(simulator.cameras, seconds) : 0;
    const found: Record<Part, number> = { main: 0, previews: 0, sub: 0 };
    let pss: Memory = { starter: 0, engine: 0, ffmpeg: 0, alone: 0 };
    for (const part of parts) {
      const product = await startProduct({
        place,
        dataDir: place.path(`${name}-${part}`, 'data'),
        mediaDir: await folderOf(place, `${name}-${part}`),
        cameras: simulator.cameras.map((camera) => listCamera(camera, part !== 'sub')),
        env: part === 'main' ? await withoutPreviews(place) : {},
      });
      try {
        await waitForRecording(product, count, Math.max(120_000, count * START_LIMIT_PER_CAMERA_MS));
        found[part] = await cpuOver(product, seconds);
        if (part === 'sub') pss = await medianMemory(product);
      } finally {
        await product.stop();
      }
    }
    return { ...found, floorCpu, floorSeconds: seconds, pss };
  } finally {
    await simulator.stop();
  }
}

async function folderOf(place: Workplace, name: string): Promise<string> {
  await mkdir(place.path(name), { recursive: true });
  return place.path(name, 'media');
}

async function cpuOver(product: Product, seconds: number): Promise<number> {
  await sleep(SETTLE_MS);
  const before = cpuSecondsOf(product.pid);
  await sleep(seconds * 1000);
  return cpuSecondsOf(product.pid) - before;
}

/** The sample in the middle by what all processes hold. */
async function medianMemory(product: Product): Promise<Memory> {
  const samples: Memory[] = [];
  for (let at = 0; at < PSS_SAMPLES; at += 1) {
    const all = memoryOf(product.pid);
    const sum = (wanted: (each: (typeof all)[number]) => boolean): number => all.filter(wanted).reduce((bytes, each) => bytes + each.pssBytes, 0);
    const starter = sum(({ pid }) => pid === product.pid);
    const engine = sum(({ pid, program }) => pid !== product.pid && program.startsWith('node'));
    samples.push({ starter, engine, ffmpeg: sum(() => true) - starter - engine, alone: aloneBytes(all) });
    await sleep(500);
  }
  const total = ({ starter, engine, ffmpeg }: Memory): number => starter + engine + ffmpeg;
  return samples.toSorted((one, other) => total(one) - total(other))[Math.floor(PSS_SAMPLES / 2)] ?? { starter: 0, engine: 0, ffmpeg: 0, alone: 0 };
}

async function measureFloor(cameras: readonly SimulatedCamera[], seconds: number): Promise<number> {
  const children = cameras.map((camera) => startCopy(camera));
  try {
    await sleep(SETTLE_MS);
    const cpu = (): number => children.reduce((sum, child) => sum + cpuSecondsOf(child.pid ?? -1), 0);
    const before = cpu();
    await sleep(seconds * 1000);
    const used = cpu() - before;
    const ended = children.filter((child) => child.exitCode !== null).length;
    if (ended > 0) throw new Error(`${ended} of the bare ffmpeg ended by themselves`);
    return used;
  } finally {
    await Promise.all(children.map((child) => endOf(child)));
  }
}

function startCopy(camera: SimulatedCamera): ChildProcess {
  const url = new URL(camera.rtspMain);
  url.username = camera.username;
  url.password = camera.password;
  return spawn('ffmpeg', ['-v', 'error', '-nostdin', '-rtsp_transport', 'tcp', '-i', url.href, '-c', 'copy', '-f', 'null', '-'], { stdio: 'ignore' });
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/**
 * An environment in which the decoder of previews ends at once and everything else is ffmpeg: what recording alone costs.
 * Cameras without a sub stream have previews made from their main stream otherwise, which is the next figure.
 */
async function withoutPreviews(place: Workplace): Promise<Readonly<Record<string, string>>> {
  const folder = place.path('no-previews');
  await mkdir(folder, { recursive: true });
  const real = (process.env['PATH'] ?? '').split(path.delimiter).map((each) => `"${each}/ffmpeg"`).join(' ');
  const script = `#!/bin/sh\ncase "$*" in *skip_loop_filter*) exit 1;; esac\nfor each in ${real}; do [ -x "$each" ] && exec "$each" "$@"; done\nexit 127\n`;
  await writeFile(path.join(folder, 'ffmpeg'), script);
  await chmod(path.join(folder, 'ffmpeg'), 0o755);
  return { PATH: `${folder}${path.delimiter}${process.env['PATH'] ?? ''}` };
}
