/** One row of the drill: what is done to everybody, what is counted, and what must not be. */
import { type Chance, derange, inverse } from './chance.ts';
import type { Household } from './households.ts';
import type { Pair, Parties } from './parties.ts';

export interface RowContext extends Parties {
  readonly households: readonly Household[];
  readonly chance: Chance;
  readonly isOverSockets: boolean;
  /** Sessions that row A left for the next one. */
  watching: readonly Pair[] | null;
}

/** Counts by name; those of batches are added up. */
export type Figures = Readonly<Record<string, number>>;

export interface RowResult {
  readonly figures: Figures;
  /** Foreign, changed or repeated bytes that were opened, or pictures shown that were not asked for. */
  readonly opened: number;
  /** What did not come out as it must, one sentence each. */
  readonly faults: readonly string[];
}

export interface Row {
  /** As in the design's table. */
  readonly name: string;
  readonly title: string;
  /** Only in memory: it needs another clock, or no relay at all. */
  readonly inMemoryOnly?: boolean;
  run(context: RowContext): Promise<RowResult>;
}

/** A broken table over the households: which viewer gets what a home sends, and the other way round. */
export function brokenTable({ households, chance }: RowContext): { readonly viewerOf: ReadonlyMap<number, number>; readonly homeOf: ReadonlyMap<number, number> } {
  const table = derange(households.length, chance);
  const named = (places: readonly number[]): ReadonlyMap<number, number> =>
    new Map(households.map(({ index }, at) => [index, households[places[at] ?? 0]?.index ?? 0]));
  return { viewerOf: named(table), homeOf: named(inverse(table)) };
}

/** Collects sentences where something is not as it must be. */
export class Expectations {
  readonly faults: string[] = [];

  equal(what: string, got: number, wanted: number): void {
    if (got !== wanted) this.faults.push(`${what}: ${got} in place of ${wanted}`);
  }

  atLeast(what: string, got: number, least: number): void {
    if (got < least) this.faults.push(`${what}: ${got}, at least ${least} were to be`);
  }
}
