/**
 * Names and reads the files of one hour folder exactly as segment-name.ts does, but without a calendar for each of them: a
 * check compares hundreds of thousands of names. Pure.
 */
import { type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import { type SegmentName, segmentFileName } from './segment-name.ts';

/** After `20261121T14`: minute, second, millisecond, session, sequence. */
const AFTER_HOUR = /^(\d\d)(\d\d)\.(\d{3})Z-s(\d{1,16})-(\d{6,16})\.mp4$/;
const HOUR_LENGTH = 11;

export class HourNames {
  /** When the hour of the folder begins. */
  readonly startMs: EpochMs;
  readonly #prefix: string;

  /** `folder`: an hour folder relative to its root, as `segmentFolder` gives it. */
  constructor(folder: string) {
    const [day, hour] = folder.split('/').slice(-2);
    this.startMs = Date.parse(`${day}T${hour}:00:00.000Z`);
    this.#prefix = segmentFileName({ startMs: this.startMs, session: 0, sequence: 0 }).slice(0, HOUR_LENGTH);
  }

  /** As `segmentFileName`; `startMs` must be whole milliseconds of this hour, session and sequence safe integers. */
  name(startMs: EpochMs, session: number, sequence: number): string {
    const inHourMs = startMs - this.startMs;
    const inMinuteMs = inHourMs % MINUTE_MS;
    return `${this.#prefix}${padded(Math.floor(inHourMs / MINUTE_MS), 2)}${padded(Math.floor(inMinuteMs / SECOND_MS), 2)}.${padded(inMinuteMs % SECOND_MS, 3)}Z-s${session}-${padded(sequence, 6)}.mp4`;
  }

  /** The facts in a file's name; null for every name that no segment in this folder has. */
  read(fileName: string): Pick<SegmentName, 'startMs' | 'session' | 'sequence'> | null {
    const match = fileName.startsWith(this.#prefix) ? AFTER_HOUR.exec(fileName.slice(HOUR_LENGTH)) : null;
    if (match === null) return null;
    const [, minute, second, milli, session, sequence] = match.map(Number);
    if (minute === undefined || second === undefined || milli === undefined || session === undefined || sequence === undefined) return null;
    const startMs = this.startMs + minute * MINUTE_MS + second * SECOND_MS + milli;
    if (startMs >= this.startMs + HOUR_MS || !Number.isSafeInteger(session) || !Number.isSafeInteger(sequence)) return null;
    // One name per segment: a second spelling of the same numbers is no name.
    return this.name(startMs, session, sequence) === fileName ? { startMs, session, sequence } : null;
  }
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
