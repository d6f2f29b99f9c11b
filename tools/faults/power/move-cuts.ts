/**
 * Owns power cuts while footage moves from one disk to another: a traced move is cut at every one of its operations, both
 * disks at once, and all footage must be there exactly once, on one of them (docs/design/storage.md, M1 to M4).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { runCheck } from '../../../main/engine/storage/check-run.ts';
import { DATABASE_FILE, openForReading } from '../../../main/engine/storage/database.ts';
import type { Finding } from '../../../main/engine/storage/reconcile.ts';
import { readIdentity } from '../../../main/engine/storage/root.ts';
import { STAGING_FILE } from '../../../main/engine/storage/segment-copy.ts';
import { DiskModel } from './disk-model.ts';
import { type DiskOperation, effectAt, type SyncOperation } from './disk-operations.ts';
import { recoverInProcess } from './recover-in-process.ts';
import { layOut, recoverWorld, sayError, timelineOf, timelineWithoutIndex, type WorldFolder } from './recover-world.ts';
import { withScratch } from './scratch-folder.ts';
import { follow, life, whyNoTrace } from './trace-run.ts';
import { TracedFiles } from './traced-files.ts';
import type { MoveOrder, MoveSaid } from './traced-move.ts';
import { TracedPipes } from './traced-pipes.ts';
import { chooseWorld, seededRandom, WORLD_KINDS, type WorldKind } from './world-choices.ts';

export interface MoveCutOptions {
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  /** Segments that move. */
  readonly moves?: number;
  /** Per cut: nothing, everything, and chances in between. */
  readonly worldsPerCut?: number;
  /** 1, where not given: each operation. More leaves some out, which ones by the seed. */
  readonly cutEvery?: number;
}

export interface MoveCutResult {
  readonly cuts: number;
  readonly worlds: number;
  readonly violations: readonly string[];
  readonly controls: readonly { readonly name: string; readonly violations: number; readonly example: string | null }[];
  readonly skipped: string | null;
}

const ENTRY = path.join(import.meta.dirname, 'traced-move.ts');
const DISKS = ['fast', 'big'] as const;
/** Every so many worlds through the archive with its threads, and with the index deleted. */
const BY_ARCHIVE_EVERY = 9;
const WITHOUT_INDEX_EVERY = 5;
/** A control shows between two syncs, which may be few operations apart. */
const MOST_APART_IN_CONTROLS = 2;
const HOUR_ON_BIG = /\/big\/.*\/main\/[\d-]+\/\d\d$/;

interface Control {
  readonly name: string;
  drops(sync: SyncOperation): boolean;
  readonly kinds: readonly WorldKind[];
}

/** Syncs that keep footage over a move, each taken out of the log in turn. */
const CONTROLS: readonly Control[] = [
  { name: 'fsync of a copy before it has its name', drops: (sync) => sync.path.endsWith(STAGING_FILE), kinds: ['nothing', 'zeros'] },
  { name: 'fsync of the folder a copy has come to', drops: (sync) => HOUR_ON_BIG.test(sync.path), kinds: ['nothing', 'unnamed'] },
];

interface MoveTrace {
  readonly operations: readonly DiskOperation[];
  readonly base: string;
}

/** Traces one run of moves and cuts it at every operation from when it begins. Takes nothing but time and a temporary folder. */
export async function moveCuts(options: MoveCutOptions): Promise<MoveCutResult> {
  const tally = { cuts: 0, worlds: 0, violations: [] as string[], controls: [] as { name: string; violations: number; example: string | null }[] };
  const skipped = await whyNoTrace();
  if (skipped !== null) return { ...tally, skipped };
  await withScratch('moves', async (scratch) => {
    const trace = await traceMoves(scratch, options, tally.violations);
    const bench: Bench = { trace, scratch, options, random: seededRandom(options.seed), worlds: 0 };
    const cuts = await cutEverywhere(bench, null, kindsOf(bench), tally.violations);
    for (const control of CONTROLS) {
      const found: string[] = [];
      if (!options.signal.aborted) await cutEverywhere(bench, control, () => control.kinds, found);
      tally.controls.push({ name: control.name, violations: found.length, example: found[0] ?? null });
      options.onProgress(`control ${control.name}: ${found.length} violations${found[0] === undefined ? '' : `, such as: ${found[0]}`}`);
    }
    Object.assign(tally, { cuts, worlds: bench.worlds });
  });
  return { ...tally, skipped: null };
}

async function traceMoves(scratch: string, { moves = 2, signal, onProgress }: MoveCutOptions, violations: string[]): Promise<MoveTrace> {
  const base = path.join(scratch, 'home');
  await mkdir(base);
  const order: MoveOrder = { dataDir: path.join(base, 'data'), fast: path.join(base, 'fast'), big: path.join(base, 'big'), scratch: path.join(scratch, 'made'), moves };
  const { traceFile } = await life(ENTRY, order, path.join(scratch, 'moves.strace'), base, null, signal);
  const files = new TracedFiles(base);
  const problems: string[] = [];
  await follow({ files, pipes: new TracedPipes(), problems, base }, traceFile, 0, false);
  for (const problem of [...problems, ...files.problems]) violations.push(`the trace of a move is not understood: ${problem}`);
  onProgress(`traced ${files.operations.length} operations of ${moves} segments that move`);
  return { operations: files.operations, base };
}

interface Bench {
  readonly trace: MoveTrace;
  readonly scratch: string;
  readonly options: MoveCutOptions;
  readonly random: () => number;
  worlds: number;
}

