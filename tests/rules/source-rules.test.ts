/** Rules on source text that the linter cannot express; each names the right door. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { listSources } from './module-graph.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface SourceRule {
  readonly name: string;
  readonly pattern: RegExp;
  readonly applies: (file: string) => boolean;
  readonly sample: string;
}

const shippedEngine = (file: string): boolean => file.startsWith('main/engine/') && !/\.test\.ts$|\/testing\//.test(file);

const RULES: readonly SourceRule[] = [
  {
    name: 'the engine asks core/clock.ts for time',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|\bperformance\.now\(/,
    applies: (file) => shippedEngine(file) && file !== 'main/engine/core/clock.ts',
    sample: 'const now = Date.now();',
  },
  {
    name: 'the page gets its engine in renderer/api/',
    pattern: /\bwindow\.porchlight\b/,
    applies: (file) => file.startsWith('renderer/') && !file.startsWith('renderer/api/'),
    sample: 'window.porchlight.openFolder(path)',
  },
  {
    name: 'tests wait for conditions and run them all',
    pattern: /waitForTimeout|\.only\(|\b(?:it|test|describe)\.todo\(/,
    applies: (file) => /^(?:tests|tools)\/|\.test\.tsx?$/.test(file) && !file.endsWith('tests/rules/source-rules.test.ts'),
    sample: 'await page.waitForTimeout(500)',
  },
  {
    name: 'no unfinished work in the program',
    pattern: /\b(?:TODO|FIXME|XXX)\b|@ts-ignore|@ts-expect-error|@ts-nocheck|as any\b/,
    applies: (file) => /^(?:main|renderer|shared|relay)\//.test(file) && !/\.test\.tsx?$/.test(file),
    sample: '// TODO: later',
  },
];

describe.each(RULES)('$name', (rule) => {
  it('recognises an offender', () => {
    expect(rule.pattern.test(rule.sample)).toBe(true);
  });

  it('finds none', () => {
    const offenders = listSources(ROOT, ['main', 'renderer', 'shared', 'relay', 'tests', 'tools'])
      .filter(rule.applies)
      .flatMap((file) =>
        readFileSync(path.join(ROOT, file), 'utf8')
          .split('\n')
          .flatMap((line, index) => (rule.pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
      );
    expect(offenders).toEqual([]);
  });
});
