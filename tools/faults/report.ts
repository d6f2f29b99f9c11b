/** Owns what the suite says at its end: figures, a histogram of losses, one JSON object. Pure. */
import type { DurationMs } from '../../shared/time.ts';
import type { SuiteResult } from './suite.ts';

/** DESIGN.md, section 7. */
export interface FaultReport {
  /** Rounds with real processes, and power cuts. */
  readonly rounds: number;
  /** Of streams whose process or disk died: what had arrived and was lost. */
  readonly lostMs: { readonly p50: DurationMs; readonly p99: DurationMs; readonly max: DurationMs };
  /** Of crashes that the product gets over by itself: until the next recorded picture. */
  readonly outageMs: { readonly p50: DurationMs; readonly max: DurationMs };
  readonly violations: number;
  readonly orphans: number;
  /** What was found of the faults that were planted, and of the syncs that were taken out. */
  readonly controlViolations: number;
  readonly seed: number;
  readonly processes: { readonly rounds: number; readonly lostMs: Quantiles; readonly histogram: Histogram };
  readonly power: { readonly cuts: number; readonly worlds: number; readonly lostMs: Quantiles; readonly histogram: Histogram; readonly rebuilt: number } | null;
  /** The same on ext4. */
  readonly realDisk: { readonly cuts: number; readonly lostMs: Quantiles } | null;
  /** While footage moves between two disks: nothing may be lost there. */
  readonly moves: { readonly cuts: number; readonly worlds: number } | null;
  readonly kinds: Readonly<Record<string, { readonly rounds: number; readonly violations: number; readonly maxLostMs: DurationMs; readonly maxOutageMs: DurationMs | null }>>;
  readonly controls: readonly { readonly name: string; readonly violations: number }[];
  /** Controls of which nothing was found: then the suite proves nothing. */
  readonly silentControls: readonly string[];
  readonly skipped: SuiteResult['skipped'];
  readonly violationTexts: readonly string[];
  readonly machine: string;
}

interface Quantiles {
  readonly p50: DurationMs;
  readonly p99: DurationMs;
  readonly max: DurationMs;
}

/** Counts by upper bound in milliseconds, the bound included; the last has none (Infinity, in JSON null). */
export type Histogram = readonly { readonly upToMs: DurationMs; readonly count: number }[];

const BOUNDS_MS = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000, 1_200, 1_400, 1_600, 1_800, 2_000, Number.POSITIVE_INFINITY];

