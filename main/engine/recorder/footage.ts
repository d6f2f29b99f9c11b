/** A stream's fragments on their way to segments: which file, when the next one, and what when the disk will not (R3). */
import { PorchlightError } from '../../../shared/errors.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import { DAY_MS, type DurationMs, type EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { type RetryLadder, retryWaitMs } from '../core/retry.ts';
import type { IngestNotice, IngestStream, OpenSegment } from '../ports/ingest.ts';
import type { SessionFragment } from './media.ts';
import type { Leftovers } from './leftovers.ts';
import type { Outage } from './outage.ts';
import { rotatesAt } from './rotation.ts';
import { SegmentWriter } from './segment-writer.ts';

/** What may wait for a disk, per stream. Ten fsyncs of half a second each (a new day's folders on a poor card) fit. */
const MAX_PENDING_MS: DurationMs = 6_000;
const MAX_PENDING_BYTES = 24 * 1024 * 1024;
/** Sound of a moment comes up to this long after its picture. */
const LATE_SOUND_MS: DurationMs = 600;
/** The tolerance by which spans are joined. */
const SKIPPED_AT_LEAST_MS: DurationMs = 500;
/** More than can end within the longest pre-roll. */
const REMEMBERED_SESSIONS = 256;
const DISK_LADDER: RetryLadder = { stepsMs: [1_000, 2_000, 5_000, 10_000], jitter: 0.2 };

export interface FootageParts {
  readonly stream: IngestStream;
  readonly record: NonNullable<IngestStream['record']>;
  readonly clock: Clock;
  readonly outage: Outage;
  readonly leftovers: Leftovers;
  readonly notify: (notice: IngestNotice) => void;
}

/** The session that fragments belong to, and its clock. */
export interface SessionTime {
  readonly session: number;
  readonly wallOf: (sessionMediaMs: DurationMs) => EpochMs;
  /** Whether `wallOf` is known well enough to say when footage began. */
  readonly settled: () => boolean;
}

export class Footage {
  readonly #parts: FootageParts;
  #record: FootageParts['record'];
  #time: SessionTime | null = null;
  #sequence = 0;
  /** Next sequence of the last sessions: one may be gone back to for what memory held of it. */
  #sequences: readonly (readonly [session: number, sequence: number])[] = [];
  #open: SegmentWriter | null = null;
  /** The previous segment, kept open for sound that is still on its way. */
  #late: { readonly writer: SegmentWriter; readonly untilMediaMs: DurationMs } | null = null;
  #closing: Promise<void> = Promise.resolve();
  #closingCount = 0;
  #rotateNext = false;
  /** The system clock was set, and the open segment keeps the time it began with. */
  #clockStepped = false;
  /**
   * Segments, oldest first, whose start is not yet known well enough to say that footage came back with them. More than one where the
   * first after an outage was a short one: what came back is then still said of that one.
   */
  #untold: readonly SegmentWriter[] = [];
  /** Why the segment that was resuming ended: said once its own beginning is, which ends the outage before it. */
  #owed: { readonly writer: SegmentWriter; readonly cause: GapCause; readonly detail: string } | null = null;
  /** The last one whose file is there: a new file shows that its disk is well, one that was open already does not. */
  #created: SegmentWriter | null = null;
  /** The disk fell behind: what is closing must be on it before it is given more. */
  #overloaded = false;
  #failures = 0;
  #retryAtMs: DurationMs = 0;

  constructor(parts: FootageParts) {
    this.#parts = parts;
    this.#record = parts.record;
  }

  get recording(): boolean {
    // After a refusal, only a file that is there.
    return this.#open !== null && (this.#failures === 0 || this.#open.opened);
  }

  /** What waits for the disk in the open segment. */
  get pendingBytes(): number {
    return this.#open?.pendingBytes ?? 0;
  }

