/** How much room previews take: counted from their folders, so that quotas and the summary leave nothing out. */
import { statSync } from 'node:fs';
import path from 'node:path';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type DurationMs, MINUTE_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { PreviewUsage } from '../ports/archive.ts';
import { decodePackName, isDayName, previewFolder } from './preview-name.ts';
import type { RootPlace } from './root-list.ts';
import { namesIn } from './walk.ts';

/** Packs of these newest days still grow, and the oldest day's are being deleted; what lies between stays as it was counted. */
const GROWING_DAYS = 2;
/** Previews are a hundredth of the footage: in ten minutes they grow by what six seconds of footage take. */
const COUNT_EACH_MS: DurationMs = 10 * MINUTE_MS;

/** Counts packs; for the maintenance thread, since the first look at a slow disk takes its time. */
export class PreviewSizes {
  /** Bytes by day folder. */
  readonly #days = new Map<string, number>();

  /** Bytes of a camera's packs under a root. Throws the system's error where the disk fails. */
  of(rootPath: string, cameraId: CameraId): number {
    const folder = previewFolder(rootPath, cameraId);
    const days = namesIn(folder).filter(isDayName).sort();
    return days.reduce((sum, day, at) => {
      const key = path.join(folder, day);
      const settled = at > 0 && at < days.length - GROWING_DAYS ? this.#days.get(key) : undefined;
      const bytes = settled ?? dayBytes(key, day);
      this.#days.set(key, bytes);
      return sum + bytes;
    }, 0);
  }
}

function dayBytes(folder: string, day: string): number {
  const packs = namesIn(folder).filter((name) => decodePackName(`${day}/${name}`) !== null);
  return packs.reduce((sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

export interface PreviewTallyParts {
  readonly clock: Clock;
  readonly roots: () => readonly RootPlace[];
  readonly camerasOn: (root: RootPlace) => Promise<readonly CameraId[]>;
  readonly bytesOf: (root: RootPlace, cameraId: CameraId) => Promise<number>;
}

/** What was counted lately; counted anew every ten minutes while somebody asks. */
export class PreviewTally {
  readonly #parts: PreviewTallyParts;
  #counted: { readonly atMs: DurationMs; readonly usage: Promise<readonly PreviewUsage[]> } | null = null;

  constructor(parts: PreviewTallyParts) {
    this.#parts = parts;
  }

  async usage(): Promise<readonly PreviewUsage[]> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#counted === null || nowMs - this.#counted.atMs >= COUNT_EACH_MS) this.#counted = { atMs: nowMs, usage: this.#count() };
    return await this.#counted.usage;
  }

  /** Packs were deleted, or disks are others than before. */
  recount(): void {
    this.#counted = null;
  }

  async #count(): Promise<readonly PreviewUsage[]> {
    const usage: PreviewUsage[] = [];
    for (const root of this.#parts.roots()) {
      try {
        // One camera per question, so that deletions need not wait for all of them.
        for (const cameraId of await this.#parts.camerasOn(root)) usage.push({ rootId: root.rootId, cameraId, sizeBytes: await this.#parts.bytesOf(root, cameraId) });
      } catch {
        // The disk fails or was taken away: its state says so, and there is nothing to count on it.
      }
    }
    return usage;
  }
}
