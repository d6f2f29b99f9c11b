/**
 * Checks the archive when a person asks, says what a repair would do and does it; compares files and index at every start, and has
 * the index built anew where it was damaged. All of it beside the recorder, one after the other (docs/design/storage.md, "Checking").
 */
import { readFile } from 'node:fs/promises';
import { PorchlightError } from '../../../shared/errors.ts';
import { type CheckProgress, type CheckReport, type CheckState, isRepairable } from '../../../shared/model/check.ts';
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';
import { replaceFile } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Archive } from './archive.ts';
import type { WalkProgress, WalkReport } from './archive-walks.ts';
import { checkedInvariants, doneSentence, groupFindings } from './check-summary.ts';
import type { Finding } from './reconcile.ts';

export const LAST_CHECK_FILE = 'last-check.json';

export interface DoctorParts {
  readonly archive: Pick<Archive, 'check' | 'mend' | 'reconcile' | 'rederive' | 'rebuilding' | 'onRebuilding'>;
  /** Where results survive a restart: LAST_CHECK_FILE in the data folder. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What `state` answers is another: at most twice a second while something goes on. */
  readonly onChange: (state: CheckState) => void;
}

type Results = Omit<CheckState, 'running'>;
type What = CheckProgress['what'];

/** Between two tellings of how far it is. */
const TELL_MS: DurationMs = SECOND_MS / 2;
const NOTHING: Results = { last: null, repair: null, atStart: null, rebuilt: null };

export class Doctor {
  readonly #parts: DoctorParts;
  readonly #stopping = new AbortController();
  readonly #stopHearing: () => void;
  #results: Results;
  #running: CheckProgress | null = null;
  /** Breaks off what a person asked for. */
  #cancel: AbortController | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** All findings of the last check, where it was in this life. */
  #findings: readonly Finding[] | null = null;
  #work: Promise<unknown> = Promise.resolve();
  #started = false;
  /** How often the index had to be built anew. */
  #rebuilds = 0;

