/** The plan by example, and by thousands of archives made at random: what it must never do, whatever the rules are. */
import { describe, expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { agesOf, keepFreeOf, NO_RULES, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { DAY_MS, MINUTE_MS } from '../../../shared/time.ts';
import type { HeldRange } from '../storage/held-ranges.ts';
import { type Deletion, type OldSegment, planRetention, quotaHeadroom, type RetentionInput, type RootFacts } from './plan.ts';

const ROOTS = ['disk-aaaaaaaaaaaa', 'disk-bbbbbbbbbbbb'] as RootId[];
const ROOT = ROOTS[0] as RootId;
const CAMERAS = ['cam-aaaaaaaaaaaa', 'cam-bbbbbbbbbbbb', 'cam-cccccccccccc'] as CameraId[];
const CAMERA = CAMERAS[0] as CameraId;
const NOW_MS = Date.UTC(2026, 10, 21);
const days = (minutes: number): number => (minutes * MINUTE_MS) / DAY_MS;

const minute = (at: number, over: Partial<OldSegment> = {}): OldSegment => ({
  cameraId: CAMERA, stream: 'main', rootId: ROOT, session: 1, sequence: at, startMs: NOW_MS - 100 * MINUTE_MS + at * MINUTE_MS, endMs: NOW_MS - 99 * MINUTE_MS + at * MINUTE_MS, sizeBytes: 100, ...over,
});
const input = (over: Partial<RetentionInput>): RetentionInput => ({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 1_000_000, headroomBytes: 0 }], segments: Array.from({ length: 10 }, (_, at) => minute(at)), rules: NO_RULES, locks: [], events: [], nowMs: NOW_MS, ...over });
const quota = (bytes: number): Pick<StorageRules, 'quotaBytes'> => ({ quotaBytes: { [ROOT]: bytes } });
const deleted = (from: RetentionInput) => planRetention(from).deletions.map(({ segment, reason }) => [segment.sequence, reason]);
const sequences = (from: RetentionInput) => planRetention(from).deletions.map(({ segment }) => segment.sequence);

describe('the retention plan', () => {
  it('deletes nothing without a reason', () => {
    expect(planRetention(input({}))).toEqual({ deletions: [], broken: [] });
  });

  it('keeps a quota, the headroom included', () => {
    expect(deleted(input({ rules: { ...NO_RULES, ...quota(750) } }))).toEqual([[0, 'quota'], [1, 'quota'], [2, 'quota']]);
    expect(deleted(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 1e6, headroomBytes: 80 }], rules: { ...NO_RULES, ...quota(1_000) } }))).toEqual([[0, 'quota']]);
  });

  it('keeps no more than a tenth of a small quota free', () => {
    expect(deleted(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 1e9, headroomBytes: 75e6 }], rules: { ...NO_RULES, ...quota(1_000) } }))).toEqual([[0, 'quota']]);
  });

  it('recycles a full disk ahead of need, each disk by its own free space', () => {
    const roots = [{ rootId: ROOT, usedBytes: 1_000, freeBytes: 50, headroomBytes: 120 }];
    expect(deleted(input({ roots, rules: { ...NO_RULES, keepFreeBytes: 30 } }))).toEqual([[0, 'disk-full']]);
    expect(deleted(input({ roots, rules: { ...NO_RULES, keepFreeBytes: 30, keepFreeBytesOf: { [ROOT]: 200 } } }))).toEqual([[0, 'disk-full'], [1, 'disk-full'], [2, 'disk-full']]);
  });

  it('keeps an age limit to the minute, a camera its own', () => {
    const rules = { ...NO_RULES, maxAgeDays: days(97) };
    expect(deleted(input({ rules }))).toEqual([[0, 'too-old'], [1, 'too-old'], [2, 'too-old']]);
    expect(sequences(input({ rules: { ...rules, cameras: { [CAMERA]: { minAgeDays: null, maxAgeDays: days(99) } } } }))).toEqual([0]);
  });

  it('takes what is younger than a camera’s minimum last, and says so', () => {
    const segments = [...Array.from({ length: 5 }, (_, at) => minute(at)), ...Array.from({ length: 5 }, (_, at) => minute(at + 5, { cameraId: CAMERAS[1] as CameraId }))];
    const rules = { ...NO_RULES, cameras: { [CAMERA]: { minAgeDays: days(97), maxAgeDays: null } } };
    // Three of the first camera are old enough; then the second one's go, though they are younger.
    expect(planRetention(input({ segments, rules: { ...rules, ...quota(300) } }))).toMatchObject({ deletions: [0, 1, 2, 5, 6, 7, 8].map((sequence) => ({ segment: { sequence } })), broken: [] });
    const tight = planRetention(input({ segments, rules: { ...rules, ...quota(100) } }));
    expect(tight.deletions.map(({ segment }) => segment.sequence)).toEqual([0, 1, 2, 5, 6, 7, 8, 9, 3]);
    expect(tight.broken).toEqual([{ rule: 'min-age', rootId: ROOT, cameraId: CAMERA, bytes: 100, ageMs: 96 * MINUTE_MS }]);
  });

  it('keeps footage around events longer, with its margin, and gives it before a minimum age', () => {
    const events = [{ cameraId: CAMERA, startMs: minute(2).startMs + 30_000, endMs: minute(2).startMs + 40_000 }];
    const rules = { ...NO_RULES, maxAgeDays: days(95), events: { keepDays: 1, marginMs: 5_000 } };
    expect(sequences(input({ events, rules }))).toEqual([0, 1, 3, 4]);
    expect(sequences(input({ events, rules: { ...rules, events: { keepDays: 1, marginMs: 30_001 } } }))).toEqual([0, 4]);
    expect(sequences(input({ events, rules: { ...rules, events: { keepDays: days(97), marginMs: 5_000 } } }))).toEqual([0, 1, 2, 3, 4]);
    const tight = planRetention(input({ events, rules: { ...rules, maxAgeDays: null, cameras: { [CAMERA]: { minAgeDays: days(91), maxAgeDays: null } }, ...quota(100) } }));
    expect(tight.deletions.map(({ segment }) => segment.sequence)).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 2]);
    expect(tight.broken.map(({ rule }) => rule)).toEqual(['event-age']);
  });

  it('passes over what is locked and says which rule that breaks', () => {
    const locks = [{ cameraId: CAMERA, startMs: NOW_MS - 100 * MINUTE_MS, endMs: NOW_MS - 92 * MINUTE_MS }];
    const plan = planRetention(input({ locks, rules: { ...NO_RULES, ...quota(500) } }));
    expect(plan.deletions.map(({ segment }) => segment.sequence)).toEqual([8, 9]);
    expect(plan.broken).toEqual([{ rule: 'quota', rootId: ROOT, cameraId: null, bytes: 300, ageMs: null }]);
  });

  it('leaves a disk alone that is not here', () => {
    expect(planRetention(input({ roots: [{ rootId: ROOT, usedBytes: 1_000, freeBytes: null, headroomBytes: 0 }], rules: { ...NO_RULES, ...quota(1), maxAgeDays: 0.001 } }))).toEqual({ deletions: [], broken: [] });
  });
});

