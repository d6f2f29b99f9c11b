/** Owns the controls: syncs of the program that are taken out of the log one kind at a time, each of which must show. Pure. */
import { type DiskOperation, effectAt, type SyncOperation } from './disk-operations.ts';
import type { WorldKind } from './world-choices.ts';

export interface Control {
  readonly name: string;
  /** Whether this sync is the one that is not called. */
  drops(sync: SyncOperation): boolean;
  /** Where to cut, by place among the operations, when a dropped sync was at `index`. */
  cutAfter(operations: readonly DiskOperation[], index: number, random: () => number): number;
  readonly kinds: readonly WorldKind[];
}

const HOUR_FOLDER = /\/(?:main|sub)\/[\d-]+\/\d\d$/;

/** A few operations later: before anything else can make up for it. */
function soon(_operations: readonly DiskOperation[], index: number, random: () => number): number {
  return index + 1 + Math.floor(random() * 12);
}

/** Some seconds later, while the file is still being written. */
function later(operations: readonly DiskOperation[], index: number, random: () => number): number {
  const from = operations[index];
  if (from === undefined) return index;
  const untilMs = from.timeMs + 2_500 + random() * 2_500;
  const found = operations.findIndex((one, at) => at > index && one.timeMs >= untilMs);
  return found === -1 ? operations.length - 1 : found;
}

export const CONTROLS: readonly Control[] = [
  { name: 'fdatasync of a segment each second', drops: (sync) => sync.call === 'fdatasync' && sync.path.endsWith('.mp4'), cutAfter: later, kinds: ['nothing', 'zeros'] },
  { name: 'fsync of a segment\'s folder', drops: (sync) => HOUR_FOLDER.test(sync.path), cutAfter: later, kinds: ['nothing', 'unnamed'] },
  { name: 'fsync of a segment before its row', drops: (sync) => sync.call === 'fsync' && sync.path.endsWith('.mp4'), cutAfter: soon, kinds: ['nothing', 'zeros', 'pages'] },
  { name: 'sync of a journal before its row', drops: (sync) => sync.path.endsWith('.jsonl'), cutAfter: soon, kinds: ['nothing', 'zeros'] },
  { name: 'fsync of an owner\'s file before it is renamed', drops: (sync) => /\/config\/[^/]+\.new$/.test(sync.path), cutAfter: soon, kinds: ['names', 'zeros'] },
  { name: 'fsync of the config folder', drops: (sync) => sync.path.endsWith('/config'), cutAfter: (operations, index) => confirmedAfter(operations, index), kinds: ['nothing', 'unnamed'] },
  { name: 'fsync of the index\'s log', drops: (sync) => sync.path.endsWith('.db-wal'), cutAfter: later, kinds: ['nothing', 'suffix', 'everything'] },
];

/** After the next line in which the program confirms something. */
function confirmedAfter(operations: readonly DiskOperation[], index: number): number {
  const found = operations.findIndex((one, at) => at > index && one.kind === 'said' && effectAt(one) > 0);
  return found === -1 ? operations.length - 1 : found;
}
