/** Rows A, B and B2: an honest relay, then one whose table breaks while everybody watches, and viewers that never give up. */
import { UNOPENED } from '../../../shared/relay/session-ciphers.ts';
import { HONEST, mixedUp } from '../drill-relay.ts';
import type { Household } from '../households.ts';
import { opensWith } from '../ledger.ts';
import { endSessions, honestSessions, levelOf, type Pair, sendPicture, sum } from '../parties.ts';
import { brokenTable, Expectations, type Row, type RowContext, type RowResult } from '../row.ts';

const HONEST_PICTURES = 1;
const WRONG_PICTURES = 3;
/** Blank after 3 s without a fresh sign of life; over sockets this machine may have other things to do. */
const NOTICE_LIMIT_MS = 20_000;

/** Everybody watches their own home. */
async function watchHonestly(context: RowContext, households: readonly Household[] = context.households): Promise<readonly Pair[]> {
  const { relay } = context;
  relay.rule = HONEST;
  const pairs = await honestSessions(context, await relay.join(households));
  for (const pair of pairs) sendPicture(pair, 0);
  await relay.until(() => pairs.every(({ own }) => own === HONEST_PICTURES), NOTICE_LIMIT_MS);
  return pairs;
}

/** Waits until every viewer is fresh: one that is blank already, on a machine that is busy, would notice nothing. */
async function freshen({ relay }: RowContext, pairs: readonly Pair[]): Promise<void> {
  await relay.until(() => pairs.every((pair) => levelOf(pair) === 'fresh'), NOTICE_LIMIT_MS);
}

async function runHonest(context: RowContext): Promise<RowResult> {
  const before = context.ledger.violations;
  const pairs = await watchHonestly(context);
  const expect = new Expectations();
  const figures = { live: sum(pairs, (pair) => Number(pair.viewer.closed === null)), ownFrames: sum(pairs, ({ own }) => own) };
  expect.equal('sessions that live', figures.live, pairs.length);
  expect.equal('households with pictures of their own', sum(pairs, ({ own }) => Number(own > 0)), pairs.length);
  const opened = context.ledger.violations - before + sum(pairs, ({ foreign }) => foreign);
  // The table breaks under these very sessions.
  context.watching = pairs;
  return { figures, opened, faults: expect.faults };
}

/** Sessions that were honest, and then a table without one right entry; the records that went wrong, by the viewer that got them. */
async function runMixedUp(context: RowContext): Promise<RowResult> {
  const { relay, ledger } = context;
  const pairs = context.watching ?? (await watchHonestly(context));
  context.watching = null;
  await freshen(context, pairs);
  const own = sum(pairs, (pair) => pair.own);
  const before = ledger.violations;
  const { viewerOf, homeOf } = brokenTable(context);
  const rule = mixedUp(viewerOf, homeOf);
  const wrong = new Map<number, Uint8Array[]>();
  relay.rule = (from, message) => {
    const deliveries = rule(from, message);
    if (from.side === 'home') for (const { to } of deliveries) wrong.set(to.household, [...(wrong.get(to.household) ?? []), message]);
    return deliveries;
  };
  for (let number = 1; number <= WRONG_PICTURES; number += 1) for (const pair of pairs) sendPicture(pair, number);
  const hasNoticed = (pair: Pair): boolean => pair.viewer.closed !== null || levelOf(pair) === 'blank';
  await relay.until(() => wrong.size > 0 && pairs.every(hasNoticed), NOTICE_LIMIT_MS);
  const byTag = sum(pairs, ({ viewer }) => Number(viewer.closed?.includes(UNOPENED) === true));
  const misrouted = [...wrong.values()].reduce((total, records) => total + records.length, 0);
  const figures = { misrouted, noticed: sum(pairs, (pair) => Number(hasNoticed(pair))), noticedByTag: byTag, ...tryForever(context, pairs, wrong) };
  const expect = new Expectations();
  expect.equal('viewers that noticed', figures.noticed, pairs.length);
  // Over sockets a viewer that notices ends its pair before its home has said all.
  expect.atLeast('records that went wrong', misrouted, context.isOverSockets ? 1 : pairs.length * WRONG_PICTURES);
  expect.atLeast('records tried for ever', figures.triedForEver, 1);
  expect.equal('pictures of their own behind the break', sum(pairs, (pair) => pair.own), own);
  for (const { household } of pairs) household.oldRecord = wrong.get(viewerOf.get(household.index) ?? -1)?.[0] ?? null;
  endSessions(pairs);
  return { figures, opened: ledger.violations - before + sum(pairs, ({ foreign }) => foreign) + figures.openedForEver, faults: expect.faults };
}

