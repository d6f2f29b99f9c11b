/** Rows D and H: records repeated, reordered, left out, reflected, changed, cut, of an old session or empty; and a home that mixes up its own cameras. */
import { below, type Chance } from '../chance.ts';
import { HONEST } from '../drill-relay.ts';
import type { Side } from '../ledger.ts';
import { endSessions, honestSessions, levelOf, type Pair, sendPicture, sendQuestion, sum } from '../parties.ts';
import { Expectations, type Row, type RowContext, type RowResult } from '../row.ts';

/** Over sockets this machine may have other things to do. */
const NOTICE_LIMIT_MS = 20_000;
/** Of each kind, in memory. */
const MOST_OF_A_KIND = 2_000;
/** Sealed by the honest end while the relay holds everything back. */
const RECORDS = 3;

interface Held {
  /** What the honest end sealed, in order. */
  readonly records: readonly Uint8Array[];
  /** What the attacked end itself sent last. */
  readonly reflected: Uint8Array;
  /** Of an earlier session of the same two ends, or of another household where there was none. */
  readonly old: Uint8Array;
  readonly chance: Chance;
}

/** What the attacked end gets, before it gets the true records; only `repeat` may let one through. */
const KINDS: Readonly<Record<string, (held: Held) => readonly Uint8Array[]>> = {
  repeat: ({ records }) => records.slice(0, 1).flatMap((record) => [record, record]),
  reorder: ({ records }) => records.slice(0, 2).toReversed(),
  drop: ({ records }) => records.slice(1),
  reflect: ({ reflected }) => [reflected],
  flip: ({ records, chance }) => records.slice(0, 1).map((record) => flipped(record, chance)),
  truncate: ({ records, chance }) => records.slice(0, 1).map((record) => record.subarray(0, 1 + below(chance, record.length - 1))),
  old: ({ old }) => [old],
  empty: () => [new Uint8Array(0)],
};

function flipped(record: Uint8Array, chance: Chance): Uint8Array {
  const changed = record.slice();
  const at = below(chance, changed.length);
  changed[at] = (changed[at] ?? 0) ^ (1 << below(chance, 8));
  return changed;
}

interface Target {
  readonly pair: Pair;
  readonly kind: string;
  readonly side: Side;
  readonly records: Uint8Array[];
  reflected: Uint8Array;
  rightly: number;
}

const given = ({ pair, side }: Target): number => (side === 'viewer' ? pair.own : pair.asked);
const hasEnded = ({ pair, side }: Target): boolean => pair[side].closed !== null;

/** Attacks one end of each pair, viewers and homes by turns. */
async function attack(context: RowContext, targets: readonly Target[]): Promise<RowResult> {
  const { relay, ledger, chance } = context;
  const byHousehold = new Map(targets.map((target) => [target.pair.household.index, target]));
  const before = ledger.violations;
  for (const target of targets) target.rightly = given(target);
  relay.rule = (from, message) => {
    const target = byHousehold.get(from.household);
    if (target === undefined) return [];
    if (from.side === target.side) target.reflected = message;
    else target.records.push(message);
    return [];
  };
  for (const { pair, side } of targets) {
    for (let number = 0; number < RECORDS; number += 1) {
      sendPicture(pair, number);
      sendQuestion(pair, number + 1);
    }
    if (pair[side].session === null) throw new Error('there is nothing to attack');
  }
  await relay.until(() => targets.every(({ records, reflected }) => records.length >= RECORDS && reflected.length > 0), NOTICE_LIMIT_MS);
  for (const { pair, kind, side, records, reflected } of targets) {
    const old = pair.household.oldRecord ?? reflected;
    const wrong = KINDS[kind]?.({ records, reflected, old, chance }) ?? [];
    for (const message of [...wrong, ...records]) relay.inject({ to: { household: pair.household.index, side }, message });
  }
  await relay.until(() => targets.every(hasEnded), NOTICE_LIMIT_MS);
  const expect = new Expectations();
  const noticed = targets.filter(hasEnded).length;
  expect.equal('ends that noticed', noticed, targets.length);
  // Behind the attack the true records came as well: an end that had gone on would have taken them.
  const accepted = targets.reduce((total, target) => total + Math.max(0, given(target) - target.rightly - (target.kind === 'repeat' ? 1 : 0)), 0);
  const opened = ledger.violations - before + accepted + sum(targets.map(({ pair }) => pair), ({ foreign }) => foreign);
  return { figures: { tried: targets.length, noticed }, opened, faults: expect.faults };
}

async function runTampering(context: RowContext): Promise<RowResult> {
  const { relay, households, isOverSockets } = context;
  const kinds = Object.keys(KINDS);
  // In memory each kind meets many households; over sockets each household meets one kind.
  const rounds = isOverSockets ? [kinds] : kinds.map((kind) => [kind]);
  const results: RowResult[] = [];
  for (const round of rounds) {
    relay.rule = HONEST;
    const pairs = await honestSessions(context, await relay.join(households.slice(0, isOverSockets ? households.length : MOST_OF_A_KIND)));
    const targets = pairs.map((pair, at): Target => ({ pair, kind: round[at % round.length] ?? 'empty', side: Math.floor(at / kinds.length) % 2 === 0 ? 'viewer' : 'home', records: [], reflected: new Uint8Array(0), rightly: 0 }));
    results.push(await attack(context, targets));
    endSessions(pairs);
  }
  const total = (count: (result: RowResult) => number): number => results.reduce((all, result) => all + count(result), 0);
  return { figures: { tried: total(({ figures }) => figures['tried'] ?? 0), noticed: total(({ figures }) => figures['noticed'] ?? 0) }, opened: total(({ opened }) => opened), faults: results.flatMap(({ faults }) => faults) };
}

/** The home itself is wrong: it seals pictures of another of its cameras for the one that is watched. */
async function runOtherCamera(context: RowContext): Promise<RowResult> {
  const { relay, households, ledger } = context;
  relay.rule = HONEST;
  const pairs = await honestSessions(context, await relay.join(households.slice(0, MOST_OF_A_KIND)));
  const before = ledger.violations;
  for (const pair of pairs) sendPicture(pair, 0, pair.household.cameras[1]);
  await relay.until(() => pairs.every(({ viewer, foreign }) => viewer.closed !== null || foreign > 0), NOTICE_LIMIT_MS);
  const noticed = sum(pairs, (pair) => Number(pair.viewer.closed !== null && levelOf(pair) === 'blank'));
  const expect = new Expectations();
  expect.equal('viewers that noticed', noticed, pairs.length);
  const opened = ledger.violations - before + sum(pairs, ({ foreign }) => foreign);
  endSessions(pairs);
  return { figures: { tried: pairs.length, noticed }, opened, faults: expect.faults };
}

export const tampering: Row = { name: 'D', title: `${Object.keys(KINDS).join(', ')} of records`, run: runTampering };
export const otherCamera: Row = { name: 'H', title: 'a home that mixes up its own cameras', run: runOtherCamera };
