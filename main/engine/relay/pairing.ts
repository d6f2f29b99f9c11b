/** The desk where a new device is let in: one offer at a time, heard at its own route of every relay, allowed by the owner (docs/design/relay.md, "Keys and pairing"). */
import { entropyToMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Grants, PairingKind, PairingOffer } from '../../../shared/model/remote.ts';
import { sameBytes, toHex } from '../../../shared/relay/bytes.ts';
import { deviceIdOf, pairingKeysOfWords, pairRoute } from '../../../shared/relay/derive.ts';
import { encodePairingCode } from '../../../shared/relay/pairing-code.ts';
import { hearDevice, type WaitingDevice } from '../../../shared/relay/pairing-talk.ts';
import { TOKEN_BYTES } from '../../../shared/relay/protocol.ts';
import type { CryptoSuite } from '../../../shared/relay/suite.ts';
import type { Wire } from '../../../shared/relay/wire.ts';
import { type DurationMs, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Ring } from './dial-control.ts';
import { meetViewer } from './dial-session.ts';
import { type DialParts, type RelayAddress, relayUrlProblem } from './dial-socket.ts';
import type { RemoteHomeParts } from './home-parts.ts';
import { RingLimiter } from './home-rings.ts';
import { utf8 } from './line-text.ts';
import { deviceCame, deviceLeft, mayAllow, openOffer, type OfferState, type OfferStep, refused, shownOffer, wrongCode } from './pairing-offer.ts';

const KEY_BYTES = 32;
const ENTROPY_BYTES = 16;
/** From joined to the device's name. */
const TALK_MS: DurationMs = 15 * SECOND_MS;
/** The device writes its keys to its disk meanwhile. */
const KEEP_MS: DurationMs = 30 * SECOND_MS;
/** Talks at once: a stranger who knows the token, which the relay does, must not fill the only place. */
const MOST_TALKS = 4;

/** Waits at a relay's route for whoever rings with the token, until the signal. */
export type Listen = (address: RelayAddress, token: Uint8Array, onRing: (ring: Ring) => void, signal: AbortSignal) => Promise<void>;

export interface PairingDeskParts extends Pick<RemoteHomeParts, 'own' | 'routeSeed' | 'devices' | 'views' | 'homeName' | 'log'>, DialParts {
  readonly clock: Clock;
  readonly suite: CryptoSuite;
  readonly listen: Listen;
  /** Of relays in use. */
  readonly relays: () => readonly string[];
  readonly onChange: () => void;
  /** A device was stored. */
  readonly onPaired: () => Promise<void>;
}

interface Offer {
  readonly token: Uint8Array;
  readonly psk: Uint8Array;
  readonly stop: AbortController;
  state: OfferState;
  waiting: WaitingDevice | null;
  /** The device that is being told no. */
  turning: Promise<void>;
  talks: number;
}

export class PairingDesk {
  readonly #parts: PairingDeskParts;
  readonly #limiter = new RingLimiter();
  readonly #running = new Set<Promise<unknown>>();
  #offer: Offer | null = null;
  #last: string | null = null;

  constructor(parts: PairingDeskParts) {
    this.#parts = parts;
  }

  offer(): PairingOffer | null {
    return this.#offer === null ? null : shownOffer(this.#offer.state);
  }

  lastPairing(): string | null {
    return this.#last;
  }

