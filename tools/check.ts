/** `npm run check -- --media DIR [--data DIR] [--repair] [--thorough] [--json]`: verifies I1 to I5 over an archive (docs/design/storage.md, "Checking"). */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseLife, LIFE_FILE } from '../main/engine/catalog/life-marker.ts';
import { systemClock } from '../main/engine/core/clock.ts';
import { createLogger, silentLogger } from '../main/engine/core/logger.ts';
import { openArchive } from '../main/engine/storage/archive.ts';
import { runCheck } from '../main/engine/storage/check-run.ts';
import type { Finding } from '../main/engine/storage/reconcile.ts';
import { readIdentity } from '../main/engine/storage/root.ts';
import { RootList, type RootPlace } from '../main/engine/storage/root-list.ts';
import { isDataFolderInUse, lockDataFolder } from '../main/engine/process/data-lock.ts';
import { PorchlightError } from '../shared/errors.ts';

const USAGE = `npm run check -- --media DIR [--media DIR …] [--data DIR] [--repair] [--thorough] [--json]
  --media DIR   a folder that holds footage; with --data alone, the disks of that data folder
  --data DIR    Porchlight's data folder; without it, files are checked by themselves
  --repair      mends what was found; Porchlight must be closed
  --thorough    looks at every picture the index names, not only the first and last of each file
  --json        one JSON object`;

/** More lines than this help nobody; --json has all of them. */
const SHOWN = 40;

interface Report {
  readonly files: number;
  readonly durationMs: number;
  readonly findings: readonly Finding[];
}

type EngineState = 'running' | 'stopped' | 'failed';

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { media: { type: 'string', multiple: true }, data: { type: 'string' }, repair: { type: 'boolean' }, thorough: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help === true || (values.media === undefined && values.data === undefined)) {
    console.log(USAGE);
    return values.help === true ? 0 : 2;
  }
  const dataDir = values.data === undefined ? null : path.resolve(values.data);
  if (dataDir !== null && !existsSync(dataDir)) throw new PorchlightError('not-found', `There is no data folder at ${dataDir}.`);
  if (values.repair === true && dataDir === null) throw new PorchlightError('invalid-input', 'A repair needs the data folder too: add --data DIR.');
  const engine = dataDir === null ? 'failed' : await engineState(dataDir);
  const roots = await rootsOf(values.media ?? [], dataDir);
  const say = (text: string): void => {
    if (values.json !== true) console.log(text);
  };
  if (engine === 'running') say('Porchlight is running: files it is writing at the moment are left out.');
  let before: Report | null = null;
  try {
    before = await check(roots, dataDir, engine, values.thorough === true);
    print(before, say);
  } catch (error) {
    // A repair is for this: the index is set aside and built anew.
    if (values.repair !== true || !(error instanceof PorchlightError) || error.kind !== 'database-corrupt') throw error;
    say(error.message);
  }
  let after: Report | null = null;
  if (values.repair === true && dataDir !== null && (before === null || before.findings.length > 0)) {
    if (engine === 'running') throw new PorchlightError('data-in-use', 'Close Porchlight before a repair; the check alone also works beside it.');
    say('Repairing …');
    await repair(dataDir, roots, before?.findings ?? [], values.json === true);
    after = await check(roots, dataDir, 'stopped', values.thorough === true);
    print(after, say);
  } else if (before !== null && wrongOf(before).length > 0 && values.repair !== true) {
    say(dataDir === null ? 'Nothing was changed. With --data DIR and --repair, this is mended.' : 'Nothing was changed. With --repair, this is mended.');
  }
  const last = after ?? before;
  const wrong = last === null ? 0 : wrongOf(last).length;
  if (values.json === true) console.log(JSON.stringify({ media: roots.map((root) => root.path), data: dataDir, engine, wrong, check: before, afterRepair: after }));
  return wrong > 0 ? 1 : 0;
}

async function check(roots: readonly RootPlace[], dataDir: string | null, engine: EngineState, thorough: boolean): Promise<Report> {
  const startMs = performance.now();
  let files = 0;
  const findings: Finding[] = [];
  for await (const step of runCheck({ dataDir, roots, engine, thorough })) {
    files += step.files;
    findings.push(...step.findings);
  }
  return { files, durationMs: Math.round(performance.now() - startMs), findings };
}

/** What the start of an engine does to a damaged archive, what else was found to be mended, and the sums anew; locked against an engine that starts meanwhile. */
async function repair(dataDir: string, roots: readonly RootPlace[], findings: readonly Finding[], quiet: boolean): Promise<void> {
  const lock = await lockDataFolder(dataDir);
  try {
    const archive = await openArchive({ dataDir, clock: systemClock, logger: quiet ? silentLogger : createLogger((entry) => console.log(`  ${entry.message}`)) });
    try {
      const known = archive.roots.list();
      for (const root of roots) if (!known.some((place) => place.rootId === root.rootId)) await archive.roots.add(root.path);
      await archive.recoverTails();
      await archive.reconcile();
      await archive.mend(findings);
      await archive.rederive();
    } finally {
      await archive.close();
    }
  } finally {
    await lock.release();
  }
}

function wrongOf(report: Report): readonly Finding[] {
  return report.findings.filter((finding) => finding.notice !== true);
}

function print(report: Report, say: (text: string) => void): void {
  const wrong = wrongOf(report);
  for (const finding of [...wrong, ...report.findings.filter((one) => one.notice === true)].slice(0, SHOWN)) {
    say(`${finding.notice === true ? 'note ' : `${finding.invariant}    `}${finding.path}: ${finding.sentence}`);
  }
  if (report.findings.length > SHOWN) say(`… and ${report.findings.length - SHOWN} more; --json lists all.`);
  const seconds = (report.durationMs / 1_000).toFixed(1);
  say(`${report.files} files checked in ${seconds} s: ${wrong.length === 0 ? 'everything is as it should be.' : `${wrong.length} ${wrong.length === 1 ? 'thing is' : 'things are'} wrong.`}`);
}

async function rootsOf(media: readonly string[], dataDir: string | null): Promise<readonly RootPlace[]> {
  if (media.length > 0) return await Promise.all(media.map(async (folder) => ({ rootId: await readIdentity(path.resolve(folder)), path: path.resolve(folder) })));
  return dataDir === null ? [] : (await RootList.load(dataDir, systemClock)).readable();
}

/** What lock and life marker say of the engine: it lives, it ended in order, or it did not. */
async function engineState(dataDir: string): Promise<EngineState> {
  if (await isDataFolderInUse(dataDir)) return 'running';
  const life = parseLife(await readFile(path.join(dataDir, LIFE_FILE), 'utf8').catch(() => null));
  return life === null || life.stopped === null ? 'failed' : 'stopped';
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof PorchlightError || (error instanceof TypeError && 'code' in error) ? error.message : error);
  process.exitCode = 2;
}
