/**
 * Sets and takes off locks, and has them back before anything may be deleted: where the index was lost, the journals of all
 * disks are asked first (docs/design/storage.md, "Locks").
 */
import type { FootageLock } from '../../../shared/model/locks.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Logger } from '../core/logger.ts';
import type { Happening } from './journal.ts';
import type { RootPlace } from './root-list.ts';
import type { ArchiveThreads } from './threads.ts';

export interface LockKeeperParts {
  readonly threads: () => ArchiveThreads;
  readonly readable: () => readonly RootPlace[];
  readonly writable: () => readonly RootPlace[];
  /** Folder with journal lines that wait for a disk. */
  readonly waiting: string;
  readonly logger: Logger;
}

export class LockKeeper {
  readonly #parts: LockKeeperParts;
  #restored: Promise<void> = Promise.resolve();

  constructor(parts: LockKeeperParts) {
    this.#parts = parts;
  }

  /** Locks in force, newest footage first. */
  async list(): Promise<readonly FootageLock[]> {
    await this.#restored;
    return await this.#parts.threads().read((reader) => reader.locks());
  }

  /** Durable when it resolves: on every writable disk, and in the index. */
  async add(lock: FootageLock): Promise<void> {
    await this.#write({ type: 'lock', lock });
  }

  /** Takes a lock off, durably. `atMs`: now. */
  async remove(lock: FootageLock, atMs: EpochMs): Promise<void> {
    // Its line is filed no earlier than the lock's, so that it outlives it.
    const filedMs = Math.max(atMs, lock.startMs, lock.createdMs);
    await this.#write({ type: 'unlock', unlock: { id: lock.id, cameraId: lock.cameraId, startMs: filedMs, endMs: filedMs } });
  }

  async #write(happening: Happening): Promise<void> {
    const bases = this.#parts.writable().map((root) => root.path);
    await this.#parts.threads().write((writer) => writer.hold(happening, bases));
  }

  /** The index is new to a disk: its locks are read from the journals, before any footage may go. */
  restore(): void {
    this.#restored = this.#readJournals().catch((error: unknown) => this.#parts.logger.error('Locks could not be read from a journal', error));
  }

  /** Resolves when every lock that can be known is in the index. */
  async restored(): Promise<void> {
    await this.#restored;
  }

  async #readJournals(): Promise<void> {
    const bases = [...this.#parts.readable().map((root) => root.path), this.#parts.waiting];
    const happenings = await this.#parts.threads().maintenance.journaledLocks(bases);
    if (happenings.length > 0) await this.#parts.threads().write((writer) => writer.apply({ happenings }, false, null));
  }
}
