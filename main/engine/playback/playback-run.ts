/** What one seek sets going: footage from its target on, group after group, over every border, until it is superseded or footage ends (docs/design/playback.md). */
import type { ChunkHead, MediaChunk } from '../../../shared/contract/media.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import { SECOND_MS, type DurationMs, type EpochMs } from '../../../shared/time.ts';
import type { Logger } from '../core/logger.ts';
import { type Footage, keyframeAt, keyframeFrom, type StreamFootage } from './footage.ts';
import { type GroupPiece, positionOf, readGroup, readKeyframe, type ReadPosition } from './group-reader.ts';
import type { FileInit, SegmentFiles } from './segment-files.ts';

/** A frame's time is right within this (docs/design/time.md): a shorter hole is not known to be one. */
const GAP_FROM_MS = 200;
/** Less new footage than this behind the newest that was sent is left to live: each look costs the recorder a flush. */
const WORTH_GOING_ON_MS = SECOND_MS;

/** What the run needs of the stream it belongs to. Each function rejects with Superseded once another seek came or the stream was closed. */
export interface PlaybackOutput {
  /** Sends after a credit was there. */
  send(head: ChunkHead, payload: Uint8Array | null): Promise<void>;
  /** Resolves once there is a credit, without spending it. */
  ready(): Promise<void>;
  /** Sends the init unless the viewer has it as its current one; returns its id. */
  sendInit(init: Uint8Array): Promise<number>;
  /** Throws Superseded. */
  check(): void;
  /** As steered at the moment. */
  pictures(): { readonly which: 'all' | 'keyframes'; readonly stepMs: DurationMs };
}

export class Superseded extends Error {}

export interface PlaybackTarget {
  readonly toMs: EpochMs;
  readonly seekId: number;
  /** Only what shows that moment. */
  readonly one: boolean;
}

export interface PlaybackRunParts {
  readonly footage: StreamFootage;
  readonly files: SegmentFiles;
  readonly output: PlaybackOutput;
  readonly log: Logger;
}

type Here = Footage & { readonly path: string };

export class PlaybackRun {
  readonly #parts: PlaybackRunParts;
  readonly #target: PlaybackTarget;
  /** Wall time up to which everything has been sent or told missing. */
  #cursorMs: EpochMs;
  /** Why footage behind the cursor could not be read, where that is known better than the index knows. */
  #failure: { readonly cause: GapCause | null; readonly away: boolean } | null = null;
  /** The picture that was sought has not been sent: what shows it goes out before the rest of its group is. */
  #sought = true;
  #ahead: { readonly of: Footage; readonly next: Promise<Footage | null> } | null = null;

  constructor(parts: PlaybackRunParts, target: PlaybackTarget) {
    this.#parts = parts;
    this.#target = target;
    this.#cursorMs = target.toMs;
  }

