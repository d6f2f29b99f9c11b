/** What the relay counts of itself: numbers without addresses, tokens or routes. */

export const REFUSALS = [
  'accept-rate',
  'full',
  'address-rate',
  'address-open',
  'bad-request',
  'hello-late',
  'hello-bad',
  'protocol',
  'nobody',
  'home-limit',
  'home-late',
  'control-rate',
  'stalled',
  'dead',
  'leaving',
] as const;

export type Refusal = (typeof REFUSALS)[number];

export interface Counters {
  /** Open connections, of every kind. */
  connections: number;
  /** Open control sockets of homes. */
  controlSockets: number;
  /** Ring tokens that are registered. */
  tokens: number;
  /** Viewers whose home has been rung and is not there yet. */
  waiting: number;
  /** Spliced pairs. */
  sessions: number;
  sessionsTotal: number;
  connectionsTotal: number;
  /** Of spliced pairs, both directions. */
  messagesTotal: number;
  bytesTotal: number;
  /** How often an end was not read on because the other was slow, and because of the session's rate. */
  pausesSlow: number;
  pausesRate: number;
  readonly refusals: Record<Refusal, number>;
}

export function createCounters(): Counters {
  return {
    connections: 0,
    controlSockets: 0,
    tokens: 0,
    waiting: 0,
    sessions: 0,
    sessionsTotal: 0,
    connectionsTotal: 0,
    messagesTotal: 0,
    bytesTotal: 0,
    pausesSlow: 0,
    pausesRate: 0,
    refusals: Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>,
  };
}
