/** Unlinks what is garbage and drops its rows, the last steps of deleting and of moving (I2); one piece of such work at a time. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { RootList } from './root-list.ts';
import { STAGING_FILE } from './segment-copy.ts';
import { segmentFolder } from './segment-name.ts';
import type { ArchiveThreads } from './threads.ts';

/** An hour folder younger than this may be about to get a file. */
const FOLDER_AT_REST_MS = 2 * HOUR_MS;
/** Files unlinked between two looks at whether to go on. */
const BATCH = 100;

export interface GarbageParts {
  readonly threads: () => ArchiveThreads;
  readonly roots: Pick<RootList, 'writable'>;
  readonly clock: Clock;
}

export class GarbageKeeper {
  readonly #parts: GarbageParts;
  #work: Promise<unknown> = Promise.resolve();

  constructor(parts: GarbageParts) {
    this.#parts = parts;
  }

  /** Runs work that makes or takes away garbage when all earlier such work is done: what is garbage when it begins is nobody else's meanwhile. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#work.catch(() => undefined).then(work);
    this.#work = run;
    return run;
  }

  /** Within `inTurn`. Unlinks garbage and drops its rows; garbage of a disk that is not here waits. */
  async unlink(rootId: RootId, paths: readonly string[]): Promise<void> {
    const { threads, roots, clock } = this.#parts;
    const root = roots.writable().find((one) => one.rootId === rootId);
    if (root === undefined) return;
    const place = { rootId, path: root.path };
    const gone = await threads().maintenance.unlink(place, paths);
    await threads().write((writer) => writer.dropGarbage(gone.map((file) => ({ rootId, path: file }))));
    const nowMs = clock.nowMs();
    const busy = new Set(['main', 'sub'].flatMap((stream) => [nowMs, nowMs - FOLDER_AT_REST_MS / 2].map((atMs) => segmentFolder({ cameraId: '' as CameraId, stream: stream as 'main', startMs: atMs }))));
    const folders = [...new Set(gone.map((file) => path.posix.dirname(file)))].filter((hour) => !busy.has(hour.slice(hour.indexOf('/'))));
    await threads().maintenance.clearEmptyFolders(place, folders);
  }

  /** Whatever a fault, a disk that was away or a comparison left as garbage. */
  async finish(): Promise<void> {
    await this.inTurn(async () => {
      // No copy is under way now: this one broke off.
      for (const root of this.#parts.roots.writable()) await rm(path.join(root.path, STAGING_FILE), { force: true }).catch(() => undefined);
      for (const [rootId, files] of Map.groupBy(await this.#parts.threads().maintenance.garbage(), (file) => file.rootId)) {
        for (let at = 0; at < files.length; at += BATCH) await this.unlink(rootId, files.slice(at, at + BATCH).map((file) => file.path));
      }
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work.catch(() => undefined);
  }
}
