/** Makes the rules true again and again: plans, deletes in bounded steps, and sooner where a disk fills up. */
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { StorageRules } from '../../../shared/model/storage.ts';
import { type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeRange } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import { type AgeClock, readAgeClock, startAgeClock } from './age-clock.ts';
import { type BrokenRule, type LockedRange, type OldSegment, planRetention, type RootFacts } from './plan.ts';

/** What retention must know and may do; the archive offers it. */
export interface RetentionArchive {
  retentionFacts(limitPerRoot: number): Promise<{
    readonly oldest: readonly OldSegment[];
    readonly usedBytes: readonly { readonly rootId: RootId; readonly bytes: number }[];
    readonly lastHour: readonly { readonly rootId: RootId; readonly bytes: number }[];
  }>;
  newestDayStartMs(): Promise<EpochMs | null>;
  deleteSegments(refs: readonly OldSegment[]): Promise<{ readonly cameraIds: readonly CameraId[]; readonly range: TimeRange | null; readonly segments: number }>;
  readonly roots: { refresh(): Promise<readonly { readonly rootId: RootId; readonly state: string; readonly freeBytes: number; readonly diskBytes: number }[]> };
}

export interface RetentionOptions {
  readonly archive: RetentionArchive;
  readonly rules: () => StorageRules;
  readonly locks: () => readonly LockedRange[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often rules are looked at. Two of these fit into the headroom, so that one late run fills no disk. */
const PERIOD_MS: DurationMs = MINUTE_MS;
/** Footage of this long at the current rate stays free ahead of need. */
const HEADROOM_MS: DurationMs = 2.5 * MINUTE_MS;
/** Nothing is known of the rate at first: what one 4 Mbit/s camera writes in the headroom's time, but no great part of a small disk. */
const LEAST_HEADROOM_BYTES = 75 * 1_000_000;
/** Segments of one plan; more are for the next step at once. A plan over a whole archive would hold the recorder's rows up. */
const STEP_SEGMENTS = 200;
const AFTER_FAILURE_MS: DurationMs = 30 * SECOND_MS;

export class RetentionExecutor {
  readonly #options: RetentionOptions;
  readonly #deleted: Emitter<{ readonly cameraIds: readonly CameraId[] } & TimeRange>;
  readonly #stopping = new AbortController();
  #wake: AbortController = new AbortController();
  #running: Promise<void> | null = null;
  #broken: readonly BrokenRule[] = [];
  #ageClock: AgeClock | null = null;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#deleted = new Emitter((error) => options.logger.error('A listener to deletions failed', error));
  }

  /** Rules that could not be kept at the last run. */
  get broken(): readonly BrokenRule[] {
    return this.#broken;
  }

  onDeleted(listener: (change: { readonly cameraIds: readonly CameraId[] } & TimeRange) => void): () => void {
    return this.#deleted.on(listener);
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
      try {
        await this.runOnce();
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#options.logger.error('Old footage could not be deleted; trying again', error);
        waitMs = AFTER_FAILURE_MS;
      }
      this.#wake = new AbortController();
      await this.#options.clock.sleep(waitMs, AbortSignal.any([this.#stopping.signal, this.#wake.signal]));
    }
  }

  /** Plans and deletes until the rules hold or cannot be held. Returns how many segments went. */
  async runOnce(): Promise<number> {
    for (let total = 0; ; ) {
      const { plan, complete } = await this.#plan();
      const refs = plan.deletions.slice(0, STEP_SEGMENTS).map((deletion) => deletion.segment);
      if (refs.length > 0) {
        const report = await this.#options.archive.deleteSegments(refs);
        total += report.segments;
        if (report.range !== null) this.#deleted.emit({ cameraIds: report.cameraIds, ...report.range });
        if (report.segments > 0 && !this.#stopping.signal.aborted) continue;
      }
      this.#report(complete ? plan.broken : []);
      return total;
    }
  }

  async #plan(): Promise<{ readonly plan: ReturnType<typeof planRetention>; readonly complete: boolean }> {
    const { archive, rules, locks } = this.#options;
    const conditions = await archive.roots.refresh();
    // Locked footage at the old end must not hide what may go behind it.
    const held = locks();
    const limit = STEP_SEGMENTS + (held.length === 0 ? 0 : LOCKED_AT_MOST);
    const facts = await archive.retentionFacts(limit);
    const roots = conditions.map(({ rootId, state, freeBytes, diskBytes }): RootFacts => {
      const rate = (facts.lastHour.find((hour) => hour.rootId === rootId)?.bytes ?? 0) / HOUR_MS;
      return {
        rootId,
        usedBytes: facts.usedBytes.find((used) => used.rootId === rootId)?.bytes ?? 0,
        freeBytes: state === 'ready' || state === 'full' ? freeBytes : null,
        headroomBytes: Math.max(rate * HEADROOM_MS, Math.min(LEAST_HEADROOM_BYTES, diskBytes / 50)),
      };
    });
    const plan = planRetention({ roots, oldest: facts.oldest, rules: rules(), locks: held, nowMs: await this.#ageNowMs() });
    return { plan, complete: roots.every((root) => facts.oldest.filter((segment) => segment.rootId === root.rootId).length < limit) };
  }

  /** What the age limit is counted from: the clock, unless it has leapt. */
  async #ageNowMs(): Promise<EpochMs> {
    const { archive, clock, logger } = this.#options;
    const before = this.#ageClock;
    const newestMs = before === null ? await archive.newestDayStartMs() : null;
    const now = before === null ? startAgeClock(newestMs, clock.nowMs(), clock.monotonicMs()) : readAgeClock(before, clock.nowMs(), clock.monotonicMs());
    if (now.doubtedSinceMs !== null && (before?.doubtedSinceMs ?? null) === null) logger.warn('The clock is more than a day ahead of the newest footage; for a day the age limit counts from before that');
    this.#ageClock = now;
    return now.nowMs;
  }

  #report(broken: readonly BrokenRule[]): void {
    for (const rule of broken) {
      if (this.#broken.some((known) => known.rootId === rule.rootId && known.reason === rule.reason)) continue;
      this.#options.logger.warn(`The rules for ${rule.rootId} cannot all be kept: ${rule.missingBytes} bytes too many (${rule.reason}), and nothing is left that may be deleted`);
    }
    this.#broken = broken;
  }

  /** Resolves when no deletion is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = null;
  }
}

/** Segments looked at where ranges are locked: a locked month of four cameras. */
const LOCKED_AT_MOST = 200_000;
