/** Keeps the disks of a placement by tiers as they should be: moves the oldest footage on while there is reason to, beside recording. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { RootId } from '../../../shared/model/ids.ts';
import type { MoveProgress, Placement } from '../../../shared/model/placement.ts';
import type { StorageRules } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { MovableSegment } from './moves.read.ts';
import { type PlacementRoot, type TierMove, tierMoves, tierPairs, type TierRoot } from './placement.ts';
import type { Pace } from './segment-copy.ts';

export interface MoverParts {
  readonly moves: {
    oldest(rootId: RootId, limit: number): Promise<readonly MovableSegment[]>;
    bytesBefore(rootId: RootId, beforeMs: EpochMs): Promise<number>;
    move(segment: MovableSegment, fromRootId: RootId, toRootId: RootId, pace: Pace): Promise<boolean>;
  };
  /** Disks in the owner's order, as they are now. */
  readonly roots: () => Promise<readonly TierRoot[]>;
  /** The same as last looked at. */
  readonly conditions: () => readonly PlacementRoot[];
  readonly placement: () => Placement;
  readonly rules: () => StorageRules;
  /** What ages are counted from: a clock that leapt moves nothing. */
  readonly ageNowMs: () => Promise<EpochMs>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Progress is another than before. */
  readonly onProgress: () => void;
}

/** How often disks are looked at. */
const PERIOD_MS: DurationMs = 30 * SECOND_MS;
/** Most that moving takes from the disks, a second: an hour of sixteen cameras in eight minutes. Each piece is followed by a rest of its own length at least. */
const BYTES_PER_SECOND = 64 * 1024 * 1024;
/** Segments moved between two looks at what the disks hold. */
const BATCH = 32;
/** After a writer was too slow: its disk is left alone. */
const PAUSE_MS: DurationMs = MINUTE_MS;
/** A segment whose file could not be read is not tried again for so long. */
const SKIP_MS: DurationMs = HOUR_MS;
/** A disk from which nothing could be moved for so long is left to retention again. */
const PATIENCE_MS: DurationMs = 10 * MINUTE_MS;
const RATE_WINDOW_MS: DurationMs = MINUTE_MS;

export class FootageMover {
  readonly #parts: MoverParts;
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | null = null;
  #progress: readonly MoveProgress[] = [];
  #pausedUntilMs: DurationMs = Number.NEGATIVE_INFINITY;
  readonly #skipped = new Map<string, DurationMs>();
  /** Since when a disk has something to move and moves nothing. */
  readonly #stuckSince = new Map<RootId, DurationMs>();
  #recent: { readonly atMs: DurationMs; readonly bytes: number }[] = [];

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** What is being moved; empty where nothing has to. */
  progress(): readonly MoveProgress[] {
    return this.#progress;
  }

