/** Owns a traced run: simulated cameras, an engine under strace in two lives, the first of them killed, and what a disk was told meanwhile. */
import { execFile, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { randomUUID } from 'node:crypto';
import { startSimulator, type Simulator } from '../../sim/simulator.ts';
import type { SendLogEntry, SimStream } from '../../sim/send-log.ts';
import type { DiskOperation } from './disk-operations.ts';
import { withScratch } from './scratch-folder.ts';
import { StraceLines, type SystemCall } from './strace-lines.ts';
import { SAID, TracedFiles, TRACED_CALLS } from './traced-files.ts';
import type { TracedOrder } from './traced-engine.ts';
import { type Arrival, TracedPipes } from './traced-pipes.ts';

const run = promisify(execFile);
const ENTRY = path.join(import.meta.dirname, 'traced-engine.ts');
/** Longer than any run, so that no picture is sent twice and its bytes tell which it is. */
const CLIP_SECONDS = 120;
export const MAIN_VIDEO = { width: 512, height: 288, fps: 10, kbps: 150, gopFrames: 10, seconds: CLIP_SECONDS };
export const SUB_VIDEO = { width: 384, height: 216, fps: 10, kbps: 60, gopFrames: 10, seconds: CLIP_SECONDS };

export interface TraceOptions {
  readonly cameras: number;
  /** Of each of the two lives, after its cameras record. */
  readonly seconds: number;
  readonly quotaBytes: number;
  readonly signal: AbortSignal;
}

/** What the simulator sent of a camera, named as the footage is. */
export interface SentStream {
  readonly camera: number;
  readonly stream: SimStream;
  /** Its address, alone on it. */
  readonly host: string;
  readonly entries: readonly SendLogEntry[];
}

export interface Trace {
  readonly operations: readonly DiskOperation[];
  /** The watched folder, as paths in files name it. */
  readonly base: string;
  /** When the first life was killed. */
  readonly killedMs: number;
  /** Content of a file as last written, by inode. */
  readonly content: (inode: number) => Buffer;
  /** What came out of each ffmpeg, whole pictures in order. */
  readonly arrivals: readonly (readonly Arrival[])[];
  readonly sent: readonly SentStream[];
  /** What in the trace was not understood, or differs from the real folder; a suite with such a trace proves nothing. */
  readonly problems: readonly string[];
  readonly durationMs: number;
}

/** Null where a trace can be made; otherwise why not. */
export async function whyNoTrace(): Promise<string | null> {
  if (process.platform !== 'linux') return 'system calls are traced on Linux only';
  try {
    await run('strace', ['-f', '-o', '/dev/null', 'true']);
    return null;
  } catch (error) {
    const missing = typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
    return missing ? 'strace is not installed (Debian: apt-get install strace)' : `strace cannot trace here: ${error instanceof Error ? error.message.split('\n').at(-1) : String(error)}`;
  }
}

/** Records, changes, deletes; is killed, starts again and stops in order; all of it traced. Removes its folder. */
export async function traceEngine(options: TraceOptions): Promise<Trace> {
  const startMs = performance.now();
  const simulator = await startSimulator({ household: randomUUID(), cameras: options.cameras, source: 'test', main: MAIN_VIDEO, sub: SUB_VIDEO, audio: ['none', 'aac', 'none'], discovery: false, controlPort: false });
  try {
    return await withScratch('power', async (scratch) => await traceLives(options, simulator, scratch, startMs));
  } finally {
    await simulator.stop();
  }
}

async function traceLives(options: TraceOptions, simulator: Simulator, scratch: string, startMs: number): Promise<Trace> {
  const base = path.join(scratch, 'home');
  await mkdir(base);
  const files = new TracedFiles(base);
  const pipes = new TracedPipes();
  const problems: string[] = [];
  const cameras = simulator.cameras.map((camera) => ({ name: null, address: camera.onvifUrl, username: camera.username, password: camera.password }));
  const order = { dataDir: path.join(base, 'data'), mediaDir: path.join(base, 'media'), quotaBytes: options.quotaBytes, seconds: options.seconds, pauses: true, subStreams: true };
  const reading: Reading = { files, pipes, problems, base };
  const first = await life(ENTRY, { ...order, cameras, from: 0, seconds: 3_600 } satisfies TracedOrder, path.join(scratch, 'first.strace'), base, { killAfterMs: options.seconds * 1_000 }, options.signal);
  const at = await follow(reading, first.traceFile, 0, true);
  const second = await life(ENTRY, { ...order, cameras: [], from: 1_000 } satisfies TracedOrder, path.join(scratch, 'second.strace'), base, null, options.signal);
  await follow(reading, second.traceFile, at, false);
  const sent = simulator.cameras.flatMap((camera) => (['main', 'sub'] as const).map((stream) => ({ camera: camera.index, stream, host: camera.host, entries: camera.sendLog(stream) })));
  return { operations: files.operations, base, killedMs: first.killedMs, content: (inode) => files.content(inode), arrivals: pipes.arrivals(), sent, problems: [...problems, ...files.problems], durationMs: performance.now() - startMs };
}

/** One life of a program (`entry`, told its order as JSON) under strace: the trace's file, and when it was killed, if it was. Throws where it fails by itself. */
export async function life(entry: string, order: object, traceFile: string, base: string, kill: { readonly killAfterMs: number } | null, signal: AbortSignal): Promise<{ readonly traceFile: string; readonly killedMs: number }> {
  const child = spawn(
    'strace',
    ['-f', '--seccomp-bpf', '-y', '-ttt', '-xx', '-s', String(64 * 1024 * 1024), '-e', `trace=${TRACED_CALLS.join(',')}`, '-e', 'signal=none', '-o', traceFile, process.execPath, entry, JSON.stringify(order)],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, UV_USE_IO_URING: '0', UV_THREADPOOL_SIZE: '8', NODE_OPTIONS: '' }, signal, killSignal: 'SIGKILL', cwd: path.dirname(base) },
  );
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => void lines.push(line));
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith(SAID) && line.includes('"home"')) resolve();
    });
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, how) => resolve(code ?? how ?? 'unknown'));
  });
  let killedMs = 0;
  if (kill !== null) {
    await Promise.race([ready, ended]);
    await delay(kill.killAfterMs, undefined, { signal });
    killedMs = Date.now();
    await killTracee(child.pid ?? 0);
  }
  const outcome = await ended;
  if (kill === null && outcome !== 0) throw new Error(`the traced program ended with ${outcome}:\n${lines.slice(-20).join('\n')}`);
  return { traceFile, killedMs };
}

