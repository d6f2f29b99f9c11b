/** What viewers cost a relay that say nothing: memory and CPU by their number, under TLS. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { startChild } from '../../tests/support/child.ts';
import { type Figure, figure } from './figures.ts';
import { type Ends, joinEnds, startBenchRelay } from './relay-rig.ts';

const MEGABYTE = 1e6;
const IDLE_S = 10;
/** Sessions of one pair of processes: so that the ends' own memory is not the machine's trouble. */
const SESSIONS_PER_ENDS = 1_000;
const BARE_SOCKETS = 2_000;

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/** The least under TLS: Node's own sockets that were told something once, and nothing around them. Prints its memory for each line it reads. */
const BARE_TLS = `
const tls = require('node:tls');
const [cert, key] = process.argv.slice(1);
const held = [];
const server = tls.createServer({ cert, key }, (socket) => { held.push(socket); socket.on('error', () => undefined); socket.on('data', () => socket.write('y'.repeat(200))); });
server.listen(0, '127.0.0.1', () => console.log('PORT ' + server.address().port));
process.stdin.on('data', () => console.log('BYTES ' + process.memoryUsage.rss())).on('end', () => process.exit(0));
`;

/** Bytes of each socket of a bare TLS server. */
async function measureBareTls(sockets: number): Promise<number> {
  const pems = await generate([{ name: 'commonName', value: 'relay' }], { keyType: 'ec', curve: 'P-256' });
  const child = startChild(process.execPath, ['-e', BARE_TLS, '--', pems.cert, pems.private]);
  const clients: TLSSocket[] = [];
  try {
    const port = Number(await child.waitForLine((line) => /^PORT (\d+)/.exec(line)?.[1] ?? null, 10_000));
    const lines: string[] = [];
    const askBytes = async (): Promise<number> => {
      const answers = lines.length + 1;
      child.process.stdin?.write('?\n');
      let seen = 0;
      const line = await child.waitForLine((each) => (each.startsWith('BYTES') && ++seen === answers ? each : null), 10_000);
      lines.push(line);
      return Number(line.split(' ')[1]);
    };
    const empty = await askBytes();
    for (let at = 0; at < sockets; at += 1) {
      const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      clients.push(client);
      await once(client, 'secureConnect');
      client.write('x'.repeat(300));
      await once(client, 'data');
    }
    return ((await askBytes()) - empty) / sockets;
  } finally {
    for (const client of clients) client.destroy();
    await child.stop();
  }
}

/** Joined sessions, each a viewer's and a home's socket, in the given numbers one after the other. */
export async function measureIdle(numbers: readonly number[]): Promise<readonly Figure[]> {
  const bareBytes = await measureBareTls(BARE_SOCKETS);
  const relay = await startBenchRelay({ secure: true });
  const ends: Ends[] = [];
  const figures: Figure[] = [];
  try {
    const emptyBytes = residentBytes(relay.child.pid);
    figures.push(figure('memory of the relay, empty', emptyBytes / MEGABYTE, 'MB'));
    for (const number of numbers) {
      while (ends.length * SESSIONS_PER_ENDS < number) ends.push(await joinEnds(relay.url, SESSIONS_PER_ENDS));
      await delay(1_000);
      const before = await relay.sample('cpu_seconds_total');
      await delay(IDLE_S * 1000);
      const cpu = (await relay.sample('cpu_seconds_total')) - before;
      const bytes = residentBytes(relay.child.pid);
      const sockets = 2 * number;
      figures.push(
        figure(`${number} idle viewers, wss: memory with their homes' sockets`, bytes / MEGABYTE, 'MB', number === 5_000 ? { budget: 250 } : {}),
        figure(`${number} idle viewers: each socket`, (bytes - emptyBytes) / sockets / 1024, 'KiB', { floor: bareBytes / 1024 }),
        figure(`${number} idle viewers: share of a core`, (100 * cpu) / IDLE_S, '%', { budget: 1 }),
      );
    }
    return figures;
  } finally {
    await Promise.all(ends.map((each) => each.stop()));
    await relay.stop();
  }
}
