/** How a session begins: one message each way, and the strict refusals (docs/design/relay.md, "The session"). */
import { PorchlightError } from '../errors.ts';
import { ascii, concat, copyOf } from './bytes.ts';
import { Handshake } from './noise.ts';
import { readWholeNumbers, wholeNumbers } from './record.ts';
import type { RekeyIdentity, SessionKeys } from './rekey.ts';
import { sessionLimits } from './session-limits.ts';
import type { HomeSessionOptions, LogHead, ViewerSessionOptions } from './session-types.ts';
import type { Bytes, CryptoSuite } from './suite.ts';
import type { SessionClock, Wire } from './wire.ts';

/** Raised whenever either end could misread the other; another one is refused, never fallen back to. */
export const SESSION_VERSION = 1;

const LABEL = ascii('nvr-relay/1');
const HASH_BYTES = 32;
/** version u8 · stamp u64. */
const FIRST_PAYLOAD_BYTES = 9;
/** version u8 · clock u64 · length of the log u64 · its head. */
const SECOND_PAYLOAD_BYTES = 1 + 16 + HASH_BYTES;
/** Messages kept until somebody reads them: more than an honest end sends ahead. */
const MOST_EARLY = 64;
/** What a wire is told when it is closed: it can be read on the way, so it says nothing. */
export const WIRE_GOODBYE = 'over';

export type RefusalKind = 'version' | 'unknown-device' | 'stale-stamp' | 'unreadable' | 'silent' | 'closed';

/** Why no session came to be, as a sentence. */
export class SessionRefusal extends PorchlightError {
  readonly why: RefusalKind;

  constructor(why: RefusalKind, sentence: string, cause?: unknown) {
    super(why === 'silent' || why === 'closed' ? 'connection-lost' : 'refused', sentence, cause);
    this.name = 'SessionRefusal';
    this.why = why;
  }
}

