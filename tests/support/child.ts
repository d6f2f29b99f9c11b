/** Child processes of tests and benchmarks: started with a pipe that ends them, waited for by what they print, always ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RunningChild {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Everything printed so far, for a failure's message. */
  output(): string;
  /** The first line of standard output, past or future, that `pick` does not answer with null; throws when the child ends or time is up. */
  waitForLine<T>(pick: (line: string) => T | null, limitMs: number): Promise<T>;
  /** Resolves with its exit code or signal when it ends by itself or is stopped. */
  readonly ended: Promise<number | string>;
  /** Asks it to end, then insists; resolves with its exit code or signal. */
  stop(limitMs?: number): Promise<number | string>;
}

export function startChild(command: string, args: readonly string[], options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {}): RunningChild {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: options.cwd, env: { ...process.env, ...options.env } });
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let ended: number | string | null = null;
  const note = (line: string): void => {
    lines.push(line);
    if (lines.length > 2000) lines.shift();
  };
  const out: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    note(line);
    out.push(line);
    for (const wake of watchers) wake();
  });
  createInterface({ input: child.stderr }).on('line', note);
  const exited = new Promise<number | string>((resolve) => {
    const end = (how: number | string): void => {
      ended ??= how;
      for (const wake of watchers) wake();
      resolve(ended);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(code ?? signal ?? 'unknown'));
  });
  const output = (): string => lines.slice(-60).join('\n');
  return {
    process: child,
    pid: child.pid ?? -1,
    output,
    ended: exited,
    waitForLine: (pick, limitMs) =>
      new Promise((resolve, reject) => {
        let next = 0;
        const settle = (): void => {
          watchers.delete(look);
          clearTimeout(timer);
        };
        const look = (): void => {
          for (; next < out.length; next += 1) {
            const found = pick(out[next] ?? '');
            if (found === null) continue;
            settle();
            resolve(found);
            return;
          }
          if (ended === null) return;
          settle();
          reject(new Error(`the child ended (${ended}) before it said what was waited for:\n${output()}`));
        };
        const timer = setTimeout(() => {
          settle();
          reject(new Error(`nothing said within ${limitMs} ms:\n${output()}`));
        }, limitMs);
        watchers.add(look);
        look();
      }),
    async stop(limitMs = 15_000) {
      if (ended === null) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      const how = await exited;
      clearTimeout(timer);
      return how;
    },
  };
}
