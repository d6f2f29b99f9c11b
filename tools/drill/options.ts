/** The words after `npm run drill --`. */
import { parseArgs } from 'node:util';
import type { DrillOptions } from './drill.ts';

export interface DrillWords extends DrillOptions {
  readonly json: boolean;
}

export const USAGE = `npm run drill -- [--households N] [--sockets] [--json]
  --households N    so many homes with a viewer each (1000)
  --sockets         through the real relay over real sockets, in batches; without it, all at once in memory
  --row NAME        only this row (A, B, E, C, C2, D, F, G, H, I); may be given often; a drill without A or F proves nothing, and says so
  --seed N          of the wrong tables; printed with every run
  --json            one JSON object on the last line`;

/** Throws a sentence on words it does not know and on numbers that are none. */
export function parseDrillOptions(args: readonly string[], seed: number): DrillWords | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({ args: [...args], options: { households: text, seed: text, row: { type: 'string', multiple: true }, sockets: flag, json: flag, help: flag } });
  if (values.help === true) return 'help';
  const count = (name: 'households' | 'seed', least: number): number | null => {
    const value = values[name];
    if (value === undefined) return null;
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < least) throw new Error(`--${name} needs a whole number, ${least} or more`);
    return number;
  };
  return {
    households: count('households', 2) ?? 1000,
    seed: count('seed', 0) ?? seed,
    isOverSockets: values.sockets === true,
    json: values.json === true,
    ...(values.row === undefined ? {} : { rows: values.row }),
  };
}
