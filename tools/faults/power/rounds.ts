/** Owns the power-cut rounds of the fault suite: traces, cuts, worlds, controls, and what came of them (docs/design/faults.md). */
import path from 'node:path';
import type { DurationMs } from '../../../shared/time.ts';
import { CONTROLS, type Control } from './controls.ts';
import { DiskModel } from './disk-model.ts';
import { type DiskOperation, effectAt } from './disk-operations.ts';
import { receivedStreams, type ReceivedStream } from './footage-truth.ts';
import { type Cut, type Judging, judgeWorld, type ModelWorld, type RecoveryKind } from './judge-world.ts';
import { type Trace, traceEngine, whyNoTrace } from './trace-run.ts';
import { realDiskCuts, type RealDiskResult } from './real-disk.ts';
import { withScratch } from './scratch-folder.ts';
import type { Said } from './traced-engine.ts';
import { chooseWorld, seededRandom, WORLD_KINDS, type WorldKind } from './world-choices.ts';

export interface PowerCutOptions {
  /** Cuts; each gives some worlds. */
  readonly rounds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  /** Of each of the two lives that are traced. */
  readonly seconds?: number;
  readonly cameras?: number;
  /** Worlds per cut: nothing, everything, and chances in between. */
  readonly worldsPerCut?: number;
  /** Cuts of a real file system; none when not given. */
  readonly realCuts?: number;
}

export interface PowerCutResult {
  readonly rounds: number;
  readonly worlds: number;
  /** One per world: loss of its worst stream (judge-world.ts, `Loss`). */
  readonly lostMs: readonly DurationMs[];
  /** The same by when the camera had sent the pictures. */
  readonly footageMs: readonly DurationMs[];
  readonly violations: readonly string[];
  /** What was found with one sync taken out, over all controls. */
  readonly controlViolations: number;
  readonly controls: readonly { readonly name: string; readonly violations: number; readonly example: string | null }[];
  /** The same on a real file system; null where it was not asked for. */
  readonly realDisk: RealDiskResult | null;
  /** Worlds in which the index had to be begun anew. */
  readonly rebuilt: number;
  /** Why nothing was done; null where it was. */
  readonly skipped: string | null;
}

/** Cuts of one trace; then a new one is recorded. */
const ROUNDS_PER_TRACE = 400;
/** A control stays silent when this many cuts with its sync taken out show nothing. */
const CONTROL_CUTS = 16;
/** So many recordings a silent control is tried with: what a recording did and when, a busy machine decides, and in one a sync may have had nothing to hold. */
const TRACES_FOR_CONTROLS = 3;
const QUOTA_BYTES = 500_000;
/** Every so many worlds the index is deleted too. */
const WITHOUT_INDEX_EVERY = 6;
/** Every so many worlds are started by the archive with its threads, and by a whole engine. */
const BY_ARCHIVE_EVERY = 10;
const BY_ENGINE_EVERY = 50;

function recoveryOf(world: number): RecoveryKind {
  if (world % BY_ENGINE_EVERY === BY_ENGINE_EVERY - 1) return 'engine';
  return world % BY_ARCHIVE_EVERY === BY_ARCHIVE_EVERY - 1 ? 'archive' : 'functions';
}

/** Cuts the power at `rounds` moments of real recordings and judges what may be left each time. Takes nothing but time and a temporary folder. */
export async function powerCutRounds(options: PowerCutOptions): Promise<PowerCutResult> {
  const skipped = await whyNoTrace();
  const tally = emptyTally();
  if (skipped !== null) return resultOf(tally, skipped);
  const random = seededRandom(options.seed);
  for (let traces = 0; (tally.rounds < options.rounds || (traces < TRACES_FOR_CONTROLS && silentControls(tally).length > 0)) && !options.signal.aborted; traces += 1) {
    const trace = await unlessAborted(options.signal, () => traceEngine({ cameras: options.cameras ?? 3, seconds: options.seconds ?? 14, quotaBytes: QUOTA_BYTES, signal: options.signal }));
    if (trace !== null) await judgeTrace(trace, options, random, tally, Math.min(ROUNDS_PER_TRACE, options.rounds - tally.rounds));
  }
  const realCuts = options.realCuts ?? 0;
  const realDisk = realCuts === 0 ? null : await unlessAborted(options.signal, () => realDiskCuts({ cuts: realCuts, random, signal: options.signal, onProgress: options.onProgress }));
  tally.lostMs.push(...(realDisk?.lostMs ?? []));
  tally.violations.push(...(realDisk?.violations ?? []));
  return resultOf(tally, null, realDisk);
}

