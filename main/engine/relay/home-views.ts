/** What one session writes into the log of views: before it is seen, and in all at its end (docs/design/relay.md, R7). */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { ViewKind } from '../../../shared/model/remote.ts';
import { type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Asked } from './gate.ts';
import type { NewView, ViewJournal } from './home-parts.ts';

/** A seek farther than this from anything noted is noted by itself. */
const NEAR_MS: DurationMs = HOUR_MS;

interface Total {
  readonly kind: ViewKind;
  readonly cameraIds: readonly CameraId[];
  fromMs: EpochMs | null;
  toMs: EpochMs | null;
  bytes: number;
  /** Of what the first line does not say. */
  questions: number;
}

/** Of what is asked again and again, one line a minute. */
interface Minute extends Total {
  readonly minute: number;
}

export interface SessionViewsParts {
  readonly journal: ViewJournal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly device: { readonly id: string; readonly name: string };
}

export class SessionViews {
  readonly #parts: SessionViewsParts;
  readonly #beganMs: EpochMs;
  readonly #streams = new Map<number, Total>();
  readonly #minutes = new Map<string, Minute>();
  readonly #refusals = new Set<string>();
  #refusalMinute = 0;
  #sentBytes = 0;

  constructor(parts: SessionViewsParts) {
    this.#parts = parts;
    this.#beganMs = parts.clock.nowMs();
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** The session begins; rejects where that cannot be written, and then nothing may be shown. */
  async begin(): Promise<void> {
    await this.#append({ kind: 'session', cameraIds: [], fromMs: this.#beganMs, toMs: null, bytes: 0, note: null });
  }

  /** What a question would show, written down when it resolves. Questions of the same kind for the same cameras share a line each minute. */
  async record(asked: Asked, stream: number | null): Promise<void> {
    const { kind, cameraIds, fromMs, toMs } = asked;
    if (stream !== null) {
      await this.#append({ kind, cameraIds, fromMs, toMs: null, bytes: 0, note: null });
      this.#streams.set(stream, { kind, cameraIds, fromMs, toMs: fromMs, bytes: 0, questions: 0 });
      return;
    }
    const minute = Math.floor(this.#parts.clock.nowMs() / MINUTE_MS);
    await this.#closeMinutes(minute);
    const key = minuteKey(kind, cameraIds);
    const known = this.#minutes.get(key);
    if (known !== undefined) {
      widen(known, fromMs, toMs);
      known.questions += 1;
      return;
    }
    const began: Minute = { kind, cameraIds, fromMs, toMs, bytes: 0, questions: 0, minute };
    this.#minutes.set(key, began);
    try {
      await this.#append({ kind, cameraIds, fromMs, toMs, bytes: 0, note: null });
    } catch (error) {
      this.#minutes.delete(key);
      throw error;
    }
  }

  /** A playing picture is about to show another time. Resolves when that is written down, where it is far from what is. */
  async sought(stream: number, toMs: EpochMs): Promise<void> {
    const total = this.#streams.get(stream);
    if (total === undefined || total.fromMs === null || total.toMs === null) return;
    const isNear = toMs >= total.fromMs - NEAR_MS && toMs <= total.toMs + NEAR_MS;
    if (!isNear) await this.#append({ kind: total.kind, cameraIds: total.cameraIds, fromMs: toMs, toMs: null, bytes: 0, note: 'another time' });
    widen(total, toMs, toMs);
  }

  /** So many bytes of a picture went out; `endMs`: when what they show ends. */
  sent(stream: number, bytes: number, endMs: EpochMs | null): void {
    this.#sentBytes += bytes;
    const total = this.#streams.get(stream);
    if (total === undefined) return;
    total.bytes += bytes;
    widen(total, null, endMs);
  }

  /** So many bytes of an answer went out. */
  answered(asked: Asked | null, bytes: number): void {
    this.#sentBytes += bytes;
    const minute = asked === null ? undefined : this.#minutes.get(minuteKey(asked.kind, asked.cameraIds));
    if (minute !== undefined) minute.bytes += bytes;
  }

  /** A picture is over. */
  streamEnded(stream: number): void {
    const total = this.#streams.get(stream);
    if (total === undefined) return;
    this.#streams.delete(stream);
    this.#note({ ...viewOf(total), note: 'ended' });
  }

  /** Something was refused; the same thing is written down once a minute. */
  refused(what: string, cameraIds: readonly CameraId[]): void {
    const minute = Math.floor(this.#parts.clock.nowMs() / MINUTE_MS);
    if (minute !== this.#refusalMinute) this.#refusals.clear();
    this.#refusalMinute = minute;
    const key = `${what} ${cameraIds.join()}`;
    // What a device may ask for in vain is without end; the log is not.
    if (this.#refusals.has(key) || this.#refusals.size >= 16) return;
    this.#refusals.add(key);
    this.#note({ kind: 'refused', cameraIds, fromMs: null, toMs: null, bytes: 0, note: what });
  }

  /** The session is over; resolves when all of it is written down. */
  async end(reason: string): Promise<void> {
    for (const stream of [...this.#streams.keys()]) this.streamEnded(stream);
    try {
      await this.#closeMinutes(Number.POSITIVE_INFINITY);
      await this.#append({ kind: 'session', cameraIds: [], fromMs: this.#beganMs, toMs: this.#parts.clock.nowMs(), bytes: this.#sentBytes, note: reason });
    } catch (error) {
      this.#parts.log.error('the end of a session could not be written into the log of views', error);
    }
  }

  /** Minutes that are over, where more came than their first line says. */
  async #closeMinutes(minute: number): Promise<void> {
    const over = [...this.#minutes].filter(([, one]) => one.minute < minute);
    for (const [key] of over) this.#minutes.delete(key);
    for (const [, one] of over) if (one.questions > 0) await this.#append({ ...viewOf(one), note: `${one.questions + 1} questions in a minute` });
  }

  #note(view: Omit<NewView, 'deviceId' | 'deviceName' | 'path'>): void {
    this.#append(view).catch((error: unknown) => this.#parts.log.error('a line of the log of views could not be written', error));
  }

  async #append(view: Omit<NewView, 'deviceId' | 'deviceName' | 'path'>): Promise<void> {
    const { journal, device } = this.#parts;
    await journal.append({ deviceId: device.id, deviceName: device.name, path: 'relay', ...view });
  }
}

function minuteKey(kind: ViewKind, cameraIds: readonly CameraId[]): string {
  return `${kind} ${[...cameraIds].toSorted().join()}`;
}

function viewOf({ kind, cameraIds, fromMs, toMs, bytes }: Total): Omit<NewView, 'deviceId' | 'deviceName' | 'path' | 'note'> {
  return { kind, cameraIds, fromMs, toMs, bytes };
}

function widen(total: Total, fromMs: EpochMs | null, toMs: EpochMs | null): void {
  if (fromMs !== null) total.fromMs = Math.min(total.fromMs ?? fromMs, fromMs);
  if (toMs !== null) total.toMs = Math.max(total.toMs ?? toMs, toMs);
}
