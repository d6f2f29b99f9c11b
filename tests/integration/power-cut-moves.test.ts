/** The power is cut while footage moves from one disk to another: all of it is on one of them afterwards, whole, with its row (docs/design/storage.md, M1 to M4). */
import { expect, it } from 'vitest';
import { moveCuts } from '../../tools/faults/power/move-cuts.ts';
import { whyNoTrace } from '../../tools/faults/power/trace-run.ts';

/** A world takes a tenth of a second, and on a busy machine ten times that. */
const LIMIT_MS = 280_000;
const noTrace = await whyNoTrace();

it.skipIf(noTrace !== null)(`no footage is on neither disk nor on both, wherever it is cut; each sync left out is noticed${noTrace === null ? '' : ` (skipped: ${noTrace})`}`, async () => {
  const progress: string[] = [];
  const result = await moveCuts({ seed: 20_261_122, signal: AbortSignal.timeout(LIMIT_MS), onProgress: (line) => void progress.push(line), moves: 1, cutEvery: 6, worldsPerCut: 3 });
  expect(result.violations, progress.join('\n')).toEqual([]);
  expect(result.cuts).toBeGreaterThan(10);
  expect(result.controls.filter(({ violations }) => violations === 0).map(({ name }) => name)).toEqual([]);
}, LIMIT_MS + 20_000);
