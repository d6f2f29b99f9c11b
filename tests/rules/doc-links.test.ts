/** Documents name files; this finds the names that lead nowhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { listSources } from './module-graph.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

function documents(): string[] {
  const inDocs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => path.join('docs', name));
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...inDocs].filter((name) => name.endsWith('.md'));
}

it('links between documents and to pictures lead somewhere', () => {
  const broken = documents().flatMap((name) =>
    [...readFileSync(path.join(ROOT, name), 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(path.resolve(ROOT, path.dirname(name), target)))
      .map((target) => `${name} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

it('documents named in the source exist', () => {
  const broken = listSources(ROOT, ['main', 'renderer', 'shared', 'relay', 'tests', 'tools']).flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(/\bdocs\/[a-z0-9/-]+\.md/g)].map((match) => match[0]).filter((name) => !existsSync(path.join(ROOT, name))).map((name) => `${file}: ${name}`),
  );
  expect(broken).toEqual([]);
});
