/** Three days of four cameras by a clock of their own, through the engine's own rotation, index, previews, retention and coverage. */
import { expect, test } from 'vitest';
import { run } from '../../tools/bench/soak.ts';

test('three days leave an archive in which every rule and invariant holds', async () => {
  const { figures, notes } = await run({ seconds: 180, samples: null, cameras: 4, segments: null, many: false, keep: false, json: false });
  // Sums, findings and quotas are exact; how fast it went, and what the process holds beside other tests, are not judged here.
  const judged = figures.filter(({ name }) => !name.startsWith('memory') && !name.startsWith('descriptors'));
  expect(judged.filter(({ met }) => met === false), notes.join('\n')).toEqual([]);
  const value = (name: string): number => judged.find((one) => one.name === name)?.value ?? 0;
  expect(value('segments recorded')).toBeGreaterThan(15_000);
  expect(value('segments deleted by the quota')).toBeGreaterThan(3_000);
}, 300_000);
