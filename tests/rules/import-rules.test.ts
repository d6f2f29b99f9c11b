/** Holds the project to its import rules, and the rules to their word: each must forbid something nothing else forbids. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { cyclesOf, IMPORT_RULES, reachOf, violationsOf } from './import-rules.ts';
import { type ImportEdge, importsOf, listSources, readGraph } from './module-graph.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SHIPPED = ['main', 'renderer', 'shared', 'relay'];

const edge = (from: string, to: string, typeOnly = false): ImportEdge => ({ from, to, typeOnly });

/** For each rule: an import it must let through, and one that it alone forbids. */
const CASES: Readonly<Record<string, { readonly fine: ImportEdge; readonly forbidden: ImportEdge }>> = {
  'shared is pure': { fine: edge('shared/time.ts', 'shared/result.ts'), forbidden: edge('shared/time.ts', 'node:fs') },
  'zod stays in the contract': { fine: edge('shared/contract/a.ts', 'npm:zod'), forbidden: edge('main/engine/recorder/a.ts', 'npm:zod') },
  'core knows no video': { fine: edge('main/engine/core/a.ts', 'shared/errors.ts'), forbidden: edge('main/engine/core/a.ts', 'main/engine/storage/b.ts') },
  'ports are types': { fine: edge('main/engine/ports/a.ts', 'shared/time.ts', true), forbidden: edge('main/engine/ports/a.ts', 'shared/time.ts') },
  'ffmpeg and storage stand side by side': { fine: edge('main/engine/ffmpeg/a.ts', 'main/engine/core/b.ts'), forbidden: edge('main/engine/ffmpeg/a.ts', 'main/engine/storage/b.ts') },
  'features do not know each other': { fine: edge('main/engine/recorder/a.ts', 'main/engine/storage/b.ts'), forbidden: edge('main/engine/recorder/a.ts', 'main/engine/playback/b.ts') },
  'readers do not write': { fine: edge('main/engine/recorder/a.ts', 'main/engine/storage/b.write.ts'), forbidden: edge('main/engine/playback/a.ts', 'main/engine/storage/b.write.ts') },
  'composition is the top': { fine: edge('main/engine/engine.ts', 'main/engine/rpc/a.ts'), forbidden: edge('main/engine/worker.ts', 'main/engine/engine.ts') },
  'host supervises from outside': { fine: edge('main/host/a.ts', 'main/engine/core/b.ts'), forbidden: edge('main/host/a.ts', 'main/engine/storage/b.ts') },
  'shell never holds the engine': { fine: edge('main/shell/a.ts', 'main/host/b.ts'), forbidden: edge('main/shell/a.ts', 'main/engine/core/b.ts') },
  'preload is a thin door': { fine: edge('main/preload.ts', 'shared/contract/shell-api.ts'), forbidden: edge('main/preload.ts', 'shared/time.ts') },
  'the page is a page': { fine: edge('renderer/App.tsx', 'npm:react'), forbidden: edge('renderer/App.tsx', 'node:fs') },
  'no view knows another': { fine: edge('renderer/views/watch/a.ts', 'renderer/views/watch/b.ts'), forbidden: edge('renderer/views/watch/a.ts', 'renderer/views/events/b.ts') },
  'door npm:better-sqlite3': { fine: edge('main/engine/storage/a.ts', 'npm:better-sqlite3'), forbidden: edge('main/engine/recorder/a.ts', 'npm:better-sqlite3') },
  'door npm:fluent-ffmpeg': { fine: edge('main/engine/ffmpeg/a.ts', 'npm:fluent-ffmpeg'), forbidden: edge('main/engine/recorder/a.ts', 'npm:fluent-ffmpeg') },
  'door npm:onvif': { fine: edge('main/engine/cameras/onvif-device.ts', 'npm:onvif'), forbidden: edge('main/engine/cameras/a.ts', 'npm:onvif') },
  'door npm:electron': { fine: edge('main/shell/a.ts', 'npm:electron'), forbidden: edge('main/engine/recorder/a.ts', 'npm:electron') },
  'door npm:ws': { fine: edge('main/engine/rpc/a.ts', 'npm:ws'), forbidden: edge('main/engine/recorder/a.ts', 'npm:ws') },
  'door node:child_process': { fine: edge('main/host/node-starter.ts', 'node:child_process'), forbidden: edge('main/engine/recorder/a.ts', 'node:child_process') },
  'nobody imports the relay': { fine: edge('relay/a.ts', 'relay/b.ts'), forbidden: edge('main/engine/engine.ts', 'relay/a.ts') },
  'the relay is small': { fine: edge('relay/a.ts', 'npm:ws'), forbidden: edge('relay/a.ts', 'npm:react') },
  'no test code in the program': { fine: edge('main/engine/core/a.test.ts', 'tests/x.ts'), forbidden: edge('main/engine/engine.ts', 'tools/x.ts') },
};

