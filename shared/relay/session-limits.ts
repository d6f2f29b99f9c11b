/** The lengths of time and the sizes of a session, with their reasons (docs/design/relay.md, "The session"). */
import type { SessionLimits } from './session-types.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

export const SESSION_LIMITS: SessionLimits = {
  handshakeMs: 10_000,
  heartbeatMs: 500,
  silenceMs: 15_000,
  rekeyAfterMs: 10 * 60_000,
  rekeyAfterBytes: 1024 * MIB,
  rekeyDueMs: 15 * 60_000,
  rekeyDueBytes: 1280 * MIB,
  leastWindowBytes: 96 * KIB,
  // What a line of 160 MB/s holds at 50 ms; more would only wait in sockets.
  mostWindowBytes: 8 * MIB,
  liveQueueBytes: 2 * MIB,
  mostQueueBytes: 8 * MIB,
};

/** Those, but for what is given. */
export function sessionLimits(given: Partial<SessionLimits> | undefined): SessionLimits {
  return { ...SESSION_LIMITS, ...given };
}

/** What a viewer takes as one message: a piece of a recording is at most a few MiB. */
export const MOST_MESSAGE_BYTES = 32 * MIB;
/** What a home takes as one message: questions are short. */
export const MOST_QUESTION_BYTES = 256 * KIB;