function kindsOf({ options, random }: Bench): () => readonly WorldKind[] {
  const between = WORLD_KINDS.slice(2);
  return () => ['nothing', 'everything', ...Array.from({ length: Math.max(0, (options.worldsPerCut ?? 4) - 2) }, () => between[Math.floor(random() * between.length)] ?? 'mixed')];
}

/** Cuts after each operation from when everything was there and the first move begins; how many cuts. A control cuts from its first missing sync on, and ends with its first violation. */
async function cutEverywhere(bench: Bench, control: Control | null, kinds: () => readonly WorldKind[], violations: string[]): Promise<number> {
  const { trace, options, random } = bench;
  const every = Math.min(options.cutEvery ?? 1, control === null ? Infinity : MOST_APART_IN_CONTROLS);
  const model = new DiskModel();
  const said: MoveSaid[] = [];
  let [cuts, seen, begun] = [0, Math.floor(random() * every), false];
  for (const operation of trace.operations) {
    if (options.signal.aborted || (control !== null && violations.length > 0)) break;
    const dropped = operation.kind === 'sync' && control?.drops(operation) === true;
    if (operation.kind === 'said') said.push(JSON.parse(operation.text) as MoveSaid);
    else if (!dropped) model.apply(operation);
    begun ||= dropped || (control === null && said.some(({ what }) => what === 'ready'));
    seen += 1;
    if (!begun || seen % every !== 0) continue;
    cuts += 1;
    for (const kind of kinds()) violations.push(...(await cutAt(bench, model, effectAt(operation), kind, said)));
    if (cuts % 50 === 0) options.onProgress(`${cuts} cuts of moves, ${violations.length} violations`);
  }
  return cuts;
}

async function cutAt(bench: Bench, model: DiskModel, at: number, kind: WorldKind, said: readonly MoveSaid[]): Promise<readonly string[]> {
  bench.worlds += 1;
  const folder = path.join(bench.scratch, `world-${bench.worlds}`);
  try {
    const home = await layOut(model.world(chooseWorld(kind, at, bench.random)), folder, bench.trace.base);
    return (await judge(home, said, bench.worlds)).map((violation) => `move cut at ${at}, ${kind}: ${violation}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Checks, starts over, checks again, and looks for every promised segment and gap; then once more with the index deleted. */
async function judge(home: WorldFolder, said: readonly MoveSaid[], world: number): Promise<readonly string[]> {
  const violations: string[] = [];
  try {
    violations.push(...(await findings(home, 'failed')).filter(({ kind }) => kind !== 'not-in-index').map((finding) => `before recovery, ${say(finding)}`));
    await (world % BY_ARCHIVE_EVERY === 0 ? recoverWorld(home) : recoverInProcess(home));
    violations.push(...(await wholeAndOnce(home, said)));
    if (world % WITHOUT_INDEX_EVERY !== 0) return violations;
    const before = timelineOf(home);
    if ((await timelineWithoutIndex(home, recoverWorld)) !== before) violations.push('I5 the timeline is another one without its index');
    violations.push(...(await wholeAndOnce(home, said)).map((violation) => `with the index deleted, ${violation}`));
  } catch (error) {
    violations.push(`cannot be started over: ${sayError(error)}`);
  }
  return violations;
}

/** No finding, and what was promised is there: each segment with all its bytes on one disk, the one its row names, and each gap. */
async function wholeAndOnce(home: WorldFolder, said: readonly MoveSaid[]): Promise<readonly string[]> {
  const wrong = (await findings(home, 'stopped')).map((finding) => `after recovery, ${say(finding)}`);
  const rows = rowsOf(home);
  for (const one of said) {
    if (one.what === 'gap' && !rows.gaps.has(one.startMs)) wrong.push(`I5 the gap at ${one.startMs} was confirmed and is gone`);
    if (one.what !== 'kept') continue;
    const places = DISKS.map((disk) => path.join(home.folder, disk, one.file)).filter((place) => existsSync(place));
    if (places.length !== 1) wrong.push(`${one.file} is on ${places.length === 0 ? 'neither disk' : 'both disks'}`);
    for (const place of places) if (createHash('sha1').update(await readFile(place)).digest('hex') !== one.sha1) wrong.push(`I4 ${one.file} is not what was recorded`);
  }
  const kept = said.filter(({ what }) => what === 'kept').length;
  if (rows.segments < kept) wrong.push(`I1 ${kept - rows.segments} of ${kept} segments have no row`);
  return wrong;
}

function rowsOf({ dataDir }: WorldFolder): { readonly segments: number; readonly gaps: ReadonlySet<number> } {
  const db = openForReading(path.join(dataDir, DATABASE_FILE));
  try {
    return { segments: Number(db.prepare('SELECT count(*) FROM segments').pluck().get()), gaps: new Set(db.prepare('SELECT start_ms FROM gaps').pluck().all() as number[]) };
  } finally {
    db.close();
  }
}

async function findings({ folder, dataDir }: WorldFolder, engine: 'failed' | 'stopped'): Promise<readonly Finding[]> {
  const roots = await Promise.all(DISKS.map(async (disk) => ({ rootId: await readIdentity(path.join(folder, disk)), path: path.join(folder, disk) })));
  const found: Finding[] = [];
  for await (const step of runCheck({ dataDir, roots, engine, thorough: true })) found.push(...step.findings.filter((finding) => finding.notice !== true));
  return found;
}

function say(finding: Finding): string {
  return `${finding.invariant} ${finding.path}: ${finding.sentence}`;
}