/** Numbers from 0 to 1 that follow from the seed alone (a multiplicative generator after Marsaglia's xorshift). */
function numbersOf(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

const SPAN_MINUTES = 2_000;
const at = (minutes: number): number => NOW_MS - SPAN_MINUTES * MINUTE_MS + minutes * MINUTE_MS;

function anyInput(seed: number): RetentionInput {
  const next = numbersOf(seed);
  const whole = (most: number): number => Math.floor(next() * (most + 1));
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: whole(most) }, make);
  const maybe = <T>(make: () => T): T | null => (next() < 0.5 ? make() : null);
  const camera = (): CameraId => CAMERAS[whole(CAMERAS.length - 1)] as CameraId;
  const range = (longest: number): HeldRange => {
    const startMs = at(whole(SPAN_MINUTES));
    return { cameraId: camera(), startMs, endMs: startMs + (1 + whole(longest)) * MINUTE_MS };
  };
  const segments = some(60, (): OldSegment => ({ ...range(3), stream: next() < 0.7 ? 'main' : 'sub', rootId: ROOTS[whole(1)] as RootId, session: whole(3), sequence: whole(99), sizeBytes: 1 + whole(1_000) }));
  const usedBytes = (rootId: RootId): number => segments.reduce((sum, segment) => sum + (segment.rootId === rootId ? segment.sizeBytes : 0), 0);
  const maxAgeDays = maybe(() => days(1 + whole(SPAN_MINUTES)));
  return {
    roots: ROOTS.map((rootId) => ({ rootId, usedBytes: usedBytes(rootId), freeBytes: next() < 0.05 ? null : whole(12_000), headroomBytes: whole(2_000) })),
    segments,
    rules: {
      quotaBytes: Object.fromEntries(ROOTS.map((rootId) => [rootId, maybe(() => whole(25_000))])),
      keepFreeBytes: whole(5_000),
      keepFreeBytesOf: next() < 0.3 ? { [ROOT]: whole(9_000) } : {},
      maxAgeDays,
      cameras: Object.fromEntries(CAMERAS.flatMap((id) => (next() < 0.5 ? [[id, { minAgeDays: maybe(() => days(whole(SPAN_MINUTES))), maxAgeDays: maybe(() => days(1 + whole(SPAN_MINUTES))) }]] : []))),
      events: { keepDays: maybe(() => days(whole(SPAN_MINUTES))), marginMs: whole(5) * MINUTE_MS },
    },
    locks: some(3, () => range(400)),
    events: some(8, () => range(20)),
    nowMs: NOW_MS,
  };
}