  /** Disks whose footage moves on in time, so that nothing needs to be deleted from them for their quota. */
  relieved(): readonly RootId[] {
    const stuckBeforeMs = this.#parts.clock.monotonicMs() - PATIENCE_MS;
    return tierPairs(this.#parts.conditions(), this.#parts.placement()).map(([from]) => from.rootId).filter((rootId) => (this.#stuckSince.get(rootId) ?? Number.POSITIVE_INFINITY) > stuckBeforeMs);
  }

  /** Bytes that would have to move with these disks and this placement. */
  async bytesToMove(roots: readonly TierRoot[], placement: Placement): Promise<number> {
    const beforeMs = await this.#agedMs(placement);
    const of = async ({ fromRootId, excessBytes }: TierMove): Promise<number> => Math.max(excessBytes, beforeMs === null ? 0 : await this.#parts.moves.bytesBefore(fromRootId, beforeMs));
    return (await Promise.all(tierMoves(roots, placement, this.#parts.rules()).map(of))).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** What is older than this moves on although there is room; null: nothing does. */
  async #agedMs({ moveAfterDays }: Placement): Promise<EpochMs | null> {
    return moveAfterDays === null ? null : (await this.#parts.ageNowMs()) - moveAfterDays * DAY_MS;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Looks at once: placement, rules or disks changed. */
  hurry(): void {
    this.#wake.abort();
  }

  /** A writer does not get its footage onto its disk: nothing is moved for a while. */
  pause(): void {
    this.#pausedUntilMs = this.#parts.clock.monotonicMs() + PAUSE_MS;
  }

  /** Resolves when no copy is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#parts;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.runOnce();
      } catch (error) {
        if (!this.#stopping.signal.aborted) logger.error('Footage could not be moved to the next disk; trying again', error);
      }
      this.#wake = new AbortController();
      await clock.sleep(PERIOD_MS, AbortSignal.any([this.#stopping.signal, this.#wake.signal]));
    }
  }

  /** Moves until nothing has to move, a disk refuses, or it is stopped. Returns how many segments moved. */
  async runOnce(): Promise<number> {
    for (let total = 0; ; ) {
      const placement = this.#parts.placement();
      const plans = tierMoves(await this.#parts.roots(), placement, this.#parts.rules());
      const beforeMs = await this.#agedMs(placement);
      let moved = 0;
      const progress: MoveProgress[] = [];
      for (const plan of plans) {
        const done = await this.#moveSome(plan, beforeMs);
        moved += done.segments;
        if (done.leftBytes > 0) progress.push(this.#underway(plan, done.leftBytes, done.problem));
      }
      this.#tell(progress);
      total += moved;
      if (moved === 0 || this.#stopping.signal.aborted) return total;
    }
  }

  async #moveSome(plan: TierMove, beforeMs: EpochMs | null): Promise<{ readonly segments: number; readonly leftBytes: number; readonly problem: string | null }> {
    const { moves, clock, logger } = this.#parts;
    const old = beforeMs === null ? 0 : await moves.bytesBefore(plan.fromRootId, beforeMs);
    let [excessBytes, roomBytes, segments, leftBytes] = [plan.excessBytes, plan.roomBytes, 0, Math.max(plan.excessBytes, old)];
    const stop = (problem: string | null) => {
      if (segments > 0 || leftBytes <= 0) this.#stuckSince.delete(plan.fromRootId);
      else if (!this.#stuckSince.has(plan.fromRootId)) this.#stuckSince.set(plan.fromRootId, clock.monotonicMs());
      return { segments, leftBytes: Math.max(0, leftBytes), problem };
    };
    if (leftBytes <= 0) return stop(null);
    for (const segment of await this.#oldest(plan.fromRootId)) {
      if (this.#stopping.signal.aborted || (excessBytes <= 0 && (beforeMs === null || segment.endMs > beforeMs))) break;
      if (clock.monotonicMs() < this.#pausedUntilMs) return stop('Recording needs the disks; moving goes on in a minute.');
      if (segment.sizeBytes > roomBytes) return stop('The next disk is full; room is being made on it.');
      try {
        const isMoved = await moves.move(segment, plan.fromRootId, plan.toRootId, { clock, bytesPerSecond: BYTES_PER_SECOND, signal: this.#stopping.signal });
        if (!isMoved) return stop(null);
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        logger.warn('A file could not be moved to the next disk', error);
        // What is wrong with one file is not wrong with the next; what is wrong with the disk is.
        if (error instanceof PorchlightError && error.kind !== 'not-found') return stop(error.message);
        this.#skipped.set(keyOf(segment), clock.monotonicMs() + SKIP_MS);
        continue;
      }
      segments += 1;
      excessBytes -= segment.sizeBytes;
      roomBytes -= segment.sizeBytes;
      leftBytes -= segment.sizeBytes;
      this.#count(segment.sizeBytes);
      this.#tell([...this.#progress.filter((one) => one.fromRootId !== plan.fromRootId), this.#underway(plan, Math.max(0, leftBytes), null)]);
    }
    return stop(null);
  }

  async #oldest(rootId: RootId): Promise<readonly MovableSegment[]> {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [key, untilMs] of this.#skipped) if (untilMs <= nowMs) this.#skipped.delete(key);
    return (await this.#parts.moves.oldest(rootId, BATCH + this.#skipped.size)).filter((segment) => !this.#skipped.has(keyOf(segment)));
  }

  #count(bytes: number): void {
    const atMs = this.#parts.clock.monotonicMs();
    this.#recent = [...this.#recent.filter((one) => one.atMs > atMs - RATE_WINDOW_MS), { atMs, bytes }];
  }

  #underway({ fromRootId, toRootId }: TierMove, leftBytes: number, problem: string | null): MoveProgress {
    const first = this.#recent[0];
    const nowMs = this.#parts.clock.monotonicMs();
    const bytes = this.#recent.slice(1).reduce((sum, one) => sum + one.bytes, 0);
    const bytesPerSecond = first === undefined || bytes === 0 ? null : (bytes / Math.max(1, nowMs - first.atMs)) * SECOND_MS;
    return { fromRootId, toRootId, leftBytes, bytesPerSecond, problem };
  }

  #tell(progress: readonly MoveProgress[]): void {
    const before = this.#progress;
    this.#progress = progress;
    if (before.length > 0 || progress.length > 0) this.#parts.onProgress();
  }
}

function keyOf({ cameraId, stream, session, sequence }: MovableSegment): string {
  return `${cameraId}/${stream}/${session}-${sequence}`;
}
