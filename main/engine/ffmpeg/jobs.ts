/** The bounded jobs the engine gives ffmpeg besides recording: one still of a camera, and a batch of previews at low priority. */
import { setPriority } from 'node:os';
import { PorchlightError } from '../../../shared/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { inputScript, type RtspInput, SCRIPT_INPUT } from './args.ts';
import { collectOutput, startFfmpeg } from './process.ts';

/** A camera with keyframes ten seconds apart still answers in this time. */
const STILL_LIMIT_MS = 20 * SECOND_MS;
const MAX_STILL_BYTES = 8 * 1024 * 1024;
/** Larger than the stills of any camera; a decoder that writes more has lost its way. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
const BATCH_LIMIT_MS = MINUTE_MS;
/** Half of the way to the lowest: previews never take time from a recorder (nice(2)). */
const LOW_PRIORITY = 10;

/** The arguments for one JPEG of the first picture that decodes. */
export function stillArgs(): string[] {
  return ['-hide_banner', '-nostats', '-loglevel', 'warning', ...SCRIPT_INPUT, '-map', '0:v:0', '-frames:v', '1', '-an', '-c:v', 'mjpeg', '-q:v', '4', '-f', 'image2pipe', 'pipe:1'];
}

/** One frame of an RTSP stream as JPEG. Throws `timeout`, `no-video` or `ffmpeg-missing`. */
export async function grabStill(ffmpegPath: string, input: RtspInput, clock: Clock): Promise<Uint8Array> {
  return await collectOutput(
    { path: ffmpegPath, args: stillArgs(), stdin: inputScript(input, 'thorough', 'video'), pipes: 0, secrets: input.password === null ? [] : [input.password], clock },
    STILL_LIMIT_MS,
    MAX_STILL_BYTES,
    (lines) => new PorchlightError('no-video', 'The camera answered but sent no picture.', lines.slice(-4).join(' | ')),
  );
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
