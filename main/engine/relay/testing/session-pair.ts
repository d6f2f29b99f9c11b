/** A home and a viewer in a session over a line of the test's. */
import { utf8 } from '../../rpc/channels/text-codec.ts';
import { nodeSuite } from '../node-suite.ts';
import type { ChannelMessage } from '../../../../shared/contract/channel.ts';
import { encodeFrame } from '../../../../shared/contract/frame.ts';
import { acceptSession } from '../../../../shared/relay/session-home.ts';
import type { HomeSession, HomeSessionOptions, Lane, LogHead, SessionLimits, ViewerSession, ViewerSessionOptions } from '../../../../shared/relay/session-types.ts';
import { openSession } from '../../../../shared/relay/session-viewer.ts';
import type { CryptoSuite, KeyPair } from '../../../../shared/relay/suite.ts';
import type { SessionClock, Wire } from '../../../../shared/relay/wire.ts';
import type { FakeClock, Line } from './session-line.ts';

export interface Household {
  readonly suite: CryptoSuite;
  readonly home: KeyPair;
  readonly device: KeyPair;
  readonly psk: Uint8Array;
  readonly token: Uint8Array;
}

export async function household(suite: CryptoSuite = nodeSuite): Promise<Household> {
  return { suite, home: await suite.generateKeyPair(), device: await suite.generateKeyPair(), psk: suite.random(32), token: suite.random(16) };
}

export const LOG_HEAD: LogHead = { length: 7, head: new Uint8Array(32).fill(9) };

export interface PairOptions {
  readonly clock: SessionClock;
  readonly home: Wire;
  readonly viewer: Wire;
  readonly sessionKey?: Uint8Array;
  readonly homeLimits?: Partial<SessionLimits>;
  readonly viewerLimits?: Partial<SessionLimits>;
  readonly stamps?: Stamps;
  readonly stampMs?: number;
  readonly constantBytesPerS?: number;
}

/** What a home keeps of stamps, in memory. */
export class Stamps {
  highest = -1;

  accept(stampMs: number): boolean {
    if (stampMs <= this.highest) return false;
    this.highest = stampMs;
    return true;
  }
}

export function homeOptions(house: Household, options: PairOptions): HomeSessionOptions {
  const stamps = options.stamps ?? new Stamps();
  return {
    suite: house.suite,
    text: utf8,
    wire: options.home,
    token: house.token,
    sessionKey: options.sessionKey ?? new Uint8Array(32).fill(5),
    own: house.home,
    clock: options.clock,
    findDevice: async (publicKey) => (publicKey.every((byte, at) => byte === house.device.publicKey[at]) ? { psk: house.psk } : null),
    acceptStamp: async (stampMs) => stamps.accept(stampMs),
    logHead: () => LOG_HEAD,
    wallMs: () => 1_700_000_000_000,
    ...(options.homeLimits === undefined ? {} : { limits: options.homeLimits }),
  };
}

export function viewerOptions(house: Household, options: PairOptions): ViewerSessionOptions {
  return {
    suite: house.suite,
    text: utf8,
    wire: options.viewer,
    token: house.token,
    sessionKey: options.sessionKey ?? new Uint8Array(32).fill(5),
    own: house.device,
    homePublicKey: house.home.publicKey,
    psk: house.psk,
    stampMs: options.stampMs ?? 1,
    clock: options.clock,
    ...(options.constantBytesPerS === undefined ? {} : { constantBytesPerS: options.constantBytesPerS }),
    ...(options.viewerLimits === undefined ? {} : { limits: options.viewerLimits }),
  };
}

/** Both ends at once, without waiting: advance the clock until they are there. */
export interface Pair {
  home: HomeSession;
  viewer: ViewerSession;
  readonly delivered: ChannelMessage[];
  readonly asked: unknown[];
  homeClosed: string | null;
  viewerClosed: string | null;
}

/** Begins a session; `clock.until` has to run meanwhile. */
export async function beginPair(house: Household, options: PairOptions): Promise<Pair> {
  const [home, viewer] = await Promise.all([acceptSession(homeOptions(house, options)), openSession(viewerOptions(house, options))]);
  const pair: Pair = { home, viewer, delivered: [], asked: [], homeClosed: null, viewerClosed: null };
  home.onMessage((frame) => pair.asked.push(frame));
  viewer.onMessage((message) => pair.delivered.push(message));
  home.onClose((reason) => (pair.homeClosed = reason));
  viewer.onClose((reason) => (pair.viewerClosed = reason));
  return pair;
}

/** A session that has begun on a clock of its own; throws where it does not begin. */
export async function startPair(house: Household, line: Line, clock: FakeClock, more: Partial<PairOptions> = {}): Promise<Pair> {
  const begun: { pair?: Pair; error?: unknown } = {};
  beginPair(house, { clock, home: line.home, viewer: line.viewer, ...more }).then(
    (pair) => (begun.pair = pair),
    (error: unknown) => (begun.error = error),
  );
  await clock.until('the session begins', () => begun.pair !== undefined || begun.error !== undefined);
  if (begun.pair === undefined) throw begun.error;
  return begun.pair;
}

/** What the home sends, as its gate would. */
export function send(home: HomeSession, lane: Lane, camera: number, head: unknown, payload: Uint8Array | null = null, essential = false): boolean {
  return home.sendSealed({ lane, camera, ptsMs: 0, frame: encodeFrame({ head, payload }, utf8), essential });
}
