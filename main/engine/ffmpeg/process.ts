/** The one door to child processes of ffmpeg: start, keep the last words, ask, wait, kill, reap (docs/design/recording.md, R5 and R7). */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { DurationMs } from '../../../shared/time.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import { redactSecrets } from '../core/logger.ts';
import { makeFifos, type OutputPipe, streamPipe } from './output-pipe.ts';

const KEPT_LINES = 40;
const KEPT_LINE_CHARS = 400;
/** How long a child may take to say goodbye to the camera (TEARDOWN) before it is killed. */
export const ASK_MS: DurationMs = 1_000;
/** How long after a child's end its last words are waited for. */
const LAST_WORDS_MS: DurationMs = 1_000;

/**
 * glibc's allocator gives back what the probe's decoder took: with this set it stays at its first thresholds (mallopt(3)). Without, the first
 * 1080p picture freed raises them to where nothing is ever returned: 8.0 instead of 1.8 MB of heap for the stream's whole life. Other systems ignore it.
 */
const FFMPEG_ENV: Readonly<Record<string, string>> = { MALLOC_TRIM_THRESHOLD_: String(128 * 1024) };

export interface FfmpegExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when it could not be started at all. */
  readonly startError: Error | null;
}

export interface FfmpegStart {
  readonly path: string;
  readonly args: readonly string[];
  /** Written to stdin, which is then closed. */
  readonly stdin: string | Uint8Array;
  /** How many outputs are read in beats: stdout, and descriptor 3 for a second; 0 leaves stdout a stream (`output`). */
  readonly pipes: 0 | 1 | 2;
  /** Never to be seen in what `lastLines` returns. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

export interface FfmpegProcess {
  /** 0 when it could not be started. */
  readonly pid: number;
  /** Stdout, where no pipes were asked for. */
  readonly output: Readable | null;
  readonly pipes: readonly OutputPipe[];
  /** Resolves when the child is reaped and its pipes are closed, or a second later where somebody else holds them. */
  readonly exited: Promise<FfmpegExit>;
  /** The end of stderr, secrets taken out. */
  lastLines(): string[];
  /** Asks, waits `askMs`, kills; resolves with `exited`. */
  stop(askMs?: DurationMs): Promise<FfmpegExit>;
}

/** Starts ffmpeg; a failure to start shows in `exited`. */
export async function startFfmpeg(start: FfmpegStart): Promise<FfmpegProcess> {
  const [guard, fifos] = await Promise.all([deathGuard(), start.pipes === 0 ? null : makeFifos(start.pipes)]);
  const [command, ...args] = [...guard, start.path, ...start.args];
  const [first = 'pipe', second = start.pipes === 2 ? 'pipe' : 'ignore'] = (fifos ?? []).map(({ childFd }) => childFd);
  // Not detached: Windows ends it with us through libuv's job object, and a terminal's Ctrl-C reaches it elsewhere.
  try {
    const child = spawn(command ?? start.path, args, { stdio: ['pipe', first, 'pipe', second], windowsHide: true, env: { ...process.env, ...FFMPEG_ENV } });
    return new Running(child, start, fifos?.map(({ pipe }) => pipe) ?? null);
  } finally {
    // The child has its own; ours would hide its end.
    for (const { childFd } of fifos ?? []) closeSync(childFd);
  }
}

class Running implements FfmpegProcess {
  readonly pid: number;
  readonly output: Readable | null;
  readonly pipes: readonly OutputPipe[];
  readonly exited: Promise<FfmpegExit>;
  readonly #child: ChildProcess;
  readonly #start: FfmpegStart;
  readonly #lines: string[] = [];
  #partial = '';
  #gone = false;

