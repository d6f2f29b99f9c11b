/** `npm run faults -- [--rounds N] [--json]`: makes things go wrong, and says what it cost (docs/reliability.md). */
import { watchLoad } from '../bench/machine-load.ts';
import { KINDS } from './kinds.ts';
import { type FaultOptions, parseFaultOptions, USAGE } from './options.ts';
import { isSound, makeReport, reportLines } from './report.ts';
import { runSuite } from './suite.ts';

function chosen(): FaultOptions | 'help' | 'list' {
  try {
    return parseFaultOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

async function list(): Promise<void> {
  for (const kind of KINDS) {
    const reason = (await kind.whyNot?.()) ?? null;
    console.log(`${kind.family.padEnd(8)} ${kind.name}${kind.quick ? ' (short form)' : ''}${reason === null ? '' : `: not here: ${reason}`}`);
  }
}

async function main(): Promise<number> {
  const options = chosen();
  if (options === 'help') console.log(USAGE);
  if (options === 'list') await list();
  if (typeof options === 'string') return 0;
  if (process.platform !== 'linux') {
    console.error('The fault suite reads /proc and mounts file systems; it runs on Linux only.');
    return 2;
  }
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const describeLoad = watchLoad();
  const result = await runSuite(options, interrupted.signal, (line) => console.log(line));
  const report = makeReport(result, options.seed, describeLoad());
  for (const line of reportLines(report)) console.log(line);
  if (options.json) console.log(JSON.stringify(report));
  return isSound(report) && !interrupted.signal.aborted ? 0 : 1;
}

process.exitCode = await main();