/** The smallest value that at least this share of all values does not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
}

function quantilesOf(values: readonly number[]): Quantiles {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

export function histogramOf(values: readonly number[]): Histogram {
  return BOUNDS_MS.map((upToMs, index) => ({ upToMs, count: values.filter((value) => value <= upToMs && value > (BOUNDS_MS[index - 1] ?? Number.NEGATIVE_INFINITY)).length }));
}

export function makeReport({ rounds, power, realDisk, moves, controls, skipped }: SuiteResult, seed: number, machine: string): FaultReport {
  const lost = rounds.flatMap((round) => round.lostMs);
  const outages = rounds.flatMap((round) => round.outageMs);
  const allControls = [
    ...controls.map(({ name, violations }) => ({ name, violations: violations.length })),
    ...(power?.controls ?? []).map(({ name, violations }) => ({ name, violations })),
    ...(realDisk === null || realDisk.skipped !== null ? [] : [{ name: 'no sync at all, on a real file system', violations: realDisk.controlViolations }]),
    ...(moves?.controls ?? []).map(({ name, violations }) => ({ name, violations })),
  ];
  const texts = [...rounds.flatMap((round) => round.violations.map((violation) => `${round.kind}: ${violation}`)), ...[...(power?.violations ?? []), ...(realDisk?.violations ?? []), ...(moves?.violations ?? [])].map((violation) => `power cut: ${violation}`)];
  const kinds = Object.fromEntries([...new Set(rounds.map((round) => round.kind))].map((kind) => {
    const own = rounds.filter((round) => round.kind === kind);
    const ownOutages = own.flatMap((round) => round.outageMs);
    return [kind, { rounds: own.length, violations: own.reduce((sum, round) => sum + round.violations.length, 0), maxLostMs: quantile(own.flatMap((round) => round.lostMs), 1), maxOutageMs: ownOutages.length === 0 ? null : quantile(ownOutages, 1) }];
  }));
  return {
    rounds: rounds.length + (power?.rounds ?? 0) + (realDisk?.cuts ?? 0) + (moves?.cuts ?? 0),
    lostMs: quantilesOf([...lost, ...(power?.lostMs ?? []), ...(realDisk?.lostMs ?? [])]),
    outageMs: { p50: quantile(outages, 0.5), max: quantile(outages, 1) },
    violations: texts.length,
    orphans: rounds.reduce((sum, round) => sum + round.orphans, 0),
    controlViolations: allControls.reduce((sum, control) => sum + control.violations, 0),
    seed,
    processes: { rounds: rounds.length, lostMs: quantilesOf(lost), histogram: histogramOf(lost) },
    power: power === null || power.skipped !== null ? null : { cuts: power.rounds, worlds: power.worlds, lostMs: quantilesOf(power.lostMs), histogram: histogramOf(power.lostMs), rebuilt: power.rebuilt },
    realDisk: realDisk === null || realDisk.skipped !== null ? null : { cuts: realDisk.cuts, lostMs: quantilesOf(realDisk.lostMs) },
    moves: moves === null || moves.skipped !== null ? null : { cuts: moves.cuts, worlds: moves.worlds },
    kinds, controls: allControls, silentControls: allControls.filter((control) => control.violations === 0).map(({ name }) => name), skipped, violationTexts: texts, machine,
  };
}

/** Whether everything held and the suite can be believed: at least one control spoke, and of its own none was silent. */
export function isSound(report: FaultReport): boolean {
  return report.violations === 0 && report.orphans === 0 && report.controlViolations > 0 && report.silentControls.length === 0;
}

export function reportLines(report: FaultReport): readonly string[] {
  const { processes, power, realDisk, moves, outageMs } = report;
  const lines = [`seed ${report.seed}; ${processes.rounds} rounds: lost p50 ${processes.lostMs.p50}, p99 ${processes.lostMs.p99}, most ${processes.lostMs.max} ms; back after p50 ${outageMs.p50}, most ${outageMs.max} ms`, ...bars(processes.histogram)];
  if (power !== null) lines.push(`${power.cuts} power cuts, ${power.worlds} worlds: lost p50 ${power.lostMs.p50}, p99 ${power.lostMs.p99}, most ${power.lostMs.max} ms`, ...bars(power.histogram));
  if (realDisk !== null) lines.push(`${realDisk.cuts} power cuts of ext4: lost p50 ${realDisk.lostMs.p50}, most ${realDisk.lostMs.max} ms`);
  if (moves !== null) lines.push(`${moves.cuts} power cuts while footage moved between two disks, ${moves.worlds} worlds`);
  lines.push(...report.violationTexts.map((text) => `VIOLATION ${text}`), ...report.silentControls.map((name) => `SILENT CONTROL ${name}`), ...report.skipped.map(({ kind, reason }) => `skipped: ${kind}: ${reason}`));
  lines.push(report.machine, `${report.rounds} rounds, ${report.violations} violations, ${report.orphans} orphans, ${report.controlViolations} violations found by ${report.controls.length} controls`);
  return lines;
}

/** A histogram as lines, the longest bar 40 characters. */
function bars(histogram: Histogram): readonly string[] {
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  const last = histogram.findLastIndex(({ count }) => count > 0);
  return histogram.slice(0, last + 1).map(({ upToMs, count }, index) => {
    const label = upToMs === 0 ? 'nothing' : Number.isFinite(upToMs) ? `≤ ${upToMs} ms` : `> ${histogram[index - 1]?.upToMs ?? 0} ms`;
    return `  ${label.padStart(10)} ${String(count).padStart(6)} ${'█'.repeat(Math.ceil((40 * count) / most))}`;
  });
}
