/** Makes the rules true again and again: plans, deletes in bounded steps, and sooner where a disk fills up. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { BrokenRule, StorageRules } from '../../../shared/model/storage-rules.ts';
import { type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import type { OldestQuery, OldestSegments, RetentionFacts } from '../storage/retention.read.ts';
import { type AgeClock, readAgeClock, startAgeClock } from './age-clock.ts';
import { eventQuery, isAnythingToDo, rootFacts, type RootCondition, youngBounds } from './facts.ts';
import { type OldSegment, planHeld, type RetentionPlan, type UnkeptRule } from './plan.ts';
import { describeBroken, type Names } from './sentences.ts';

/** What retention must know and may do; the archive offers it. */
export interface RetentionArchive {
  retentionFacts(): Promise<RetentionFacts>;
  oldestSegments(query: OldestQuery): Promise<OldestSegments>;
  newestDayStartMs(): Promise<EpochMs | null>;
  /** What is locked is left out. */
  deleteSegments(refs: readonly OldSegment[]): Promise<{ readonly cameraIds: readonly CameraId[]; readonly range: TimeRange | null; readonly segments: number }>;
  readonly roots: { refresh(): Promise<readonly RootCondition[]> };
}

export interface RetentionOptions {
  readonly archive: RetentionArchive;
  readonly rules: () => StorageRules;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How people call disks and cameras; their ids where not given. */
  readonly names?: Names;
}

/** How often rules are looked at. Two of these fit into the headroom, so that one late run fills no disk. */
const PERIOD_MS: DurationMs = MINUTE_MS;
/** Segments of one plan; more are for the next step at once. A plan over a whole archive would hold the recorder's rows up. */
const STEP_SEGMENTS = 200;
/** A disk that is full and stays so is reported again and again. */
const BREATH_MS: DurationMs = 200;
const AFTER_FAILURE_MS: DurationMs = 30 * SECOND_MS;
/** What went too early stays said for so long after the last time: between two deletions the rule is broken still. */
const SAID_MS: DurationMs = 6 * HOUR_MS;
const IDS: Names = { root: (rootId: RootId) => rootId, camera: (cameraId: CameraId) => cameraId };