/** What the plan should know of a segment, said in another way than the plan does. */
function truth({ rules, locks, events, nowMs }: RetentionInput) {
  const touches = (range: HeldRange, segment: OldSegment, marginMs: number): boolean => range.cameraId === segment.cameraId && range.startMs - marginMs < segment.endMs && segment.startMs < range.endMs + marginMs;
  const { keepDays, marginMs } = rules.events;
  const isLocked = (segment: OldSegment): boolean => locks.some((lock) => touches(lock, segment, 0));
  const isEvent = (segment: OldSegment): boolean => keepDays !== null && events.some((event) => event.endMs > nowMs - keepDays * DAY_MS && touches(event, segment, marginMs));
  const isYoung = (segment: OldSegment): boolean => segment.endMs > nowMs - (agesOf(rules, segment.cameraId).minAgeDays ?? Number.POSITIVE_INFINITY) * DAY_MS && agesOf(rules, segment.cameraId).minAgeDays !== null;
  const isTooOld = (segment: OldSegment): boolean => segment.endMs <= nowMs - (agesOf(rules, segment.cameraId).maxAgeDays ?? Number.POSITIVE_INFINITY) * DAY_MS && !isLocked(segment) && !isEvent(segment) && !isYoung(segment);
  return { isLocked, isEvent, isYoung, isTooOld };
}

const bytes = (deletions: readonly Deletion[]): number => deletions.reduce((sum, { segment }) => sum + segment.sizeBytes, 0);
/** Bytes a root has too many once `goneBytes` are deleted. */
function missing(root: RootFacts, rules: StorageRules, goneBytes: number): { readonly quota: number; readonly free: number } {
  const limit = rules.quotaBytes[root.rootId] ?? null;
  return {
    quota: limit === null ? 0 : root.usedBytes - goneBytes + quotaHeadroom(root.headroomBytes, limit) - limit,
    free: keepFreeOf(rules, root.rootId) + root.headroomBytes - (root.freeBytes ?? 0) - goneBytes,
  };
}
const isShort = (root: RootFacts, rules: StorageRules, goneBytes: number): boolean => Object.values(missing(root, rules, goneBytes)).some((over) => over > 0);

/** What is left when some of it is deleted. */
function after(from: RetentionInput, gone: readonly Deletion[]): RetentionInput {
  const goneOn = (rootId: RootId): number => bytes(gone.filter(({ segment }) => segment.rootId === rootId));
  const names = new Set(namesOf(gone));
  return {
    ...from,
    segments: from.segments.filter((segment) => !names.has(nameOf(segment))),
    roots: from.roots.map((root) => ({ ...root, usedBytes: root.usedBytes - goneOn(root.rootId), freeBytes: root.freeBytes === null ? null : root.freeBytes + goneOn(root.rootId) })),
  };
}
const nameOf = ({ cameraId, stream, rootId, session, sequence, startMs, endMs, sizeBytes }: OldSegment): string => [cameraId, stream, rootId, session, sequence, startMs, endMs, sizeBytes].join(' ');
const namesOf = (deletions: readonly Deletion[]): string[] => deletions.map(({ segment }) => nameOf(segment));

