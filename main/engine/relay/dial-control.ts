/** One control socket of the home at one relay and route: says which tokens the home answers to, hears rings, comes back by itself. */
import { PorchlightError } from '../../../shared/errors.ts';
import { decodeRelayMessage, encodeRegister, TOKEN_BYTES } from '../../../shared/relay/protocol.ts';
import { type DurationMs, type EpochMs, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { dialRelay, type DialParts, type RelayAddress, type RelaySocket } from './dial-socket.ts';

/** Waits are drawn from 0 to this, doubling with each failure, so that homes that lost their relay together do not come back together. */
const FIRST_CEILING_MS: DurationMs = SECOND_MS;
const LONGEST_CEILING_MS: DurationMs = 15 * SECOND_MS;
/** A connection that held this long was a good one: the next wait is short again. */
const HELD_MS: DurationMs = 10 * SECOND_MS;
/** A ring that was sent to the old socket arrives within this. */
const LINGER_MS: DurationMs = SECOND_MS;
/** From the hello to the relay's welcome. */
const WELCOME_MS: DurationMs = 10 * SECOND_MS;

export interface Ring extends RelayAddress {
  readonly token: Uint8Array;
  readonly sessionKey: Uint8Array;
}

export interface ControlState {
  readonly phase: 'connecting' | 'connected' | 'waiting';
  readonly sinceMs: EpochMs;
  readonly sentence: string | null;
}

export interface ControlParts extends DialParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly address: RelayAddress;
  /** 16 bytes each, 64 at most. */
  readonly tokens: () => readonly Uint8Array[];
  readonly onRing: (ring: Ring) => void;
  readonly onState: () => void;
}

export class ControlLine {
  readonly #parts: ControlParts;
  #state: ControlState;
  #socket: RelaySocket | null = null;
  readonly #lingering = new Set<RelaySocket>();
  #registered = '';

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#state = { phase: 'connecting', sinceMs: parts.clock.nowMs(), sentence: null };
  }

  get state(): ControlState {
    return this.#state;
  }

  /** Tells the relay which tokens there are now, where they changed. */
  register(): void {
    if (this.#socket !== null) this.#register(this.#socket, false);
  }

  /** Connected, or on its way there, until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      const startedMs = clock.monotonicMs();
      const reason = await this.runOnce(signal);
      if (signal.aborted) return;
      failures = clock.monotonicMs() - startedMs >= HELD_MS ? 1 : failures + 1;
      const waitMs = random() * Math.min(LONGEST_CEILING_MS, FIRST_CEILING_MS * 2 ** Math.min(failures - 1, 10));
      this.#set('waiting', reason);
      log.debug(`the relay ${this.#parts.address.url} is tried again in ${Math.round(waitMs)} ms: ${reason}`);
      await clock.sleep(waitMs, signal);
    }
  }

  /** One connection and those that take its place in order. Resolves with why it is over. */
  async runOnce(signal: AbortSignal): Promise<string> {
    this.#set('connecting', null);
    let socket: RelaySocket | null = null;
    try {
      socket = await this.#connect(signal);
      this.#set('connected', null);
      for (;;) {
        const next: RelaySocket | string = await this.#live(socket, signal);
        if (typeof next === 'string') return next;
        // The newer registration holds the tokens: nobody rings in vain in between.
        this.#linger(socket);
        socket = next;
      }
    } catch (error) {
      if (!(error instanceof PorchlightError)) this.#parts.log.error('a control socket failed', error);
      return error instanceof PorchlightError ? error.message : 'The connection to the relay failed.';
    } finally {
      this.#socket = null;
      for (const one of [socket, ...this.#lingering]) one?.close('it is over');
    }
  }

  async #connect(signal: AbortSignal): Promise<RelaySocket> {
    const { clock, address } = this.#parts;
    const late = new AbortController();
    const cancel = clock.after(WELCOME_MS, () => late.abort());
    const both = AbortSignal.any([signal, late.signal]);
    try {
      const socket = await dialRelay(this.#parts, address, { role: 'home', body: new Uint8Array(0) }, both);
      const message = await socket.next(both);
      if (message.type !== 'welcome') {
        socket.close('no welcome');
        throw new PorchlightError('bad-answer', 'What answers at this address is not a Porchlight relay.');
      }
      this.#register(socket, true);
      this.#socket = socket;
      return socket;
    } catch (error) {
      if (late.signal.aborted && !signal.aborted) throw new PorchlightError('timeout', 'The relay did not answer in time.', error);
      throw error;
    } finally {
      cancel();
    }
  }

  /** Hears rings until the socket ends (why), or another stands ready in its place; rings that are still on their way to this one are heard as well. */
  async #live(socket: RelaySocket, signal: AbortSignal): Promise<RelaySocket | string> {
    const { clock, address, log, onRing, random } = this.#parts;
    const over = Promise.withResolvers<RelaySocket | string>();
    let isOver = false;
    let cancelRedial = (): void => undefined;
    const redial = (): void => {
      this.#connect(signal).then((ready) => {
        if (isOver) ready.close('too late');
        else over.resolve(ready);
      }, (error: unknown) => log.debug(`the relay ${address.url} could not be dialled anew: ${error instanceof Error ? error.message : String(error)}`));
    };
    const abort = (): void => over.resolve('It was called off.');
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    socket.onClose((reason) => over.resolve(reason));
    socket.onMessage((bytes) => {
      const message = decodeRelayMessage(bytes);
      if (message?.type === 'ring') onRing({ ...address, token: message.token, sessionKey: message.sessionKey });
      else if (message?.type !== 'reconnect-in') over.resolve('The relay said something that it never should.');
      else if (!isOver) {
        cancelRedial();
        cancelRedial = clock.after(message.leastMs + random() * message.spreadMs, redial);
      }
    });
    try {
      return await over.promise;
    } finally {
      isOver = true;
      cancelRedial();
      signal.removeEventListener('abort', abort);
    }
  }

  /** A socket whose place another took: a ring that was on its way to it is still answered. */
  #linger(socket: RelaySocket): void {
    this.#lingering.add(socket);
    const cancel = this.#parts.clock.after(LINGER_MS, () => socket.close('a newer socket took its place'));
    socket.onClose(() => {
      cancel();
      this.#lingering.delete(socket);
    });
  }

  #register(socket: RelaySocket, always: boolean): void {
    const tokens = this.#parts.tokens().filter((token) => token.length === TOKEN_BYTES);
    const text = tokens.map((token) => Buffer.from(token).toString('hex')).join();
    if (!always && text === this.#registered) return;
    this.#registered = text;
    socket.send(encodeRegister(tokens));
  }

  #set(phase: ControlState['phase'], sentence: string | null): void {
    if (phase === this.#state.phase && sentence === this.#state.sentence) return;
    // A wait that turns into a try and back is one trouble: its beginning and its sentence stay.
    const sameTrouble = phase !== 'connected' && this.#state.phase !== 'connected';
    this.#state = { phase, sinceMs: sameTrouble ? this.#state.sinceMs : this.#parts.clock.nowMs(), sentence: sentence ?? (phase === 'connecting' ? this.#state.sentence : null) };
    this.#parts.onState();
  }
}
