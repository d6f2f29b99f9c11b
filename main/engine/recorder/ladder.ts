/** What to do after a session ended: wait how long, with what arguments, or give up until told; pure. */
import type { ErrorKind } from '../../../shared/errors.ts';
import type { ConnectionState } from '../../../shared/model/camera.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import { type DurationMs, MINUTE_MS } from '../../../shared/time.ts';
import { type RetryLadder, retryWaitMs } from '../core/retry.ts';
import type { ProbeDepth, Times } from '../ffmpeg/args.ts';
import type { SessionEnd } from './session.ts';
import { PATIENCE } from './watchdog.ts';

/** Quick at first: most ends are a camera that restarts its encoder. Half a minute at last: a camera that boots is back within seconds of being ready. */
export const CAMERA_LADDER: RetryLadder = { stepsMs: [500, 1_000, 2_000, 5_000, 10_000, 30_000], jitter: 0.2 };
/**
 * A device that answers and has no such stream, no video or another codec: a camera that boots says so for some seconds, a server that passes
 * streams on for as long as its camera is away. To ask costs neither side much, and each minute not asked is footage.
 */
export const SETTLED_LADDER: RetryLadder = { stepsMs: [1_000, 2_000, 5_000, 10_000, 30_000], jitter: 0.2 };
const SETTLED: readonly ErrorKind[] = ['not-found', 'no-video', 'codec-not-supported'];
/** A camera may answer 401 while it boots or because its connections are used up; one more attempt cannot lock an account. */
const SECOND_THOUGHT_MS: DurationMs = MINUTE_MS;
/** A session that gave footage this long was a good one. */
const GOOD_SESSION_MS: DurationMs = 5_000;
/** After footage of this length the distance of keyframes is known, and patience by trial not needed. */
const KNOWN_MS: DurationMs = 5 * MINUTE_MS;

const STOOD_TOO_OFTEN = 2;

export interface LadderState {
  readonly failures: number;
  /** The camera has let us in with these credentials. */
  readonly everLetIn: boolean;
  readonly refusals: number;
  readonly depth: ProbeDepth;
  /** The address turned out to have no sound. */
  readonly withoutSound: boolean;
  /** The sound is another by now than when the camera was added, and MP4 does not hold it. */
  readonly changeSound: boolean;
  /** UDP is asked for, once, where TCP was refused: media that does not come through over it would be waited for again and again. */
  readonly overUdp: boolean;
  /** How often in a row the camera answered that it has none. */
  readonly settled: number;
  /** How long a picture and a keyframe are waited for: a step of `PATIENCE`. */
  readonly patience: number;
  /** How often the camera's timestamps stood still lately; more than once, and they are not asked any more. Nor where they run at a speed of their own. */
  readonly stoodStill: number;
}

/** The detail of an outage for want of ffmpeg. */
export const FFMPEG_NOT_STARTED = 'ffmpeg could not be started';

export const FRESH_LADDER: LadderState = { failures: 0, everLetIn: false, refusals: 0, depth: 'quick', withoutSound: false, changeSound: false, overUdp: false, settled: 0, patience: 0, stoodStill: 0 };

export interface NextStep {
  readonly state: LadderState;
  readonly connection: ConnectionState;
  readonly cause: GapCause;
  readonly detail: string;
  /** What the silence was is found out by the next attempt. */
  readonly assumed: boolean;
  /** Null: wait until told to try again. */
  readonly waitMs: DurationMs | null;
}

