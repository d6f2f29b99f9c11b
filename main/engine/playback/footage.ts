/** Finds the footage of a stream by time, and what follows it, in closed segments and the one being written (docs/design/playback.md, "Finding footage"). */
import type { GapCause } from '../../../shared/model/gap.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';
import type { Keyframe } from '../../../shared/model/segment.ts';
import { type EpochMs, MINUTE_MS, rangeContains, type TimeRange } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { ArchiveReader, LocatedSegment } from '../ports/archive.ts';
import type { Ingest, OpenSegment, StreamKey } from '../ports/ingest.ts';

/** One segment file, closed or still being written. Wall time is `startMs` + media time. */
export interface Footage extends TimeRange {
  /** Null while its disk is not here. */
  readonly path: string | null;
  readonly session: number;
  readonly sequence: number;
  readonly initBytes: number;
  /** Bytes of the file that may be read. */
  readonly readableBytes: number;
  readonly keyframes: readonly Keyframe[];
  readonly open: boolean;
}

export type Found = { readonly kind: 'footage'; readonly footage: Footage } | { readonly kind: 'newest'; readonly endMs: EpochMs };

export interface FootageParts {
  readonly reader: Pick<ArchiveReader, 'segmentAt' | 'segmentAfter' | 'firstSegmentFrom' | 'firstSegmentHere' | 'gapAt'>;
  readonly ingest: Pick<Ingest, 'openSegment'>;
  readonly clock: Clock;
}

/** A segment is about a minute long: a moment older than two is never in the open one. */
const OPEN_SEGMENT_MS = 2 * MINUTE_MS;
/** A segment's last sound, its sync and its row take some hundred milliseconds; an index that is being rebuilt takes longer and is not waited for. */
const ROW_LIMIT_MS = 2_000;
const ROW_LOOK_MS = 50;
/** No segment reaches farther into the one that follows it. */
const OVERLAP_MS = 1_000;
/** Scrubbing goes to and fro within minutes; eight segments' indexes are some 50 kB. */
const REMEMBERED = 8;

/** The footage of one stream. Every question costs at most the round trips its comment says. */
export class StreamFootage {
  readonly #parts: FootageParts;
  readonly #key: StreamKey;
  /** Closed segments that were found, the least recently used first. */
  #remembered: Footage[] = [];

  constructor(parts: FootageParts, key: StreamKey) {
    this.#parts = parts;
    this.#key = key;
  }

  get stream(): StreamKind {
    return this.#key.stream;
  }

