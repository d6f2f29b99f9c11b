/** How far the footage of a playing picture is behind on its line, and what follows from that (docs/design/relay.md, "A slow line"). Pure. */
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';
import { fallen, type FallState, riseWhenDue } from './line-fall.ts';

/** A viewer has some seconds of footage ahead: less than this is a hiccup that nobody sees. */
const FALL_BEHIND_MS: DurationMs = 2 * SECOND_MS;
/** On the small stream the line has room while that is no more behind than this. */
const ROOM_BEHIND_MS: DurationMs = SECOND_MS / 2;

/** What was handed to the line since it was last idle. */
export interface Pace {
  /** Null while nothing waits: whatever holds a picture up then, it is not the line. */
  readonly sinceMs: DurationMs | null;
  readonly footageMs: DurationMs;
  readonly bytes: number;
}

export const IDLE: Pace = { sinceMs: null, footageMs: 0, bytes: 0 };

/** A piece of so much footage was handed over; `waitingBytes` waited before it. */
export function noteHanded(pace: Pace, piece: { readonly footageMs: DurationMs; readonly bytes: number }, waitingBytes: number, nowMs: DurationMs): Pace {
  const before = pace.sinceMs === null || waitingBytes === 0 ? { ...IDLE, sinceMs: nowMs } : pace;
  return { sinceMs: before.sinceMs, footageMs: before.footageMs + piece.footageMs, bytes: before.bytes + piece.bytes };
}

/** By how much of its time the line has sent less than is shown meanwhile at `speed`; 0 where it keeps up. */
export function behindMs(pace: Pace, waitingBytes: number, speed: number, nowMs: DurationMs): DurationMs {
  if (pace.sinceMs === null || waitingBytes === 0 || pace.bytes === 0) return 0;
  const sentMs = (pace.footageMs * Math.max(0, pace.bytes - waitingBytes)) / pace.bytes;
  return Math.max(0, nowMs - pace.sinceMs - sentMs / speed);
}

/** The state of the stream to play from now on; the same where nothing changes. `random` in [0, 1). */
export function decidePlayback(state: FallState, behind: DurationMs, nowMs: DurationMs, random: number): FallState {
  if (state.stream === 'main') return behind >= FALL_BEHIND_MS ? fallen(state, nowMs) : state;
  return riseWhenDue(behind >= ROOM_BEHIND_MS ? { ...state, roomSinceMs: nowMs } : state, nowMs, random);
}
