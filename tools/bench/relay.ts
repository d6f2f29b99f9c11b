/** `npm run bench -- relay`: bulk, live streams, idle viewers, a stalled and a slow viewer through the real relay program under TLS (docs/design/relay.md). */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { forceUnwrap } from '../../shared/result.ts';
import type { BenchOptions } from './options.ts';
import { type BenchReport, type Figure, figure, percentile } from './figures.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { measureIdle } from './relay-idle.ts';
import { measureLines } from './relay-line.ts';
import { type BenchRelay, End, joinEnds, startBenchRelay, startSplice } from './relay-rig.ts';

const GB = 1e9;
const LIVE_BITS_PER_S = 4_000_000;

interface Bulk {
  readonly megabytesPerS: number;
  /** CPU seconds a gigabyte, of each process. */
  readonly home: number;
  readonly middle: number;
  readonly viewer: number;
}

/** The largest sealed records as fast as they go, through the relay. */
async function measureBulk(relay: BenchRelay, seconds: number): Promise<Bulk> {
  const ends = await joinEnds(relay.url, 1);
  try {
    await warmUp(ends.home, ends.viewer, ends.spareKey);
    await ends.viewer.tell({ do: 'receive', key: ends.key, stalled: 0 });
    const before = await relay.sample('cpu_seconds_total');
    await ends.home.tell({ do: 'bulk', seconds, key: ends.key });
    const sent = await ends.home.report();
    const got = await settled(ends.viewer, sent.bytes);
    const middle = (await relay.sample('cpu_seconds_total')) - before;
    if (got.failed > 0) throw new Error(`${got.failed} records did not open`);
    return { megabytesPerS: got.bytes / got.seconds / 1e6, home: sent.cpuSeconds / (sent.bytes / GB), middle: middle / (sent.bytes / GB), viewer: got.cpuSeconds / (sent.bytes / GB) };
  } finally {
    await ends.stop();
  }
}

interface BareEnds {
  readonly home: End;
  readonly viewer: End;
  readonly splice: Awaited<ReturnType<typeof startSplice>>;
}

/** So many connections of a home and a viewer through a bare splice; all of it is gone when `work` is done. */
async function withBareEnds<T>(options: { readonly secure: boolean; readonly streams: number }, work: (ends: BareEnds) => Promise<T>): Promise<T> {
  const { secure, streams } = options;
  const splice = await startSplice({ secure });
  const [home, viewer] = [new End(), new End()];
  try {
    for (let stream = 0; stream < streams; stream += 1) {
      await home.tell({ do: 'splice', port: splice.port, secure });
      await viewer.tell({ do: 'splice', port: splice.port, secure });
    }
    return await work({ home, viewer, splice });
  } finally {
    await Promise.all([home.stop(), viewer.stop(), splice.child.stop()]);
  }
}

/** The same bytes through a bare splice, unsealed. */
function measureFloor(seconds: number, secure: boolean): Promise<Bulk> {
  return withBareEnds({ secure, streams: 1 }, async ({ home, viewer, splice }) => {
    await warmUp(home, viewer, null);
    await viewer.tell({ do: 'receive', key: null, stalled: 0 });
    const before = cpuSecondsOf(splice.child.pid);
    await home.tell({ do: 'bulk', seconds, key: null });
    const sent = await home.report();
    const got = await settled(viewer, sent.bytes);
    const middle = cpuSecondsOf(splice.child.pid) - before;
    return { megabytesPerS: got.bytes / got.seconds / 1e6, home: sent.cpuSeconds / (sent.bytes / GB), middle: middle / (sent.bytes / GB), viewer: got.cpuSeconds / (sent.bytes / GB) };
  });
}

/** The share of a core that the same live streams take in a bare TLS splice. */
function measureLiveFloor(streams: number, seconds: number): Promise<number> {
  return withBareEnds({ secure: true, streams }, async ({ home, viewer, splice }) => {
    await viewer.tell({ do: 'receive', key: null, stalled: 0 });
    const before = cpuSecondsOf(splice.child.pid);
    const startMs = performance.now();
    await home.tell({ do: 'live', seconds, bitsPerS: LIVE_BITS_PER_S, key: randomBytes(32).toString('hex') });
    const wallS = (performance.now() - startMs) / 1000;
    return (cpuSecondsOf(splice.child.pid) - before) / wallS;
  });
}

/** Programs are compiled while they run: not in the measured time. */
async function warmUp(home: End, viewer: End, key: string | null): Promise<void> {
  await viewer.tell({ do: 'receive', key, stalled: 0 });
  await home.tell({ do: 'bulk', seconds: 1.5, key });
  await settled(viewer, (await home.report()).bytes);
}

/** The viewer's report when all has arrived. */
async function settled(viewer: End, bytes: number) {
  for (let tries = 0; ; tries += 1) {
    const got = await viewer.report();
    if (got.bytes >= bytes) return got;
    if (tries > 200) throw new Error(`only ${got.bytes} of ${bytes} bytes arrived`);
    await delay(50);
  }
}

interface Live {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly core: number;
  readonly cpuPerGb: number;
  readonly frames: readonly number[];
}

