/** Owns the simulator's calls of ffmpeg and ffprobe: run, feed pictures, collect output, fail with what it said. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';

const STDERR_KEPT_CHARS = 2000;

/** The program's path: PORCHLIGHT_FFMPEG / PORCHLIGHT_FFPROBE where set, else whatever the PATH finds. */
export function toolPath(tool: 'ffmpeg' | 'ffprobe'): string {
  return process.env[`PORCHLIGHT_${tool.toUpperCase()}`] ?? tool;
}

/** Resolves with standard output when the tool ends with 0, else rejects with its last words. */
export async function runTool(tool: 'ffmpeg' | 'ffprobe', args: readonly string[], feed?: (stdin: Writable) => Promise<void>): Promise<Buffer> {
  const child = spawn(toolPath(tool), args, { stdio: [feed ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_KEPT_CHARS);
  });
  const ended = waitForEnd(child);
  if (feed !== undefined && child.stdin !== null) {
    const stdin = child.stdin;
    stdin.on('error', () => undefined);
    await Promise.race([feed(stdin), ended]);
    stdin.end();
  }
  const code = await ended;
  if (code !== 0) throw new Error(`${tool} ended with ${code}: ${stderr.trim()}`);
  return Buffer.concat(out);
}

/** Resolves with the exit code (or signal name) once the process is reaped; rejects when it could not start. */
export function waitForEnd(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

/** Writes a picture's planes, waiting when the reader is behind. The planes must not change until it resolves. */
export async function writeAll(stdin: Writable, parts: readonly Uint8Array[]): Promise<void> {
  let clear = true;
  for (const part of parts) clear = stdin.write(part);
  if (clear || stdin.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stdin.off('drain', done);
      stdin.off('close', done);
      resolve();
    };
    stdin.on('drain', done);
    stdin.on('close', done);
  });
}
