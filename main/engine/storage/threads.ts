/** The archive's three threads and what happens when the index is damaged: it is set aside, and every thread goes on with a new one. */
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { type DurationMs, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { IdleWorker } from '../core/idle-worker.ts';
import type { Logger } from '../core/logger.ts';
import { startWorker, workerEntry, type WorkerClient, type WorkerHandle } from '../core/worker-rpc.ts';
import { DATABASE_FILE } from './database.ts';
import { WAITING_FOLDER } from './journal.ts';
import type { MaintenanceApi } from './maintenance-worker.ts';
import type { ReaderApi } from './reader-worker.ts';
import { isCorrupt } from './sqlite-errors.ts';
import type { WriterApi } from './writer-worker.ts';

/** Reading the whole index takes seconds for a large archive: an error that comes back does not cause it each time. */
const SUSPECT_AGAIN_MS: DurationMs = 10 * MINUTE_MS;
/** The check at the start keeps the maintenance thread busy, deletions call it up for a moment; in between it is not there. */
const MAINTENANCE_IDLE_MS: DurationMs = 20 * SECOND_MS;

export interface ThreadOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A new, empty index is in place: the archive rebuilds it. `aside` is the damaged one's new name. */
  readonly onReplaced: (aside: string) => void;
}

export class ArchiveThreads {
  readonly #writer: WorkerHandle<WriterApi, never>;
  /** Started by the first question: nothing is asked before recording begins, which then has the processor to itself. */
  #reader: WorkerHandle<ReaderApi, never> | null = null;
  /** Null where the reader has no connection; the next question opens one. */
  #readerOpened: Promise<void> | null = null;
  readonly #file: string;
  readonly #maintenance: IdleWorker<MaintenanceApi>;
  readonly #options: ThreadOptions;
  #replacing: Promise<void> | null = null;
  #replacements = 0;
  #suspectedMs = Number.NEGATIVE_INFINITY;

  private constructor(options: ThreadOptions) {
    const file = path.join(options.dataDir, DATABASE_FILE);
    this.#file = file;
    const waiting = path.join(options.dataDir, WAITING_FOLDER);
    this.#options = options;
    this.#writer = startWorker<WriterApi>(workerEntry(import.meta.url, './writer-worker'), 'index-writer', { file, waiting, nowMs: options.clock.nowMs() });
    this.#maintenance = new IdleWorker<MaintenanceApi>({
      start: () => startWorker<MaintenanceApi>(workerEntry(import.meta.url, './maintenance-worker'), 'maintenance', { file }),
      clock: options.clock,
      idleMs: MAINTENANCE_IDLE_MS,
    });
    // The start asks it for tails: it loads while the index is opened.
    this.#maintenance.prepare();
  }

  /** Starts the threads and opens the index, a new one where it was damaged. Throws as `openForWriting`. */
  static async start(options: ThreadOptions): Promise<{ readonly threads: ArchiveThreads; readonly setAside: string | null }> {
    const threads = new ArchiveThreads(options);
    try {
      const report = await threads.#writer.client.open();
      return { threads, setAside: report.setAside };
    } catch (error) {
      await threads.#terminate();
      throw error;
    }
  }

  get maintenance(): WorkerClient<MaintenanceApi> {
    return this.#maintenance.client;
  }

  /** Asks the writer; where the index turns out damaged, it is replaced and the writer asked once more. */
  async write<T>(work: (writer: WorkerClient<WriterApi>) => Promise<T>): Promise<T> {
    return await this.#askTwice(async () => await work(this.#writer.client));
  }

  /** Asks the reader; as `write`. */
  async read<T>(work: (reader: WorkerClient<ReaderApi>) => Promise<T>): Promise<T> {
    return await this.#askTwice(async () => await work(await this.#readerClient()));
  }

  /** Asks the maintenance thread; as `write`. */
  async readAtStart<T>(work: (maintenance: WorkerClient<MaintenanceApi>) => Promise<T>): Promise<T> {
    return await this.#askTwice(async () => await work(this.#maintenance.client));
  }

  async #readerClient(): Promise<WorkerClient<ReaderApi>> {
    this.#reader ??= startWorker<ReaderApi>(workerEntry(import.meta.url, './reader-worker'), 'index-reader', { file: this.#file });
    const { client } = this.#reader;
    this.#readerOpened ??= client.open().catch((error: unknown) => {
      this.#readerOpened = null;
      throw error;
    });
    await this.#readerOpened;
    return client;
  }

  async #askTwice<T>(ask: () => Promise<T>): Promise<T> {
    const seen = this.#replacements;
    try {
      return await ask();
    } catch (error) {
      if (!isCorrupt(error) && !(await this.#turnsOutDamaged(error))) throw error;
      await this.replace(seen, error);
      return await ask();
    }
  }

  /** Random bytes in a page need not look like damage to the statement that reads them: after an error nobody expects, the whole index is read once. */
  async #turnsOutDamaged(error: unknown): Promise<boolean> {
    if (!(error instanceof PorchlightError) || error.kind !== 'internal') return false;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#suspectedMs < SUSPECT_AGAIN_MS) return false;
    this.#suspectedMs = nowMs;
    try {
      await this.#maintenance.client.requireSound();
      return false;
    } catch (found) {
      return isCorrupt(found);
    }
  }

  /** How often the index was replaced: what was begun under another number is about an index that is gone. */
  get replacements(): number {
    return this.#replacements;
  }

  /** Replaces the index unless that has happened since `seen`. */
  async replace(seen: number, why: unknown): Promise<void> {
    if (seen === this.#replacements) this.#replacing ??= this.#replaceNow(why).finally(() => void (this.#replacing = null));
    await this.#replacing;
  }

  async #replaceNow(why: unknown): Promise<void> {
    this.#options.logger.error('The index of footage is damaged; it is set aside and rebuilt', why);
    await this.#reader?.client.release();
    if (this.#maintenance.running) await this.#maintenance.client.release();
    const aside = await this.#writer.client.replace(this.#options.clock.nowMs());
    this.#readerOpened = null;
    this.#replacements += 1;
    this.#options.onReplaced(aside);
  }

  /** Commits what waits, closes the index and ends the threads. */
  async close(): Promise<void> {
    try {
      await this.#reader?.client.release();
      if (this.#maintenance.running) await this.#maintenance.client.release();
      await this.#writer.client.close();
    } finally {
      await this.#terminate();
    }
  }

  async #terminate(): Promise<void> {
    await Promise.all([this.#writer.terminate(), this.#reader?.terminate(), this.#maintenance.terminate()]);
  }
}
