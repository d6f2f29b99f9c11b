/** `npm run bench -- NAME [--json]`: runs one benchmark and prints its figures, with `--json` as one object on the last line. */
import { printReport, type BenchReport } from './figures.ts';

/** Each benchmark in a file of its own, loaded only when asked for. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<BenchReport> }>>> = {
  record: () => import('./record.ts'),
  live: () => import('./live.ts'),
  'first-frame': () => import('./first-frame.ts'),
  seek: () => import('./seek.ts'),
  scrub: () => import('./scrub.ts'),
  timeline: () => import('./timeline.ts'),
  previews: () => import('./previews.ts'),
};

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const load = BENCHES[names[0] ?? ''];
if (load === undefined || names.length !== 1) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--json]`);
  process.exit(2);
}
const report = await (await load()).run();
printReport(report);
if (process.argv.includes('--json')) console.log(JSON.stringify(report));
