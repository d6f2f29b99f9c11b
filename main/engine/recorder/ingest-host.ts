/** The engine's side of the ingest thread: starts it, keeps it running, passes notices on (docs/design/recording.md). */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { ReceivedBytes } from '../../../shared/model/recording-mode.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import { moving, startWorker, workerEntry, type WorkerHandle } from '../core/worker-rpc.ts';
import type { Ingest, IngestNotice, IngestSettings, IngestStream, LiveSubscription, OpenSegment, StreamKeep, StreamKey } from '../ports/ingest.ts';
import type { IngestWorkerApi, WorkerNotice } from './ingest-worker.ts';

const RESTART_MS = 500;

export interface IngestParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Starts the ingest thread. Nothing is recorded before `configure`. */
export function createIngest(parts: IngestParts): Ingest {
  return new IngestHost(parts);
}

class IngestHost implements Ingest {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #notices: Emitter<IngestNotice>;
  #worker: WorkerHandle<IngestWorkerApi, WorkerNotice>;
  #wanted: { readonly streams: readonly IngestStream[]; readonly settings: IngestSettings } | null = null;
  #stopping = false;
  /** The last session of each stream with a file, for a thread that is started again after the clock went back (T1). */
  readonly #lastSessions = new Map<string, number>();

  constructor({ clock, logger }: IngestParts) {
    this.#clock = clock;
    this.#logger = logger.scoped('ingest');
    this.#notices = new Emitter((error) => this.#logger.error('a listener failed', error));
    this.#worker = this.#start();
  }

  async configure(streams: readonly IngestStream[], settings: IngestSettings): Promise<void> {
    this.#wanted = { streams, settings };
    await this.#worker.client.configure(streams, settings);
  }

  async keep(cameraId: CameraId, keep: StreamKeep | null): Promise<void> {
    if (this.#wanted !== null) this.#wanted = { ...this.#wanted, streams: this.#wanted.streams.map((stream) => (stream.cameraId === cameraId ? { ...stream, keep } : stream)) };
    await this.#worker.client.keep(cameraId, keep);
  }

  async received(): Promise<readonly (StreamKey & ReceivedBytes)[]> {
    return await this.#worker.client.received();
  }

  async retry(cameraId: CameraId): Promise<void> {
    await this.#worker.client.retry(cameraId);
  }

  async openSegment(key: StreamKey): Promise<OpenSegment | null> {
    return await this.#worker.client.openSegment(key);
  }

  subscribe(subscription: LiveSubscription): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#worker.client.subscribe(subscription, moving(port2, [port2])).catch((error: unknown) => {
      this.#logger.warn('a live feed could not be opened', error);
      port1.close();
    });
    return port1;
  }

  onNotice(listener: (notice: IngestNotice) => void): () => void {
    return this.#notices.on(listener);
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    try {
      await this.#worker.client.stop();
    } finally {
      await this.#worker.terminate();
    }
  }

  #start(): WorkerHandle<IngestWorkerApi, WorkerNotice> {
    const worker = startWorker<IngestWorkerApi, WorkerNotice>(workerEntry(import.meta.url, 'ingest-worker'), 'ingest', {}, [], true);
    worker.onNotice((message) => {
      if ('beat' in message) worker.client.heard(message.beat).catch(() => undefined);
      else this.#tell(message.notice);
    });
    void worker.exited.then((code) => this.#ended(code));
    return worker;
  }

  #tell(notice: IngestNotice): void {
    if (notice.type === 'log') this.#logger[notice.level](notice.message);
    if (notice.type === 'segment-closed') this.#sawSession(notice.segment);
    this.#notices.emit(notice);
  }

  /** What a failing disk gives back is of an earlier session. */
  #sawSession({ cameraId, stream, session }: Segment): void {
    const key = `${cameraId}/${stream}`;
    this.#lastSessions.set(key, Math.max(session, this.#lastSessions.get(key) ?? 0));
  }

  /** A thread that failed is started again with what was wanted; its children died with it. */
  #ended(code: number): void {
    if (this.#stopping) return;
    this.#logger.error(`the ingest thread ended with ${code} and is started again`);
    const nowMs = this.#clock.nowMs();
    for (const stream of this.#wanted?.streams ?? []) {
      if (stream.record === null) continue;
      this.#notices.emit({ type: 'outage-began', cameraId: stream.cameraId, stream: stream.kind, sinceMs: nowMs, cause: 'porchlight-failed', detail: 'the recording thread failed' });
    }
    this.#clock.after(RESTART_MS, () => {
      if (this.#stopping) return;
      this.#worker = this.#start();
      if (this.#wanted === null) return;
      const { settings } = this.#wanted;
      const streams = this.#wanted.streams.map((stream) => ({ ...stream, afterSession: Math.max(stream.afterSession ?? 0, this.#lastSessions.get(`${stream.cameraId}/${stream.kind}`) ?? 0) }));
      this.#worker.client.configure(streams, settings).catch((error: unknown) => this.#logger.error('recording could not be taken up again', error));
    });
  }
}