/** `footageMs`: how long the session gave video; 0 when it gave none. `random` in [0, 1). */
export function nextStep(before: LadderState, end: Exclude<SessionEnd, { reason: 'stopped' }>, footageMs: DurationMs, random: number): NextStep {
  const letIn = before.everLetIn || footageMs > 0;
  const good = footageMs >= GOOD_SESSION_MS;
  const failures = good ? 1 : before.failures + 1;
  const settled = footageMs === 0 && end.reason === 'ended' && SETTLED.includes(end.failure.kind) ? before.settled + 1 : 0;
  const overUdp = footageMs === 0 && end.reason === 'ended' && end.failure.otherTransport && !before.overUdp;
  const state: LadderState = { ...before, failures, settled, overUdp, everLetIn: letIn, refusals: footageMs > 0 ? 0 : before.refusals, patience: footageMs >= KNOWN_MS ? 0 : before.patience };
  const waitMs = retryWaitMs(CAMERA_LADDER, failures, random);
  switch (end.reason) {
    case 'ended':
      return afterEnd(state, end, footageMs, settled > 0 ? retryWaitMs(SETTLED_LADDER, settled, random) : waitMs);
    case 'ffmpeg-missing':
      return { state, connection: 'offline', cause: 'porchlight-failed', detail: FFMPEG_NOT_STARTED, assumed: false, waitMs: 10_000 };
    case 'crashed':
      return { state, connection: good ? 'connecting' : 'offline', cause: 'porchlight-failed', detail: 'ffmpeg crashed', assumed: false, waitMs: good ? 0 : waitMs };
    case 'never-started':
      return { state: { ...morePatient(state), depth: other(state.depth) }, connection: 'offline', cause: 'stream-stalled', detail: 'connected, but no pictures came', assumed: false, waitMs };
    case 'stalled':
      return { state, connection: 'offline', cause: 'stream-stalled', detail: 'no pictures came any more', assumed: true, waitMs: good ? 0 : waitMs };
    case 'no-keyframes':
      return { state: morePatient(state), connection: 'offline', cause: 'stream-stalled', detail: 'no keyframe came', assumed: false, waitMs };
    case 'parameters-changed':
      return { state, connection: 'connecting', cause: 'stream-stalled', detail: end.detail, assumed: false, waitMs: good ? 0 : waitMs };
    case 'times-stand-still': {
      // A clock that is set once stands in one session. Where it does again soon, times of arrival are better, and stay.
      const stoodStill = footageMs >= KNOWN_MS && before.stoodStill < STOOD_TOO_OFTEN ? 1 : before.stoodStill + 1;
      return { state: { ...state, stoodStill }, connection: 'connecting', cause: 'stream-stalled', detail: end.detail, assumed: false, waitMs: good || stoodStill === STOOD_TOO_OFTEN ? 0 : waitMs };
    }
    case 'times-run-wild':
      return { state: { ...state, stoodStill: STOOD_TOO_OFTEN }, connection: 'connecting', cause: 'stream-stalled', detail: end.detail, assumed: false, waitMs: 0 };
    case 'malformed':
      return { state, connection: 'offline', cause: 'porchlight-failed', detail: end.detail, assumed: false, waitMs };
  }
}

function afterEnd(state: LadderState, end: Extract<SessionEnd, { reason: 'ended' }>, footageMs: DurationMs, waitMs: DurationMs): NextStep {
  const { failure } = end;
  const step = { connection: 'offline' as const, cause: failure.cause, detail: failure.detail, assumed: footageMs > 0 };
  if (failure.kind === 'wrong-password' && footageMs === 0) {
    const refusals = state.refusals + 1;
    const again = state.everLetIn && refusals < 2;
    return { ...step, state: { ...state, refusals }, connection: again ? 'offline' : 'refused', waitMs: again ? SECOND_THOUGHT_MS : null };
  }
  if (failure.noSound && footageMs === 0) return { ...step, state: { ...state, withoutSound: true }, connection: 'connecting', waitMs: 0 };
  // Video never waits for sound (R6): made over where it was to be copied, left out where that does not help.
  if (failure.soundNotKept && footageMs === 0 && !(failure.lookLonger && state.depth === 'quick')) return { ...step, state: { ...state, changeSound: true, withoutSound: state.changeSound }, connection: 'connecting', waitMs: 0 };
  if (state.overUdp) return { ...step, state, connection: 'connecting', waitMs: 0 };
  if (failure.lookLonger && footageMs === 0) return { ...step, state: { ...state, depth: other(state.depth) }, waitMs };
  // Footage came and then the connection ended: what ffmpeg says last is not why.
  if (footageMs > 0 && failure.cause !== 'porchlight-failed' && (failure.kind === 'ffmpeg-failed' || failure.kind === 'bad-answer')) return { ...step, state, cause: 'camera-unreachable', detail: 'the camera ended the stream', waitMs };
  return { ...step, state, waitMs };
}

/** What times the next session is to have. */
export function timesOf(state: LadderState): Times {
  return state.stoodStill >= STOOD_TOO_OFTEN ? 'arrival' : 'camera';
}

function morePatient(state: LadderState): LadderState {
  return { ...state, patience: Math.min(state.patience + 1, PATIENCE.length - 1) };
}

function other(depth: ProbeDepth): ProbeDepth {
  return depth === 'quick' ? 'thorough' : 'quick';
}