  begin(time: SessionTime): void {
    if (this.#time !== null) this.#sequences = [...this.#sequences.slice(-REMEMBERED_SESSIONS), [this.#time.session, this.#sequence]];
    this.#time = time;
    this.#sequence = this.#sequences.findLast(([session]) => session === time.session)?.[1] ?? 0;
  }

  take(fragment: SessionFragment): void {
    if (fragment.video) this.#takeVideo(fragment);
    else this.#takeSound(fragment);
  }

  /** The wall time of media is about to change: what is open keeps the old one, and ends at the next keyframe, or at once (`now`). */
  mappingChanges(now: boolean): void {
    this.#open?.freeze();
    this.#late?.writer.freeze();
    if (now) this.#closeOpen();
    else {
      this.#rotateNext = true;
      this.#clockStepped = true;
    }
  }

  /** Footage goes to another disk from the next keyframe on; what the old one still has to take does not hold it up. */
  recordTo(record: FootageParts['record']): void {
    const before = this.#record;
    if (before.rootId === record.rootId && before.rootPath === record.rootPath) return;
    this.#record = record;
    this.#rotateNext = true;
    this.#overloaded = false;
    this.#failures = 0;
    this.#retryAtMs = 0;
  }

  tick(nowMs: DurationMs): void {
    this.#open?.tick(nowMs);
    this.#late?.writer.tick(nowMs);
  }

  async snapshot(): Promise<OpenSegment | null> {
    return (await this.#open?.snapshot()) ?? null;
  }

  /** Nothing is to be written until the next keyframe that is given. */
  rest(): void {
    this.#closeOpen();
    this.#closeLate();
  }

  /** The session is over: everything open is closed when it resolves. */
  async end(): Promise<void> {
    this.rest();
    await this.#closing;
  }

  #takeVideo(fragment: SessionFragment): void {
    if (fragment.keyframe) this.#atKeyframe(fragment);
    if (this.#late !== null && fragment.startMediaMs > this.#late.untilMediaMs) this.#closeLate();
    const writer = this.#open;
    if (writer === null || !writer.append(fragment)) return;
    if (writer.opened) {
      if (this.#created !== writer) this.#parts.leftovers.takeBack(writer.rootId);
      this.#created = writer;
    }
    this.#sayResumed(writer, false);
    if (writer.opened) this.#parts.outage.wrote(writer.endMs);
    if (this.#time?.settled() === true) writer.settle();
    writer.tick(this.#parts.clock.monotonicMs());
    if (writer.pendingBytes > MAX_PENDING_BYTES || writer.pendingMs > MAX_PENDING_MS) {
      this.#overloaded = true;
      this.#closeOpen();
      this.#sayEnded(writer, 'disk-too-slow', `the disk is ${Math.round(writer.pendingMs / 1_000)} s behind`);
      this.#parts.notify({ type: 'root-problem', rootId: writer.rootId, cause: 'disk-too-slow', detail: 'footage comes faster than the disk takes it' });
    }
  }

  #takeSound(fragment: SessionFragment): void {
    if (this.#open !== null && this.#open.init.audio !== null && this.#open.append(fragment)) return;
    this.#late?.writer.append(fragment);
  }

  #atKeyframe(keyframe: SessionFragment): void {
    const open = this.#open;
    if (open !== null && (this.#rotateNext || open.strayed || open.init !== keyframe.init || rotatesAt(open, keyframe.wallMs, this.#parts.stream.rotationOffsetMs))) {
      if (this.#clockStepped) this.#saySkipped(open.endMs, keyframe.wallMs);
      this.#closeLate();
      if (open.init === keyframe.init && open.init.audio !== null) this.#late = { writer: open, untilMediaMs: keyframe.startMediaMs + LATE_SOUND_MS };
      else this.#close(open);
      this.#open = null;
    }
    if (this.#open === null && !this.#overloaded && this.#parts.clock.monotonicMs() >= this.#retryAtMs) this.#openAt(keyframe);
  }

  #openAt(keyframe: SessionFragment): void {
    const time = this.#time;
    if (time === null) return;
    const { stream, clock } = this.#parts;
    const name = { cameraId: stream.cameraId, stream: stream.kind, startMs: Math.max(0, Math.floor(keyframe.wallMs)), session: time.session, sequence: this.#sequence };
    const writer: SegmentWriter = new SegmentWriter({ place: this.#record, name, init: keyframe.init, baseTicks: keyframe.head.baseTicks, wallOf: time.wallOf, clock, onFailed: (error) => this.#failed(writer, error) });
    this.#sequence += 1;
    this.#open = writer;
    this.#rotateNext = false;
    this.#clockStepped = false;
    this.#untold = [...this.#untold, writer];
  }

  /** Nothing is missing, but of the hour that a clock set forward leaves out there is no footage. A leap of days is a mistake that somebody will put right. */
  #saySkipped(fromMs: EpochMs, untilMs: EpochMs): void {
    if (untilMs - fromMs < SKIPPED_AT_LEAST_MS || untilMs - fromMs > DAY_MS) return;
    this.#parts.outage.wrote(fromMs);
    this.#parts.outage.began('clock-changed', 'The computer’s clock was set forward.');
  }

  /** A gap begins where footage ended, so what a disk held is made whole before. The first seconds may come in a burst; what is said of their time before is a guess. What is said is what is indexed: a gap ends where its footage begins. */
  #sayResumed(writer: SegmentWriter, last: boolean): void {
    if (!this.#untold.includes(writer)) return;
    if (!last && (this.#untold[0] !== writer || !writer.opened || this.#time?.settled() !== true || this.#parts.leftovers.busy)) return;
    this.#untold = this.#untold.filter((other) => other !== writer);
    if (!writer.opened) return;
    writer.freeze();
    this.#parts.outage.resumed(writer.startMs);
  }

  /** Nothing is written after this segment. Of one whose beginning was not said yet, the same outage goes on until it is, and another begins behind it. */
  #sayEnded(writer: SegmentWriter, cause: GapCause, detail: string): void {
    if (this.#untold.includes(writer)) this.#owed = { writer, cause, detail };
    this.#parts.outage.began(cause, detail);
  }

  #sayOwed(writer: SegmentWriter): void {
    const owed = this.#owed;
    if (owed?.writer !== writer) return;
    this.#owed = null;
    // A later segment has begun already, or its own end will be said.
    if (this.#open === null) this.#parts.outage.began(owed.cause, owed.detail);
  }

  #closeOpen(): void {
    if (this.#open !== null) this.#close(this.#open);
    this.#open = null;
  }

  #closeLate(): void {
    if (this.#late !== null) this.#close(this.#late.writer);
    this.#late = null;
  }

  /** In order of their sequence, one after the other. */
  #close(writer: SegmentWriter): void {
    writer.freeze();
    this.#closingCount += 1;
    this.#closing = this.#closing
      .then(async () => {
        const segment = await writer.close();
        if (this.#open === null && writer.opened) this.#parts.outage.wrote(segment?.endMs ?? (writer.abandoned === null && !writer.harmed ? writer.endMs : writer.syncedEndMs));
        this.#sayResumed(writer, true);
        this.#sayOwed(writer);
        this.#keepForLater(writer);
        if (segment === null) return;
        this.#failures = 0;
        this.#parts.notify({ type: 'segment-closed', segment });
      })
      .catch((error: unknown) => this.#failed(writer, error))
      .finally(() => {
        this.#closingCount -= 1;
        if (this.#closingCount === 0) this.#overloaded = false;
      });
  }

  /** A file that its disk left open. Whoever tells of gaps must know how far it reaches, also after this recorder. */
  #keepForLater(writer: SegmentWriter): void {
    if (writer.abandoned === null) return;
    const { leftovers, notify, stream } = this.#parts;
    leftovers.add(writer.place, writer.abandoned);
    if (writer.syncedEndMs > writer.startMs) notify({ type: 'footage-held', cameraId: stream.cameraId, stream: stream.kind, endMs: writer.syncedEndMs });
  }

  #failed(writer: SegmentWriter, error: unknown): void {
    const { notify, clock, outage, stream } = this.#parts;
    if (this.#open === writer) this.#closeOpen();
    const cause = causeOfDiskError(error);
    // Of a full disk's file all that was written stays; of a failing one's, what was synced.
    if (cause !== 'disk-full' && writer.opened) outage.wrote(writer.syncedEndMs);
    const detail = error instanceof PorchlightError ? error.message : 'the disk answered with an error';
    // A disk that was left already keeps nothing from the one that is recorded to now.
    if (writer.rootId === this.#record.rootId) {
      this.#failures += 1;
      this.#retryAtMs = clock.monotonicMs() + retryWaitMs(DISK_LADDER, this.#failures, Math.random());
      this.#sayEnded(writer, cause, detail);
    }
    if (writer.harmed) notify({ type: 'log', level: 'warn', message: `${stream.cameraId}/${stream.kind}: ${detail}` });
    else notify({ type: 'root-problem', rootId: writer.rootId, cause, detail });
  }
}

/** The cause a person reads for what the disk answered. */
export function causeOfDiskError(error: unknown): GapCause {
  if (!(error instanceof PorchlightError)) return 'disk-failing';
  if (error.kind === 'disk-full') return 'disk-full';
  return error.kind === 'disk-missing' || error.kind === 'disk-wrong' ? 'disk-missing' : 'disk-failing';
}
