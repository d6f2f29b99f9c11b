/** The words after `npm run bench -- NAME`: how long and how much, where it differs from what a benchmark does by itself. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Seconds measured, of each part. */
  readonly seconds: number | null;
  /** Samples taken, of each kind. */
  readonly samples: number | null;
  readonly cameras: number | null;
  /** Segments of a generated archive. */
  readonly segments: number | null;
  /** Benchmarks that have a long form run it too. */
  readonly many: boolean;
  /** Large archives stay for the next run. */
  readonly keep: boolean;
  readonly json: boolean;
}

export const OPTIONS_HELP = '[--seconds N] [--samples N] [--cameras N] [--segments N] [--many] [--keep] [--json]';

/** The benchmark's name and its options. Throws on words it does not know and on numbers that are none. */
export function parseBenchOptions(args: readonly string[]): { readonly name: string; readonly options: BenchOptions } {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { seconds: text, samples: text, cameras: text, segments: text, many: { type: 'boolean' }, keep: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new Error('name one benchmark');
  const count = (option: 'seconds' | 'samples' | 'cameras' | 'segments'): number | null => {
    const value = values[option];
    if (value === undefined) return null;
    const number = Number(value);
    if (!Number.isFinite(number) || number <= 0) throw new Error(`--${option} needs a number`);
    return number;
  };
  return {
    name,
    options: { seconds: count('seconds'), samples: count('samples'), cameras: count('cameras'), segments: count('segments'), many: values.many ?? false, keep: values.keep ?? false, json: values.json ?? false },
  };
}
