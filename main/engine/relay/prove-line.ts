/** A throw-away home and device with a line between them in this process, for "prove it": the same session code as over a relay, and a line that can be led astray. */
import { HeldWire } from '../../../shared/relay/held-wire.ts';
import { acceptSession } from '../../../shared/relay/session-home.ts';
import type { HomeSession, ViewerSession } from '../../../shared/relay/session-types.ts';
import { openSession } from '../../../shared/relay/session-viewer.ts';
import { SESSION_KEY_BYTES, TOKEN_BYTES } from '../../../shared/relay/protocol.ts';
import type { CryptoSuite, KeyPair } from '../../../shared/relay/suite.ts';
import type { Wire } from '../../../shared/relay/wire.ts';
import type { Clock } from '../core/clock.ts';
import { sessionClock } from './home-sessions.ts';
import { utf8 } from './line-text.ts';

const KEY_BYTES = 32;

/** One end of a line in memory. */
export class ProofWire extends HeldWire {
  /** What was handed to it, in order. */
  readonly sent: Uint8Array[] = [];
  /** Where it goes. */
  deliver: (bytes: Uint8Array) => void = () => undefined;
  onClosed: () => void = () => undefined;

  send(bytes: Uint8Array): void {
    if (this.closedReason !== null) return;
    this.sent.push(bytes);
    queueMicrotask(() => this.deliver(bytes));
  }

  protected override hungUp(): void {
    // Behind what was sent just before.
    queueMicrotask(() => this.onClosed());
  }
}

/** Leads what either end sends to the other. */
export function splice(one: ProofWire, other: ProofWire): void {
  one.deliver = (bytes) => other.receive(bytes);
  other.deliver = (bytes) => one.receive(bytes);
  one.onClosed = () => other.close('the other end is gone');
  other.onClosed = () => one.close('the other end is gone');
}

/** A home and a device that know each other and nobody else. */
export interface Household {
  readonly home: KeyPair;
  readonly device: KeyPair;
  readonly psk: Uint8Array;
  readonly token: Uint8Array;
}

export async function throwAwayHousehold(suite: CryptoSuite): Promise<Household> {
  return { home: await suite.generateKeyPair(), device: await suite.generateKeyPair(), psk: suite.random(KEY_BYTES), token: suite.random(TOKEN_BYTES) };
}

export interface ProofParts {
  readonly suite: CryptoSuite;
  readonly clock: Clock;
}

/** The home's end over a wire. */
export function homeEnd({ suite, clock }: ProofParts, { home, device, psk, token }: Household, wire: Wire, sessionKey: Uint8Array): Promise<HomeSession> {
  return acceptSession({
    suite, wire, token, sessionKey, own: home, text: utf8, clock: sessionClock(clock), wallMs: () => clock.nowMs(),
    logHead: () => ({ length: 0, head: new Uint8Array(KEY_BYTES) }),
    findDevice: async (publicKey) => (Buffer.compare(publicKey, device.publicKey) === 0 ? { psk } : null),
    acceptStamp: async () => true,
  });
}

/** The viewer's end over a wire. */
export function viewerEnd({ suite, clock }: ProofParts, { home, device, psk, token }: Household, wire: Wire, sessionKey: Uint8Array): Promise<ViewerSession> {
  return openSession({ suite, wire, token, sessionKey, psk, own: device, homePublicKey: home.publicKey, stampMs: clock.nowMs(), text: utf8, clock: sessionClock(clock) });
}

export interface ProofSession {
  readonly home: HomeSession;
  readonly viewer: ViewerSession;
  readonly homeWire: ProofWire;
  readonly viewerWire: ProofWire;
}

/** An open session of one household over a line of its own. */
export async function proofSession(parts: ProofParts, household: Household): Promise<ProofSession> {
  const [homeWire, viewerWire] = [new ProofWire(), new ProofWire()];
  splice(homeWire, viewerWire);
  const sessionKey = parts.suite.random(SESSION_KEY_BYTES);
  const [home, viewer] = await Promise.all([homeEnd(parts, household, homeWire, sessionKey), viewerEnd(parts, household, viewerWire, sessionKey)]);
  return { home, viewer, homeWire, viewerWire };
}
