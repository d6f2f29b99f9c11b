/** Owns the controls: syncs of the program that are taken out of the log one kind at a time, each of which must show. Pure. */
import { type DiskOperation, effectAt, type SyncOperation } from './disk-operations.ts';
import type { WorldKind } from './world-choices.ts';

export interface Control {
  readonly name: string;
  /** Whether this sync is the one that is not called; it is `operations[index]`. */
  drops(sync: SyncOperation, operations: readonly DiskOperation[], index: number): boolean;
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

/** Just before the file that was synced is synced for the last time. */
function beforeClose(operations: readonly DiskOperation[], index: number): number {
  const sync = operations[index];
  const last = operations.findLastIndex((one) => one.kind === 'sync' && sync?.kind === 'sync' && one.inode === sync.inode && one.call === 'fsync');
  return last > index ? last - 1 : index + 1;
}

export const CONTROLS: readonly Control[] = [
  { name: 'fdatasync of a segment each second', drops: (sync) => sync.call === 'fdatasync' && sync.path.endsWith('.mp4'), cutAfter: beforeClose, kinds: ['nothing', 'zeros'] },
  { name: 'fsync of a segment\'s folder', drops: (sync) => HOUR_FOLDER.test(sync.path), cutAfter: later, kinds: ['nothing', 'unnamed'] },
  { name: 'fsync of a segment before its row', drops: (sync) => sync.call === 'fsync' && sync.path.endsWith('.mp4'), cutAfter: soon, kinds: ['nothing', 'zeros', 'pages'] },
  { name: 'fsync of a folder from which a segment was deleted', drops: isAfterDeletion, cutAfter: (operations, index) => afterLogSyncs(operations, index, 2), kinds: ['nothing', 'unnamed'] },
  { name: 'sync of a segment before its tail', drops: isBeforeTail, cutAfter: (operations, index) => tailAfter(operations, index), kinds: ['suffix', 'sectors', 'pages'] },
  { name: 'sync of a journal before its row', drops: (sync) => sync.path.endsWith('.jsonl'), cutAfter: soon, kinds: ['nothing', 'zeros'] },
  { name: 'fsync of an owner\'s file before it is renamed', drops: (sync) => /\/config\/[^/]+\.new$/.test(sync.path), cutAfter: soon, kinds: ['names', 'zeros'] },
  { name: 'fsync of the config folder', drops: (sync) => sync.path.endsWith('/config'), cutAfter: (operations, index) => confirmedAfter(operations, index), kinds: ['nothing', 'unnamed'] },
  { name: 'fsync of the index\'s log', drops: (sync) => sync.path.endsWith('.db-wal'), cutAfter: later, kinds: ['nothing', 'suffix', 'everything'] },
];

/** Where the tail of the same segment is written next, before anything else of it; -1 where it is not. */
function tailAfter(operations: readonly DiskOperation[], index: number): number {
  const sync = operations[index];
  const next = operations.findIndex((one, at) => at > index && sync !== undefined && sync.kind === 'sync' && 'inode' in one && one.inode === sync.inode);
  const write = operations[next];
  return write?.kind === 'write' && write.bytes.toString('latin1', 4, 8) === 'uuid' ? next : -1;
}

/** The last change of a name in this folder before was a segment's going. */
function isAfterDeletion(sync: SyncOperation, operations: readonly DiskOperation[], index: number): boolean {
  if (!HOUR_FOLDER.test(sync.path)) return false;
  const last = operations.slice(0, index).findLast((one) => one.kind === 'name' && one.folder === sync.inode);
  return last?.kind === 'name' && last.inode === null;
}

/** Once the index has said `count` more things for good. */
function afterLogSyncs(operations: readonly DiskOperation[], index: number, count: number): number {
  let left = count;
  const found = operations.findIndex((one, at) => {
    if (at > index && one.kind === 'sync' && one.path.endsWith('.db-wal')) left -= 1;
    return left === 0;
  });
  return found === -1 ? operations.length - 1 : found;
}

function isBeforeTail(sync: SyncOperation, operations: readonly DiskOperation[], index: number): boolean {
  return sync.path.endsWith('.mp4') && tailAfter(operations, index) !== -1;
}

/** After the next line in which the program confirms something. */
function confirmedAfter(operations: readonly DiskOperation[], index: number): number {
  const found = operations.findIndex((one, at) => at > index && one.kind === 'said' && effectAt(one) > 0);
  return found === -1 ? operations.length - 1 : found;
}