  constructor(child: ChildProcess, start: FfmpegStart, fifos: readonly OutputPipe[] | null) {
    this.#child = child;
    this.#start = start;
    this.pid = child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => {
        if (child.pid !== undefined) return;
        this.#gone = true;
        resolve({ code: null, signal: null, startError: error });
      });
      const over = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#gone = true;
        resolve({ code, signal, startError: null });
      };
      child.once('close', over);
      // Where ffmpeg is a script around another program, that one may live on and hold the pipes open.
      child.once('exit', (code, signal) => void start.clock.after(LAST_WORDS_MS, () => over(code, signal)));
    });
    // Out of descriptors, Node gives none of these, and says so by `error` only.
    const stdio: readonly ChildProcess['stdio'][number][] = (child.stdio as ChildProcess['stdio'] | undefined) ?? [];
    const [stdin = null, stdout = null, stderr = null, second = null] = stdio;
    const streams = [stdout, second].filter((stream) => stream !== null) as Readable[];
    this.output = start.pipes === 0 ? (streams[0] ?? null) : null;
    this.pipes = fifos ?? (start.pipes === 0 ? [] : streams.map(streamPipe));
    // A child that died before it read its script: its exit says more than EPIPE does.
    for (const pipe of stdio) pipe?.on('error', () => undefined);
    (stderr as Readable | null)?.on('data', (chunk: Buffer) => this.#keep(chunk));
    (stdin as Writable | null)?.end(start.stdin);
  }

  lastLines(): string[] {
    const lines = this.#partial === '' ? this.#lines : [...this.#lines, this.#partial];
    return lines.map((line) => redact(line, this.#start.secrets));
  }

  async stop(askMs: DurationMs = ASK_MS): Promise<FfmpegExit> {
    if (!this.#gone) {
      // Windows knows no asking: kill() ends the process at once there.
      this.#child.kill('SIGTERM');
      const waited = new AbortController();
      // What it still writes must be read, or it waits for us for ever.
      this.output?.resume();
      for (const pipe of this.pipes) pipe.flow(true);
      await Promise.race([this.exited, this.#start.clock.sleep(askMs, waited.signal)]);
      waited.abort();
      if (!this.#gone) this.#child.kill('SIGKILL');
    }
    return await this.exited;
  }

  #keep(chunk: Buffer): void {
    const parts = (this.#partial + chunk.toString('utf8')).split(/[\r\n]+/);
    this.#partial = (parts.pop() ?? '').slice(0, KEPT_LINE_CHARS);
    for (const line of parts) if (line !== '') this.#lines.push(line.slice(0, KEPT_LINE_CHARS));
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
  }
}

/** Takes out URLs' user information, and the secrets themselves however they are written. */
export function redact(line: string, secrets: readonly string[]): string {
  let text = redactSecrets(line);
  for (const secret of secrets) {
    if (secret.length < 2) continue;
    for (const form of [secret, encodeURIComponent(secret)]) text = text.replaceAll(form, '***');
  }
  return text;
}

const OUT_OF: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);
let guardFound: Promise<readonly string[]> | null = null;

/** Words before a command that make it die with the thread that started it: Linux has them (util-linux), macOS and Windows do not need or know them. */
function deathGuard(): Promise<readonly string[]> {
  guardFound ??= (async () => {
    if (process.platform !== 'linux') return [];
    const guard = ['setpriv', '--pdeathsig', 'KILL'];
    const run = await runToEnd('setpriv', ['--pdeathsig', 'KILL', 'true'], 3_000);
    // Out of descriptors or processes, nothing was found out: that is no reason to start children without it from now on.
    if (OUT_OF.has(run.code)) guardFound = null;
    return run.ok || OUT_OF.has(run.code) ? guard : [];
  })();
  return guardFound;
}

export interface RunResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** ENOENT where there is no such program. */
  readonly code: string;
}

/** Runs a program that ends by itself; it is killed after `timeoutMs`. Never rejects. */
export function runToEnd(command: string, args: readonly string[], timeoutMs: DurationMs): Promise<RunResult> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 4 * 1024 * 1024, windowsHide: true }, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout, stderr, code: errorCode(error) });
    });
  });
}