/** Kills the process that strace runs; strace ends with it. */
async function killTracee(strace: number): Promise<void> {
  const children = (await readFile(`/proc/${strace}/task/${strace}/children`, 'utf8').catch(() => '')).trim();
  const [tracee] = children.split(' ').map(Number);
  if (tracee !== undefined && tracee > 1) process.kill(tracee, 'SIGKILL');
}

export interface Reading {
  readonly files: TracedFiles;
  readonly pipes: TracedPipes;
  readonly problems: string[];
  readonly base: string;
}

/** Reads one life's trace and holds the outcome against the real folder; gives the place where it ends. */
export async function follow({ files, pipes, problems, base }: Reading, traceFile: string, from: number, killed: boolean): Promise<number> {
  const lines = new StraceLines(from);
  const calls: SystemCall[] = [];
  const hexBase = [...Buffer.from(base)].map((byte) => `\\x${byte.toString(16)}`).join('');
  pipes.beginLife();
  for await (const line of createInterface({ input: createReadStream(traceFile) })) {
    const call = lines.next(line);
    if (call === null) continue;
    pipes.take(call);
    if (isOfInterest(call, hexBase)) calls.push(call);
  }
  files.beginProcess();
  files.take(calls);
  for (const line of lines.strange) problems.push(`not understood: ${line}`);
  await compare(files, base, killed, lines.at + 1, calls.at(-1)?.timeMs ?? 0, problems);
  return lines.at + 2;
}

/** Writes elsewhere are not kept: children's pictures on their way through pipes are most of a trace. */
function isOfInterest(call: SystemCall, hexBase: string): boolean {
  if (!call.name.includes('write')) return true;
  const [target = ''] = call.args;
  return target.includes(hexBase) || target.startsWith('1<');
}

/**
 * The trace must explain the folder byte by byte. Of a killed process the last calls may have worked without a word: those
 * differences are taken on. What changes without system calls (-shm is mapped memory) is left out.
 */
async function compare(files: TracedFiles, base: string, killed: boolean, at: number, timeMs: number, problems: string[]): Promise<void> {
  const model = files.tree();
  const real = new Map<string, Buffer | null>();
  for (const entry of await readdir(base, { recursive: true, withFileTypes: true })) {
    const full = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) real.set(path.relative(base, full), await readFile(full));
    else if (entry.isDirectory()) real.set(path.relative(base, full), null);
  }
  let adopted = 0;
  for (const name of new Set([...model.keys(), ...real.keys()])) {
    if (name.endsWith('-shm')) continue;
    const [is, was] = [real.get(name), model.get(name)];
    if ((is === null && was === null) || (is instanceof Buffer && was instanceof Buffer && is.equals(was))) continue;
    if (killed && adopted < MOST_CALLS_CUT_OFF && is !== null && was !== null) {
      adopted += 1;
      files.adopt(name, is ?? null, at, timeMs);
    } else {
      problems.push(`the trace does not explain ${name}: ${is === undefined ? 'it is not there' : `it has ${is?.length ?? 'no'} bytes`}, the trace says ${was === undefined ? 'nothing' : (was?.length ?? 'a folder')}`);
    }
  }
}

/** Threads that can be inside a call at the same moment: the pool's and a few of our own. */
const MOST_CALLS_CUT_OFF = 16;
