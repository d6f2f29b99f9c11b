/** What the drill's rows need of a relay, be it one in memory or the real one: joined wires, and a rule for what becomes of each message. */
import type { SessionClock, Wire } from '../../shared/relay/wire.ts';
import type { Household } from './households.ts';
import type { Side } from './ledger.ts';

/** One end of one household's session. */
export interface EndName {
  readonly household: number;
  readonly side: Side;
}

export interface Delivery {
  readonly to: EndName;
  readonly message: Uint8Array;
  readonly delayMs?: number;
}

/** What the relay does with a message; an honest one hands it to the other side of the same household. */
export type Rule = (from: EndName, message: Uint8Array) => readonly Delivery[];

export interface Joined {
  readonly household: Household;
  readonly sessionKey: Uint8Array;
  readonly home: Wire;
  readonly viewer: Wire;
}

export interface DrillRelay {
  readonly clock: SessionClock;
  rule: Rule;
  /** Messages that passed, and those in which something of a picture could be read. */
  readonly seen: { messages: number; marked: number };
  /** A pair of wires for each household; those of an earlier join are hung up. */
  join(households: readonly Household[]): Promise<readonly Joined[]>;
  /** A message nobody sent. */
  inject(delivery: Delivery): void;
  /** Waits until the condition holds, at most `limitMs` of the clock. Whether it does. */
  until(condition: () => boolean, limitMs: number): Promise<boolean>;
  /** Hangs up all. */
  hangUp(): Promise<void>;
  stop(): Promise<void>;
}

export const other = (side: Side): Side => (side === 'home' ? 'viewer' : 'home');

/** Everybody gets what is theirs. */
export const HONEST: Rule = (from, message) => [{ to: { household: from.household, side: other(from.side) }, message }];

/** A broken table: what a home sends goes to the viewer that the table names, and what that viewer sends to that home. */
export function mixedUp(viewerOf: ReadonlyMap<number, number>, homeOf: ReadonlyMap<number, number>): Rule {
  return (from, message) => {
    const household = (from.side === 'home' ? viewerOf : homeOf).get(from.household);
    return household === undefined ? [] : [{ to: { household, side: other(from.side) }, message }];
  };
}