export class RetentionExecutor {
  readonly #options: RetentionOptions;
  readonly #deleted: Emitter<{ readonly cameraIds: readonly CameraId[] } & TimeRange>;
  readonly #brokenChanged: Emitter<readonly BrokenRule[]>;
  readonly #stopping = new AbortController();
  #wake: AbortController = new AbortController();
  #running: Promise<void> | null = null;
  #unkept: ReadonlyMap<string, { readonly rule: UnkeptRule; readonly untilMs: DurationMs }> = new Map();
  #brokenRules: StorageRules | null = null;
  #ageClock: AgeClock | null = null;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#deleted = new Emitter((error) => options.logger.error('A listener to deletions failed', error));
    this.#brokenChanged = new Emitter((error) => options.logger.error('A listener to rules failed', error));
  }

  /** Rules that could not be kept: at the last run, or a short while ago where footage had to go before its time. */
  get broken(): readonly BrokenRule[] {
    const { rules, names = IDS } = this.#options;
    return [...this.#unkept.values()].map(({ rule }) => describeBroken(rule, rules(), names));
  }

  onDeleted(listener: (change: { readonly cameraIds: readonly CameraId[] } & TimeRange) => void): () => void {
    return this.#deleted.on(listener);
  }

  /** Another rule is broken, or one is kept again. */
  onBroken(listener: (broken: readonly BrokenRule[]) => void): () => void {
    return this.#brokenChanged.on(listener);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Looks at once: the rules changed, or a disk reported that it is full. */
  hurry(): void {
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      let waitMs = PERIOD_MS;
      // Before the run: what changes meanwhile is looked at right after it.
      this.#wake = new AbortController();
      try {
        await this.runOnce();
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#options.logger.error('Old footage could not be deleted; trying again', error);
        waitMs = AFTER_FAILURE_MS;
      }
      await this.#options.clock.sleep(BREATH_MS, this.#stopping.signal);
      await this.#options.clock.sleep(waitMs, AbortSignal.any([this.#stopping.signal, this.#wake.signal]));
    }
  }

  /** Plans and deletes until the rules hold or cannot be held. Returns how many segments went. */
  async runOnce(): Promise<number> {
    const early: UnkeptRule[] = [];
    for (let total = 0; ; ) {
      const { plan, complete } = await this.#plan();
      const refs = plan.deletions.slice(0, STEP_SEGMENTS).map((deletion) => deletion.segment);
      if (refs.length > 0) {
        const report = await this.#options.archive.deleteSegments(refs);
        total += report.segments;
        early.push(...plan.broken.filter((rule) => rule.ageMs !== null));
        if (report.range !== null) this.#deleted.emit({ cameraIds: report.cameraIds, ...report.range });
        if (report.segments > 0 && !this.#stopping.signal.aborted) continue;
      }
      this.#report([...early, ...(complete ? plan.broken.filter((rule) => rule.ageMs === null) : [])]);
      return total;
    }
  }

  async #plan(): Promise<{ readonly plan: RetentionPlan; readonly complete: boolean }> {
    const { archive } = this.#options;
    const rules = this.#options.rules();
    const conditions = await archive.roots.refresh();
    const [facts, nowMs] = [await archive.retentionFacts(), await this.ageNowMs()];
    const roots = rootFacts(conditions, facts);
    const todo = isAnythingToDo(roots, facts, rules, nowMs);
    if (todo === null) return { plan: { deletions: [], broken: [] }, complete: true };
    const { segments, complete } = await archive.oldestSegments({
      limitPerRoot: STEP_SEGMENTS, events: eventQuery(rules, nowMs), youngMs: youngBounds(rules, nowMs), startedByMs: todo.startedByMs,
    });
    const plan = planHeld({ roots, segments, rules, nowMs });
    return { plan, complete: todo.startedByMs === null && roots.every(({ rootId, freeBytes }) => freeBytes === null || complete.includes(rootId) || !facts.usedBytes.some((used) => used.rootId === rootId)) };
  }

  /** What ages are counted from: the clock, unless it has leapt. */
  async ageNowMs(): Promise<EpochMs> {
    const { archive, clock, logger } = this.#options;
    const before = this.#ageClock;
    const newestMs = before === null ? await archive.newestDayStartMs() : null;
    const now = before === null ? startAgeClock(newestMs, clock.nowMs(), clock.monotonicMs()) : readAgeClock(before, clock.nowMs(), clock.monotonicMs());
    if (now.doubtedSinceMs !== null && (before?.doubtedSinceMs ?? null) === null) logger.warn('The clock is more than a day ahead of the newest footage; for a day the age limit counts from before that');
    this.#ageClock = now;
    return now.nowMs;
  }

  #report(found: readonly UnkeptRule[]): void {
    const { clock, logger, names = IDS } = this.#options;
    const rules = this.#options.rules();
    const nowMs = clock.monotonicMs();
    const before = this.#unkept;
    // What was broken under other rules is not said of these.
    const stays = rules === this.#brokenRules ? [...before].filter(([, { untilMs }]) => untilMs > nowMs) : [];
    this.#brokenRules = rules;
    this.#unkept = new Map([...stays, ...found.map((rule): [string, { rule: UnkeptRule; untilMs: DurationMs }] => [keyOf(rule), { rule, untilMs: rule.ageMs === null ? nowMs : nowMs + SAID_MS }])]);
    for (const rule of found) if (!before.has(keyOf(rule))) logger.warn(`A rule cannot be kept: ${describeBroken(rule, rules, names).sentence}`);
    if (before.size !== this.#unkept.size || [...this.#unkept.keys()].some((key) => !before.has(key))) this.#brokenChanged.emit(this.broken);
  }

  /** Resolves when no deletion is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = null;
  }
}

function keyOf({ rule, rootId, cameraId }: UnkeptRule): string {
  return `${rule} ${rootId} ${cameraId}`;
}