/** So many cameras of 4 Mbit/s at 30 pictures a second; `stalled` of the viewers take nothing. */
async function measureLive(relay: BenchRelay, streams: number, seconds: number, stalled = 0): Promise<Live> {
  const ends = await joinEnds(relay.url, streams);
  try {
    await ends.viewer.tell({ do: 'receive', key: ends.key, stalled });
    const before = await relay.sample('cpu_seconds_total');
    const startMs = performance.now();
    await ends.home.tell({ do: 'live', seconds, bitsPerS: LIVE_BITS_PER_S, key: ends.key });
    const wallS = (performance.now() - startMs) / 1000;
    await delay(500);
    const got = await ends.viewer.report();
    const cpu = (await relay.sample('cpu_seconds_total')) - before;
    if (got.failed > 0) throw new Error(`${got.failed} records did not open`);
    const steady = got.delaysMs.slice(Math.floor(got.delaysMs.length / seconds));
    return { p50: percentile(steady, 0.5), p99: percentile(steady, 0.99), max: Math.max(...steady), core: cpu / wallS, cpuPerGb: cpu / (got.bytes / GB), frames: got.frames };
  } finally {
    await ends.stop();
  }
}

/** The share of frames a good viewer lost because another of the same home took nothing. */
async function measureStalled(seconds: number): Promise<Figure> {
  const relay = await startBenchRelay({ secure: true });
  try {
    const { frames } = await measureLive(relay, 2, seconds, 1);
    const good = forceUnwrap('there are two viewers', frames[1]);
    return figure('frames a good viewer lost beside a stalled one', 100 * (1 - good / Math.round(seconds * 30)), '%', { budget: 1 });
  } finally {
    await relay.stop();
  }
}

export async function run(options: BenchOptions): Promise<BenchReport> {
  const seconds = options.seconds ?? 5;
  const relay = await startBenchRelay({ secure: true, args: ['--max-mbit', '0'] });
  const figures: Figure[] = [];
  try {
    const floor = await measureFloor(seconds, false);
    const tlsFloor = await measureFloor(seconds, true);
    const bulk = await measureBulk(relay, seconds);
    figures.push(
      figure('bulk through the relay, wss, sealed and opened, largest records', bulk.megabytesPerS, 'MB/s', { budget: 300, atLeast: true }),
      figure('bulk through a bare TCP splice, unsealed', floor.megabytesPerS, 'MB/s'),
      figure('bulk through a bare TLS splice, unsealed', tlsFloor.megabytesPerS, 'MB/s'),
      figure('CPU of home, relay and viewer together', bulk.home + bulk.middle + bulk.viewer, 'CPU-s/GB', { budget: 4 }),
      figure('the same over the bare TLS splice', bulk.home + bulk.middle + bulk.viewer, 'CPU-s/GB', { floor: tlsFloor.home + tlsFloor.middle + tlsFloor.viewer }),
      figure('CPU of the relay alone', bulk.middle, 'CPU-s/GB', { budget: 1.3 }),
      figure('the same over the bare TCP splice', bulk.middle, 'CPU-s/GB', { floor: floor.middle }),
      figure('the same over the bare TLS splice', bulk.middle, 'CPU-s/GB', { floor: tlsFloor.middle }),
    );
    for (const [streams, budgets] of [[40, { p50: 1, p99: 5 }], [250, { p99: 15 }]] as const) {
      const liveSeconds = Math.max(4, seconds * 2);
      const live = await measureLive(relay, streams, liveSeconds);
      const bare = await measureLiveFloor(streams, liveSeconds);
      const name = `${streams} × 4 Mbit/s`;
      figures.push(figure(`${name}: sealed to opened, p50`, live.p50, 'ms', 'p50' in budgets ? { budget: budgets.p50 } : {}), figure(`${name}: p99`, live.p99, 'ms', { budget: budgets.p99 }), figure(`${name}: worst`, live.max, 'ms'));
      figures.push(figure(`${name}: the relay's share of a core`, 100 * live.core, '%', streams === 250 ? { budget: 40 } : {}), figure(`${name}: the same over the bare TLS splice`, 100 * live.core, '%', { floor: 100 * bare }), figure(`${name}: CPU of the relay`, live.cpuPerGb, 'CPU-s/GB', streams === 250 ? { budget: 3 } : {}));
    }
  } finally {
    await relay.stop();
  }
  figures.push(await measureStalled(Math.max(15, seconds * 3)));
  const lines = await measureLines(Math.max(20, options.many ? 600 : seconds * 4));
  figures.push(...lines.figures);
  figures.push(...(await measureIdle(options.many ? [1_000, 5_000] : [1_000])));
  return {
    bench: 'relay',
    figures,
    notes: [
      ...lines.notes,
      'The slow and the lossy line are the kernel’s own, between the viewer and the relay; the sessions on them are the real ones, both ends in one process.',
      'Home, relay and viewer are three processes on the same cores, each under its own TLS where it says wss; the relay is `relay/main.ts` with its limits of rate and number raised.',
      'Live frames: 30 a second, a keyframe each second of five times the others; delay from before the seal of a frame’s last record to after its opening, without the first second.',
    ],
  };
}
