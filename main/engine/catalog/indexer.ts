/** Takes what the ingest thread tells and keeps it: closed segments become rows, outages become gaps and events, and whoever looks at the timeline is told. */
import type { Gap } from '../../../shared/model/gap.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import type { DurationMs, EpochMs, TimeRange } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import { retryWaitMs } from '../core/retry.ts';
import type { ArchiveWriter } from '../ports/archive.ts';
import type { IngestNotice, StreamKey } from '../ports/ingest.ts';
import { offlineEvents, onlineEvents, WORTH_TELLING_MS } from './camera-events.ts';
import type { GapLedger } from './gap-ledger.ts';

export interface IndexerOptions {
  readonly write: Pick<ArchiveWriter, 'insertSegment' | 'insertGap' | 'insertEvent'>;
  readonly ledger: GapLedger;
  /** Looks whether the computer has slept just now: the frame that ends an outage may come before the next heartbeat. */
  readonly lookForSleep: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A part of the timeline is another than before. */
export interface TimelineChange extends TimeRange {
  readonly cameraIds: readonly CameraId[];
}

/** A disk without room for the index is mended by the owner or by retention; rows wait until then, their files lie safe and are also found at the next start. */
const RETRY = { stepsMs: [200, 1_000, 5_000, 15_000], jitter: 0.2 } as const;
/** Rows kept waiting at most: an hour of sixteen cameras with sub streams. What is beyond is found by the next reconciliation. */
const MAX_WAITING = 2_000;

export class Indexer {
  readonly #options: IndexerOptions;
  readonly #changed: Emitter<TimelineChange>;
  readonly #stopping = new AbortController();
  readonly #open = new Set<Promise<void>>();
  /** Outages that will be worth an event when they last, by camera. */
  readonly #lasting = new Map<CameraId, () => void>();

  constructor(options: IndexerOptions) {
    this.#options = options;
    this.#changed = new Emitter((error) => options.logger.error('A listener to changes of the timeline failed', error));
  }

  onChanged(listener: (change: TimelineChange) => void): () => void {
    return this.#changed.on(listener);
  }

  /** Takes one notice; those that are not about footage are none of its business. */
  take(notice: IngestNotice): void {
    switch (notice.type) {
      case 'segment-closed':
        // At once, not when it is rowed: the notice after this one may end an outage that began here.
        this.#options.ledger.footageReached(notice.segment, notice.segment.endMs);
        this.#keep(() => this.#insertSegment(notice.segment));
        break;
      case 'footage-held':
        this.#options.ledger.footageReached(notice, notice.endMs);
        break;
      case 'outage-began':
        this.#options.ledger.began(notice);
        this.#changed.emit({ cameraIds: [notice.cameraId], startMs: notice.sinceMs, endMs: Math.max(notice.sinceMs, this.#options.clock.nowMs()) });
        this.#tellIfItLasts(notice, notice.sinceMs);
        break;
      case 'outage-ended': {
        this.#options.lookForSleep();
        if (notice.stream === 'main') this.#forgetLasting(notice.cameraId);
        const reported = notice.cause === null ? null : { cause: notice.cause, detail: notice.detail };
        const gaps = this.#options.ledger.ended(notice, notice.sinceMs, notice.atMs, reported);
        if (gaps.length > 0) this.#keep(() => this.#insertGaps(gaps));
        break;
      }
      case 'status':
      case 'root-problem':
      case 'log':
        break;
    }
  }

  /** The gaps of an outage and their events: together, so that they share a transaction; all are there once however often they are tried. */
  async #insertGaps(gaps: readonly Gap[]): Promise<void> {
    const { write, ledger } = this.#options;
    const events = [...offlineEvents(gaps), ...onlineEvents(gaps)];
    await this.#durably('a gap', async () => void (await Promise.all([...gaps.map((gap) => write.insertGap(gap)), ...events.map((event) => write.insertEvent(event))])));
    for (const gap of gaps) {
      ledger.written(gap);
      this.#changed.emit({ cameraIds: [gap.cameraId], startMs: gap.startMs, endMs: gap.endMs });
    }
  }

  /** An outage is an event from a certain length on; nothing else may happen by then. */
  #tellIfItLasts({ cameraId, stream }: StreamKey, sinceMs: EpochMs): void {
    if (stream !== 'main' || this.#lasting.has(cameraId)) return;
    const { clock } = this.#options;
    const cancel = clock.after(WORTH_TELLING_MS, () => this.#changed.emit({ cameraIds: [cameraId], startMs: sinceMs, endMs: Math.max(sinceMs, clock.nowMs()) }));
    this.#lasting.set(cameraId, cancel);
  }

  #forgetLasting(cameraId: CameraId): void {
    this.#lasting.get(cameraId)?.();
    this.#lasting.delete(cameraId);
  }

  async #insertSegment(segment: Segment): Promise<void> {
    await this.#durably('a segment', () => this.#options.write.insertSegment(segment));
    this.#changed.emit({ cameraIds: [segment.cameraId], startMs: segment.startMs, endMs: segment.endMs });
  }

  #keep(work: () => Promise<void>): void {
    if (this.#open.size >= MAX_WAITING) {
      this.#options.logger.warn('Too many rows wait for the index; the rest is found at the next check');
      return;
    }
    const running = work().catch((error: unknown) => this.#options.logger.error('A row was given up; its file is found at the next start', error)).finally(() => this.#open.delete(running));
    this.#open.add(running);
  }

  /** Tries until it is durable; says the first failure only, and when it is over. After `stop` one last attempt counts. */
  async #durably(what: string, insert: () => Promise<void>): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      const last = this.#stopping.signal.aborted;
      try {
        await insert();
        if (failures > 1) this.#options.logger.info(`The index took ${what} after ${failures} attempts`);
        return;
      } catch (error) {
        if (last) throw error;
        if (failures === 1) this.#options.logger.error(`The index does not take ${what}; trying again`, error);
        await this.#options.clock.sleep(waitMs(failures), this.#stopping.signal);
      }
    }
  }

  /** Resolves when everything taken so far is durable or given up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const cancel of this.#lasting.values()) cancel();
    this.#lasting.clear();
    await Promise.all(this.#open);
  }
}

function waitMs(failures: number): DurationMs {
  return retryWaitMs(RETRY, failures, Math.random());
}
