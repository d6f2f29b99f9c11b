/** The relay as the program people start, for tests: a child process with its addresses, counters and open files. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type RunningChild, startChild } from '../support/child.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** All clients of a test come from one address. */
export const MANY_FROM_HERE = ['--max-connects-per-address', '100000', '--max-connections-per-address', '100000'] as const;

export interface RelayProgram {
  readonly child: RunningChild;
  readonly url: string;
  readonly port: number;
  readonly metricsUrl: string;
  /** The value of one sample, as `/metrics` has it. */
  counter(sample: string): Promise<number>;
  openFiles(): number;
  residentBytes(): number;
}

export interface ProgramOptions {
  /** Where the program's files are; default: this project. */
  readonly cwd?: string;
  /** Words before `node`, for a tracer. */
  readonly before?: readonly string[];
  readonly nodeOptions?: readonly string[];
}

/** Starts `relay/main.ts` on a free port (unless `args` names one) and waits until it listens. */
export async function startRelayProgram(args: readonly string[] = MANY_FROM_HERE, { cwd = ROOT, before = [], nodeOptions = [] }: ProgramOptions = {}): Promise<RelayProgram> {
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const [command = process.execPath, ...words] = [...before, process.execPath, ...nodeOptions, 'relay/main.ts', '--address', '127.0.0.1', ...port, '--metrics-port', '0', ...args];
  // What a test run lets its programs remember of their code would be written by this one, which writes nothing.
  const child = startChild(command, words, { cwd, env: { NODE_DISABLE_COMPILE_CACHE: '1' } });
  try {
    const url = await child.waitForLine((line) => /(wss?:\/\/[^ ]+)/.exec(line)?.[1] ?? null, 20_000);
    const metrics = await child.waitForLine((line) => /^Counters: (\S+)/.exec(line)?.[1] ?? null, 20_000);
    return {
      child,
      url,
      metricsUrl: metrics,
      port: Number(new URL(url).port),
      async counter(sample) {
        const text = await (await fetch(metrics)).text();
        const line = text.split('\n').find((each) => each.startsWith(`porchlight_relay_${sample} `));
        if (line === undefined) throw new Error(`no sample ${sample}`);
        return Number(line.split(' ').at(-1));
      },
      openFiles: () => readdirSync(`/proc/${child.pid}/fd`).length,
      residentBytes: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
