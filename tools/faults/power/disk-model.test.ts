/** The model of a disk and the reading of traces: what is certain after a cut, and what is not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiskModel } from './disk-model.ts';
import type { DiskOperation } from './disk-operations.ts';
import { StraceLines, type SystemCall } from './strace-lines.ts';
import { SAID, TracedFiles } from './traced-files.ts';
import { chooseWorld, seededRandom, WORLD_KINDS, type WorldKind } from './world-choices.ts';

const hex = (text: string): string => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
const BASE = '/home/test';

/** Lines as strace prints them, from calls with readable texts: `"…"` and `<…>` become hexadecimal. */
function calls(...lines: readonly string[]): SystemCall[] {
  const reading = new StraceLines(0);
  const found = lines.flatMap((line, index) => {
    const printed = line.replace(/<\.\.\./, '{dots}').replace(/<unfinished/, '{unfinished').replace(/"([^"]*)"/g, (_all, text: string) => `"${hex(text)}"`).replace(/<([^>]*)>/g, (_all, text: string) => `<${hex(text)}>`).replace('{dots}', '<...').replace('{unfinished', '<unfinished');
    const [tid = '', ...rest] = printed.split(' ');
    return reading.next(`${tid} ${1_000 + index}.000000 ${rest.join(' ')}`) ?? [];
  });
  expect(reading.strange).toEqual([]);
  return found;
}

function operationsOf(...lines: readonly string[]): { readonly operations: readonly DiskOperation[]; readonly files: TracedFiles } {
  const files = new TracedFiles(BASE);
  files.beginProcess();
  files.take(calls(...lines));
  expect(files.problems).toEqual([]);
  return { operations: files.operations, files };
}

function world(operations: readonly DiskOperation[], kind: WorldKind, seed = 1): Record<string, string | null> {
  const model = new DiskModel();
  for (const operation of operations) model.apply(operation);
  return Object.fromEntries([...model.world(chooseWorld(kind, 1e9, seededRandom(seed)))].map(([name, bytes]) => [name, bytes === null ? null : bytes.toString()]));
}

const WRITE_NEW = [
  `7 openat(AT_FDCWD</>, "${BASE}/a.new", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 20<${BASE}/a.new>`,
  `7 write(20<${BASE}/a.new>, "new", 3) = 3`,
];
const SYNC_NEW = `7 fsync(20<${BASE}/a.new>) = 0`;
const RENAME = [`7 close(20<${BASE}/a.new>) = 0`, `7 rename("${BASE}/a.new", "${BASE}/a") = 0`];
const SYNC_FOLDER = [`7 openat(AT_FDCWD</>, "${BASE}", O_RDONLY) = 21<${BASE}>`, `7 fsync(21<${BASE}>) = 0`];

