/**
 * The walks over files and rows: the comparison at every start, which is also the rebuild, the check, and what a repair does beyond
 * it. One at a time, step by step in the maintenance thread; every change goes through the writer (docs/design/storage.md, "Checking").
 */
import type { CheckProgress } from '../../../shared/model/check.ts';
import type { Clock } from '../core/clock.ts';
import type { CheckOptions, CheckStep } from './check.ts';
import type { Happening } from './journal.ts';
import type { Finding, ReconcileStep } from './reconcile.ts';
import type { RootList, RootPlace } from './root-list.ts';
import { isCorrupt } from './sqlite-errors.ts';
import { StepQueue } from './step-queue.ts';
import type { SessionFloor } from './tail-recovery.ts';
import type { ArchiveThreads } from './threads.ts';

export interface WalkReport {
  readonly files: number;
  readonly findings: readonly Finding[];
  readonly durationMs: number;
  /** False where it was broken off. */
  readonly finished: boolean;
}

/** How far a walk is. */
export type WalkProgress = Pick<CheckProgress, 'files' | 'ofFiles' | 'share' | 'backToMs'>;

/** Steps of a walk that may wait for the writer, which commits together what waits, while the next is made. */
const STEPS_UNDER_WAY = 4;
/** Comparisons with an index that turns out damaged on the way, before it is given up: a disk that damages each new one is another matter. */
const RECONCILE_ATTEMPTS = 3;

export interface ArchiveWalksParts {
  readonly threads: () => ArchiveThreads;
  readonly roots: RootList;
  readonly clock: Clock;
  /** Folder with journal lines that wait for a disk. */
  readonly waiting: string;
  /** The last session of each stream before this life. */
  readonly floors: () => readonly SessionFloor[];
  readonly closing: AbortSignal;
  /** What comes before a comparison: journal lines that waited for a disk, deletions that were cut short. */
  readonly finishHalfDone: () => Promise<void>;
  readonly recoverTails: () => Promise<unknown>;
  /** A disk with footage is new to this index. */
  readonly onNewDisk: () => void;
  /** Every file of every writable disk has been compared with this index. */
  readonly onCompared: () => void;
}

interface Journals {
  readonly waiting: string;
  readonly allHere: boolean;
}

export class ArchiveWalks {
  readonly #parts: ArchiveWalksParts;
  #walk: Promise<unknown> = Promise.resolve();

  constructor(parts: ArchiveWalksParts) {
    this.#parts = parts;
  }

