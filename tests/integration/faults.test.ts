/** The fault suite's short form: one of each quick kind against the product as it is started, and the suite's own controls (docs/reliability.md). The long form is `npm run faults -- --rounds N`; power cuts have a test of their own. */
import { expect, test } from 'vitest';
import { isSound, makeReport } from '../../tools/faults/report.ts';
import { runSuite } from '../../tools/faults/suite.ts';
import { FAMILIES } from '../../tools/faults/fault-kind.ts';
import { seedNow } from '../../tools/faults/options.ts';

test('processes and cameras that die cost at most what is promised, and planted faults are found', async (context) => {
  if (process.platform !== 'linux') context.skip('the suite reads /proc');
  const said: string[] = [];
  const options = { rounds: null, seed: seedNow(), cuts: 0, drops: 20, cameras: 2, families: FAMILIES, kind: null, keep: false, json: false };
  const result = await runSuite(options, context.signal, (line) => said.push(line));
  const report = makeReport(result, options.seed, '');
  expect(report.violationTexts, said.join('\n')).toEqual([]);
  expect(report.silentControls, said.join('\n')).toEqual([]);
  expect(isSound(report), said.join('\n')).toBe(true);
  expect(report.processes.rounds).toBeGreaterThanOrEqual(3);
}, 300_000);
