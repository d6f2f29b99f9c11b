/**
 * Owns the model of a disk at a power cut: what was synced is there, of everything else any part may be. Nothing is taken
 * for granted that POSIX does not promise: a file's sync says nothing of its name, a rename is two changes of names that
 * the cut may part (each name by itself is the old or the new), bytes may be missing in the middle and sizes may be ahead
 * of bytes, which then read as zeros. Pure.
 */
import type { DiskOperation, Inode } from './disk-operations.ts';
import { WATCHED } from './disk-operations.ts';

export type DataOperation = Extract<DiskOperation, { readonly kind: 'write' | 'resize' }>;
export type NameOperation = Extract<DiskOperation, { readonly kind: 'name' }>;

interface FileState {
  durable: Buffer;
  sizeBytes: number;
  pending: DataOperation[];
}

interface FolderState {
  readonly durable: Map<string, Inode>;
  pending: NameOperation[];
}

/** What of the unsynced operations a world has. */
export interface WorldChoice {
  /** The pieces of one file's unsynced writes and resizes that reached the disk, in the order of their application. */
  data(inode: Inode, pending: readonly DataOperation[]): { readonly kept: readonly DataOperation[]; readonly leastBytes: number };
  /** How many of the unsynced changes of one name reached the disk: the name is what the last of them says. */
  name(pending: readonly NameOperation[]): number;
}

export class DiskModel {
  readonly #files = new Map<Inode, FileState>();
  readonly #folders = new Map<Inode, FolderState>([[WATCHED, { durable: new Map(), pending: [] }]]);

  /** Applies the next operation, in the order of their effects. */
  apply(operation: DiskOperation): void {
    switch (operation.kind) {
      case 'create':
        if (operation.type === 'file') this.#files.set(operation.inode, { durable: Buffer.alloc(0), sizeBytes: 0, pending: [] });
        else this.#folders.set(operation.inode, { durable: new Map(), pending: [] });
        return;
      case 'write': case 'resize':
        this.#files.get(operation.inode)?.pending.push(operation);
        return;
      case 'name':
        this.#folders.get(operation.folder)?.pending.push(operation);
        return;
      case 'sync':
        this.#sync(operation.inode, operation.enter);
        return;
      case 'said':
    }
  }

  /** Bytes and names that a cut now may take. */
  get unsynced(): { readonly files: number; readonly bytes: number; readonly names: number } {
    let [files, bytes, names] = [0, 0, 0];
    for (const { pending } of this.#files.values()) {
      if (pending.length > 0) files += 1;
      for (const one of pending) if (one.kind === 'write') bytes += one.bytes.length;
    }
    for (const { pending } of this.#folders.values()) names += pending.length;
    return { files, bytes, names };
  }

  /** One disk as a cut now may leave it: paths below the watched folder, with bytes, or null for a folder. */
  world(choice: WorldChoice): Map<string, Buffer | null> {
    const found = new Map<string, Buffer | null>();
    const walk = (inode: Inode, at: string, above: ReadonlySet<Inode>): void => {
      for (const [name, child] of this.#namesOf(inode, choice)) {
        const here = at === '' ? name : `${at}/${name}`;
        const file = this.#files.get(child);
        if (file !== undefined) found.set(here, contentOf(child, file, choice));
        else if (!above.has(child)) {
          found.set(here, null);
          walk(child, here, new Set([...above, child]));
        }
      }
    };
    walk(WATCHED, '', new Set([WATCHED]));
    return found;
  }

  #sync(inode: Inode, before: number): void {
    const file = this.#files.get(inode);
    if (file !== undefined) {
      for (const one of file.pending) if (one.exit < before) applyTo(file, one);
      file.pending = file.pending.filter((one) => one.exit >= before);
    }
    const folder = this.#folders.get(inode);
    if (folder !== undefined) {
      for (const one of folder.pending) if (one.exit < before) setName(folder.durable, one);
      folder.pending = folder.pending.filter((one) => one.exit >= before);
    }
  }

  #namesOf(inode: Inode, choice: WorldChoice): Map<string, Inode> {
    const folder = this.#folders.get(inode);
    if (folder === undefined) return new Map();
    const names = new Map(folder.durable);
    for (const changes of Map.groupBy(folder.pending, (one) => one.name).values()) {
      const last = changes[choice.name(changes) - 1];
      if (last !== undefined) setName(names, last);
    }
    return names;
  }
}

function contentOf(inode: Inode, file: FileState, choice: WorldChoice): Buffer {
  if (file.pending.length === 0) return file.durable.subarray(0, file.sizeBytes);
  const { kept, leastBytes } = choice.data(inode, file.pending);
  const copy: FileState = { durable: Buffer.from(file.durable.subarray(0, file.sizeBytes)), sizeBytes: file.sizeBytes, pending: [] };
  for (const one of kept) applyTo(copy, one);
  if (leastBytes > copy.sizeBytes) resizeTo(copy, leastBytes);
  return copy.durable.subarray(0, copy.sizeBytes);
}

function applyTo(file: FileState, one: DataOperation): void {
  if (one.kind === 'resize') {
    resizeTo(file, one.sizeBytes);
    return;
  }
  const end = one.at + one.bytes.length;
  if (end > file.sizeBytes) resizeTo(file, end);
  one.bytes.copy(file.durable, one.at);
}

function resizeTo(file: FileState, sizeBytes: number): void {
  if (sizeBytes < file.sizeBytes) file.durable.fill(0, sizeBytes, file.sizeBytes);
  else if (sizeBytes > file.durable.length) file.durable = Buffer.concat([file.durable, Buffer.alloc(Math.max(sizeBytes - file.durable.length, file.durable.length))]);
  file.sizeBytes = sizeBytes;
}

function setName(names: Map<string, Inode>, { name, inode }: NameOperation): void {
  if (inode === null) names.delete(name);
  else names.set(name, inode);
}
