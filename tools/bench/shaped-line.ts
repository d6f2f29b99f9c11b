/** A line with the kernel's own queues between this process and a port: a pair of virtual cards, shaped by tc, and a forwarder in a namespace of its own (ip-netns(8), tc(8)). */
import { spawnSync } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { type RunningChild, startChild } from '../../tests/support/child.ts';

export interface ShapedLine {
  /** Of this computer, to dial instead of the port itself: each byte to and from there has crossed the line. */
  readonly port: number;
  close(): Promise<void>;
}

/** What one direction does to packets: the words after `tc qdisc add dev … root`. */
export type Shape = readonly string[];

const FORWARDER = `
const net = require('node:net');
const [host, port] = process.argv.slice(1);
net.createServer((near) => {
  const far = net.connect(Number(port), host);
  for (const [one, other] of [[near, far], [far, near]]) {
    one.setNoDelay(true);
    one.on('error', () => undefined);
    one.on('close', () => other.destroy());
    one.pipe(other);
  }
}).listen(0, '0.0.0.0', function () { console.log('PORT ' + this.address().port); });
process.stdin.resume().on('end', () => process.exit(0));
`;

/** Null where it worked. */
function attempt(...words: readonly [string, ...string[]]): string | null {
  const [command, ...args] = words;
  const done = spawnSync(command, args, { encoding: 'utf8' });
  return done.status === 0 ? null : `${words.slice(0, 3).join(' ')}: ${(done.stderr ?? done.error?.message ?? '').trim().split('\n')[0] ?? ''}`;
}

/** A line before a port of this computer that listens on all addresses; the reason where this machine or user cannot make one. */
export async function openShapedLine(port: number, shape: Shape): Promise<ShapedLine | string> {
  const name = `porchlight-line-${process.pid}`;
  const [here, there] = [`pl${process.pid}a`, `pl${process.pid}b`];
  const { near, far } = addresses();
  const undo = (): void => void attempt('ip', 'netns', 'del', name);
  const inside = ['ip', 'netns', 'exec', name] as const;
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['ip', 'netns', 'add', name],
    ['ip', 'link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name],
    ['ip', 'addr', 'add', `${near}/30`, 'dev', here],
    ['ip', 'link', 'set', here, 'up'],
    [...inside, 'ip', 'addr', 'add', `${far}/30`, 'dev', there],
    [...inside, 'ip', 'link', 'set', there, 'up'],
    ['tc', 'qdisc', 'add', 'dev', here, 'root', ...shape],
    // The way back to whoever dialled is not the line again, but for its delay.
    ...(shape[0] === 'netem' ? [[...inside, 'tc', 'qdisc', 'add', 'dev', there, 'root', ...shape] as const] : []),
  ];
  for (const step of steps) {
    const problem = attempt(...step);
    if (problem !== null) {
      undo();
      return problem;
    }
  }
  let hop: Server | null = null;
  const child: RunningChild = startChild('ip', ['netns', 'exec', name, process.execPath, '-e', FORWARDER, near, String(port)]);
  try {
    const forwarded = Number(await child.waitForLine((line) => /^PORT (\d+)/.exec(line)?.[1] ?? null, 10_000));
    hop = await openHop(far, forwarded);
    const opened = hop;
    return {
      port: (opened.address() as AddressInfo).port,
      async close() {
        opened.close();
        await child.stop();
        undo();
      },
    };
  } catch (error) {
    hop?.close();
    await child.stop();
    undo();
    throw error;
  }
}

/** Unencrypted sockets are dialled at this computer's own address only; this is the way from there to the line. */
async function openHop(host: string, port: number): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(port, host);
    for (const [one, other] of [[near, far], [far, near]] as const) {
      one.setNoDelay(true);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Two addresses of a /30 that two runs at once do not share. */
function addresses(): { readonly near: string; readonly far: string } {
  const block = (process.pid % 16_000) * 4;
  const at = (host: number): string => `10.213.${(block + host) >> 8}.${(block + host) & 255}`;
  return { near: at(1), far: at(2) };
}