  /** Resolves when there is nothing more to send. Rejects with Superseded, or with what the index failed with; a file that cannot be read is jumped over. */
  async run(): Promise<void> {
    const found = await this.#parts.footage.find(this.#target.toMs);
    this.#parts.output.check();
    if (found.kind === 'newest') return await this.#end(found.endMs);
    let footage: Footage | null = found.footage;
    if (this.#target.one && footage.startMs - this.#target.toMs > GAP_FROM_MS) return await this.#gapTo(footage.startMs);
    let at = keyframeAt(footage, this.#target.toMs);
    while (footage !== null) {
      const last: Footage = await this.#play(footage, at);
      if (this.#target.one) return this.#failure === null ? undefined : await this.#gapTo(last.endMs);
      footage = await this.#next(last);
      this.#parts.output.check();
      at = this.#pacedKeyframe(footage);
      if (footage === null) {
        await this.#gapTo(last.endMs);
        await this.#end(this.#parts.output.pictures().which === 'all' ? this.#cursorMs : Math.min(this.#cursorMs, last.endMs));
      }
    }
  }

  /** Sends a segment from a keyframe on; returns it, as far as it had grown. Files that cannot be read leave the cursor behind. */
  async #play(footage: Footage, keyframe: number): Promise<Footage> {
    if (footage.path === null) {
      this.#failure = { cause: 'disk-missing', away: true };
      return footage;
    }
    try {
      return await this.#playFile({ ...footage, path: footage.path }, keyframe);
    } catch (error) {
      if (error instanceof Superseded) throw error;
      this.#parts.log.warn('a segment could not be read for playback and is jumped over', error);
      this.#parts.footage.forget(footage);
      const cause = causeOf(error);
      this.#failure = { cause, away: cause === 'disk-missing' };
      return footage;
    }
  }

  async #playFile(footage: Here, keyframe: number): Promise<Footage> {
    const { files, output } = this.#parts;
    const init = files.init(footage.path, footage.initBytes);
    // Awaited below, together with the first read; until then nobody listens.
    init.catch(() => undefined);
    let here = footage;
    let at = positionOf(here, keyframe);
    let resumeBytes = at?.fromBytes ?? here.readableBytes;
    for (;;) {
      while (at !== null) {
        if (at.keyframe >= here.keyframes.length - 2) this.#lookAhead(here);
        if (output.pictures().which === 'keyframes' && !this.#target.one) {
          at = await this.#sendKeyframe(here, init, at);
          resumeBytes = at?.fromBytes ?? here.keyframes.at(-1)?.offsetBytes ?? resumeBytes;
          continue;
        }
        const targetMs: DurationMs | null = this.#sought ? this.#target.toMs - here.startMs : null;
        const piece = await readGroup(files, here, init, at, targetMs);
        output.check();
        if (piece.payload !== null) {
          await this.#sendGroup(here, await init, at, piece);
          if (piece.covered && this.#target.one) return here;
          this.#sought &&= !piece.covered;
          resumeBytes = piece.resumeBytes;
        }
        at = piece.next;
      }
      if (!here.open || this.#target.one) return here;
      // Footage grows while a viewer pauses: what is the newest is asked when something can be sent.
      await output.ready();
      const grown = await this.#grown(here, resumeBytes);
      output.check();
      if (grown === null) return here;
      at = goOn(here, grown, resumeBytes);
      here = grown;
    }
  }

  /** The open segment with enough more in it to go on; null to leave the rest to live. */
  async #grown(here: Here, resumeBytes: number): Promise<Here | null> {
    const grown = await this.#parts.footage.grown(here);
    if (grown !== null) return grown.endMs - this.#cursorMs >= WORTH_GOING_ON_MS && grown.readableBytes > resumeBytes ? { ...grown, path: here.path } : null;
    // It was closed meanwhile: its file is whole, though its row may not be there yet.
    const readableBytes = await this.#parts.files.size(here.path);
    return readableBytes > resumeBytes ? { ...here, readableBytes, open: false } : null;
  }

  async #sendGroup(here: Here, init: FileInit, at: ReadPosition, piece: GroupPiece): Promise<void> {
    if (piece.keyframe) await this.#gapTo(here.startMs + (here.keyframes[at.keyframe]?.mediaMs ?? 0));
    await this.#sendMedia(here, init, piece.payload, piece.keyframe, piece.endMs);
  }

  async #sendMedia(here: Here, init: FileInit, payload: Uint8Array, keyframe: boolean, endMs: EpochMs): Promise<void> {
    const initId = await this.#parts.output.sendInit(init.bytes);
    const head: MediaChunk = { kind: 'media', initId, seekId: this.#target.seekId, baseWallMs: here.startMs, baseMediaMs: 0, keyframe, endMs };
    await this.#parts.output.send(head, payload);
    this.#cursorMs = endMs;
    this.#failure = null;
  }

  /** Sends one keyframe alone; returns the next that is due, null where this segment has none. */
  async #sendKeyframe(here: Here, init: Promise<FileInit>, at: ReadPosition): Promise<ReadPosition | null> {
    const current = here.keyframes[at.keyframe];
    // Steered to keyframes in the middle of a group: the next one is where to begin.
    if (current === undefined || current.offsetBytes !== at.fromBytes) return positionOf(here, at.keyframe + 1);
    const payload = await readKeyframe(this.#parts.files, here, init, at.keyframe);
    this.#parts.output.check();
    const shownMs = here.startMs + current.mediaMs;
    const due = Math.max(at.keyframe + 1, keyframeFrom(here, shownMs + this.#parts.output.pictures().stepMs));
    if (payload !== null) {
      const next = here.keyframes[due];
      // Keyframes in between were left out on purpose: only a hole before the segment is one.
      await this.#gapTo(Math.min(shownMs, here.startMs));
      await this.#sendMedia(here, await init, payload, true, next === undefined ? Math.max(here.endMs, shownMs + this.#parts.output.pictures().stepMs) : here.startMs + next.mediaMs);
    }
    return positionOf(here, due);
  }

  /** Asks for the following segment and opens its file while the last groups of this one are on their way. */
  #lookAhead(here: Footage): void {
    if (here.open || this.#target.one || this.#ahead?.of === here || this.#stepsOver(here)) return;
    const next = this.#parts.footage.after(here);
    this.#ahead = { of: here, next };
    const opened = next.then(async (footage) => {
      if (footage !== null && footage.path !== null) await this.#parts.files.init(footage.path, footage.initBytes);
    });
    // Nothing is lost when that fails: it is asked for again when its turn comes, and told then.
    opened.catch(() => undefined);
  }

  async #next(last: Footage): Promise<Footage | null> {
    if (this.#stepsOver(last)) {
      const found = await this.#parts.footage.find(this.#cursorMs);
      if (found.kind === 'newest') return null;
      const isLater = found.footage.session > last.session || (found.footage.session === last.session && found.footage.sequence > last.sequence);
      if (isLater) return found.footage;
    }
    if (last.path === null) return await this.#parts.footage.afterAbsent(last);
    const ahead = this.#ahead;
    this.#ahead = null;
    // What was the newest a moment ago may have a successor by now.
    const asked = ahead?.of === last ? await ahead.next : null;
    if (asked === null) await this.#parts.output.ready();
    const next = asked ?? (await this.#parts.footage.after(last));
    return next !== null && next.session === last.session && next.sequence === last.sequence ? null : next;
  }

  /** Whether fast forward's next keyframe lies beyond the segment that follows, so that it is found by its time. */
  #stepsOver(last: Footage): boolean {
    const { which, stepMs } = this.#parts.output.pictures();
    return which === 'keyframes' && stepMs > 0 && this.#cursorMs > last.endMs + GAP_FROM_MS && this.#failure === null;
  }

  #pacedKeyframe(footage: Footage | null): number {
    if (footage === null || this.#parts.output.pictures().which === 'all') return 0;
    return Math.min(keyframeFrom(footage, this.#cursorMs), Math.max(0, footage.keyframes.length - 1));
  }

  /** Tells of missing footage from the cursor to `toMs`, where there is any. */
  async #gapTo(toMs: EpochMs): Promise<void> {
    const startMs = this.#cursorMs;
    if (toMs - startMs <= GAP_FROM_MS) return;
    const cause = this.#failure === null ? await this.#parts.footage.causeOf({ startMs, endMs: toMs }) : this.#failure.cause;
    await this.#parts.output.send({ kind: 'gap', seekId: this.#target.seekId, startMs, endMs: toMs, cause, ...(this.#failure?.away === true ? { away: true as const } : {}) }, null);
    this.#cursorMs = toMs;
  }

  async #end(atMs: EpochMs): Promise<void> {
    await this.#parts.output.send({ kind: 'end', seekId: this.#target.seekId, atMs }, null);
  }
}

/** Where reading goes on in a file that has grown: in the middle of the group it stopped in, or at a keyframe. */
function goOn(before: Footage, grown: Footage, resumeBytes: number): ReadPosition {
  const keyframe = grown.keyframes.findLastIndex((candidate) => candidate.offsetBytes <= resumeBytes);
  return { fromBytes: resumeBytes, keyframe: Math.max(keyframe, before.keyframes.length - 1, 0) };
}

function causeOf(error: unknown): GapCause | null {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'EIO' ? 'disk-failing' : code === 'ENXIO' || code === 'ENODEV' || code === 'ENOTCONN' ? 'disk-missing' : null;
}