describe('the rules', () => {
  it('have a case each', () => {
    expect(Object.keys(CASES).sort()).toEqual(IMPORT_RULES.map((rule) => rule.name).sort());
  });

  it.each(Object.entries(CASES))('%s', (name, { fine, forbidden }) => {
    expect(violationsOf([fine])).toEqual([]);
    expect(violationsOf([forbidden]).map((violation) => violation.rule)).toEqual([name]);
    const without = IMPORT_RULES.filter((rule) => rule.name !== name);
    expect(violationsOf([forbidden], without)).toEqual([]);
  });

  it('see every way to import', () => {
    const text = "import a from './a.ts'; import type {B} from './b.ts'; export {c} from '../c.ts'; export type {D} from 'zod'; void import('node:fs');";
    expect(importsOf('shared/x/y.ts', text)).toEqual([
      edge('shared/x/y.ts', 'shared/x/a.ts'),
      edge('shared/x/y.ts', 'shared/x/b.ts', true),
      edge('shared/x/y.ts', 'shared/c.ts'),
      edge('shared/x/y.ts', 'npm:zod', true),
      edge('shared/x/y.ts', 'node:fs'),
    ]);
  });

  it('find cycles and what is reached through others', () => {
    const chain = [edge('a.ts', 'b.ts'), edge('b.ts', 'c.ts'), edge('c.ts', 'npm:electron')];
    expect(cyclesOf(chain)).toEqual([]);
    expect(cyclesOf([...chain, edge('c.ts', 'a.ts')])).toEqual(['a.ts -> b.ts -> c.ts -> a.ts']);
    expect(cyclesOf([...chain, edge('c.ts', 'a.ts', true)])).toEqual([]);
    expect(reachOf(chain, (file) => file === 'a.ts', (target) => target === 'npm:electron')).toBe('a.ts -> b.ts -> c.ts -> npm:electron');
    expect(reachOf(chain, (file) => file === 'a.ts', (target) => target === 'npm:ws')).toBeNull();
  });
});

describe('the project', () => {
  const edges = readGraph(ROOT, SHIPPED);
  const files = listSources(ROOT, SHIPPED);

  it('was read', () => {
    expect(edges.length).toBeGreaterThan(50);
  });

  it('breaks no rule', () => {
    expect(violationsOf(edges)).toEqual([]);
  });

  it('has no circular imports', () => {
    expect(cyclesOf(edges)).toEqual([]);
  });

  it('keeps Electron away from engine and host, also through others', () => {
    const starts = (file: string): boolean => file.startsWith('main/engine/') || file.startsWith('main/host/');
    const forbidden = (target: string): boolean => target === 'npm:electron' || /^(?:main\/shell\/|main\/main\.ts|main\/preload\.ts|renderer\/)/.test(target);
    expect(reachOf(edges, starts, forbidden)).toBeNull();
  });

  it('imports only files that exist and packages that package.json names', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
    const named = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]);
    const unknown = edges.filter(({ to }) => (to.startsWith('npm:') ? !named.has(to.slice(4)) : /\.tsx?$/.test(to) && !files.includes(to)));
    expect(unknown).toEqual([]);
  });

  it('ships no package that only development has', () => {
    const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
    const atRuntime = edges.filter(({ from, to, typeOnly }) => from.startsWith('main/') && !/\.test\.ts$|vite\.config\.ts$/.test(from) && to.startsWith('npm:') && !typeOnly);
    const missing = atRuntime.filter(({ to }) => to !== 'npm:electron' && manifest.dependencies[to.slice(4)] === undefined);
    expect(missing).toEqual([]);
  });
});