/** What has been found until then is worth its answer: null in place of an error that only says that it was stopped. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | null> {
  try {
    return signal.aborted ? null : await work();
  } catch (error) {
    if (!signal.aborted) throw error;
    return null;
  }
}

function silentControls(tally: Tally): readonly Control[] {
  return CONTROLS.filter(({ name }) => (tally.controls.get(name)?.violations ?? 0) === 0);
}

/** Cuts one trace `count` times, and once for each control that has shown nothing so far. */
export async function judgeTrace(trace: Trace, options: PowerCutOptions, random: () => number, tally: Tally, count: number): Promise<void> {
  for (const problem of trace.problems) tally.violations.push(`the trace is not understood: ${problem}`);
  const streams = await receivedStreams(trace);
  const frames = streams.reduce((sum, stream) => sum + stream.frames.length, 0);
  options.onProgress(`traced ${trace.operations.length} operations in ${Math.round(trace.durationMs / 1_000)} s; ${frames} pictures of ${streams.length} streams`);
  await withScratch('worlds', async (scratch) => {
    const bench: Bench = { trace, streams, scratch, random, options, tally };
    await cutAll(bench, count);
    for (const control of silentControls(tally)) if (!options.signal.aborted) await runControl(bench, control);
  });
}

export interface Tally {
  rounds: number;
  worlds: number;
  rebuilt: number;
  readonly lostMs: DurationMs[];
  readonly footageMs: DurationMs[];
  readonly violations: string[];
  readonly controls: Map<string, { violations: number; example: string | null }>;
}

export function emptyTally(): Tally {
  return { rounds: 0, worlds: 0, rebuilt: 0, lostMs: [], footageMs: [], violations: [], controls: new Map() };
}

interface Bench {
  readonly trace: Trace;
  readonly streams: readonly ReceivedStream[];
  readonly scratch: string;
  readonly random: () => number;
  readonly options: PowerCutOptions;
  readonly tally: Tally;
}

export function resultOf(tally: Tally, skipped: string | null, realDisk: RealDiskResult | null = null): PowerCutResult {
  const controls = [...tally.controls].map(([name, found]) => ({ name, ...found }));
  return {
    rounds: tally.rounds, worlds: tally.worlds, lostMs: tally.lostMs, footageMs: tally.footageMs, violations: tally.violations, rebuilt: tally.rebuilt, skipped, realDisk,
    controls, controlViolations: controls.reduce((sum, control) => sum + control.violations, realDisk?.controlViolations ?? 0),
  };
}

/** Half of the cuts lie anywhere, half beside a sync or a change of names, where order matters. */
function chooseCuts(operations: readonly DiskOperation[], count: number, random: () => number): readonly number[] {
  const turning = operations.flatMap((one, index) => (one.kind === 'sync' || one.kind === 'name' ? [index] : []));
  const cuts = Array.from({ length: count }, () => {
    if (random() < 0.5) return Math.floor(random() * operations.length);
    return Math.max(0, (turning[Math.floor(random() * turning.length)] ?? 0) + Math.floor(random() * 5) - 2);
  });
  return cuts.toSorted((a, b) => a - b);
}

/** Replays the operations once, and stops at each cut for its worlds. */
async function cutAll(bench: Bench, count: number): Promise<void> {
  const { trace: { operations }, random, options, tally } = bench;
  const model = new DiskModel();
  const said: Said[] = [];
  let next = 0;
  for (const index of chooseCuts(operations, count, random)) {
    if (options.signal.aborted) return;
    for (; next <= index && next < operations.length; next += 1) applyTo(model, said, operations[next]);
    const operation = operations[Math.min(index, operations.length - 1)];
    if (operation === undefined) return;
    const kinds = kindsOf(options.worldsPerCut ?? 4, random);
    for (const kind of kinds) await judge(bench, model, { at: effectAt(operation), timeMs: operation.timeMs, said: [...said] }, kind);
    tally.rounds += 1;
    if (tally.rounds % 25 === 0) options.onProgress(`${tally.rounds} cuts, ${tally.worlds} worlds, ${tally.violations.length} violations`);
  }
}

