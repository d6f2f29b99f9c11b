/** Answers for previews: the one nearest to a moment, a contact sheet, a camera's newest picture (docs/design/previews.md, "Looking up"). */
import type { PreviewItem } from '../../../shared/contract/engine-api.ts';
import { concatBytes } from '../../../shared/media/boxes.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { type DurationMs, type EpochMs, HOUR_MS, type TimeRange } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { PackedPreview, PackIndex } from '../storage/preview-index.ts';
import { packHourMs } from '../storage/preview-name.ts';
import type { PackPicture, PreviewPacks } from '../storage/preview-pack.ts';

/** A newest preview younger than this is new enough: making one sooner starts a decoder for one or two pictures. */
const FRESH_MS = 10_000;
/** Longest that `latest` waits for the decoder; then the newest on disk has to do. */
const FLUSH_LIMIT_MS = 2_000;
/** A preview of the last minute may still be waiting to be made: where none is nearer than two steps, it is hurried. */
const WAITING_MS = 60_000;
const TWO_STEPS_MS = 4_000;
/** Damaged records are passed over, but not without end. */
const MAX_TRIES = 8;

export interface PreviewStoreParts {
  readonly packs: PreviewPacks;
  /** Folders of the roots that are here. */
  readonly roots: () => readonly string[];
  /** Makes what waits of a camera now (PreviewMaker.flush). */
  readonly flush: (cameraId: CameraId) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A preview and where it lies. */
interface Placed {
  readonly rootPath: string;
  readonly hourMs: EpochMs;
  readonly preview: PackedPreview;
}

export interface OnePreview {
  readonly item: PreviewItem | null;
  readonly bytes: Uint8Array;
}

export interface PreviewSheet {
  readonly items: readonly PreviewItem[];
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const NONE_REFUSED: ReadonlySet<PackedPreview> = new Set();
/** Packs one answer has looked into already: a contact sheet's parts share them. */
type IndexesSeen = Map<string, PackIndex | null>;

export class PreviewStore {
  readonly #parts: PreviewStoreParts;
  /** Packs that were refused or could not be read: said once each. */
  readonly #told = new Set<string>();
  /** The hour each camera was last asked about. */
  readonly #hours = new Map<CameraId, EpochMs>();

  constructor(parts: PreviewStoreParts) {
    this.#parts = parts;
  }

  /** The preview nearest to a moment, no farther than `toleranceMs`; `item` null where there is none. Never another camera's. */
  async at(input: { readonly cameraId: CameraId; readonly atMs: EpochMs; readonly toleranceMs: DurationMs }): Promise<OnePreview> {
    this.#readAhead(input.cameraId, packHourMs(input.atMs));
    const refused = new Set<PackedPreview>();
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const nearest = await this.#nearest(input.cameraId, input.atMs, input.toleranceMs, refused);
      if (tries === 0) this.#hurry(input.cameraId, input.atMs, nearest);
      if (nearest === null) break;
      const picture = await this.#read(input.cameraId, nearest);
      if (picture !== null) return one(picture);
      refused.add(nearest.preview);
    }
    return one(null);
  }