  /** The footage that covers a moment, else the first after it, else where footage ends. One round trip to the index in the usual case, none within what was found lately. */
  async find(atMs: EpochMs): Promise<Found> {
    const remembered = this.#remembered.findLast((footage) => rangeContains(footage, atMs));
    if (remembered !== undefined) {
      this.#remember(remembered);
      return { kind: 'footage', footage: remembered };
    }
    const recent = atMs > this.#parts.clock.nowMs() - OPEN_SEGMENT_MS;
    const [segment, asked] = await Promise.all([this.#parts.reader.segmentAt(this.#key, atMs), recent ? this.#openSegment() : undefined]);
    if (asked !== undefined && asked !== null && rangeContains(asked, atMs) && (segment === null || isAfter(asked, segment.segment))) return { kind: 'footage', footage: asked };
    if (segment !== null) return this.#found(segment);
    const next = await this.#parts.reader.firstSegmentFrom(this.#key, atMs);
    if (next !== null) return this.#found(next);
    const open = asked === undefined ? await this.#openSegment() : asked;
    if (open !== null && open.startMs > atMs && (await this.#rowBefore(open))) {
      const late = (await this.#parts.reader.segmentAt(this.#key, atMs)) ?? (await this.#parts.reader.firstSegmentFrom(this.#key, atMs));
      if (late !== null) return this.#found(late);
    }
    if (open !== null && open.endMs > atMs) return { kind: 'footage', footage: open };
    return { kind: 'newest', endMs: open?.endMs ?? atMs };
  }

  /** The footage after `previous` in the order of recording; null where there is none yet. One round trip inside a session, a second at its end, a third near the newest. */
  async after(previous: Footage): Promise<Footage | null> {
    const next = await this.#parts.reader.segmentAfter(this.#key, previous);
    if (next?.segment.session === previous.session) return this.#found(next).footage;
    // A camera that reconnects sends what it has buffered: its new session may begin a little before the old one's end.
    const overlapping = await this.#parts.reader.segmentAt(this.#key, previous.endMs);
    if (overlapping !== null && overlapping.segment.session > previous.session && overlapping.segment.startMs < (next?.segment.startMs ?? Infinity)) return this.#found(overlapping).footage;
    if (next !== null) return this.#found(next).footage;
    const open = await this.#openSegment();
    if (open === null || !isAfter(open, previous)) return null;
    const adjacent = open.session === previous.session && open.sequence === previous.sequence + 1;
    // Segments may have closed between the two questions.
    if (!adjacent) await this.#rowBefore(open);
    const between = adjacent ? null : await this.#parts.reader.segmentAfter(this.#key, previous);
    return between === null ? open : this.#found(between).footage;
  }

  /** The next footage that can be read after some on a disk that is not here, however much of that there is; null where there is none yet. */
  async afterAbsent(absent: Footage): Promise<Footage | null> {
    // Segments that follow each other may overlap by some frames.
    const next = await this.#parts.reader.firstSegmentHere(this.#key, Math.max(absent.startMs + 1, absent.endMs - OVERLAP_MS));
    // Where the clock was set back, what begins next was played before: one step in the order of recording then.
    if (next !== null) return isAfter(next.segment, absent) ? this.#found(next).footage : await this.after(absent);
    const open = await this.#openSegment();
    return open !== null && isAfter(open, absent) ? open : null;
  }

  /** The open segment as it has grown since `previous` was asked for; null where that one is closed by now. */
  async grown(previous: Footage): Promise<Footage | null> {
    const open = await this.#openSegment();
    return open !== null && open.session === previous.session && open.sequence === previous.sequence ? open : null;
  }

  /** Forgets a segment whose file could not be read, so that the index is asked again. */
  forget(footage: Footage): void {
    this.#remembered = this.#remembered.filter((other) => other.session !== footage.session || other.sequence !== footage.sequence);
  }

  /** Why footage is missing in a range; null where nothing is known of it. */
  async causeOf(range: TimeRange): Promise<GapCause | null> {
    // Times of a gap and of the footage beside it may differ by a frame, so its very first moment is no good.
    const insideMs = Math.min(1_000, (range.endMs - range.startMs) / 2);
    const gap = (await this.#parts.reader.gapAt(this.#key, range.startMs + insideMs)) ?? (await this.#parts.reader.gapAt(this.#key, (range.startMs + range.endMs) / 2));
    return gap?.cause ?? null;
  }

  /**
   * Waits until the segment before the open one is in the index, where it is on its way there: its file closes a moment after the next one
   * opens, and its row follows. False where it was not waited for, so that what was asked before still holds.
   */
  async #rowBefore(open: Footage): Promise<boolean> {
    if (open.sequence === 0) return false;
    for (let waitedMs = 0; waitedMs <= ROW_LIMIT_MS; waitedMs += ROW_LOOK_MS) {
      const before = await this.#parts.reader.segmentAfter(this.#key, { session: open.session, sequence: open.sequence - 2, endMs: open.startMs });
      if (before !== null) return waitedMs > 0;
      await this.#parts.clock.sleep(ROW_LOOK_MS);
    }
    return false;
  }

  async #openSegment(): Promise<Footage | null> {
    const open = await this.#parts.ingest.openSegment(this.#key);
    return open === null || open.keyframes.length === 0 ? null : ofOpen(open);
  }

  #found(located: LocatedSegment): { readonly kind: 'footage'; readonly footage: Footage } {
    const footage = ofClosed(located);
    if (footage.path !== null) this.#remember(footage);
    return { kind: 'footage', footage };
  }

  #remember(footage: Footage): void {
    this.forget(footage);
    this.#remembered.push(footage);
    if (this.#remembered.length > REMEMBERED) this.#remembered.shift();
  }
}

function isAfter(a: { readonly session: number; readonly sequence: number }, b: { readonly session: number; readonly sequence: number }): boolean {
  return a.session === b.session ? a.sequence > b.sequence : a.session > b.session;
}

function ofClosed({ segment, path }: LocatedSegment): Footage {
  const { session, sequence, startMs, endMs, initBytes, sizeBytes, keyframes } = segment;
  return { path, session, sequence, startMs, endMs, initBytes, readableBytes: sizeBytes, keyframes, open: false };
}

function ofOpen(segment: OpenSegment): Footage {
  const { path, session, sequence, startMs, endMs, initBytes, flushedBytes, keyframes } = segment;
  return { path, session, sequence, startMs, endMs, initBytes, readableBytes: flushedBytes, keyframes, open: true };
}

/** Floating-point wall times lose a quarter of a microsecond; a seek to a keyframe's own time must not fall into the group before. */
const ROUNDING_MS = 0.01;

/** The last keyframe at or before a moment, or the first one; -1 where there is none. */
export function keyframeAt(footage: Pick<Footage, 'keyframes' | 'startMs'>, atMs: EpochMs): number {
  const mediaMs = atMs - footage.startMs + ROUNDING_MS;
  let low = 0;
  let high = footage.keyframes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((footage.keyframes[middle]?.mediaMs ?? Infinity) <= mediaMs) low = middle + 1;
    else high = middle;
  }
  return Math.min(Math.max(low - 1, 0), footage.keyframes.length - 1);
}

/** The first keyframe at or after a moment; the number of keyframes where there is none. */
export function keyframeFrom(footage: Pick<Footage, 'keyframes' | 'startMs'>, atMs: EpochMs): number {
  const index = keyframeAt(footage, atMs);
  const keyframe = footage.keyframes[index];
  return keyframe === undefined ? 0 : footage.startMs + keyframe.mediaMs + ROUNDING_MS >= atMs ? index : index + 1;
}