  get #threads(): ArchiveThreads {
    return this.#parts.threads();
  }

  /** Resolves when no walk is under way. */
  async idle(): Promise<void> {
    await this.#walk.catch(() => undefined);
  }

  async reconcile(signal?: AbortSignal, onProgress: (progress: WalkProgress) => void = () => undefined): Promise<WalkReport> {
    return await this.#exclusively(async () => {
      const startMs = this.#parts.clock.monotonicMs();
      for (let attempt = 1; ; attempt += 1) {
        const seen = this.#threads.replacements;
        try {
          const report = await this.#reconcileOnce(startMs, signal, onProgress);
          // What was compared with an index that is gone says nothing about the new one.
          if (seen === this.#threads.replacements || signal?.aborted === true) return report;
        } catch (error) {
          if (isCorrupt(error)) await this.#threads.replace(seen, error);
          if (seen === this.#threads.replacements || attempt === RECONCILE_ATTEMPTS) throw error;
        }
        await this.#parts.recoverTails();
      }
    });
  }

  async #reconcileOnce(startMs: number, signal: AbortSignal | undefined, onProgress: (progress: WalkProgress) => void): Promise<WalkReport> {
    const findings: Finding[] = [];
    let [files, hours, ofHours, taken] = [0, 0, 0, 0];
    const report = (finished: boolean): WalkReport => ({ files, findings, durationMs: this.#parts.clock.monotonicMs() - startMs, finished });
    await this.#parts.finishHalfDone();
    await this.#threads.maintenance.requireSound();
    const roots = this.#parts.roots.writable();
    const indexed = await this.#threads.maintenance.indexedRoots();
    for (const root of roots) {
      const size = await this.#threads.maintenance.countHours(placeOf(root));
      ofHours += size.hours;
      // What is being recorded since the start is in an hour or two of each stream.
      if (!indexed.includes(root.rootId) && size.hours > 2 * size.streams) this.#parts.onNewDisk();
    }
    for (const root of roots) {
      const allJournals = !indexed.includes(root.rootId);
      const walk = await this.#threads.maintenance.beginReconcile(root, { allJournals, repair: true, floors: this.#parts.floors(), here: this.#parts.roots.readable().map(placeOf) });
      const finished = await this.#eachStep(walk, signal, async (step) => {
        const { files: compared, findings: found, hours: done, reachedMs } = step as ReconcileStep;
        files += compared;
        hours += done;
        findings.push(...found);
        taken += (step as ReconcileStep).insert.length;
        await this.#applyStep(step as ReconcileStep, root);
        onProgress({ files, ofFiles: null, share: ofHours === 0 ? null : Math.min(1, hours / ofHours), backToMs: allJournals && reachedMs !== null && reachedMs > 0 ? reachedMs : null });
      });
      if (!finished) return report(false);
      await this.#threads.write((writer) => writer.markIndexed(root.rootId, this.#parts.clock.nowMs()));
    }
    if (findings.some(({ kind }) => kind === 'not-indexed')) await this.#parts.finishHalfDone();
    if (taken > 0) await this.#clipGaps();
    this.#parts.onCompared();
    return report(true);
  }

  async check(options: Pick<CheckOptions, 'engine' | 'thorough'>, signal?: AbortSignal, onProgress: (progress: WalkProgress) => void = () => undefined): Promise<WalkReport> {
    const startMs = this.#parts.clock.monotonicMs();
    return await this.#exclusively(async () => {
      const seen = this.#threads.replacements;
      try {
        const found = await this.#checkOnce(options, signal, onProgress);
        return { ...found, durationMs: this.#parts.clock.monotonicMs() - startMs };
      } catch (error) {
        // The same as at any other question: set aside, and rebuilt by whoever listens.
        if (options.engine === 'running' && isCorrupt(error)) await this.#threads.replace(seen, error);
        throw error;
      }
    });
  }

  async #checkOnce(options: Pick<CheckOptions, 'engine' | 'thorough'>, signal: AbortSignal | undefined, onProgress: (progress: WalkProgress) => void): Promise<Omit<WalkReport, 'durationMs'>> {
    const { maintenance } = this.#threads;
    await maintenance.requireSound();
    const roots = this.#parts.roots.readable().map(placeOf);
    const journals: Journals = { waiting: this.#parts.waiting, allHere: roots.length === this.#parts.roots.list().length };
    const ofFiles = await maintenance.segmentCount();
    let [files, looked] = [0, 0];
    const findings: Finding[] = [];
    const finished = await this.#eachStep(await maintenance.beginCheck(roots, { ...options, ...journals }), signal, (step) => {
      files += step.files;
      looked += (step as CheckStep).looked ?? 0;
      findings.push(...step.findings);
      onProgress({ files: looked, ofFiles: Math.max(ofFiles, looked), share: ofFiles === 0 ? null : Math.min(1, (files + looked) / (2 * ofFiles)), backToMs: null });
      return Promise.resolve();
    });
    return { files, finished, findings: options.engine === 'running' ? await this.#withoutInFlight(findings, roots, journals) : findings };
  }

  /** A line is in its journal before its row is in the index: what is still in one alone when everything under way is written is wrong. */
  async #withoutInFlight(findings: readonly Finding[], roots: readonly RootPlace[], journals: Journals): Promise<readonly Finding[]> {
    const isDoubtful = ({ kind }: Finding): boolean => kind === 'not-in-index' || kind === 'not-in-journal';
    if (!findings.some(isDoubtful)) return findings;
    await this.#threads.write((writer) => writer.apply({}, false, null));
    const still = new Set((await this.#threads.maintenance.journalFindings(roots, journals.waiting, journals.allHere)).map((finding) => finding.kind + finding.sentence));
    return findings.filter((finding) => !isDoubtful(finding) || still.has(finding.kind + finding.sentence));
  }

  async mend(findings: readonly Finding[], signal?: AbortSignal): Promise<void> {
    await this.#exclusively(async () => {
      const of = (...kinds: readonly Finding['kind'][]): readonly Finding[] => findings.filter(({ kind }) => kinds.includes(kind));
      const happenings = (found: readonly Finding[]): readonly Happening[] => found.flatMap(({ happening }) => happening ?? []);
      for (const [rootId, files] of Map.groupBy(of('tail-missing', 'tail-differs'), (finding) => finding.rootId)) {
        const root = this.#parts.roots.writable().find((place) => place.rootId === rootId);
        for (const { path: file } of root === undefined ? [] : files) {
          if (signal?.aborted === true || root === undefined) return;
          const change = await this.#threads.maintenance.reread(placeOf(root), file);
          if (change !== null) await this.#threads.write((writer) => writer.correct(change, root.path));
        }
      }
      await this.#threads.write((writer) => writer.apply({ happenings: happenings(of('not-in-index')) }, false, null));
      await this.#clipGaps(of('gap-over-footage'));
      const base = this.#parts.roots.forRecording()?.path ?? null;
      await this.#threads.write((writer) => writer.apply({ happenings: happenings(of('not-in-journal')) }, true, base));
    });
  }

  /** Footage that came back lies where a gap was written: the gap is taken back, and what of it is missing still is written. */
  async #clipGaps(found?: readonly Finding[]): Promise<void> {
    const happenings = (found ?? (await this.#threads.maintenance.gapsOverFootage())).flatMap(({ instead = [] }) => instead);
    if (happenings.length > 0) await this.#threads.write((writer) => writer.apply({ happenings }, true, this.#parts.roots.forRecording()?.path ?? null));
  }

  async #applyStep(step: ReconcileStep, { rootId, path }: RootPlace): Promise<void> {
    const { garbage = [] } = step;
    if (garbage.length > 0) await this.#threads.write((writer) => writer.addGarbage(garbage.map((path) => ({ rootId, path }))));
    if (step.insert.length === 0 && step.remove.length === 0 && step.happenings.length === 0) return;
    const change = { remove: step.remove, segments: step.insert, happenings: step.happenings };
    await this.#threads.write((writer) => (change.remove.length > 0 ? writer.correct(change, path) : writer.apply(change, false, null)));
  }

  /** Pulls a walk's steps one by one, and goes on to the next while the writer has some; false when it was broken off. */
  async #eachStep(walk: number, signal: AbortSignal | undefined, take: (step: ReconcileStep | CheckStep) => Promise<void>): Promise<boolean> {
    const underWay = new StepQueue(STEPS_UNDER_WAY);
    try {
      while (signal?.aborted !== true && !this.#parts.closing.aborted) {
        const step = await this.#threads.maintenance.next(walk);
        if (step === null) {
          await underWay.finish();
          return true;
        }
        await underWay.add(take(step));
      }
      return false;
    } finally {
      await this.#threads.maintenance.end(walk).catch(() => undefined);
      await underWay.finish();
    }
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#walk.catch(() => undefined).then(work);
    this.#walk = run;
    return run;
  }
}

/** What crosses to a thread: no state of the disk. */
function placeOf({ rootId, path }: RootPlace): RootPlace {
  return { rootId, path };
}