  /** Up to `count` previews spread evenly over a range, oldest first: in each of `count` equal parts the one nearest to its middle. */
  async sheet(input: { readonly cameraId: CameraId; readonly count: number } & TimeRange): Promise<PreviewSheet> {
    const chosen: Placed[] = [];
    const seen: IndexesSeen = new Map();
    const partMs = (input.endMs - input.startMs) / input.count;
    for (let part = 0; part < input.count && partMs > 0; part += 1) {
      const middleMs = input.startMs + partMs * (part + 0.5);
      const nearest = await this.#nearest(input.cameraId, middleMs, partMs / 2, NONE_REFUSED, seen);
      if (nearest !== null && nearest.preview !== chosen.at(-1)?.preview && nearest.preview.atMs < input.endMs) chosen.push(nearest);
    }
    return sheetOf(await this.#readAll(input.cameraId, chosen));
  }

  /** The newest picture of a camera, made now where the newest on disk is old and something waits; `item` null where there never was one. */
  async latest(input: { readonly cameraId: CameraId }): Promise<OnePreview> {
    const onDisk = await this.#newest(input.cameraId);
    if (onDisk !== null && this.#parts.clock.nowMs() - onDisk.atMs < FRESH_MS) return one(onDisk);
    const limit = new AbortController();
    await Promise.race([this.#parts.flush(input.cameraId), this.#parts.clock.sleep(FLUSH_LIMIT_MS, limit.signal)]);
    limit.abort();
    return one(await this.#newest(input.cameraId));
  }

  /** What is asked for may exist as a keyframe: it is made for the next look, this one does not wait. */
  #hurry(cameraId: CameraId, atMs: EpochMs, nearest: Placed | null): void {
    const nowMs = this.#parts.clock.nowMs();
    if (atMs < nowMs - WAITING_MS || atMs > nowMs || (nearest !== null && Math.abs(nearest.preview.atMs - atMs) <= TWO_STEPS_MS)) return;
    this.#parts.flush(cameraId).catch((error: unknown) => this.#tellOnce(`flush ${cameraId}`, error));
  }

  /** A pointer that moved into the next hour goes on in its direction: the first look into a pack costs ten times as much as all later ones. */
  #readAhead(cameraId: CameraId, hourMs: EpochMs): void {
    const beforeMs = this.#hours.get(cameraId);
    this.#hours.set(cameraId, hourMs);
    if (beforeMs === undefined || Math.abs(hourMs - beforeMs) !== HOUR_MS) return;
    for (const rootPath of this.#parts.roots()) void this.#index(rootPath, cameraId, hourMs + (hourMs - beforeMs));
  }

  /** Looks outward from the moment's hour, as long as another hour could hold a nearer one. */
  async #nearest(cameraId: CameraId, atMs: EpochMs, toleranceMs: DurationMs, refused: ReadonlySet<PackedPreview>, seen: IndexesSeen = new Map()): Promise<Placed | null> {
    const homeMs = packHourMs(atMs);
    let best: Placed | null = null;
    let bestMs = toleranceMs;
    for (let step = 0; ; step += 1) {
      // How near a preview in the hours `step` away could be at best.
      const beforeMs = step === 0 ? 0 : atMs - (homeMs - (step - 1) * HOUR_MS);
      const afterMs = step === 0 ? 0 : homeMs + step * HOUR_MS - atMs;
      if (beforeMs > bestMs && afterMs > bestMs) return best;
      const hours = step === 0 ? [homeMs] : [...(beforeMs <= bestMs ? [homeMs - step * HOUR_MS] : []), ...(afterMs <= bestMs ? [homeMs + step * HOUR_MS] : [])];
      for (const hourMs of hours) {
        for (const placed of await this.#inHour(cameraId, hourMs, seen, (index) => nearestBut(index, atMs, refused))) {
          const distanceMs = Math.abs(placed.preview.atMs - atMs);
          if (distanceMs > bestMs || (best !== null && distanceMs === bestMs)) continue;
          best = placed;
          bestMs = distanceMs;
        }
      }
    }
  }

  /** What `choose` picks in the packs of an hour, one per root that has such a pack. */
  async #inHour(cameraId: CameraId, hourMs: EpochMs, seen: IndexesSeen, choose: (index: PackIndex) => PackedPreview | null): Promise<readonly Placed[]> {
    const found: Placed[] = [];
    for (const rootPath of this.#parts.roots()) {
      const file = `${rootPath} ${hourMs}`;
      const index = seen.get(file) ?? (seen.has(file) ? null : await this.#index(rootPath, cameraId, hourMs));
      seen.set(file, index);
      const preview = index === null ? null : choose(index);
      if (preview !== null) found.push({ rootPath, hourMs, preview });
    }
    return found;
  }

  async #newest(cameraId: CameraId): Promise<PackPicture | null> {
    let newest: PackPicture | null = null;
    for (const rootPath of this.#parts.roots()) {
      const picture = await this.#newestUnder(rootPath, cameraId, newest?.atMs ?? -Infinity);
      if (picture !== null) newest = picture;
    }
    return newest;
  }

  async #newestUnder(rootPath: string, cameraId: CameraId, afterMs: EpochMs): Promise<PackPicture | null> {
    try {
      let tries = 0;
      for await (const hourMs of this.#parts.packs.hoursNewestFirst(rootPath, cameraId)) {
        if (hourMs + HOUR_MS <= afterMs || tries >= MAX_TRIES) return null;
        const index = await this.#index(rootPath, cameraId, hourMs);
        for (const preview of index?.all.toReversed() ?? []) {
          if (preview.atMs <= afterMs || tries >= MAX_TRIES) break;
          tries += 1;
          const picture = await this.#read(cameraId, { rootPath, hourMs, preview });
          if (picture !== null) return picture;
        }
      }
    } catch (error) {
      this.#tellOnce(`${rootPath} ${cameraId}`, error);
    }
    return null;
  }

  async #index(rootPath: string, cameraId: CameraId, hourMs: EpochMs): Promise<PackIndex | null> {
    try {
      return await this.#parts.packs.index(rootPath, cameraId, hourMs);
    } catch (error) {
      this.#tellOnce(`${rootPath} ${cameraId} ${hourMs}`, error);
      return null;
    }
  }

