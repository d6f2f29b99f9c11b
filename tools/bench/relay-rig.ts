/** What the benchmarks of the relay have in common: the real program with TLS, ends in processes of their own, and the floor, a bare TCP splice. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generate } from 'selfsigned';
import { startChild, type RunningChild } from '../../tests/support/child.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { Order, Report } from './relay-end.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Everything here comes from one address, and is one home. */
const OPEN_LIMITS = ['--max-connects-per-address', '1000000', '--max-connections-per-address', '1000000', '--max-sessions-per-home', '10000', '--max-accepts', '1000000', '--max-connections', '1000000'];

export interface BenchRelay {
  readonly url: string;
  readonly port: number;
  readonly child: RunningChild;
  /** One sample of its `/metrics`. */
  sample(name: string): Promise<number>;
  /** Its event loop's delays, p99 and worst, in seconds, as the last `sample` saw them: since the one before. */
  loopDelays(): readonly [p99: number, worst: number];
  stop(): Promise<void>;
}

const newCertificate = () => generate([{ name: 'commonName', value: 'relay' }], { keyType: 'ec', curve: 'P-256' });

/** Starts `relay/main.ts`; `wss` with a certificate of the moment. */
export async function startBenchRelay(options: { readonly secure: boolean; readonly args?: readonly string[] }): Promise<BenchRelay> {
  const folder = mkdtempSync(path.join(tmpdir(), 'porchlight-bench-relay-'));
  const tls: string[] = [];
  if (options.secure) {
    const pems = await newCertificate();
    const files = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')] as const;
    writeFileSync(files[0], pems.cert);
    writeFileSync(files[1], pems.private);
    tls.push('--tls', ...files);
  }
  const port = options.args?.includes('--port') === true ? [] : ['--port', '0'];
  const address = options.args?.includes('--address') === true ? [] : ['--address', '127.0.0.1'];
  const child = startChild(process.execPath, ['relay/main.ts', ...address, ...port, '--metrics-port', '0', '--drain-seconds', '0', ...OPEN_LIMITS, ...tls, ...(options.args ?? [])], { cwd: ROOT });
  const url = await child.waitForLine((line) => /(wss?:\/\/[^ ]+)/.exec(line)?.[1] ?? null, 20_000);
  const metrics = await child.waitForLine((line) => /^Counters: (\S+)/.exec(line)?.[1] ?? null, 20_000);
  let last = '';
  return {
    ...{ url, port: Number(new URL(url).port), child },
    async sample(name) {
      last = await (await fetch(metrics)).text();
      return valueOf(last, name);
    },
    loopDelays: () => [valueOf(last, 'event_loop_delay_seconds{quantile="0.99"}'), valueOf(last, 'event_loop_delay_seconds{quantile="1"}')],
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function valueOf(metrics: string, sample: string): number {
  return Number(forceUnwrap(`the relay counts ${sample}`, metrics.split('\n').find((line) => line.startsWith(`porchlight_relay_${sample} `))).split(' ').at(-1));
}

/** A process of relay-end.ts that obeys one order after the other. */
export class End {
  readonly #child: ChildProcess = fork(path.join(import.meta.dirname, 'relay-end.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

  tell(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`the end was gone before it had done: ${order.do}`));
      this.#child.once('exit', ended);
      this.#child.once('message', (reply: { answer?: unknown; error?: string }) => {
        this.#child.off('exit', ended);
        if (reply.error === undefined) resolve(reply.answer);
        else reject(new Error(reply.error));
      });
      this.#child.send(order);
    });
  }

  async report(): Promise<Report> {
    return (await this.tell({ do: 'report' })) as Report;
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

export interface Ends {
  readonly home: End;
  readonly viewer: End;
  /** Of AES-256-GCM, hex; each is used once in each direction. */
  readonly key: string;
  readonly spareKey: string;
  stop(): Promise<void>;
}

/** A home and a viewer with so many sessions between them. */
export async function joinEnds(url: string, sessions: number): Promise<Ends> {
  const [home, viewer] = [new End(), new End()];
  const token = randomBytes(16).toString('hex');
  const stop = async (): Promise<void> => void (await Promise.all([home.stop(), viewer.stop()]));
  try {
    await home.tell({ do: 'home', url, token });
    await viewer.tell({ do: 'view', url, token, sessions });
    return { home, viewer, key: randomBytes(32).toString('hex'), spareKey: randomBytes(32).toString('hex'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Joins each two connections that come, and copies: what a relay does at the very least. */
const SPLICE = `
const tls = process.env.SPLICE_CERT && { cert: process.env.SPLICE_CERT, key: process.env.SPLICE_KEY };
const waiting = [];
const join = (socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  const other = waiting.pop();
  if (other === undefined) waiting.push(socket);
  else { socket.pipe(other); other.pipe(socket); }
};
const server = tls ? require('node:tls').createServer(tls, join) : require('node:net').createServer(join);
server.listen(0, '127.0.0.1', () => console.log('PORT ' + server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
`;

/** A bare splice, as a process of its own: of TCP connections, or of TLS ones. */
export async function startSplice(options: { readonly secure: boolean }): Promise<{ readonly port: number; readonly child: RunningChild }> {
  const pems = options.secure ? await newCertificate() : null;
  const child = startChild(process.execPath, ['-e', SPLICE], { env: pems === null ? {} : { SPLICE_CERT: pems.cert, SPLICE_KEY: pems.private } });
  return { port: Number(await child.waitForLine((line) => /^PORT (\d+)/.exec(line)?.[1] ?? null, 10_000)), child };
}
