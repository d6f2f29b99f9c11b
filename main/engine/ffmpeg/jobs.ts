/** The bounded jobs the engine gives ffmpeg besides recording: one still of a camera, and a batch of previews at low priority. */
import { setPriority } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { PorchlightError } from '../../../shared/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { inputScript, type RtspInput, SCRIPT_OPTIONS } from './args.ts';
import { redact, runToEnd, startFfmpeg } from './process.ts';

/** A camera with keyframes ten seconds apart still answers in this time. */
const STILL_LIMIT_MS = 20 * SECOND_MS;
const START_LIMIT_MS = 10 * SECOND_MS;
const MAX_STILL_BYTES = 8 * 1024 * 1024;
/** Larger than the stills of any camera; a decoder that writes more has lost its way. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
const BATCH_LIMIT_MS = MINUTE_MS;
/** Half of the way to the lowest: previews never take time from a recorder (nice(2)). */
const LOW_PRIORITY = 10;

/** How one JPEG of the first picture that decodes is asked for. */
export const STILL_OUTPUT: readonly string[] = ['-map', '0:v:0', '-frames:v', '1', '-an', '-c:v', 'mjpeg', '-q:v', '4'];
const STILL_INPUT: readonly string[] = ['-hide_banner', '-nostats', '-loglevel', 'warning', ...SCRIPT_OPTIONS];

/**
 * One frame of an RTSP stream as JPEG, by fluent-ffmpeg: the script with the password is its input stream (R7). Throws `timeout`,
 * `no-video` or `ffmpeg-missing`. An engine that dies meanwhile leaves it to its socket timeout.
 */
export async function grabStill(ffmpegPath: string, input: RtspInput, clock: Clock): Promise<Uint8Array> {
  // Where the program cannot be started, fluent-ffmpeg throws where nobody can catch it.
  const started = await runToEnd(ffmpegPath, ['-hide_banner', '-version'], START_LIMIT_MS);
  if (!started.ok) throw new PorchlightError('ffmpeg-missing', 'ffmpeg could not be started. Install it, or name its place under Settings.', started.code);
  // Loaded with the first still: no start of the engine waits for it.
  const { default: fluent } = await import('fluent-ffmpeg');
  const script = Readable.from([Buffer.from(inputScript(input, 'thorough', 'video'))]);
  const command = fluent(script).setFfmpegPath(ffmpegPath).inputFormat('concat').inputOptions([...STILL_INPUT]).outputOptions([...STILL_OUTPUT]).format('image2pipe');
  const still = new StillSink();
  const secrets = input.password === null ? [] : [input.password];
  let late = false;
  const cancelLimit = clock.after(STILL_LIMIT_MS, () => {
    late = true;
    command.kill('SIGKILL');
  });
  try {
    await new Promise<void>((resolve, reject) => {
      command.on('end', () => resolve());
      command.on('error', (_error, _out, stderr) => reject(stillError(late, redact(String(stderr ?? ''), secrets))));
      command.pipe(still, { end: true });
    });
  } finally {
    cancelLimit();
  }
  if (still.sizeBytes === 0) throw noPicture('');
  return still.bytes();
}

/** Keeps what ffmpeg writes, up to a size no still has. */
class StillSink extends Writable {
  readonly #parts: Buffer[] = [];
  sizeBytes = 0;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sizeBytes += chunk.length;
    if (this.sizeBytes <= MAX_STILL_BYTES) this.#parts.push(chunk);
    done();
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

function stillError(late: boolean, stderr: string): PorchlightError {
  const lastWords = stderr.trim().split('\n').slice(-4).join(' | ');
  if (late) return new PorchlightError('timeout', 'The camera did not answer in time. Check that it is on and connected.', lastWords);
  return noPicture(lastWords);
}

function noPicture(lastWords: string): PorchlightError {
  return new PorchlightError('no-video', 'The camera answered but sent no picture.', lastWords);
}

export interface BatchJob {
  readonly args: readonly string[];
  readonly stdin: readonly Uint8Array[];
  readonly signal: AbortSignal;
}

export interface BatchResult {
  readonly stdout: Uint8Array;
  readonly exitCode: number | null;
  readonly stderr: string;
}

/** Runs ffmpeg once at low priority over `stdin`. Rejects when `signal` aborts or ffmpeg cannot be started. */
export async function runBatch(ffmpegPath: string, job: BatchJob, clock: Clock): Promise<BatchResult> {
  job.signal.throwIfAborted();
  const child = await startFfmpeg({ path: ffmpegPath, args: job.args, stdin: Buffer.concat(job.stdin), pipes: 0, secrets: [], clock });
  lowerPriority(child.pid);
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  child.output?.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_BATCH_BYTES) parts.push(chunk);
  });
  const stop = (): void => void child.stop(0);
  job.signal.addEventListener('abort', stop, { once: true });
  const cancelLimit = clock.after(BATCH_LIMIT_MS, stop);
  const exit = await child.exited;
  cancelLimit();
  job.signal.removeEventListener('abort', stop);
  job.signal.throwIfAborted();
  if (exit.startError !== null) throw new PorchlightError('ffmpeg-missing', 'ffmpeg could not be started. Install it, or name its place under Settings.', exit.startError);
  return { stdout: Buffer.concat(parts), exitCode: exit.code, stderr: child.lastLines().join('\n') };
}

function lowerPriority(pid: number): void {
  if (pid === 0) return;
  try {
    setPriority(pid, LOW_PRIORITY);
  } catch {
    // It has ended already.
  }
}
