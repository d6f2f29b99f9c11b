/** The words after `npm run relay --`, read into options; plain words where they make no sense. */
import { parseArgs } from 'node:util';
import { PorchlightError } from '../shared/errors.ts';
import type { RelayLimits } from './limits.ts';

export interface RelayConfig {
  readonly port: number;
  /** Null: all of this computer. */
  readonly address: string | null;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly metricsPort: number | null;
  readonly metricsAddress: string;
  readonly behindProxy: boolean;
  /** From the notice to homes until everything is closed. */
  readonly drainMs: number;
  readonly limits: Partial<RelayLimits>;
}

export const DEFAULT_PORT = 7450;
export const DEFAULT_METRICS_PORT = 7451;
const DEFAULT_DRAIN_S = 3;
const MEGABIT = 1_000_000;

export const USAGE = `npm run relay -- [options]
  --port N                     where homes and viewers connect (${DEFAULT_PORT}; 0 for any free one)
  --address A                  on which address of this computer (all of them)
  --tls CERT KEY               certificate chain and private key, PEM files; read again on SIGHUP
  --behind-proxy               believe X-Forwarded-For: only where nobody but your balancer reaches the port
  --metrics-port N             Prometheus counters and /healthz (${DEFAULT_METRICS_PORT}; 0 for any free one)
  --metrics-address A          on which address (127.0.0.1)
  --no-metrics                 none
  --drain-seconds N            from the notice to homes until the end (${DEFAULT_DRAIN_S})
  --max-connections N          open connections
  --max-connections-per-address N
  --max-connects-per-address N new connections a second
  --max-accepts N              new connections a second, of everybody
  --max-sessions-per-home N
  --max-mbit N                 of one session, in Mbit/s; 0 for no limit`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const NUMBERS = {
  ...{ port: text, 'metrics-port': text, 'drain-seconds': text },
  ...{ 'max-connections': text, 'max-connections-per-address': text, 'max-connects-per-address': text, 'max-accepts': text, 'max-sessions-per-home': text, 'max-mbit': text },
};
type NumberOption = keyof typeof NUMBERS;

const OPTIONS = { ...NUMBERS, address: text, tls: text, 'metrics-address': text, 'behind-proxy': flag, 'no-metrics': flag, help: flag };

/** The options, or `help`. Throws a PorchlightError with the sentence to show. */
export function parseConfig(args: readonly string[]): RelayConfig | 'help' {
  const { values, positionals } = read(args);
  if (values.help === true) return 'help';
  const number = (name: NumberOption, least: number, most: number): number | undefined => {
    const value = values[name];
    if (value === undefined) return undefined;
    const parsed = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    if (!(parsed >= least && parsed <= most)) throw new PorchlightError('invalid-input', `--${name} takes a number from ${least} to ${most}, not "${value}".`);
    return parsed;
  };
  const port = (name: 'port' | 'metrics-port', usual: number): number => Math.trunc(number(name, 0, 65_535) ?? usual);
  const limits = {
    connections: number('max-connections', 1, 1_000_000),
    connectionsPerAddress: number('max-connections-per-address', 1, 1_000_000),
    connectsPerAddressPerS: number('max-connects-per-address', 1, 1_000_000),
    acceptsPerS: number('max-accepts', 1, 1_000_000),
    sessionsPerHome: number('max-sessions-per-home', 1, 10_000),
    sessionBitsPerS: scaled(number('max-mbit', 0, 100_000), MEGABIT),
  };
  return {
    port: port('port', DEFAULT_PORT),
    address: values.address ?? null,
    tls: readTls(values.tls, positionals),
    metricsPort: values['no-metrics'] === true ? null : port('metrics-port', DEFAULT_METRICS_PORT),
    metricsAddress: values['metrics-address'] ?? '127.0.0.1',
    behindProxy: values['behind-proxy'] ?? false,
    drainMs: (number('drain-seconds', 0, 600) ?? DEFAULT_DRAIN_S) * 1000,
    limits: Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)),
  };
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw new PorchlightError('invalid-input', `${error instanceof Error ? (error.message.split('.', 1)[0] ?? '') : 'These options make no sense'}.`, error);
  }
}

/** `--tls CERT KEY`: the second word is what stands beside the options. */
function readTls(certFile: string | undefined, rest: readonly string[]): RelayConfig['tls'] {
  const [keyFile, ...more] = rest;
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || more.length > 0) throw new PorchlightError('invalid-input', `"${more[0] ?? keyFile}" is not an option.`);
  if (keyFile === undefined) throw new PorchlightError('invalid-input', '--tls takes two files: the certificate chain and its private key.');
  return { certFile, keyFile };
}