function kindsOf(count: number, random: () => number): readonly WorldKind[] {
  const between = WORLD_KINDS.slice(2);
  return (['nothing', 'everything'] as const as readonly WorldKind[]).concat(Array.from({ length: Math.max(0, count - 2) }, () => between[Math.floor(random() * between.length)] ?? 'mixed')).slice(0, count);
}

function applyTo(model: DiskModel, said: Said[], operation: DiskOperation | undefined): void {
  if (operation?.kind === 'said') said.push(JSON.parse(operation.text) as Said);
  else if (operation !== undefined) model.apply(operation);
}

async function judge(bench: Bench, model: DiskModel, cut: Cut, kind: WorldKind): Promise<void> {
  const { random, streams, tally } = bench;
  tally.worlds += 1;
  const verdict = await judgeWorld(worldOf(bench, model, cut, kind, random), { cut, streams, recovery: recoveryOf(tally.worlds), withoutIndex: tally.worlds % WITHOUT_INDEX_EVERY === 0 });
  tally.lostMs.push(verdict.loss.lostMs);
  tally.footageMs.push(verdict.loss.footageMs);
  if (verdict.rebuilt) tally.rebuilt += 1;
  for (const violation of verdict.violations) tally.violations.push(`cut at ${cut.at}, ${kind}: ${violation}`);
}

/**
 * Takes one kind of sync out of the log, as though the code did not call it, and cuts after where it was, until something is
 * wrong. It counts only where the same cut of the whole log has nothing wrong: what is found must come of the missing sync.
 */
async function runControl(bench: Bench, control: Control): Promise<void> {
  const { trace: { operations }, streams, random, options, tally } = bench;
  const found = { violations: 0, example: null as string | null };
  tally.controls.set(control.name, found);
  const dropped = operations.flatMap((one, index) => (one.kind === 'sync' && control.drops(one, operations, index) ? [index] : []));
  const gone = new Set(dropped);
  const cuts = Array.from({ length: dropped.length === 0 ? 0 : CONTROL_CUTS }, () => control.cutAfter(operations, dropped[Math.floor(random() * dropped.length)] ?? 0, random)).toSorted((a, b) => a - b);
  const [whole, lacking] = [new DiskModel(), new DiskModel()];
  const said: Said[] = [];
  let next = 0;
  for (const index of cuts) {
    for (; next <= index && next < operations.length; next += 1) {
      applyTo(whole, said, operations[next]);
      if (!gone.has(next)) applyTo(lacking, [], operations[next]);
    }
    const operation = operations[Math.min(index, operations.length - 1)];
    if (operation === undefined || options.signal.aborted || found.violations > 0) break;
    const cut: Cut = { at: effectAt(operation), timeMs: operation.timeMs, said: [...said] };
    const judging: Judging = { cut, streams, recovery: 'functions', withoutIndex: false };
    for (const kind of control.kinds) {
      const seed = Math.floor(random() * 0x7fffffff);
      const without = await judgeWorld(worldOf(bench, lacking, cut, kind, seededRandom(seed)), judging);
      if (without.violations.length === 0) continue;
      const full = await judgeWorld(worldOf(bench, whole, cut, kind, seededRandom(seed)), judging);
      if (full.violations.length > 0) continue;
      found.violations += without.violations.length;
      found.example ??= without.violations[0] ?? null;
    }
  }
  options.onProgress(`control ${control.name}: ${found.violations} violations${found.example === null ? '' : `, such as: ${found.example}`}`);
}

function worldOf({ trace, scratch, tally }: Bench, model: DiskModel, cut: Cut, kind: WorldKind, random: () => number): ModelWorld {
  return { world: model.world(chooseWorld(kind, cut.at, random)), tracedBase: trace.base, folder: path.join(scratch, String(tally.worlds)) };
}
