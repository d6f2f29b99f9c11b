/** When a picture falls to the sub stream because its line is slow, and when main is tried again (docs/design/relay.md, "Credits"): for both kinds, and what makes a live one fall. */
import { type DurationMs, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import type { StreamKind } from '../../../shared/model/camera.ts';

const WINDOW_MS: DurationMs = 5 * SECOND_MS;
/** More than a fifth dropped within the window. */
const DROPPED_SHARE = 0.2;
/** The group of pictures that is there at once when a stream opens is more than any line takes in one go: what of it is dropped says nothing. */
const OPENING_MS: DurationMs = SECOND_MS;
/** A share of fewer chunks, or of a shorter time, is chance: one keyframe that came at a bad moment. */
const LEAST_CHUNKS = 8;
const LEAST_SPAN_MS: DurationMs = 2 * SECOND_MS;
const FIRST_WAIT_MS: DurationMs = 30 * SECOND_MS;
const LONGEST_WAIT_MS: DurationMs = 8 * MINUTE_MS;
/** Main that held this long was no mistake: the next wait is the first again. */
const HELD_MS: DurationMs = 2 * MINUTE_MS;
/** Several pictures of one session try apart. */
const JITTER = 0.2;

interface Came {
  readonly atMs: DurationMs;
  readonly dropped: boolean;
}

export interface FallState {
  readonly stream: StreamKind;
  readonly sinceMs: DurationMs;
  /** Chunks of the last five seconds. */
  readonly came: readonly Came[];
  /** Since when everything found room. */
  readonly roomSinceMs: DurationMs;
  /** Room for this long, and main is tried. */
  readonly waitMs: DurationMs;
  /** Main was given up before. */
  readonly fell: boolean;
}

/** `stream` begins now, as was asked for. */
export function beginFall(stream: StreamKind, nowMs: DurationMs): FallState {
  return { stream, sinceMs: nowMs, came: [], roomSinceMs: nowMs, waitMs: FIRST_WAIT_MS, fell: false };
}

/** A chunk came and found room, or did not. */
export function noteChunk(state: FallState, dropped: boolean, nowMs: DurationMs): FallState {
  if (nowMs - state.sinceMs < OPENING_MS) return state;
  const first = state.came.findIndex(({ atMs }) => nowMs - atMs < WINDOW_MS);
  const came = [...(first < 0 ? [] : state.came.slice(first)), { atMs: nowMs, dropped }];
  return { ...state, came, roomSinceMs: dropped ? nowMs : state.roomSinceMs };
}

/** The state of the live stream to show from now on; the same where nothing changes. `random` in [0, 1). */
export function decideFall(state: FallState, nowMs: DurationMs, random: number): FallState {
  if (state.stream === 'sub') return riseWhenDue(state, nowMs, random);
  const dropped = state.came.filter((one) => one.dropped).length;
  const spanMs = nowMs - (state.came[0]?.atMs ?? nowMs);
  if (state.came.length < LEAST_CHUNKS || spanMs < LEAST_SPAN_MS || dropped <= state.came.length * DROPPED_SHARE) return state;
  return fallen(state, nowMs);
}

/** Main is given up. */
export function fallen(state: FallState, nowMs: DurationMs): FallState {
  const waitMs = !state.fell || nowMs - state.sinceMs >= HELD_MS ? FIRST_WAIT_MS : Math.min(state.waitMs * 2, LONGEST_WAIT_MS);
  return { stream: 'sub', sinceMs: nowMs, came: [], roomSinceMs: nowMs, waitMs, fell: true };
}

/** Main again, once there was room for long enough; the same until then. `random` in [0, 1). */
export function riseWhenDue(state: FallState, nowMs: DurationMs, random: number): FallState {
  if (state.stream === 'main' || !state.fell || nowMs - state.roomSinceMs < state.waitMs * (1 + JITTER * random)) return state;
  return { ...state, stream: 'main', sinceMs: nowMs, came: [], roomSinceMs: nowMs };
}
