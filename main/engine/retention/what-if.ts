/** What rules would delete, told before they do, and asked for again where it is much (docs/design/storage.md, "Retention"). */
import { createHash } from 'node:crypto';
import { PorchlightError } from '../../../shared/errors.ts';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import type { StorageRules, WhatIf, WhatIfCamera } from '../../../shared/model/storage-rules.ts';
import { type DurationMs, type EpochMs, MINUTE_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { PreviewUsage, StreamUsage } from '../ports/archive.ts';
import type { BlockQuery, FootageBlock } from '../storage/holds.read.ts';
import { pooled } from '../storage/placement.ts';
import type { RetentionFacts } from '../storage/retention.read.ts';
import { eventQuery, rootFacts } from './facts.ts';
import { type RootFact, summarizeStorage } from './forecast.ts';
import { planHeld, type HeldSegment, type RetentionPlan } from './plan.ts';
import { describeBroken, describeChange, type Names } from './sentences.ts';

export interface WhatIfParts {
  readonly archive: {
    retentionFacts(): Promise<RetentionFacts>;
    footageBlocks(query: BlockQuery): Promise<readonly FootageBlock[]>;
    readonly read: { usage(): Promise<readonly StreamUsage[]>; previewUsage(): Promise<readonly PreviewUsage[]> };
    readonly roots: { refresh(): Promise<readonly RootFact[]> };
    /** While the index is rebuilt it does not know all footage. */
    readonly rebuilding: boolean;
  };
  readonly rules: () => StorageRules;
  /** What ages are counted from. */
  readonly ageNowMs: () => Promise<EpochMs>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly names: Names;
  /** Disks between which footage moves before any is deleted. */
  readonly movesAmong?: () => readonly RootId[];
}

/** A change that deletes more than this of the archive asks first. */
const ASKS_ABOVE = 0.1;
/** What was told and what is true a while later may differ by this share of the archive: it goes on being recorded. */
const TOLD_SLACK = 0.01;
/** Up to so many segments are looked at one by one; of more, hours. */
const FINE_SEGMENTS = 20_000;
/** Somebody types: the archive is not read anew for every key. */
const BLOCKS_FRESH_MS: DurationMs = MINUTE_MS;
const ANSWERS_KEPT = 64;
/** While the index is rebuilt, so much more free space counts as a tighter rule. */
const TIGHTER_BYTES = 1_000_000_000;

interface Told {
  readonly rules: string;
  readonly causedBytes: number;
}

export class WhatIfDesk {
  readonly #parts: WhatIfParts;
  readonly #told = new Map<string, Told>();
  #blocks: { readonly key: string; readonly untilMs: DurationMs; readonly blocks: Promise<readonly FootageBlock[]> }[] = [];

  constructor(parts: WhatIfParts) {
    this.#parts = parts;
  }

  /** What `proposed` would do at once and in the long run. `addedBytesPerDay`: of cameras that are thought of. */
  async ask(proposed: StorageRules, addedBytesPerDay: readonly number[] = []): Promise<WhatIf> {
    const { archive, names } = this.#parts;
    const current = this.#parts.rules();
    const [conditions, facts, nowMs, usage, previews] = await Promise.all([archive.roots.refresh(), archive.retentionFacts(), this.#parts.ageNowMs(), archive.read.usage(), archive.read.previewUsage()]);
    const roots = rootFacts(conditions, facts);
    const under = async (rules: StorageRules): Promise<{ readonly plan: RetentionPlan; readonly segments: readonly HeldSegment[] }> => {
      const segments = (await this.#footage({ events: eventQuery(rules, nowMs), byHour: facts.segments > FINE_SEGMENTS }, rules)).map((block, at) => ({ ...block, session: 0, sequence: at }));
      const pool = pooled(roots, rules, this.#parts.movesAmong?.() ?? []);
      const plan = planHeld({ roots: pool.roots, segments: segments.map((segment) => ({ ...segment, rootId: pool.poolOf(segment.rootId) })), rules: pool.rules, nowMs });
      // Each under the disk it lies on, as a plan without a pool has it.
      const deletions = plan.deletions.map((deletion) => ({ ...deletion, segment: segments[deletion.segment.sequence] ?? deletion.segment }));
      return { plan: { ...plan, deletions }, segments };
    };
    const [before, after] = [await under(current), await under(proposed)];
    const usedBytes = facts.usedBytes.reduce((sum, one) => sum + one.bytes, 0);
    const deletedBytes = bytesOf(after.plan);
    const deletedAnywayBytes = Math.min(deletedBytes, bytesOf(before.plan));
    const causedBytes = deletedBytes - deletedAnywayBytes;
    const summary = summarizeStorage(conditions, usage, previews, proposed, { addedBytesPerDay });
    const cameras = camerasAfter(after.plan, after.segments, summary.cameras);
    const lostMs = Math.max(0, ...cameras.map(({ oldestMs, oldestAfterMs }) => (oldestMs === null ? 0 : (oldestAfterMs ?? nowMs) - oldestMs)));
    const unknown = archive.rebuilding && isTighter(current, proposed);
    const change = describeChange({ usedBytes, deletedBytes, deletedAnywayBytes, forecastDays: summary.forecastDays, lostMs });
    return {
      token: this.#note(proposed, causedBytes),
      usedBytes, deletedBytes, deletedAnywayBytes,
      asks: unknown || causedBytes > usedBytes * ASKS_ABOVE,
      cameras,
      roots: summary.roots.map(({ rootId, forecastDays }) => ({ rootId, forecastDays, deletedBytes: bytesOf(after.plan, rootId) })),
      forecastDays: summary.forecastDays,
      broken: after.plan.broken.map((rule) => describeBroken(rule, proposed, names, true)),
      sentence: unknown ? `The index of footage is being rebuilt, so more may go than is known now. ${change}` : change,
    };
  }

  /** Rejects with `conflict` where `proposed` deletes much at once and `token` is not that of an answer that said so. */
  async requireConfirmed(proposed: StorageRules, token: string | null): Promise<void> {
    const told = token === null ? undefined : this.#told.get(token);
    const now = await this.ask(proposed);
    if (!now.asks) return;
    const causedBytes = now.deletedBytes - now.deletedAnywayBytes;
    if (told !== undefined && told.rules === stableText(proposed) && causedBytes <= told.causedBytes + now.usedBytes * TOLD_SLACK) return;
    throw new PorchlightError('conflict', `${now.sentence} Confirm the change if that is what you want.`);
  }

  /** Footage was deleted or locked: what was read is not true any more. */
  forget(): void {
    this.#blocks = [];
  }

  #note(rules: StorageRules, causedBytes: number): string {
    const text = stableText(rules);
    const token = createHash('sha256').update(`${text} ${causedBytes}`).digest('hex').slice(0, 32);
    this.#told.delete(token);
    this.#told.set(token, { rules: text, causedBytes });
    for (const oldest of [...this.#told.keys()].slice(0, -ANSWERS_KEPT)) this.#told.delete(oldest);
    return token;
  }

  async #footage(query: BlockQuery, { events }: StorageRules): Promise<readonly FootageBlock[]> {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#blocks = this.#blocks.filter((known) => known.untilMs > nowMs);
    const key = JSON.stringify([query.byHour, events.keepDays === null ? null : events]);
    const known = this.#blocks.find((one) => one.key === key);
    if (known !== undefined) return await known.blocks;
    const blocks = this.#parts.archive.footageBlocks(query);
    this.#blocks = [...this.#blocks.slice(-2), { key, untilMs: nowMs + BLOCKS_FRESH_MS, blocks }];
    blocks.catch(() => this.forget());
    return await blocks;
  }
}

function bytesOf({ deletions }: RetentionPlan, rootId: string | null = null): number {
  return deletions.reduce((sum, { segment }) => sum + (rootId === null || segment.rootId === rootId ? segment.sizeBytes : 0), 0);
}

function camerasAfter(plan: RetentionPlan, segments: readonly HeldSegment[], summary: readonly { readonly cameraId: CameraId; readonly usedBytes: number; readonly oldestMs: EpochMs | null; readonly forecastDays: number | null }[]): readonly WhatIfCamera[] {
  const gone = new Set<object>(plan.deletions.map(({ segment }) => segment));
  const kept = new Map<CameraId, EpochMs>();
  const deleted = new Map<CameraId, number>();
  for (const segment of segments) {
    const { cameraId, startMs, sizeBytes } = segment;
    if (gone.has(segment)) deleted.set(cameraId, (deleted.get(cameraId) ?? 0) + sizeBytes);
    else kept.set(cameraId, Math.min(startMs, kept.get(cameraId) ?? startMs));
  }
  return summary.map(({ cameraId, usedBytes, oldestMs, forecastDays }) => ({ cameraId, usedBytes, deletedBytes: deleted.get(cameraId) ?? 0, oldestMs, oldestAfterMs: kept.get(cameraId) ?? null, forecastDays }));
}

/** Whether more could go under `next`. */
function isTighter(now: StorageRules, next: StorageRules): boolean {
  const less = (a: number | null | undefined, b: number | null | undefined): boolean => b !== null && b !== undefined && (a === null || a === undefined || b < a);
  const roots = [...Object.keys(now.quotaBytes), ...Object.keys(next.quotaBytes)];
  const kept = [...Object.keys(now.keepFreeBytesOf), ...Object.keys(next.keepFreeBytesOf)];
  const cameras = [...Object.keys(now.cameras), ...Object.keys(next.cameras)];
  return (
    roots.some((id) => less(now.quotaBytes[id], next.quotaBytes[id])) ||
    next.keepFreeBytes > now.keepFreeBytes + TIGHTER_BYTES ||
    kept.some((id) => (next.keepFreeBytesOf[id] ?? next.keepFreeBytes) > (now.keepFreeBytesOf[id] ?? now.keepFreeBytes) + TIGHTER_BYTES) ||
    less(now.maxAgeDays, next.maxAgeDays) ||
    cameras.some((id) => less(now.cameras[id]?.maxAgeDays ?? now.maxAgeDays, next.cameras[id]?.maxAgeDays ?? next.maxAgeDays)) ||
    less(next.events.keepDays, now.events.keepDays)
  );
}

/** The same text for the same rules, whatever the order they were given in. */
function stableText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return `{${Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => `${JSON.stringify(name)}:${stableText(one)}`).join(',')}}`;
}
