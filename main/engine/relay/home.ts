/** The home's live part of the relay, put together: dials, serves devices, pairs, shows what relays see (docs/design/relay.md). */
import { PorchlightError } from '../../../shared/errors.ts';
import type { PairingKind, PairingOffer, Proof, RelayCapture, RelayStatus, Watching } from '../../../shared/model/remote.ts';
import { toBase64url } from '../../../shared/relay/bytes.ts';
import { routeOf, utcDayOf } from '../../../shared/relay/derive.ts';
import { sameRelays } from '../../../shared/relay/rendezvous.ts';
import type { CryptoSuite } from '../../../shared/relay/suite.ts';
import { SECOND_MS } from '../../../shared/time.ts';
import { Emitter } from '../core/emitter.ts';
import { Capture } from './capture.ts';
import { captureFile } from './capture-file.ts';
import { Dialer } from './dial.ts';
import { ControlLine } from './dial-control.ts';
import type { RemoteHomeParts, RemoteHomeService } from './home-parts.ts';
import { Sessions } from './home-sessions.ts';
import { HomeTokens } from './home-tokens.ts';
import { nodeSuite } from './node-suite.ts';
import { type Listen, PairingDesk } from './pairing.ts';
import { prove } from './prove.ts';

/** A code is shown once a relay knows of it, so that no device is told that nobody waits; or after this, where none can be reached. */
const OFFER_HEARD_MS = 3 * SECOND_MS;

export interface RemoteHomeExtras {
  readonly suite?: CryptoSuite;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** Dials nothing before it runs. */
export function createRemoteHome(parts: RemoteHomeParts, { suite = nodeSuite, random = Math.random }: RemoteHomeExtras = {}): RemoteHomeService {
  return new RemoteHome(parts, suite, random);
}

class RemoteHome implements RemoteHomeService {
  readonly #parts: RemoteHomeParts;
  readonly #suite: CryptoSuite;
  readonly #changes: Emitter<void>;
  readonly #capture: Capture;
  readonly #tokens = new HomeTokens();
  readonly #dialer: Dialer;
  readonly #sessions: Sessions;
  readonly #pairing: PairingDesk;
  #relays: RemoteHomeParts['relays'];
  #today = '';
  /** A relay waits for the device that the offer is for. */
  #offerHeard: () => void = () => undefined;

