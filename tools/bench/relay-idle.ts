/** What viewers cost a relay that say nothing: memory and CPU by their number, under TLS. */
import { setTimeout as delay } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { type Figure, figure } from './figures.ts';
import { type Ends, joinEnds, startBenchRelay } from './relay-rig.ts';

const MEGABYTE = 1e6;
const IDLE_S = 10;
/** Sessions of one pair of processes: so that the ends' own memory is not the machine's trouble. */
const SESSIONS_PER_ENDS = 1_000;

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/** Joined sessions, each a viewer's and a home's socket, in the given numbers one after the other. */
export async function measureIdle(numbers: readonly number[]): Promise<readonly Figure[]> {
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
        figure(`${number} idle viewers: each socket`, (bytes - emptyBytes) / sockets / 1024, 'KiB'),
        figure(`${number} idle viewers: share of a core`, (100 * cpu) / IDLE_S, '%', { budget: 1 }),
      );
    }
    return figures;
  } finally {
    await Promise.all(ends.map((each) => each.stop()));
    await relay.stop();
  }
}