/** What comes over a wire, first message by message, then handed on as it comes. */
export class Inbox {
  readonly #wire: Wire;
  #early: Uint8Array[] = [];
  #listener: ((bytes: Uint8Array) => void) | null = null;
  #wake: (() => void) | null = null;
  #onClosed: ((reason: string) => void) | null = null;
  #closedReason: string | null = null;
  #isLate = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.onMessage((bytes) => this.#receive(bytes));
    wire.onClose((reason) => {
      this.#closedReason ??= reason;
      this.#wake?.();
      this.#onClosed?.(reason);
    });
  }

  /** The next message; rejects when the wire closes, or none came within `ms`. */
  async take(clock: SessionClock, ms: number): Promise<Uint8Array> {
    const stop = clock.after(ms, () => {
      this.#isLate = true;
      this.#wake?.();
    });
    try {
      for (;;) {
        const message = this.#early.shift();
        if (message !== undefined) return message;
        if (this.#closedReason !== null) throw new SessionRefusal('closed', `The line was closed before the session began (${this.#closedReason}).`);
        if (this.#isLate) throw new SessionRefusal('silent', 'The other end said nothing.');
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      stop();
    }
  }

  /** From here on, all goes to these listeners: what came before, at once. */
  handOn(onMessage: (bytes: Uint8Array) => void, onClosed: (reason: string) => void): void {
    this.#listener = onMessage;
    this.#onClosed = onClosed;
    for (const bytes of this.#early.splice(0)) onMessage(bytes);
    if (this.#closedReason !== null) onClosed(this.#closedReason);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#listener !== null) this.#listener(bytes);
    else if (this.#early.length < MOST_EARLY) this.#early.push(bytes);
    else this.#wire.close(WIRE_GOODBYE);
    this.#wake?.();
  }
}

/** What a handshake leaves, and the inbox whose next message is the first record. */
export interface Begun {
  readonly inbox: Inbox;
  readonly keys: SessionKeys;
  readonly identity: RekeyIdentity;
}

async function prologueOf(suite: CryptoSuite, token: Uint8Array, sessionKey: Uint8Array): Promise<Bytes> {
  return concat(LABEL, await suite.sha256(token), sessionKey);
}

/** The viewer's part. `provenMs`: when message 1 went out, which the answer proves to have been read. */
export async function startHandshake(options: ViewerSessionOptions): Promise<Begun & { readonly provenMs: number; readonly homeWallMs: number; readonly logHead: LogHead }> {
  const { suite, wire, own, homePublicKey, psk, clock } = options;
  const inbox = new Inbox(wire);
  const prologue = await prologueOf(suite, options.token, options.sessionKey);
  const handshake = new Handshake({ suite, pattern: 'IKpsk2', initiator: true, prologue, own, peerPublicKey: homePublicKey, psks: [psk] });
  try {
    const first = await handshake.writeMessage(concat(Uint8Array.of(SESSION_VERSION), wholeNumbers(options.stampMs)));
    const provenMs = clock.nowMs();
    wire.send(first);
    const second = await inbox.take(clock, sessionLimits(options.limits).handshakeMs);
    const payload = await handshake.readMessage(second).catch((cause: unknown) => {
      throw new SessionRefusal('unreadable', 'The answer did not come from this home.', cause);
    });
    const { homeWallMs, logHead } = readSecond(payload);
    const hash = handshake.hash();
    return { inbox, keys: { ...(await handshake.split()), hash }, identity: { suite, own, peerPublicKey: copyOf(homePublicKey), psk: copyOf(psk) }, provenMs, homeWallMs, logHead };
  } catch (cause) {
    handshake.wipe();
    throw cause;
  }
}

function readSecond(payload: Uint8Array): { readonly homeWallMs: number; readonly logHead: LogHead } {
  if (payload[0] !== SESSION_VERSION) throw new SessionRefusal('version', 'The home speaks another version. Bring both to the same version of Porchlight.');
  const numbers = payload.length === SECOND_PAYLOAD_BYTES ? readWholeNumbers(payload.subarray(1, 17), 2) : null;
  const [homeWallMs, length] = numbers ?? [];
  if (homeWallMs === undefined || length === undefined) throw new SessionRefusal('unreadable', 'The answer of the home could not be read.');
  return { homeWallMs, logHead: { length, head: payload.slice(17) } };
}

/** The home's part: who it is, whether it may, whether it is new; only then an answer. */
export async function answerHandshake(options: HomeSessionOptions): Promise<Begun & { readonly devicePublicKey: Bytes }> {
  const { suite, wire, own, clock } = options;
  const inbox = new Inbox(wire);
  const prologue = await prologueOf(suite, options.token, options.sessionKey);
  const handshake = new Handshake({ suite, pattern: 'IKpsk2', initiator: false, prologue, own, peerPublicKey: null, psks: [] });
  try {
    const first = await inbox.take(clock, sessionLimits(options.limits).handshakeMs);
    const payload = await handshake.readMessage(first).catch((cause: unknown) => {
      throw new SessionRefusal('unreadable', 'A greeting came that is not for this home.', cause);
    });
    const stampMs = readFirst(payload);
    const devicePublicKey = handshake.peerPublicKey;
    const device = devicePublicKey === null ? null : await options.findDevice(devicePublicKey);
    if (devicePublicKey === null || device === null) throw new SessionRefusal('unknown-device', 'A device came that is not paired.');
    if (!(await options.acceptStamp(stampMs, devicePublicKey))) throw new SessionRefusal('stale-stamp', 'A greeting came that was used before.');
    handshake.setPsk(device.psk);
    const { length, head } = options.logHead();
    if (head.length !== HASH_BYTES) throw new RangeError(`the head of the log has ${HASH_BYTES} bytes`);
    const second = await handshake.writeMessage(concat(Uint8Array.of(SESSION_VERSION), wholeNumbers(options.wallMs(), length), head));
    const hash = handshake.hash();
    const keys = { ...(await handshake.split()), hash };
    wire.send(second);
    return { inbox, keys, identity: { suite, own, peerPublicKey: copyOf(devicePublicKey), psk: copyOf(device.psk) }, devicePublicKey };
  } catch (cause) {
    handshake.wipe();
    throw cause;
  }
}

function readFirst(payload: Uint8Array): number {
  if (payload[0] !== SESSION_VERSION) throw new SessionRefusal('version', 'A device came that speaks another version.');
  const [stampMs] = (payload.length === FIRST_PAYLOAD_BYTES ? readWholeNumbers(payload.subarray(1), 1) : null) ?? [];
  if (stampMs === undefined) throw new SessionRefusal('unreadable', 'A greeting came that could not be read.');
  return stampMs;
}