  constructor(parts: RemoteHomeParts, suite: CryptoSuite, random: () => number) {
    const { clock, log, devices } = parts;
    this.#parts = parts;
    this.#suite = suite;
    this.#relays = parts.relays;
    this.#changes = new Emitter((error) => log.error('a listener to watching from away failed', error));
    this.#capture = new Capture(clock);
    const dial = { clock, log, random, tap: this.#capture.record };
    const changed = (): void => this.#changes.emit();
    this.#sessions = new Sessions({ ...parts, ...dial, suite, deviceOf: (token) => this.#tokens.deviceOf(token), onChange: changed });
    this.#dialer = new Dialer({
      ...dial, suite,
      routeSeed: parts.routeSeed,
      findTokens: () => this.#tokens.find(suite, devices.list(), clock.nowMs()),
      onRing: (ring) => this.#sessions.rang(ring),
      onState: changed,
    });
    const listen: Listen = async (address, token, onRing, signal) => {
      const line: ControlLine = new ControlLine({ ...dial, address, tokens: () => [token], onRing, onState: () => (line.state.phase === 'connected' ? this.#offerHeard() : undefined) });
      await line.run(signal);
    };
    this.#pairing = new PairingDesk({ ...parts, ...dial, suite, listen, relays: () => this.#urls(), onChange: changed, onPaired: () => this.devicesChanged() });
    this.#dialer.set(parts.relays.enabled, parts.relays.urls, parts.relays.earlier);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#lookUpRoute();
    const stopLooking = this.#parts.clock.every(SECOND_MS, () => this.#sessions.recheck());
    try {
      await this.#dialer.run(signal);
    } finally {
      stopLooking();
      await Promise.all([this.#pairing.stop(), this.#sessions.stop()]);
    }
  }

  relays(): readonly RelayStatus[] {
    return this.#dialer.statuses();
  }

  watching(): readonly Watching[] {
    return this.#sessions.watching();
  }

  offer(): PairingOffer | null {
    return this.#pairing.offer();
  }

  lastPairing(): string | null {
    return this.#pairing.lastPairing();
  }

  onChange(listener: () => void): () => void {
    return this.#changes.on(listener);
  }

  setRelays(relays: RemoteHomeParts['relays']): void {
    this.#relays = relays;
    this.#dialer.set(relays.enabled, relays.urls, relays.earlier);
    this.#sessions.keepRelays(this.#waitedAt());
    const offered = this.#pairing.offer();
    // Who pairs is to know the list of now.
    if (offered !== null && !sameRelays(offered.relays, this.#urls())) this.#pairing.cancel();
    this.#changes.emit();
  }

  async devicesChanged(): Promise<void> {
    // Sessions first: what is taken away is taken away whatever the relays say.
    this.#sessions.recheck();
    await this.#dialer.refresh();
    this.#changes.emit();
  }

  async beginPairing(kind: PairingKind): Promise<PairingOffer> {
    const heard = Promise.withResolvers<void>();
    this.#offerHeard = heard.resolve;
    const offer = await this.#pairing.begin(kind);
    const enough = new AbortController();
    await Promise.race([heard.promise, this.#parts.clock.sleep(OFFER_HEARD_MS, enough.signal)]);
    enough.abort();
    return offer;
  }

  cancelPairing(): void {
    this.#pairing.cancel();
  }

  async allowPairing(answer: Parameters<RemoteHomeService['allowPairing']>[0]): Promise<string> {
    return await this.#pairing.allow(answer);
  }

  refusePairing(): void {
    this.#pairing.refuse();
  }

  capture(): RelayCapture {
    void this.#lookUpRoute();
    const relays = this.#waitedAt().join(', ');
    return this.#capture.summary([
      { name: 'Address of your line, as every server you use sees it', value: 'yes' },
      { name: 'Address of each device that looks in', value: 'yes' },
      { name: 'Relays that see it', value: relays === '' ? 'none' : relays },
      { name: 'Name it meets your home under today', value: this.#today === '' ? 'none yet' : this.#today },
      { name: 'Names devices ring with, three a device, new each day', value: String(this.#tokens.count) },
      { name: 'Who looks in now: when, how long, how many bytes', value: `${this.#sessions.watching().length} at the moment` },
      { name: 'Pictures, sound, names, places, what was done', value: 'no' },
    ]);
  }

  captureFile(): Uint8Array {
    return captureFile(this.#capture.messages());
  }

  async prove(check: Proof['check']): Promise<Proof> {
    try {
      return await prove(check, { ...this.#parts, suite: this.#suite, captured: this.#capture.messages() });
    } catch (error) {
      throw new PorchlightError('internal', 'The proof could not be made. The log has the details.', error);
    }
  }

  #urls(): readonly string[] {
    return this.#relays.enabled ? this.#relays.urls : [];
  }

  /** Those of lists that were left, too, while devices that were not told may ring there. */
  #waitedAt(): readonly string[] {
    const nowMs = this.#parts.clock.nowMs();
    const earlier = this.#relays.enabled ? (this.#relays.earlier ?? []).filter(({ untilMs }) => nowMs < untilMs) : [];
    return [...new Set([...this.#urls(), ...earlier.flatMap(({ urls }) => urls)])];
  }

  async #lookUpRoute(): Promise<void> {
    this.#today = toBase64url(await routeOf(this.#suite, this.#parts.routeSeed, utcDayOf(this.#parts.clock.nowMs())));
  }
}