/** Viewers that do not end at the first failure, but try every record they got at the counters around theirs (row B2). */
function tryForever({ ledger }: RowContext, pairs: readonly Pair[], wrong: ReadonlyMap<number, readonly Uint8Array[]>): { readonly triedForEver: number; readonly openedForEver: number } {
  const counts = { triedForEver: 0, openedForEver: 0 };
  for (const { household } of pairs) {
    const kept = ledger.keptKey(household.index);
    if (kept === null) continue;
    for (const record of wrong.get(household.index) ?? []) {
      counts.triedForEver += 1;
      if (opensWith(kept, record, [kept.next, kept.next + 1n, kept.next + 2n, 0n])) counts.openedForEver += 1;
    }
  }
  return counts;
}

const BROADCASTS = 100;
/** In memory so many real viewers are there to end at the first; all of them are tried by the keys they had in row B. */
const MOST_LIVE_VIEWERS = 1_000;

/** Row E: pictures of some homes to everybody. */
async function runBroadcast(context: RowContext): Promise<RowResult> {
  const { relay, ledger } = context;
  const households = context.households.slice(0, context.isOverSockets ? context.households.length : MOST_LIVE_VIEWERS);
  const pairs = await watchHonestly(context, households);
  await freshen(context, pairs);
  const before = ledger.violations;
  const own = sum(pairs, (pair) => pair.own);
  const senders = new Set(households.slice(0, BROADCASTS).map(({ index }) => index));
  const records: { readonly from: number; readonly message: Uint8Array }[] = [];
  relay.rule = (from, message) => {
    if (from.side !== 'home' || !senders.has(from.household)) return [];
    records.push({ from: from.household, message });
    return households.flatMap(({ index }) => (index === from.household ? [] : [{ to: { household: index, side: 'viewer' as const }, message }]));
  };
  for (const pair of pairs) if (senders.has(pair.household.index)) sendPicture(pair, 9);
  await relay.until(() => records.length > 0 && pairs.every((pair) => pair.viewer.closed !== null || levelOf(pair) === 'blank'), NOTICE_LIMIT_MS);
  const counts = { broadcast: 0, broadcastOpened: 0 };
  const one = records.filter(({ from }, at) => records.findIndex((record) => record.from === from) === at);
  for (const { index } of context.households) {
    const kept = ledger.keptKey(index);
    if (kept === null) continue;
    for (const { from, message } of one) {
      if (from === index) continue;
      counts.broadcast += 1;
      if (opensWith(kept, message, [kept.next])) counts.broadcastOpened += 1;
    }
  }
  const expect = new Expectations();
  expect.atLeast('records that were broadcast', counts.broadcast, pairs.length - 1);
  expect.equal('pictures of their own behind the break', sum(pairs, (pair) => pair.own), own);
  const opened = ledger.violations - before + sum(pairs, ({ foreign }) => foreign) + counts.broadcastOpened;
  const noticed = sum(pairs, (pair) => Number(pair.viewer.closed !== null || levelOf(pair) === 'blank'));
  expect.equal('viewers that noticed', noticed, pairs.length);
  endSessions(pairs);
  return { figures: { tried: counts.broadcast, noticed }, opened, faults: expect.faults };
}

export const honest: Row = { name: 'A', title: 'honest relay', run: runHonest };
export const deranged: Row = { name: 'B', title: 'table deranged while everybody watches, and viewers that never close', run: runMixedUp };
export const broadcast: Row = { name: 'E', title: 'pictures of some homes to everybody', run: runBroadcast };
