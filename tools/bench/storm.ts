/** `npm run bench -- storm`: a relay is killed under thousands of homes and returns after two seconds; how long until all are back, and whether whoever watches by then notices. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EchoHome, EchoViewer } from '../../relay/testing/redialing.ts';
import { type BenchReport, figure } from './figures.ts';
import type { BenchOptions } from './options.ts';
import type { CrowdCount, CrowdOrder } from './relay-crowd.ts';
import { startBenchRelay } from './relay-rig.ts';

const HOMES = 2_000;
const MANY_HOMES = 13_000;
const CROWD_PROCESSES = 2;
const JITTER_BASE_MS = 5_000;
const AWAY_MS = 2_000;
/** Families that look in while the others come back: each a home and a viewer that returned first. */
const WATCHING = 10;
/** A machine full of other work still gives a figure. */
const LIMIT_MS = 300_000;

class Crowd {
  readonly #child: ChildProcess = fork(path.join(import.meta.dirname, 'relay-crowd.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

  tell(order: CrowdOrder): Promise<CrowdCount> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('a crowd is gone'));
      this.#child.once('exit', ended);
      this.#child.once('message', (count: CrowdCount) => {
        this.#child.off('exit', ended);
        resolve(count);
      });
      this.#child.send(order);
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

async function countAll(crowds: readonly Crowd[]): Promise<CrowdCount> {
  const counts = await Promise.all(crowds.map((crowd) => crowd.tell({ do: 'count' })));
  return { here: counts.reduce((sum, { here }) => sum + here, 0), attempts: counts.reduce((sum, { attempts }) => sum + attempts, 0) };
}

function familiesAt(url: string) {
  return Array.from({ length: WATCHING }, () => {
    const party = { url, route: randomBytes(16).toString('base64url'), token: randomBytes(16), comeback: { baseMs: 100, ceilingMs: 500 } };
    return { home: new EchoHome(party), viewer: new EchoViewer(party, 20) };
  });
}

export async function run(options: BenchOptions): Promise<BenchReport> {
  const homes = options.many ? MANY_HOMES : HOMES;
  // The long form is without TLS: handshakes of both sides on these two cores would be what is measured.
  const secure = !options.many;
  let relay = await startBenchRelay({ secure });
  const crowds = Array.from({ length: CROWD_PROCESSES }, () => new Crowd());
  const families = familiesAt(relay.url);
  try {
    await Promise.all(crowds.map((crowd) => crowd.tell({ do: 'come', url: relay.url, homes: homes / CROWD_PROCESSES, baseMs: JITTER_BASE_MS })));
    for (const { home, viewer } of families) {
      void home.run();
      void viewer.run();
    }
    await until('families watch', () => families.every(({ viewer }) => viewer.isWatching));
    const before = await countAll(crowds);
    relay.child.process.kill('SIGKILL');
    await relay.child.ended;
    await delay(AWAY_MS);
    const port = String(relay.port);
    await relay.stop();
    for (const { viewer } of families) viewer.longestMs = 0;
    relay = await startBenchRelay({ secure, args: ['--port', port] });
    const upMs = performance.now();
    await relay.sample('connections');
    await until('everybody is back', async () => (await countAll(crowds)).here === homes, 250);
    const allMs = performance.now() - upMs;
    await until('families watch again', () => families.every(({ viewer }) => viewer.isWatching));
    const { attempts } = await countAll(crowds);
    const cpuSeconds = await relay.sample('cpu_seconds_total');
    const [p99, max] = relay.loopDelays();
    return {
      bench: 'storm',
      figures: [
        figure(`${homes} homes, ${secure ? 'wss' : 'ws'}, full jitter from ${JITTER_BASE_MS / 1000} s: all back after the relay`, allMs / 1000, 's', { budget: 30 }),
        figure('dials of each home', (attempts - before.attempts) / homes, ''),
        figure('CPU of the relay for each home, its start included', (1000 * cpuSeconds) / homes, 'ms'),
        figure("the relay's event loop, p99", p99 * 1000, 'ms'),
        figure("the relay's event loop, worst", max * 1000, 'ms', { budget: 250 }),
        figure(`longest wait for an echo of ${WATCHING} viewers that watch meanwhile`, Math.max(...families.map(({ viewer }) => viewer.longestMs)), 'ms', { budget: 1_000 }),
      ],
      notes: [`Homes are ${CROWD_PROCESSES} processes on the same cores as the relay; it is killed, and started again ${AWAY_MS / 1000} s later on the same port. Loopback refuses at once: on a real network fewer dials would fall into the time away.`],
    };
  } finally {
    for (const { home, viewer } of families) {
      home.stop();
      viewer.stop();
    }
    for (const crowd of crowds) crowd.stop();
    await relay.stop();
  }
}

async function until(what: string, probe: () => boolean | Promise<boolean>, stepMs = 20): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  while (!(await probe())) {
    if (performance.now() > endMs) throw new Error(`waited too long until ${what}`);
    await delay(stepMs);
  }
}
