/** Rows C and C2: greetings that reach the wrong home, and answers that reach the wrong viewer. */
import { mixedUp, type Rule } from '../drill-relay.ts';
import { beginSessions, endSessions, sum } from '../parties.ts';
import { brokenTable, Expectations, type Row, type RowContext, type RowResult } from '../row.ts';

async function runUnder(context: RowContext, ruleOf: (table: ReturnType<typeof brokenTable>) => Rule): Promise<{ readonly result: RowResult; readonly fromHomes: number }> {
  const { relay, ledger, households } = context;
  const before = ledger.violations;
  const joined = await relay.join(households);
  const rule = ruleOf(brokenTable(context));
  let fromHomes = 0;
  relay.rule = (from, message) => {
    if (from.side === 'home') fromHomes += 1;
    return rule(from, message);
  };
  const pairs = await beginSessions(context, joined);
  const live = sum(pairs, ({ viewer, home }) => Number(viewer.session !== null) + Number(home.session !== null));
  const figures = { hellos: pairs.length, live, refusedByHomes: sum(pairs, ({ home }) => Number(home.refused !== null)), refusedByViewers: sum(pairs, ({ viewer }) => Number(viewer.refused !== null)) };
  const expect = new Expectations();
  expect.equal('sessions that came to be', live, 0);
  expect.equal('viewers that were told so', figures.refusedByViewers, pairs.length);
  expect.equal('homes that ended it', figures.refusedByHomes, pairs.length);
  const opened = ledger.violations - before + sum(pairs, ({ foreign }) => foreign) + live;
  endSessions(pairs);
  return { result: { figures, opened, faults: expect.faults }, fromHomes };
}

/** Everything of a viewer reaches a wrong home: it must not even answer. */
async function runWrongHome(context: RowContext): Promise<RowResult> {
  const { result, fromHomes } = await runUnder(context, ({ viewerOf, homeOf }) => mixedUp(viewerOf, homeOf));
  const expect = new Expectations();
  expect.equal('answers of homes to greetings of strangers', fromHomes, 0);
  return { ...result, figures: { ...result.figures, answered: fromHomes }, faults: [...result.faults, ...expect.faults] };
}

/** Greetings reach their home; its answer reaches a wrong viewer. */
async function runWrongViewer(context: RowContext): Promise<RowResult> {
  const { result, fromHomes } = await runUnder(context, ({ viewerOf }) => (from, message) => {
    if (from.side === 'viewer') return [{ to: { household: from.household, side: 'home' }, message }];
    const household = viewerOf.get(from.household);
    return household === undefined ? [] : [{ to: { household, side: 'viewer' }, message }];
  });
  const expect = new Expectations();
  expect.atLeast('answers that went wrong', fromHomes, 1);
  return { ...result, figures: { ...result.figures, replies: fromHomes }, faults: [...result.faults, ...expect.faults] };
}

export const wrongHome: Row = { name: 'C', title: 'greeting to the wrong home', run: runWrongHome };
export const wrongViewer: Row = { name: 'C2', title: 'answer to the wrong viewer', run: runWrongViewer };
