/** Owns the run: which kinds come in which order over which archive, the power cuts, and the controls. */
import { moveCuts, type MoveCutResult } from './power/move-cuts.ts';
import { realDiskCuts, type RealDiskResult } from './power/real-disk.ts';
import { powerCutRounds, type PowerCutResult } from './power/rounds.ts';
import { seededRandom } from './power/world-choices.ts';
import { type Control, runControls } from './control.ts';
import { FaultHouse } from './house.ts';
import type { FaultKind } from './fault-kind.ts';
import { KINDS } from './kinds.ts';
import type { FaultOptions } from './options.ts';
import { type RoundResult, runRound } from './round.ts';

/** An archive is continued for so many rounds; then another is begun. */
const ROUNDS_PER_ARCHIVE = 20;
/** A cut of a real file system takes as long as many in the model. */
const CUTS_PER_REAL_CUT = 20;
/** From so many power cuts on it is the long form. */
const LONG_CUTS = 40;

export interface SuiteResult {
  readonly rounds: readonly RoundResult[];
  readonly power: PowerCutResult | null;
  readonly realDisk: RealDiskResult | null;
  /** Power cuts while footage moves between two disks. */
  readonly moves: MoveCutResult | null;
  readonly controls: readonly Control[];
  /** What could not be done here, and why. */
  readonly skipped: readonly { readonly kind: string; readonly reason: string }[];
}

/** The kinds that were asked for, without those that cannot be done here. */
export async function possibleKinds(options: Pick<FaultOptions, 'families' | 'kind'>): Promise<{ readonly kinds: readonly FaultKind[]; readonly skipped: SuiteResult['skipped'] }> {
  const { kind: named } = options;
  const matches = (name: string): boolean => named === null || (KINDS.some((kind) => kind.name === named) ? name === named : name.includes(named));
  const wanted = KINDS.filter((kind) => options.families.includes(kind.family) && matches(kind.name));
  const asked = await Promise.all(wanted.map(async (kind) => ({ kind, reason: (await kind.whyNot?.()) ?? null })));
  return {
    kinds: asked.flatMap(({ kind, reason }) => (reason === null ? [kind] : [])),
    skipped: asked.flatMap(({ kind, reason }) => (reason === null ? [] : [{ kind: kind.name, reason }])),
  };
}

/** In the long form drawn by weight, after each kind had its turn where there are rounds enough; in the short form the quick ones. */
export function chooseKinds(kinds: readonly FaultKind[], { rounds, kind }: Pick<FaultOptions, 'rounds' | 'kind'>, random: () => number): readonly FaultKind[] {
  if (rounds === null) return kinds.filter((one) => one.quick || kind !== null);
  if (kinds.length === 0) return [];
  const all = kinds.reduce((sum, one) => sum + one.weight, 0);
  const draw = (): FaultKind => {
    let left = random() * all;
    return kinds.find((one) => (left -= one.weight) < 0) ?? (kinds.at(-1) as FaultKind);
  };
  const turns = rounds >= 2 * kinds.length ? [...kinds] : [];
  return [...turns, ...Array.from({ length: rounds - turns.length }, draw)];
}

export async function runSuite(options: FaultOptions, signal: AbortSignal, say: (line: string) => void): Promise<SuiteResult> {
  const random = seededRandom(options.seed);
  const { kinds, skipped } = await possibleKinds(options);
  for (const { kind, reason } of skipped) say(`skipped: ${kind}: ${reason}`);
  const chosen = chooseKinds(kinds, options, random);
  const rounds: RoundResult[] = [];
  const controls: Control[] = [];
  const houses = new Houses(options);
  try {
    for (const [index, kind] of chosen.entries()) {
      if (signal.aborted) break;
      const startedMs = performance.now();
      const house = await houses.forKind(kind);
      const result = await runRound(kind, { house, random, drops: options.drops, say });
      rounds.push(result);
      say(`${index + 1}/${chosen.length} ${describeRound(result, performance.now() - startedMs)}`);
      for (const violation of result.violations) say(`    VIOLATION ${violation}`);
      await houses.after(kind, house, result.violations.length > 0, say);
    }
    // The controls spoil an archive that was just found sound.
    if (!signal.aborted && chosen.length > 0) controls.push(...(await runControls(await houses.forControls(), say)));
  } finally {
    await houses.end();
  }
  const { power, realDisk, moves } = await cutPower(options, signal, say);
  const notCut = [{ kind: 'power cuts of a traced engine', reason: power?.skipped ?? null }, { kind: 'power cuts of a real file system', reason: realDisk?.skipped ?? null }, { kind: 'power cuts while footage moves', reason: moves?.skipped ?? null }];
  return { rounds, power, realDisk, moves, controls, skipped: [...skipped, ...notCut.flatMap(({ kind, reason }) => (reason === null ? [] : [{ kind, reason }]))] };
}

async function cutPower({ cuts, seed }: FaultOptions, signal: AbortSignal, say: (line: string) => void): Promise<Pick<SuiteResult, 'power' | 'realDisk' | 'moves'>> {
  if (cuts === 0 || signal.aborted) return { power: null, realDisk: null, moves: null };
  const onProgress = (line: string): void => say(`power: ${line}`);
  const power = await powerCutRounds({ rounds: cuts, seed, signal, onProgress });
  const realDisk = await realDiskCuts({ cuts: Math.ceil(cuts / CUTS_PER_REAL_CUT), random: seededRandom(seed), signal, onProgress });
  // A few of a move's operations in the short form, each of them in the long one.
  const moves = await moveCuts({ seed, signal, onProgress, ...(cuts < LONG_CUTS ? { moves: 1, cutEvery: 6 } : {}) });
  return { power, realDisk, moves };
}

/** The archive that is continued, and those of a single round. */
class Houses {
  readonly #options: FaultOptions;
  #continued: FaultHouse | null = null;
  #rounds = 0;

  constructor(options: FaultOptions) {
    this.#options = options;
  }

  async forKind(kind: FaultKind): Promise<FaultHouse> {
    return kind.fresh ? await FaultHouse.build(this.#options.cameras) : await this.forControls();
  }

  /** The continued one; a new one where there is none. */
  async forControls(): Promise<FaultHouse> {
    this.#continued ??= await FaultHouse.build(this.#options.cameras);
    return this.#continued;
  }

  async after(kind: FaultKind, house: FaultHouse, violated: boolean, say: (line: string) => void): Promise<void> {
    const keep = violated && this.#options.keep;
    if (keep) say(`    kept: ${house.folder}`);
    if (kind.fresh) return await house.end(keep);
    this.#rounds += 1;
    if (!violated && this.#rounds < ROUNDS_PER_ARCHIVE) return;
    this.#rounds = 0;
    this.#continued = null;
    await house.end(keep);
  }

  async end(): Promise<void> {
    await this.#continued?.end(false);
  }
}

function describeRound(result: RoundResult, tookMs: number): string {
  const worst = (values: readonly number[]): string => `${Math.round(Math.max(...values))} ms`;
  const parts = [
    result.lostMs.length > 0 ? `lost ${worst(result.lostMs)}` : '', result.outageMs.length > 0 ? `back after ${worst(result.outageMs)}` : '', result.note,
    `machine ${Math.round(100 * result.busyShare)} % busy`, `${Math.round(tookMs / 1_000)} s`,
  ];
  return `${result.kind}: ${result.violations.length === 0 ? 'held' : `${result.violations.length} VIOLATIONS`} (${parts.filter((part) => part !== '').join(', ')})`;
}
