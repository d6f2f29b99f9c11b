/** Row I: a relay that delays everything by ten seconds. Every record opens, in order; only the sign of life tells. */
import { HONEST } from '../drill-relay.ts';
import { endSessions, honestSessions, levelOf, sendPicture, sum } from '../parties.ts';
import { Expectations, type Row, type RowContext, type RowResult } from '../row.ts';

const DELAY_MS = 10_000;
const BLANK_MS = 3_001;
const GREY_MS = 1_501;
/** A viewer that goes by what arrives would call this alive. */
const ARRIVED_WITHIN_MS = 1_000;

async function runDelay(context: RowContext): Promise<RowResult> {
  const { relay, ledger, households } = context;
  const before = ledger.violations;
  relay.rule = HONEST;
  const pairs = await honestSessions(context, await relay.join(households));
  const { clock } = relay;
  const pass = async (ms: number): Promise<void> => void (await relay.until(() => false, ms));
  await pass(2_000);
  const arrivedMs = new Map<number, number>();
  const levels = (level: string): number => sum(pairs, (pair) => Number(levelOf(pair) === level));
  const expect = new Expectations();
  expect.equal('viewers that are fresh before', levels('fresh'), pairs.length);
  relay.rule = (from, message) => HONEST(from, message).map((delivery) => {
    if (from.side === 'home') clock.after(DELAY_MS, () => arrivedMs.set(from.household, clock.nowMs()));
    return { ...delivery, delayMs: DELAY_MS };
  });
  for (const pair of pairs) sendPicture(pair, 1);
  await pass(GREY_MS);
  expect.equal('viewers that are not fresh after 1.5 s', levels('fresh'), 0);
  await pass(BLANK_MS - GREY_MS);
  const noticed = levels('blank');
  expect.equal('viewers that are blank after 3 s', noticed, pairs.length);
  await pass(DELAY_MS + 1_500 - BLANK_MS);
  // The delayed signs of life come in now, two a second.
  const fooled = sum(pairs, ({ household }) => Number(clock.nowMs() - (arrivedMs.get(household.index) ?? 0) <= ARRIVED_WITHIN_MS));
  const stillBlank = levels('blank');
  expect.equal('viewers that stay blank while the late ones arrive', stillBlank, pairs.length);
  expect.equal('viewers that something reaches meanwhile', fooled, pairs.length);
  const opened = ledger.violations - before + sum(pairs, ({ foreign }) => foreign);
  endSessions(pairs);
  return { figures: { delayed: pairs.length, noticed, stillBlank, aliveByArrivalAlone: fooled }, opened, faults: expect.faults };
}

export const delay: Row = { name: 'I', title: 'everything ten seconds late', inMemoryOnly: true, run: runDelay };
