/** The counters as Prometheus text, on a port of their own (https://prometheus.io/docs/instrumenting/exposition_formats/). */
import { createServer, type Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Counters } from './counters.ts';

/** Between looks of the event-loop clock: 50 wake-ups a second cost nothing that can be measured. */
const LOOP_RESOLUTION_MS = 20;
const NANOSECONDS_PER_MS = 1e6;

export interface Metrics {
  /** The text; the event loop's delays are those since the last call. */
  text(): string;
  close(): void;
}

type Kind = 'counter' | 'gauge';
type Sample = readonly [labels: string, value: number];

function family(name: string, kind: Kind, help: string, samples: readonly Sample[] | number): string {
  const list: readonly Sample[] = typeof samples === 'number' ? [['', samples]] : samples;
  const full = `porchlight_relay_${name}`;
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${kind}`, ...list.map(([labels, value]) => `${full}${labels} ${value}`)].join('\n');
}

/** Delays beyond the clock's own step, in seconds; then counts anew. */
function loopDelays(loop: ReturnType<typeof monitorEventLoopDelay>): readonly Sample[] {
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS_PER_MS - LOOP_RESOLUTION_MS) / 1000;
  const has = loop.count > 0;
  const samples: readonly Sample[] = [
    ['{quantile="0.5"}', has ? seconds(loop.percentile(50)) : 0],
    ['{quantile="0.99"}', has ? seconds(loop.percentile(99)) : 0],
    ['{quantile="1"}', has ? seconds(loop.max) : 0],
  ];
  loop.reset();
  return samples;
}

export function createMetrics(counters: Counters): Metrics {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  return {
    close: () => loop.disable(),
    text() {
      const { userCPUTime, systemCPUTime, fsWrite } = process.resourceUsage();
      const families = [
        family('connections', 'gauge', 'Open connections of every kind.', counters.connections),
        family('control_sockets', 'gauge', 'Homes that are here.', counters.controlSockets),
        family('tokens', 'gauge', 'Tokens somebody answers to.', counters.tokens),
        family('waiting', 'gauge', 'Viewers whose home has been rung and is not there yet.', counters.waiting),
        family('sessions', 'gauge', 'Spliced pairs.', counters.sessions),
        family('connections_total', 'counter', 'Connections since the start, refused ones too.', counters.connectionsTotal),
        family('sessions_total', 'counter', 'Spliced pairs since the start.', counters.sessionsTotal),
        family('messages_total', 'counter', 'Messages forwarded.', counters.messagesTotal),
        family('bytes_total', 'counter', 'Bytes forwarded, without WebSocket and TLS.', counters.bytesTotal),
        family('pauses_total', 'counter', 'How often an end was not read on.', [
          ['{why="slow"}', counters.pausesSlow],
          ['{why="rate"}', counters.pausesRate],
        ]),
        family('refusals_total', 'counter', 'Connections refused or ended by the relay.', Object.entries(counters.refusals).map(([reason, count]) => [`{reason="${reason}"}`, count] as const)),
        family('disk_writes_total', 'counter', 'Writes of this process to any disk, as the system counts them.', fsWrite),
        family('event_loop_delay_seconds', 'gauge', 'Delay of the event loop since the last look.', loopDelays(loop)),
        family('cpu_seconds_total', 'counter', 'CPU time, user and system.', (userCPUTime + systemCPUTime) / 1e6),
        family('resident_memory_bytes', 'gauge', 'Resident memory.', process.memoryUsage.rss()),
      ];
      return `${families.join('\n')}\n`;
    },
  };
}

/** A server of `/metrics` and `/healthz` (503 when the relay is leaving); not listening yet. */
export function createMetricsServer(metrics: Metrics, isLeaving: () => boolean): Server {
  return createServer((request, response) => {
    const answer = (status: number, text: string): void => {
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', connection: 'close' }).end(text);
    };
    if (request.method !== 'GET') answer(405, 'only GET\n');
    else if (request.url === '/metrics') answer(200, metrics.text());
    else if (request.url === '/healthz') answer(isLeaving() ? 503 : 200, isLeaving() ? 'leaving\n' : 'ok\n');
    else answer(404, 'there are /metrics and /healthz\n');
  });
}