  /** Opens an offer in place of any other. Rejects with `conflict` where no relay is in use. */
  async begin(kind: PairingKind): Promise<PairingOffer> {
    const { suite, clock } = this.#parts;
    const relays = this.#parts.relays().filter((url) => relayUrlProblem(url) === null);
    if (relays.length === 0) throw new PorchlightError('conflict', 'A new device comes over a relay. Choose one and switch it on first.');
    const { token, psk, text } = await this.#secrets(kind, relays);
    const route = await pairRoute(suite, token);
    this.#end('Another code took the place of this one.');
    const offer: Offer = { token, psk, stop: new AbortController(), state: openOffer({ kind, text, relays }, clock.nowMs()), waiting: null, turning: Promise.resolve(), talks: 0 };
    this.#offer = offer;
    const cancel = clock.after(offer.state.expiresMs - clock.nowMs(), () => {
      // What the owner allowed in time is finished.
      if (this.#offer === offer && !offer.state.isAllowing) this.#end('The five minutes were over before a device was allowed. Begin again with a new code.');
    });
    offer.stop.signal.addEventListener('abort', cancel);
    for (const url of relays) this.#watch(this.#parts.listen({ url, route }, token, (ring) => this.#rang(offer, ring), offer.stop.signal));
    this.#parts.onChange();
    return shownOffer(offer.state);
  }

  cancel(): void {
    this.#end('The code was taken back.');
  }

  refuse(): void {
    const offer = this.#offer;
    if (offer === null || offer.waiting === null || offer.state.isAllowing) return;
    const device = offer.waiting;
    offer.waiting = null;
    offer.turning = this.#turnAway(device);
    this.#step(offer, refused(offer.state));
  }

  /** Lets the device in that shows these digits; its id, once it has kept its keys and is stored here. */
  async allow({ digits, name, grants }: { readonly digits: string; readonly name: string; readonly grants: Grants }): Promise<string> {
    const offer = this.#offer;
    const device = offer?.waiting ?? null;
    if (offer === null || device === null || !mayAllow(offer.state, digits, this.#parts.clock.nowMs())) {
      throw new PorchlightError('conflict', 'The device with these digits is not waiting any more. Look at the digits again.');
    }
    offer.state = { ...offer.state, isAllowing: true };
    try {
      const id = await this.#handOver(device, name, grants);
      this.#last = `${name} is paired.`;
      return id;
    } catch (error) {
      this.#last = error instanceof PorchlightError ? error.message : 'The device could not be paired. Begin again with a new code.';
      throw error;
    } finally {
      // One use, whatever came of it.
      if (this.#offer === offer) this.#end(this.#last ?? '');
    }
  }

  /** Ends what is open; resolves when every socket and talk is over. */
  async stop(): Promise<void> {
    if (this.#offer !== null) this.#end('The home stopped.');
    await Promise.all(this.#running);
  }

  /** A device that met the home at the relay, or in a test without one. Resolves when the talk is over or the device waits. */
  async meet(wire: Wire, ring: Pick<Ring, 'token' | 'sessionKey'>): Promise<void> {
    const offer = this.#offer;
    if (offer === null || offer.state.isAllowing || offer.talks >= MOST_TALKS || !sameBytes(ring.token, offer.token)) return wire.close('over');
    const { clock, suite, own } = this.#parts;
    const cancel = clock.after(TALK_MS, () => wire.close('over'));
    const stop = (): void => wire.close('over');
    let heard = false;
    // A relay that joins nobody, or loses the device, is no try: only bytes that did not open are.
    const counting: Wire = { send: (bytes) => wire.send(bytes), onClose: (listener) => wire.onClose(listener), close: (reason) => wire.close(reason), onMessage: (listener) => wire.onMessage((bytes) => (heard = true, listener(bytes))) };
    offer.stop.signal.addEventListener('abort', stop);
    wire.onClose(() => offer.stop.signal.removeEventListener('abort', stop));
    offer.talks += 1;
    try {
      const device = await hearDevice({ suite, text: utf8, wire: counting, token: ring.token, sessionKey: ring.sessionKey, own, offer: { kind: offer.state.kind, psk: offer.psk } });
      if (this.#offer === offer) this.#came(offer, device);
      else device.close();
    } catch (error) {
      const isWrong = error instanceof PorchlightError && error.kind === 'bad-answer';
      if (heard && isWrong && this.#offer === offer) this.#step(offer, wrongCode(offer.state));
    } finally {
      cancel();
      offer.talks -= 1;
    }
  }

  async #secrets(kind: PairingKind, relays: readonly string[]): Promise<{ readonly token: Uint8Array; readonly psk: Uint8Array; readonly text: string }> {
    const { suite, own, clock } = this.#parts;
    if (kind === 'words') {
      const entropy = suite.random(ENTROPY_BYTES);
      return { ...(await pairingKeysOfWords(suite, entropy)), text: entropyToMnemonic(entropy, wordlist) };
    }
    const [token, psk] = [suite.random(TOKEN_BYTES), suite.random(KEY_BYTES)];
    const expiresMs = openOffer({ kind, text: '', relays }, Math.floor(clock.nowMs())).expiresMs;
    return { token, psk, text: encodePairingCode({ relays, homePublicKey: own.publicKey, token, secret: psk, expiresMs }) };
  }

  #rang(offer: Offer, ring: Ring): void {
    const { clock, log } = this.#parts;
    if (this.#offer !== offer || !this.#limiter.take(ring.token, clock.monotonicMs())) return;
    const talk = meetViewer(this.#parts, ring, offer.stop.signal).then((wire) => this.meet(wire, ring));
    this.#watch(talk.catch((error: unknown) => log.debug(`a device rang and was not met: ${error instanceof Error ? error.message : String(error)}`)));
  }

  #came(offer: Offer, device: WaitingDevice): void {
    const { clock } = this.#parts;
    const key = toHex(device.publicKey);
    const { state, taken } = deviceCame(offer.state, { key, name: device.name, digits: device.digits }, clock.nowMs());
    offer.state = state;
    if (taken) {
      offer.waiting = device;
      device.onClose(() => {
        if (this.#offer !== offer || offer.waiting !== device || offer.state.isAllowing) return;
        offer.waiting = null;
        this.#step(offer, deviceLeft(offer.state, key));
      });
    } else this.#watch(this.#turnAway(device));
    this.#parts.onChange();
  }

  async #handOver(device: WaitingDevice, name: string, grants: Grants): Promise<string> {
    const { suite, routeSeed, homeName, relays, devices, views, clock, onPaired } = this.#parts;
    const id = await deviceIdOf(suite, device.publicKey);
    const [psk, ringSeed] = [suite.random(KEY_BYTES), suite.random(KEY_BYTES)];
    const cancel = clock.after(KEEP_MS, () => device.close());
    try {
      await device.allow({ homeName: homeName(), relays: relays(), psk, ringSeed, routeSeed });
    } catch (error) {
      throw new PorchlightError('timeout', 'The device did not keep its keys, so it was not let in. Begin again with a new code.', error);
    } finally {
      cancel();
    }
    const cameraIds = grants.cameras.map(({ cameraId }) => cameraId);
    await views.append({ deviceId: id, deviceName: name, kind: 'paired', cameraIds, fromMs: null, toMs: null, bytes: 0, path: 'relay', note: null });
    await devices.add({ id, name, publicKey: device.publicKey, psk, ringSeed, grants });
    await onPaired();
    // It is stored: whether the device hears of it changes nothing here.
    await device.stored().catch(() => undefined);
    return id;
  }

  /** Tells the device no; its line stays a second longer, so that it hears it. Resolves when it is said. */
  async #turnAway(device: WaitingDevice): Promise<void> {
    const close = this.#parts.clock.after(SECOND_MS, () => device.close());
    device.onClose(close);
    await device.refuse().catch(() => device.close());
  }

  #step(offer: Offer, { state, ended }: OfferStep): void {
    if (state === null) return this.#end(ended);
    offer.state = state;
    this.#parts.onChange();
  }

  #end(sentence: string): void {
    const offer = this.#offer;
    if (offer === null) return;
    this.#offer = null;
    this.#last = sentence;
    if (offer.waiting !== null && !offer.state.isAllowing) offer.turning = this.#turnAway(offer.waiting);
    // What was just said to a device still goes out before its socket closes.
    this.#watch(offer.turning.then(() => offer.stop.abort()));
    this.#parts.onChange();
  }

  #watch(work: Promise<unknown>): void {
    const watched = work.catch((error: unknown) => this.#parts.log.error('a pairing failed', error));
    this.#running.add(watched);
    void watched.finally(() => this.#running.delete(watched));
  }
}
