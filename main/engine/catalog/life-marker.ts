/**
 * <data>/life.json: says every few seconds that the engine lives, and at an orderly stop that it was one. The next life reads
 * why footage is missing from it (dead-time.ts).
 */
import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { GapCause } from '../../../shared/model/gap.ts';
import { GAP_CAUSES } from '../../../shared/model/gap.ts';
import { isCameraId } from '../../../shared/model/ids.ts';
import { type DurationMs, type EpochMs, SECOND_MS } from '../../../shared/time.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { bootClockMs, MONOTONIC_STOPS_IN_SLEEP, readBootId } from './boot-id.ts';
import { type ClockReading, type DeadTime, isStopReason, type LastLife, sleepBetween, type StopReason, timeBetweenLives } from './dead-time.ts';
import type { OpenOutage } from './gap-ledger.ts';

export const LIFE_FILE = 'life.json';
/** Often enough that a fault's moment is known to a few seconds; seldom beside the recorder, which syncs each stream each second. */
const HEARTBEAT_MS: DurationMs = 5 * SECOND_MS;

export interface Life extends LastLife {
  readonly pid: number;
  readonly startedMs: EpochMs;
  readonly openOutages: readonly OpenOutage[];
}

export interface LifeMarkerOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is missing at the moment; asked at every heartbeat. */
  readonly openOutages: () => readonly OpenOutage[];
  /** The computer slept. */
  readonly onDeadTime: (time: DeadTime) => void;
  /** Milliseconds since the computer started, for tests. */
  readonly bootClock?: () => DurationMs;
}

/** What the last life left behind, and the time since. Read it before the marker starts. */
export interface LifeStart {
  readonly last: Life | null;
  readonly bootId: string;
  readonly startedMs: EpochMs;
  readonly between: DeadTime;
}

/** Reads how the last life ended. */
export async function readLifeStart(dataDir: string, clock: Clock): Promise<LifeStart> {
  const startedMs = clock.nowMs();
  const bootId = await readBootId(startedMs);
  const last = parseLife(await readIfThere(path.join(dataDir, LIFE_FILE)));
  return { last, bootId, startedMs, between: timeBetweenLives(last, bootId, startedMs) };
}

export class LifeMarker {
  readonly #options: LifeMarkerOptions;
  readonly #start: LifeStart;
  readonly #stopBeating: () => void;
  #reading: ClockReading;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  private constructor(options: LifeMarkerOptions, start: LifeStart) {
    this.#options = options;
    this.#start = start;
    this.#reading = this.#read();
    this.#stopBeating = options.clock.every(HEARTBEAT_MS, () => this.#beat());
  }

  /** Writes the first sign of life and goes on until `stop`. */
  static async begin(options: LifeMarkerOptions, start: LifeStart): Promise<LifeMarker> {
    const marker = new LifeMarker(options, start);
    await replaceFile(marker.#file, marker.#text(null));
    return marker;
  }

  get #file(): string {
    return path.join(this.#options.dataDir, LIFE_FILE);
  }

  #read(): ClockReading {
    const { clock, bootClock = bootClockMs } = this.#options;
    return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs(), bootMs: bootClock() };
  }

  #text(stopped: Life['stopped']): string {
    const { bootId, startedMs } = this.#start;
    return `${JSON.stringify({ format: 1, bootId, pid: process.pid, startedMs, aliveMs: this.#reading.wallMs, stopped, openOutages: this.#options.openOutages() })}\n`;
  }

  /** Looks whether the computer slept. Also called when the system says that it woke, so that causes are known before the first frame. */
  lookForSleep(): void {
    const before = this.#reading;
    this.#reading = this.#read();
    const slept = sleepBetween(before, this.#reading, HEARTBEAT_MS, MONOTONIC_STOPS_IN_SLEEP);
    if (slept !== null) this.#options.onDeadTime({ ...slept, cause: 'computer-asleep', detail: 'The computer was asleep.' });
  }

  #beat(): void {
    this.lookForSleep();
    this.#writing = this.#writing.then(() => this.#write()).catch((error: unknown) => this.#options.logger.warn('The sign of life could not be written', error));
  }

  /**
   * Its bytes are synced before its name is: a power cut may bring back an older one, which is only less precise, but never an
   * empty one, which would say nothing of why footage is missing.
   */
  async #write(): Promise<void> {
    if (this.#stopped) return;
    const beat = `${this.#file}.beat`;
    const handle = await open(beat, 'w', 0o600);
    try {
      await handle.writeFile(this.#text(null));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(beat, this.#file);
  }

  /** The stop is an orderly one. Call it last, when all footage is on disk. */
  async stop(reason: StopReason): Promise<void> {
    this.#stopBeating();
    this.#stopped = true;
    await this.#writing;
    this.#reading = this.#read();
    await replaceFile(this.#file, this.#text({ atMs: this.#reading.wallMs, reason }));
  }

  /** Ends the heartbeat and leaves the marker as a fault would, for tests. */
  async abandon(): Promise<void> {
    this.#stopBeating();
    this.#stopped = true;
    await this.#writing;
  }
}

/** A marker's content; null for none, or one that cannot be read. */
export function parseLife(text: string | null): Life | null {
  try {
    const value = JSON.parse(text ?? 'null') as Life | null;
    if (value === null || typeof value.bootId !== 'string' || typeof value.aliveMs !== 'number' || typeof value.pid !== 'number') return null;
    const stopped = value.stopped !== null && typeof value.stopped?.atMs === 'number' && isStopReason(value.stopped.reason) ? value.stopped : null;
    const openOutages = Array.isArray(value.openOutages) ? value.openOutages.filter(isOpenOutage) : [];
    return { bootId: value.bootId, aliveMs: value.aliveMs, pid: value.pid, startedMs: value.startedMs, stopped, openOutages };
  } catch {
    return null;
  }
}

function isOpenOutage(value: unknown): value is OpenOutage {
  if (typeof value !== 'object' || value === null) return false;
  const outage = value as Record<string, unknown>;
  return typeof outage['cameraId'] === 'string' && isCameraId(outage['cameraId']) && (outage['stream'] === 'main' || outage['stream'] === 'sub') && typeof outage['sinceMs'] === 'number' && GAP_CAUSES.includes(outage['cause'] as GapCause) && typeof outage['detail'] === 'string';
}
