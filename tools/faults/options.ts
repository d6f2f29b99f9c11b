/** The words after `npm run faults --`. */
import { parseArgs } from 'node:util';
import { FAMILIES, type Family } from './fault-kind.ts';

export interface FaultOptions {
  /** Rounds drawn by chance; null: the short form, one of each quick kind. */
  readonly rounds: number | null;
  readonly seed: number;
  /** Power cuts, each in some worlds. */
  readonly cuts: number;
  /** Of the round in which cameras are dropped again and again, all cameras together. */
  readonly drops: number;
  readonly cameras: number;
  /** Only these families. */
  readonly families: readonly Family[];
  /** Only kinds whose name has this in it. */
  readonly kind: string | null;
  /** Archives of rounds with violations stay. */
  readonly keep: boolean;
  readonly json: boolean;
}

export const USAGE = `npm run faults -- [--rounds N] [--json]
  --rounds N        so many rounds, their kinds drawn by chance; without it, one of each quick kind
  --seed N          of that chance; printed with every run
  --cuts N          power cuts (as many as rounds; 4 in the short form)
  --drops N         camera drops in the round that has many (1000 from 100 rounds on, otherwise 60)
  --only FAMILY     ${FAMILIES.join(', ')}; may be given often
  --kind TEXT       only the kind of this name, or those whose names have this in them; each once where --rounds is not given
  --cameras N       simulated cameras (2)
  --keep            archives of rounds with violations stay, and are named
  --list            what kinds there are, and what cannot be done here
  --json            one JSON object on the last line`;

/** Another one each time; it is printed, so that a run can be had again. */
export function seedNow(): number {
  return Math.floor(Math.random() * 1_000_000);
}

/** Throws a sentence on words it does not know and on numbers that are none. */
export function parseFaultOptions(args: readonly string[]): FaultOptions | 'help' | 'list' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({ args: [...args], options: { rounds: text, seed: text, cuts: text, drops: text, cameras: text, kind: text, only: { type: 'string', multiple: true }, keep: flag, json: flag, list: flag, help: flag } });
  if (values.help === true) return 'help';
  if (values.list === true) return 'list';
  const count = (name: 'rounds' | 'seed' | 'cuts' | 'drops' | 'cameras', least: number): number | null => {
    const value = values[name];
    if (value === undefined) return null;
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < least) throw new Error(`--${name} needs a whole number, ${least} or more`);
    return number;
  };
  const families = (values.only ?? FAMILIES).map((name) => {
    const family = FAMILIES.find((one) => one === name);
    if (family === undefined) throw new Error(`--only takes ${FAMILIES.join(', ')}`);
    return family;
  });
  const rounds = count('rounds', 1);
  return {
    rounds, families,
    seed: count('seed', 0) ?? seedNow(),
    cuts: count('cuts', 0) ?? rounds ?? 4,
    drops: count('drops', 1) ?? ((rounds ?? 0) >= 100 ? 1_000 : 60),
    cameras: count('cameras', 1) ?? 2,
    kind: values.kind ?? null, keep: values.keep ?? false, json: values.json ?? false,
  };
}
