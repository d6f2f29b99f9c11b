/** `npm run bench -- NAME [options]`: runs one benchmark and prints its figures, with `--json` as one object on the last line (docs/benchmarks.md). */
import { printReport, type BenchReport } from './figures.ts';
import { watchLoad } from './machine-load.ts';
import { type BenchOptions, OPTIONS_HELP, parseBenchOptions } from './options.ts';

type Load = () => Promise<{ readonly run: (options: BenchOptions) => Promise<BenchReport> }>;

/** Each benchmark in a file of its own, loaded only when asked for. */
const BENCHES: Readonly<Record<string, Load>> = {
  record: () => import('./record.ts'),
  live: () => import('./live.ts'),
  'first-frame': () => import('./first-frame.ts'),
  seek: () => import('./seek.ts'),
  scrub: () => import('./scrub.ts'),
  timeline: () => import('./timeline.ts'),
  previews: () => import('./previews.ts'),
  reconcile: () => import('./reconcile.ts'),
  rebuild: () => import('./rebuild.ts'),
  move: () => import('./move.ts'),
  times: () => import('./times.ts'),
  soak: () => import('./soak.ts'),
  relay: () => import('./relay.ts'),
  storm: () => import('./storm.ts'),
};

function usage(why: string): never {
  console.error(`${why}\nusage: npm run bench -- ${Object.keys(BENCHES).join('|')} ${OPTIONS_HELP}`);
  process.exit(2);
}

function chosen(): { readonly load: Load; readonly options: BenchOptions } {
  try {
    const { name, options } = parseBenchOptions(process.argv.slice(2));
    const load = BENCHES[name];
    return load === undefined ? usage(`There is no benchmark ${name}.`) : { load, options };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const { load, options } = chosen();
if (process.platform !== 'linux') usage('The benchmarks read /proc and run on Linux only.');
const describeLoad = watchLoad();
const measured = await (await load()).run(options);
const report: BenchReport = { ...measured, notes: [...measured.notes, describeLoad()] };
printReport(report);
if (options.json) console.log(JSON.stringify(report));