  private constructor(parts: DoctorParts, results: Results) {
    this.#parts = parts;
    this.#results = results;
    this.#stopHearing = parts.archive.onRebuilding((rebuilding) => {
      // At the start `atStart` does it; what is set aside later is rebuilt at once.
      if (!rebuilding) return;
      this.#rebuilds += 1;
      // One that was found damaged during a comparison is rebuilt by it.
      if (this.#started) void this.#queue(async () => (this.#parts.archive.rebuilding ? await this.#compare() : undefined));
    });
  }

  /** Reads the last results; damaged ones are forgotten. */
  static async open(parts: DoctorParts): Promise<Doctor> {
    return new Doctor(parts, readResults(await readFile(parts.file, 'utf8').catch(() => '')));
  }

  state(): CheckState {
    return { running: this.#running, ...this.#results };
  }

  /** Compares every file with the index, or builds it anew; resolves when that is done or `stop` was called. */
  async atStart(): Promise<void> {
    this.#started = true;
    await this.#queue(() => this.#compare());
  }

  /** Begins a check; its progress and result come as changes. Throws `conflict` while something goes on. */
  check(): CheckState {
    this.#begin('check', async (signal) => {
      const report = await this.#parts.archive.check({ engine: 'running', thorough: false }, signal, (progress) => this.#progress(progress));
      if (report.finished) this.#keepCheck(report);
    });
    return this.state();
  }

  /** Begins to do what the last check said a repair would. Throws `conflict` while something goes on, or where there is nothing to mend. */
  repair(): CheckState {
    if (this.#results.last === null || !isRepairable(this.#results.last)) throw new PorchlightError('conflict', 'There is nothing to repair. Check the archive first.');
    this.#begin('repair', (signal) => this.#repair(signal));
    return this.state();
  }

  /** Breaks off a check or a repair; what a repair has done by then stays. */
  cancel(): CheckState {
    this.#cancel?.abort();
    return this.state();
  }

  /** Breaks off what goes on and waits for it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel?.abort();
    this.#stopHearing();
    await this.#work;
  }

  #begin(what: 'check' | 'repair', work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#running !== null) throw new PorchlightError('conflict', 'All files are being looked at already. Wait until that is done.');
    const cancel = new AbortController();
    this.#cancel = cancel;
    this.#show(what);
    void this.#queue(async () => {
      this.#show(what);
      try {
        await work(cancel.signal);
      } catch (error) {
        if (!cancel.signal.aborted) this.#keepProblem(error);
      } finally {
        this.#cancel = null;
      }
    });
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const run = this.#work.then(async () => {
      if (this.#stopping.signal.aborted) return;
      try {
        await work();
        await this.#save();
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#parts.logger.error('the check of all files failed', error);
      } finally {
        this.#running = null;
        this.#parts.onChange(this.state());
      }
    });
    this.#work = run;
    return run;
  }

  async #compare(): Promise<void> {
    const { archive, clock } = this.#parts;
    const wasRebuilding = archive.rebuilding;
    const rebuilds = this.#rebuilds;
    this.#show(wasRebuilding ? 'rebuild' : 'start');
    const startedMs = clock.nowMs();
    const report = await archive.reconcile(this.#stopping.signal, (progress) => this.#progress(progress));
    if (!report.finished) return;
    if (wasRebuilding || rebuilds !== this.#rebuilds) {
      this.#results = { ...this.#results, rebuilt: { atMs: clock.nowMs(), durationMs: report.durationMs, files: report.files } };
      this.#parts.logger.info(`the index was built anew from ${report.files} files in ${Math.round(report.durationMs / SECOND_MS)} s`);
    } else {
      const groups = groupFindings(report.findings).map((group) => ({ ...group, repair: group.repair === null ? null : doneSentence(group.repair) }));
      this.#results = { ...this.#results, atStart: { startedMs, durationMs: report.durationMs, files: report.files, checked: [], groups, problem: null } };
    }
  }

  async #repair(signal: AbortSignal): Promise<void> {
    const { archive, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const startedMs = clock.nowMs();
    const onProgress = (progress: WalkProgress): void => this.#progress(progress);
    const found = this.#findings ?? (await archive.check({ engine: 'running', thorough: false }, signal, onProgress)).findings;
    const plans = groupFindings(found).flatMap(({ repair }) => repair ?? []);
    if (!(await archive.reconcile(signal, onProgress)).finished) return;
    await archive.mend(found, signal);
    if (found.some(({ kind }) => kind === 'derived-differs')) await archive.rederive();
    const after = await archive.check({ engine: 'running', thorough: false }, signal, onProgress);
    if (!after.finished) return;
    this.#keepCheck(after);
    const left = groupFindings(after.findings).flatMap(({ notice, sentence }) => (notice ? [] : [sentence]));
    this.#results = { ...this.#results, repair: { startedMs, durationMs: clock.monotonicMs() - startMs, done: plans.map(doneSentence), left } };
  }

  #keepCheck(report: WalkReport): void {
    this.#findings = report.findings;
    const startedMs = this.#running?.startedMs ?? this.#parts.clock.nowMs();
    const { files, durationMs, findings } = report;
    this.#results = { ...this.#results, last: { startedMs, durationMs, files, checked: checkedInvariants(findings), groups: groupFindings(findings), problem: null }, repair: null };
  }

  #keepProblem(error: unknown): void {
    this.#parts.logger.error('a check could not be finished', error);
    const startedMs = this.#running?.startedMs ?? this.#parts.clock.nowMs();
    const problem = error instanceof PorchlightError && error.kind !== 'internal' ? error.message : 'The check could not be finished. The log has the details.';
    this.#findings = null;
    this.#results = { ...this.#results, last: { startedMs, durationMs: this.#parts.clock.nowMs() - startedMs, files: this.#running?.files ?? 0, checked: [], groups: [], problem }, repair: null };
  }

  #show(what: What): void {
    this.#running = { what, startedMs: this.#parts.clock.nowMs(), files: 0, ofFiles: null, share: null, backToMs: null };
    this.#parts.onChange(this.state());
  }

  #progress(progress: WalkProgress): void {
    if (this.#running === null) return;
    // A damaged index that is met on the way turns a comparison into a rebuild.
    const what = this.#running.what === 'start' && this.#parts.archive.rebuilding ? 'rebuild' : this.#running.what;
    this.#running = { ...this.#running, ...progress, what };
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    this.#parts.onChange(this.state());
  }

  async #save(): Promise<void> {
    await replaceFile(this.#parts.file, `${JSON.stringify({ format: 1, ...this.#results })}\n`);
  }
}

function readResults(text: string): Results {
  try {
    const value = JSON.parse(text) as Partial<Results> & { readonly format?: unknown };
    if (value.format !== 1) return NOTHING;
    const isReport = (report: CheckReport | null | undefined): report is CheckReport => Array.isArray(report?.groups) && Array.isArray(report.checked);
    return { last: isReport(value.last) ? value.last : null, repair: value.repair ?? null, atStart: isReport(value.atStart) ? value.atStart : null, rebuilt: value.rebuilt ?? null };
  } catch {
    return NOTHING;
  }
}
