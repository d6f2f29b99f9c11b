/** Owns the verdict on one world: I1 to I5 before and after recovery, what was lost of what had been received, and what a client had been promised. */
import { rm } from 'node:fs/promises';
import type { DurationMs } from '../../../shared/time.ts';
import type { ReceivedStream } from './footage-truth.ts';
import { recoverInProcess } from './recover-in-process.ts';
import { findingsOf, keptFootage, layOut, locksIn, readOwnersFiles, recoverByEngine, recoverWorld, sayError, timelineOf, timelineWithoutIndex, type WorldFolder } from './recover-world.ts';
import type { Said } from './traced-engine.ts';

/** I4: what a power cut may cost of a stream. */
export const MOST_LOST_MS: DurationMs = 2_000;
/** Footage that the rules delete within this time after a cut may be gone already: its row went first. */
const DELETING_MS: DurationMs = 5_000;

/** As far back as a picture may wait for its sync. */
const LATENESS_COUNTS_MS: DurationMs = 3_000;

export interface Cut {
  /** Place in the trace. */
  readonly at: number;
  readonly timeMs: number;
  /** What had been confirmed, in order. */
  readonly said: readonly Said[];
}

/** Of the worst stream, from its first lost picture to the last one received. */
export interface Loss {
  /** By when they had come out of ffmpeg: what the bound of I4 is about. */
  readonly lostMs: DurationMs;
  /** By when the camera had sent them: more, where ffmpeg held the first pictures of a session back to know the stream and gave them all at once. */
  readonly footageMs: DurationMs;
}

const NO_LOSS: Loss = { lostMs: 0, footageMs: 0 };

export interface Verdict {
  readonly violations: readonly string[];
  readonly loss: Loss;
  /** The index was damaged, and a new one was begun. */
  readonly rebuilt: boolean;
}

export interface Judging {
  readonly cut: Cut;
  readonly streams: readonly ReceivedStream[];
  readonly recovery: RecoveryKind;
  /** Also deletes the index and compares the timelines. */
  readonly withoutIndex: boolean;
}

/** A world of the model, and where it is to be laid out: `folder` is fresh, and removed afterwards. */
export interface ModelWorld {
  readonly world: ReadonlyMap<string, Buffer | null>;
  readonly tracedBase: string;
  readonly folder: string;
}

/** How a world is started over: by the archive's functions, by the archive with its threads, or by an engine. */
const RECOVER = { functions: recoverInProcess, archive: recoverWorld, engine: recoverByEngine } as const;
export type RecoveryKind = keyof typeof RECOVER;

/** Lays a world of the model out, and judges it. */
export async function judgeWorld({ world, tracedBase, folder }: ModelWorld, judging: Judging): Promise<Verdict> {
  const home = await layOut(world, folder, tracedBase);
  try {
    return await judgeHome(home, judging);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Checks, recovers and checks again, and says everything that is wrong. Never throws for what a world is like. */
export async function judgeHome(home: WorldFolder, { cut, streams, recovery, withoutIndex }: Judging): Promise<Verdict> {
  const violations: string[] = [];
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      violations.push(`${what}: ${sayError(error)}`);
      return null;
    }
  };
  const ready = cut.said.some((said) => said.what === 'ready');
  if (ready) violations.push(...((await attempt('the world cannot be checked', () => asItLies(home))) ?? []));
  await attempt('the owner\'s files cannot be read', async () => violations.push(...(await promisesBroken(home, cut.said, ready))));
  const recovered = await attempt('the archive cannot be opened', () => RECOVER[recovery](home));
  if (recovered === null) return { violations, loss: NO_LOSS, rebuilt: false };
  if (ready && !recovered.rootReady) violations.push('the disk for footage is not known any more');
  for (const finding of (await attempt('the recovered archive cannot be checked', () => findingsOf(home, 'stopped'))) ?? []) violations.push(`after recovery, ${finding.invariant} ${finding.path}: ${finding.sentence}`);
  await attempt('the locks cannot be read', () => Promise.resolve(violations.push(...locksBroken(locksIn(home), cut.said))));
  const kept = await attempt('the footage cannot be read', () => keptFootage(home));
  if (kept !== null) violations.push(...kept.broken.map((file) => `after recovery, I4 ${file}`), ...neverSent(streams, kept.digests));
  const loss = kept === null ? NO_LOSS : lossOf(streams, cut, kept.digests, violations);
  if (withoutIndex) await attempt('the index cannot be built anew', () => sameWithoutIndex(home, violations));
  return { violations, loss, rebuilt: recovered.rebuilt };
}

