import { expect, it } from 'vitest';
import { createCounters, REFUSALS } from './counters.ts';
import { createMetrics } from './metrics.ts';

it('writes every counter in the text format, one line a sample', () => {
  const counters = createCounters();
  counters.bytesTotal = 12_345;
  counters.refusals.nobody = 3;
  const metrics = createMetrics(counters);
  const text = metrics.text();
  metrics.close();
  const samples = text.trimEnd().split('\n').filter((line) => !line.startsWith('#'));
  for (const line of samples) expect(line).toMatch(/^porchlight_relay_[a-z_]+(?:\{[a-z]+="[a-z0-9.-]+"\})? \d+(?:\.\d+)?(?:e-\d+)?$/);
  expect(samples).toContain('porchlight_relay_bytes_total 12345');
  expect(samples).toContain('porchlight_relay_refusals_total{reason="nobody"} 3');
  for (const reason of REFUSALS) expect(text).toContain(`{reason="${reason}"}`);
  // Each family is announced once.
  const families = text.split('\n').filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  expect(new Set(families).size).toBe(families.length);
  expect(new Set(samples.map((line) => line.split(/[ {]/)[0]))).toEqual(new Set(families));
});
