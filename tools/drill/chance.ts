/** Chance that can be had again: a seeded generator, and tables in which every entry is wrong. */

export type Chance = () => number;

/** Numbers from 0 to below 1 (mulberry32), the same for the same seed. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function below(chance: Chance, end: number): number {
  return Math.floor(chance() * end);
}

/** A shuffle of 0 to count - 1 that leaves nothing in its place (Sattolo's algorithm): one cycle. Throws below 2. */
export function derange(count: number, chance: Chance): readonly number[] {
  if (count < 2) throw new RangeError('one household cannot be mixed up with another');
  const table = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at -= 1) {
    const other = below(chance, at);
    [table[at], table[other]] = [table[other] ?? 0, table[at] ?? 0];
  }
  return table;
}

/** The table read backwards. */
export function inverse(table: readonly number[]): readonly number[] {
  const back = Array.from({ length: table.length }, () => 0);
  table.forEach((to, from) => (back[to] = from));
  return back;
}