/** How often; each round is an archive, rules, locks and events of its own. */
const ROUNDS = 1_000;
function everyRound(claim: (from: RetentionInput, seed: number) => void): void {
  for (let seed = 1; seed <= ROUNDS; seed += 1) {
    const from = anyInput(seed);
    try {
      claim(from, seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${JSON.stringify({ rules: from.rules, roots: from.roots })}`, { cause: error });
    }
  }
}

describe('whatever the archive and the rules are, the plan', { timeout: 60_000 }, () => {
  it('never takes what is locked, and nothing from a disk that is not here', () => {
    let locked = 0;
    everyRound((from) => {
      const { isLocked } = truth(from);
      locked += from.segments.filter(isLocked).length;
      const { deletions } = planRetention(from);
      expect(deletions.filter(({ segment }) => isLocked(segment) || from.roots.find((root) => root.rootId === segment.rootId)?.freeBytes === null)).toEqual([]);
    });
    expect(locked).toBeGreaterThan(ROUNDS);
  });

  it('takes no more than needed: without the last that went for room, a rule would be broken', () => {
    let looked = 0;
    everyRound((from) => {
      const { deletions } = planRetention(from);
      for (const root of from.roots) {
        const mine = deletions.filter(({ segment }) => segment.rootId === root.rootId);
        const last = mine.findLast(({ reason }) => reason !== 'too-old');
        if (last === undefined) continue;
        looked += 1;
        expect(isShort(root, from.rules, bytes(mine.slice(0, mine.indexOf(last))))).toBe(true);
      }
    });
    expect(looked).toBeGreaterThan(ROUNDS / 4);
  });

  it('goes oldest first within a class, and through the classes in order', () => {
    everyRound((from) => {
      const { isEvent, isYoung, isTooOld } = truth(from);
      const classOf = (segment: OldSegment): number => (isTooOld(segment) ? 0 : isYoung(segment) ? 3 : isEvent(segment) ? 2 : 1);
      for (const root of from.roots) {
        const mine = planRetention(from).deletions.filter(({ segment }) => segment.rootId === root.rootId).map(({ segment }) => ({ order: classOf(segment), startMs: segment.startMs }));
        expect(mine).toEqual(mine.toSorted((a, b) => a.order - b.order || a.startMs - b.startMs));
      }
    });
  });

  it('respects a minimum age and the age of events unless they must be broken, and says so when they are', () => {
    let broken = 0;
    everyRound((from) => {
      const { isLocked, isEvent, isYoung } = truth(from);
      const plan = planRetention(from);
      for (const root of from.roots) {
        const mine = plan.deletions.filter(({ segment }) => segment.rootId === root.rootId).map(({ segment }) => segment);
        const names = new Set(mine.map(nameOf));
        const left = from.segments.filter((segment) => segment.rootId === root.rootId && !isLocked(segment) && !names.has(nameOf(segment)));
        const early = { 'min-age': mine.filter(isYoung), 'event-age': mine.filter((segment) => isEvent(segment) && !isYoung(segment)) };
        // Young footage goes only when nothing else is left; that of events only when nothing without one is.
        if (early['min-age'].length > 0) expect(left.filter((segment) => !isYoung(segment))).toEqual([]);
        if (early['event-age'].length > 0) expect(left.filter((segment) => !isYoung(segment) && !isEvent(segment))).toEqual([]);
        for (const [rule, segments] of Object.entries(early)) {
          const told = plan.broken.filter((one) => one.rule === rule && one.rootId === root.rootId).map((one) => one.cameraId);
          expect(new Set(told)).toEqual(new Set(segments.map((segment) => segment.cameraId)));
          expect(told.length).toBe(new Set(told).size);
          broken += told.length;
        }
      }
    });
    expect(broken).toBeGreaterThan(ROUNDS / 20);
  });

  it('keeps every rule, or says which one it cannot keep', () => {
    everyRound((from) => {
      const { isTooOld } = truth(from);
      const plan = planRetention(from);
      const left = after(from, plan.deletions);
      for (const root of from.roots) {
        if (root.freeBytes === null) continue;
        const over = missing(root, from.rules, bytes(plan.deletions.filter(({ segment }) => segment.rootId === root.rootId)));
        expect(plan.broken.some((one) => one.rule === 'quota' && one.rootId === root.rootId)).toBe(over.quota > 0);
        expect(plan.broken.some((one) => one.rule === 'keep-free' && one.rootId === root.rootId)).toBe(over.free > 0);
        expect(left.segments.filter((segment) => segment.rootId === root.rootId && isTooOld(segment))).toEqual([]);
      }
    });
  });

  it('is done when it is carried out: a second plan deletes nothing', () => {
    everyRound((from) => expect(planRetention(after(from, planRetention(from).deletions)).deletions).toEqual([]));
  });

  it('is sound in any prefix: the rest is planned again as it was', () => {
    everyRound((from, seed) => {
      const { deletions } = planRetention(from);
      const cut = Math.floor(numbersOf(seed + 7)() * (deletions.length + 1));
      const rest = planRetention(after(from, deletions.slice(0, cut)));
      // Segments that are alike in everything are the same to the plan.
      expect(namesOf(rest.deletions)).toEqual(namesOf(deletions).filter((name) => !namesOf(deletions.slice(0, cut)).includes(name)));
    });
  });

  it('does not depend on the order in which it is told', () => {
    everyRound((from) => {
      const backwards = { ...from, segments: from.segments.toReversed(), locks: from.locks.toReversed(), events: from.events.toReversed() };
      expect(namesOf(planRetention(backwards).deletions)).toEqual(namesOf(planRetention(from).deletions));
    });
  });
});