/** The invariants hold at every moment, not only after a repair; but a journal may be ahead of its rows. */
async function asItLies(home: WorldFolder): Promise<string[]> {
  const findings = await findingsOf(home, 'failed');
  return findings.filter((finding) => !finding.sentence.startsWith('The journal has what the index has not')).map((finding) => `before recovery, ${finding.invariant} ${finding.path}: ${finding.sentence}`);
}

async function promisesBroken(home: WorldFolder, said: readonly Said[], ready: boolean): Promise<string[]> {
  const stored = await readOwnersFiles(home);
  const broken = stored.torn.map((name) => `config/${name} is neither the old nor the new version`);
  if (ready && !stored.life) broken.push('life.json cannot be read, so the cause of the gap is not known');
  const least = new Map<string, number>();
  for (const one of said) {
    if (one.what === 'home' || one.what === 'rules') least.set(one.what, one.number);
    if (one.what === 'camera') least.set(one.cameraId, one.number);
  }
  for (const [key, number] of least) {
    const found = key === 'home' ? stored.home : key === 'rules' ? stored.rules : (stored.cameras.get(key) ?? null);
    if (found === null || found < number) broken.push(`${key} was confirmed as ${number} and is ${found ?? 'not there'}`);
  }
  return broken;
}

/** A lock holds from when it was confirmed until it is taken off; while it is being taken off, it may. */
function locksBroken(found: ReadonlySet<number>, said: readonly Said[]): readonly string[] {
  const locked = said.flatMap((one) => (one.what === 'locked' ? [one.number] : []));
  const unlocked = said.flatMap((one) => (one.what === 'unlocked' ? [one.number] : []));
  // The oldest that holds may be on its way out: it is taken off before that is said.
  const certain = locked.filter((number) => !unlocked.includes(number) && number > Math.max(0, ...unlocked) && number === locked.at(-1));
  return [
    ...certain.filter((number) => !found.has(number)).map((number) => `I4 lock ${number} was confirmed and is gone`),
    ...unlocked.filter((number) => found.has(number)).map((number) => `I4 lock ${number} was taken off and is back`),
  ];
}

/** What a machine busy with others took of the recorder's time before a cut: timers that came too late, added up. */
function latenessBefore({ timeMs, said }: Cut): DurationMs {
  return said.reduce((sum, one) => (one.what === 'late' && one.atMs <= timeMs && one.atMs > timeMs - LATENESS_COUNTS_MS ? sum + one.lateMs : sum), 0);
}

/** The worst stream's loss; adds a violation for each stream with a lost picture that had been received longer before the last one than a power cut may cost. */
function lossOf(streams: readonly ReceivedStream[], cut: Cut, present: ReadonlySet<string>, violations: string[]): Loss {
  let worst = NO_LOSS;
  const cutMs = cut.timeMs;
  const mostMs = MOST_LOST_MS + latenessBefore(cut);
  for (const { name, frames } of streams) {
    const received = frames.filter((frame) => frame.arrivedMs <= cutMs && (frame.killedMs === null || cutMs <= frame.killedMs));
    const last = received.at(-1);
    const lost = received.filter((frame) => !present.has(frame.digest) && (frame.deletedMs === null || frame.deletedMs > cutMs + DELETING_MS));
    const [first] = lost;
    if (last === undefined || first === undefined) continue;
    const lostMs = last.arrivedMs - first.arrivedMs;
    worst = { lostMs: Math.max(worst.lostMs, lostMs), footageMs: Math.max(worst.footageMs, last.sentMs - first.sentMs) };
    if (lostMs > mostMs) violations.push(`I4 ${name}: ${lost.length} pictures lost, received up to ${Math.round(lostMs)} ms before the last one`);
  }
  return worst;
}

/** A picture with a hole in it is no whole fragment, and must not be kept as one. */
function neverSent(streams: readonly ReceivedStream[], kept: ReadonlySet<string>): readonly string[] {
  const known = new Set(streams.flatMap(({ frames }) => frames.map((frame) => frame.digest)));
  const damaged = [...kept].filter((digest) => !known.has(digest)).length;
  return damaged === 0 ? [] : [`after recovery, I4 ${damaged} damaged pictures are kept as whole ones`];
}

async function sameWithoutIndex(home: WorldFolder, violations: string[]): Promise<void> {
  const before = timelineOf(home);
  const after = await timelineWithoutIndex(home, recoverInProcess);
  if (before === after) return;
  const [had, has] = [before.split('\n'), after.split('\n')];
  const changed = [...had.filter((line) => !has.includes(line)).map((line) => `- ${line}`), ...has.filter((line) => !had.includes(line)).map((line) => `+ ${line}`)];
  violations.push(`I5 the timeline is another one without its index: ${changed.slice(0, 2).join(' ')}`);
}
