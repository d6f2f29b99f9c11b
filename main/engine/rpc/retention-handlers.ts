/** Rules, what they would do, and locks. */
import { randomUUID } from 'node:crypto';
import type { EngineHandlers, ParsedOf } from '../../../shared/contract/engine-api.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { FootageLock, LockWithFootage } from '../../../shared/model/locks.ts';
import type { TimeRange } from '../../../shared/time.ts';
import type { EventHub } from '../core/event-hub.ts';
import type { WhatIfDesk } from '../retention/what-if.ts';
import { changedRules, type RulesStore } from '../settings/rules-store.ts';
import type { Archive } from '../storage/archive.ts';
import { type TimelineParts, wholeTimeline } from './timeline-answer.ts';

export interface RetentionParts extends Omit<TimelineParts, 'archive'> {
  readonly archive: Pick<Archive, 'read' | 'locks' | 'bytesTouched'>;
  readonly hub: EventHub;
  readonly rules: RulesStore;
  readonly whatIf: WhatIfDesk;
  /** Rules changed, or what holds footage: look at once. */
  readonly storageChanged: () => void;
}

type RetentionHandlers = Pick<EngineHandlers, 'storage.rules' | 'storage.setRules' | 'storage.whatIf' | 'locks.list' | 'locks.add' | 'locks.remove'>;

/** Less than this missing is the seam between two files. */
const SEAM_MS = 1_000;
/** Spans finer than a second for a lock of some hours, and few enough for one of a month. */
const SPANS = 8_192;

export function retentionHandlers(parts: RetentionParts): RetentionHandlers {
  const { archive, rules, whatIf, storageChanged } = parts;
  return {
    'storage.rules': () => rules.get(),
    'storage.whatIf': ({ rules: patch, addedBytesPerDay }) => whatIf.ask(changedRules(rules.get(), patch), addedBytesPerDay),
    'storage.setRules': async ({ confirmed, ...patch }) => {
      await whatIf.requireConfirmed(changedRules(rules.get(), patch), confirmed ?? null);
      const next = await rules.change(patch);
      storageChanged();
      return next;
    },
    'locks.list': async () => await Promise.all((await archive.locks.list()).map((lock) => withFootage(parts, lock))),
    'locks.add': (input) => addLock(parts, input),
    'locks.remove': async ({ id }) => {
      const lock = (await archive.locks.list()).find((one) => one.id === id);
      if (lock === undefined) throw new PorchlightError('not-found', 'This lock is not there any more.');
      await archive.locks.remove(lock, parts.clock.nowMs());
      await locksChanged(parts);
      return null;
    },
  };
}

async function addLock(parts: RetentionParts, { cameraId, startMs, endMs, note }: ParsedOf<'locks.add'>): Promise<LockWithFootage> {
  const createdMs = parts.clock.nowMs();
  // What is not recorded yet cannot be chosen; the minute that is being recorded can.
  const lock: FootageLock = { id: `lock-${randomUUID()}`, cameraId, startMs, endMs: Math.min(endMs, createdMs), note, createdMs };
  if (lock.endMs <= lock.startMs) throw new PorchlightError('invalid-input', 'This time has not come yet, so there is nothing to keep.');
  await parts.archive.locks.add(lock);
  await locksChanged(parts);
  return await withFootage(parts, lock);
}

async function locksChanged({ archive, hub, whatIf, storageChanged }: RetentionParts): Promise<void> {
  whatIf.forget();
  storageChanged();
  hub.tell('locks.changed', await archive.locks.list());
}

async function withFootage(parts: RetentionParts, lock: FootageLock): Promise<LockWithFootage> {
  const { cameraId, startMs, endMs } = lock;
  const [timeline, sizeBytes] = await Promise.all([wholeTimeline(parts, { cameraIds: [cameraId], startMs, endMs, maxItems: SPANS }), parts.archive.bytesTouched(cameraId, lock)]);
  const recordedMs = (timeline.cameras[0]?.spans ?? []).reduce((sum, span) => sum + overlapMs(span, lock), 0);
  return { ...lock, recordedMs, sizeBytes, sentence: sentenceOf(recordedMs, endMs - startMs) };
}

function overlapMs(a: TimeRange, b: TimeRange): number {
  return Math.max(0, Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs));
}

function sentenceOf(recordedMs: number, lengthMs: number): string | null {
  if (recordedMs <= 0) return 'No footage of this time is left: it was deleted before, or never recorded.';
  if (lengthMs - recordedMs <= SEAM_MS) return null;
  return 'Only part of this time is kept: the rest was deleted before, or never recorded.';
}
