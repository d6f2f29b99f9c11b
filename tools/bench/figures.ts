/** What a benchmark reports: figures with the floor measured in the same run and the budget of the design (docs/benchmarks.md). */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same quantity of the least that could do the job, measured in this run; null where there is none. */
  readonly floor: number | null;
  readonly ratio: number | null;
  /** The most allowed: of `ratio` where there is a floor, else of `value`. */
  readonly budget: number | null;
  readonly met: boolean | null;
}

export interface BenchReport {
  readonly bench: string;
  readonly figures: readonly Figure[];
  /** Sentences about how it was measured that the figures cannot be read without. */
  readonly notes: readonly string[];
}

/** A figure; `atLeast` turns the budget into a minimum. */
export function figure(name: string, value: number, unit: string, options: { floor?: number; budget?: number; atLeast?: boolean } = {}): Figure {
  const floor = options.floor ?? null;
  const ratio = floor === null ? null : value / floor;
  const budget = options.budget ?? null;
  const judged = ratio ?? value;
  const met = budget === null ? null : options.atLeast === true ? judged >= budget : judged <= budget;
  return { name, value, unit, floor, ratio, budget, met };
}

/** Median and 95th percentile of samples as two figures; `budgets` are of the one and the other. No figures without samples. */
export function spread(name: string, samples: readonly number[], unit: string, budgets: { p50?: number; p95?: number } = {}): Figure[] {
  if (samples.length === 0) return [];
  return [
    figure(`${name}, p50 of ${samples.length}`, percentile(samples, 0.5), unit, budgets.p50 === undefined ? {} : { budget: budgets.p50 }),
    figure(`${name}, p95 of ${samples.length}`, percentile(samples, 0.95), unit, budgets.p95 === undefined ? {} : { budget: budgets.p95 }),
  ];
}

/** The value below which `share` (0 to 1) of the samples lie. Throws on no samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  if (value === undefined) throw new Error('no samples');
  return value;
}

export function printReport(report: BenchReport): void {
  const number = (value: number | null): string => (value === null ? '–' : value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 }));
  const rows = report.figures.map((each) => [each.name, `${number(each.value)} ${each.unit}`, number(each.floor), number(each.ratio), number(each.budget), each.met === null ? '–' : each.met ? 'met' : 'MISSED']);
  const table = [['figure', 'value', 'floor', 'ratio', 'budget', ''], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  for (const note of report.notes) console.log(`* ${note}`);
}