describe('a traced file', () => {
  it('that is written, synced, renamed and synced by its folder is in every world', () => {
    const { operations } = operationsOf(...WRITE_NEW, SYNC_NEW, ...RENAME, ...SYNC_FOLDER);
    for (const kind of WORLD_KINDS) expect(world(operations, kind)).toEqual({ a: 'new' });
  });

  it('that is renamed without a sync may be there by name and empty', () => {
    const { operations } = operationsOf(...WRITE_NEW, ...RENAME, ...SYNC_FOLDER);
    expect(world(operations, 'nothing')).toEqual({ a: '' });
    expect(world(operations, 'zeros')).toEqual({ a: '\0\0\0' });
    expect(world(operations, 'everything')).toEqual({ a: 'new' });
  });

  it('whose folder is not synced may have no name, or two', () => {
    const { operations } = operationsOf(...WRITE_NEW, SYNC_NEW, ...RENAME);
    expect(world(operations, 'nothing')).toEqual({});
    const seen = new Set(Array.from({ length: 60 }, (_, seed) => Object.keys(world(operations, 'mixed', seed)).join()));
    expect([...seen].sort()).toEqual(['', 'a', 'a.new', 'a.new,a'].sort());
  });

  it('is followed through interleaved lines, appends, copies and positions', () => {
    const { files } = operationsOf(
      `7 openat(AT_FDCWD</>, "${BASE}/log", O_WRONLY|O_CREAT|O_APPEND, 0666) = 20<${BASE}/log>`,
      '7 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 8',
      `7 write(20<${BASE}/log>, "one", 3 <unfinished ...>`,
      `8 openat(AT_FDCWD</>, "${BASE}/b", O_RDWR|O_CREAT, 0666) = 21<${BASE}/b>`,
      '7 <... write resumed>) = 3',
      `8 pwrite64(21<${BASE}/b>, "-----", 5, 2) = 5`,
      `8 lseek(21<${BASE}/b>, 0, SEEK_SET) = 0`,
      `8 write(21<${BASE}/b>, "xyz", 3) = 2`,
      `7 write(20<${BASE}/log>, "two", 3) = 3`,
      `8 openat(AT_FDCWD</>, "${BASE}/copy", O_WRONLY|O_CREAT, 0666) = 22<${BASE}/copy>`,
      `8 copy_file_range(21<${BASE}/b>, [0], 22<${BASE}/copy>, NULL, 7, 0) = 7`,
      `8 ftruncate(21<${BASE}/b>, 4) = 0`,
    );
    expect(Object.fromEntries([...files.tree()].map(([name, bytes]) => [name, bytes?.toString()]))).toEqual({ log: 'onetwo', b: 'xy--', copy: 'xy-----' });
  });

  it('of another process is not taken for its own descriptor, and what is said stands in its place', () => {
    const { operations, files } = operationsOf(
      `7 openat(AT_FDCWD</>, "${BASE}/a", O_WRONLY|O_CREAT, 0666) = 20<${BASE}/a>`,
      '7 clone(child_stack=NULL, flags=SIGCHLD) = 9',
      `9 close(20<${BASE}/a>) = 0`,
      `7 write(1<pipe>, "${SAID}done`.concat('\n", 10) = 10'),
      `7 write(20<${BASE}/a>, "still", 5) = 5`,
    );
    expect(files.tree().get('a')?.toString()).toBe('still');
    expect(operations.map((one) => one.kind)).toEqual(['create', 'name', 'said', 'write']);
  });

  it('that is written while it is being synced may lack that write', () => {
    const { operations } = operationsOf(
      ...WRITE_NEW,
      '7 clone3({flags=CLONE_THREAD}, 88) = 8',
      `8 fsync(20<${BASE}/a.new> <unfinished ...>`,
      `7 write(20<${BASE}/a.new>, "er", 2) = 2`,
      '8 <... fsync resumed>) = 0',
      ...SYNC_FOLDER,
    );
    expect(world(operations, 'nothing')).toEqual({ 'a.new': 'new' });
    expect(world(operations, 'everything')).toEqual({ 'a.new': 'newer' });
  });
});

describe('a world', () => {
  it('has all bytes that were synced and no byte that was never written, whatever is chosen', () => {
    const writes = fc.array(fc.record({ at: fc.nat(2_000), length: fc.integer({ min: 1, max: 1_200 }), sync: fc.boolean() }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(writes, fc.constantFrom(...WORLD_KINDS), fc.nat(), (list, kind, seed) => {
        const step = (at: number): { enter: number; exit: number; timeMs: number } => ({ enter: at, exit: at, timeMs: at });
        const operations: DiskOperation[] = [{ kind: 'create', inode: 1, type: 'file', ...step(0) }, { kind: 'name', folder: 0, name: 'f', inode: 1, ...step(1) }, { kind: 'sync', inode: 0, call: 'fsync', path: '', ...step(2) }];
        // Each byte has the values that were ever written to it; the last synced ones are certain from the end of the sync on.
        const certain = new Map<number, number>();
        const possible = new Map<number, Set<number>>();
        list.forEach(({ at, length, sync }, index) => {
          operations.push({ kind: 'write', inode: 1, at, bytes: Buffer.alloc(length, index + 1), ...step(10 + index * 2) });
          for (let offset = at; offset < at + length; offset += 1) possible.set(offset, (possible.get(offset) ?? new Set([0])).add(index + 1));
          if (!sync) return;
          operations.push({ kind: 'sync', inode: 1, call: 'fdatasync', path: '', ...step(11 + index * 2) });
          for (const [offset, values] of possible) {
            certain.set(offset, Math.max(...values));
            possible.set(offset, new Set([Math.max(...values)]));
          }
        });
        const model = new DiskModel();
        for (const operation of operations) model.apply(operation);
        const bytes = model.world(chooseWorld(kind, 1_000, seededRandom(seed))).get('f') ?? Buffer.alloc(0);
        const lost = [...certain].filter(([offset, value]) => possible.get(offset)?.size === 1 && bytes[offset] !== value);
        const invented = [...bytes.entries()].filter(([offset, value]) => value !== 0 && possible.get(offset)?.has(value) !== true);
        expect({ lost, invented }).toEqual({ lost: [], invented: [] });
      }),
      { numRuns: 200 },
    );
  });
});