  async #read(cameraId: CameraId, placed: Placed): Promise<PackPicture | null> {
    const [picture] = await this.#readAll(cameraId, [placed]);
    return picture ?? null;
  }

  /** The pictures that can be read, in order; each pack is opened once. */
  async #readAll(cameraId: CameraId, wanted: readonly Placed[]): Promise<readonly PackPicture[]> {
    const pictures: PackPicture[] = [];
    for (let from = 0; from < wanted.length; ) {
      const { rootPath, hourMs } = wanted[from] ?? { rootPath: '', hourMs: 0 };
      let to = from + 1;
      while (wanted[to]?.rootPath === rootPath && wanted[to]?.hourMs === hourMs) to += 1;
      try {
        const read = await this.#parts.packs.read(rootPath, cameraId, hourMs, wanted.slice(from, to).map((placed) => placed.preview));
        pictures.push(...read.filter((picture) => picture !== null));
      } catch (error) {
        this.#tellOnce(`${rootPath} ${cameraId} ${hourMs}`, error);
      }
      from = to;
    }
    return pictures;
  }

  #tellOnce(what: string, error: unknown): void {
    if (this.#told.has(what) || this.#told.size > 1_000) return;
    this.#told.add(what);
    this.#parts.log.error('previews that cannot be shown', error);
  }
}

/** The nearest that has not been refused: past a damaged record its neighbours count. */
function nearestBut(index: PackIndex, atMs: EpochMs, refused: ReadonlySet<PackedPreview>): PackedPreview | null {
  if (refused.size === 0) return index.nearest(atMs);
  let best: PackedPreview | null = null;
  for (const preview of index.all) {
    if (!refused.has(preview) && (best === null || Math.abs(preview.atMs - atMs) < Math.abs(best.atMs - atMs))) best = preview;
  }
  return best;
}

function one(picture: PackPicture | null): OnePreview {
  return picture === null ? { item: null, bytes: NOTHING } : { item: { atMs: picture.atMs, offsetBytes: 0, sizeBytes: picture.jpeg.length }, bytes: picture.jpeg };
}

function sheetOf(pictures: readonly PackPicture[]): PreviewSheet {
  let offsetBytes = 0;
  const items = pictures.map(({ atMs, jpeg }): PreviewItem => {
    const item = { atMs, offsetBytes, sizeBytes: jpeg.length };
    offsetBytes += jpeg.length;
    return item;
  });
  return { items, bytes: concatBytes(pictures.map((picture) => picture.jpeg)) };
}
