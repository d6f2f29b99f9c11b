/** Which control sockets the home holds, and how they stand: two relays of the day, both days' routes around midnight UTC (docs/design/relay.md, "The wire to the relay"). */
import type { RelayStatus } from '../../../shared/model/remote.ts';
import { toHex } from '../../../shared/relay/bytes.ts';
import { routeOf, utcDayOf } from '../../../shared/relay/derive.ts';
import { HOME_RELAYS, orderRelays } from '../../../shared/relay/rendezvous.ts';
import type { CryptoSuite } from '../../../shared/relay/suite.ts';
import { DAY_MS, type DurationMs, type EpochMs, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts';
import { ControlLine, type ControlParts } from './dial-control.ts';
import { relayUrlProblem, type RelayAddress } from './dial-socket.ts';
import type { EarlierList } from './home-parts.ts';

/** Clocks at both ends may differ by this much around midnight. */
const BOTH_DAYS_MS: DurationMs = 30 * MINUTE_MS;
/** How often the day and the devices are looked at when nobody says that something changed. */
const LOOK_MS: DurationMs = 15 * SECOND_MS;

/** UTC days whose routes the home is found on at that moment. */
export function routeDays(nowMs: EpochMs): readonly string[] {
  return [...new Set([nowMs, nowMs - BOTH_DAYS_MS, nowMs + BOTH_DAYS_MS].map(utcDayOf))];
}

/** UTC days whose ring tokens a home answers to. */
export function tokenDays(nowMs: EpochMs): readonly string[] {
  return [nowMs - DAY_MS, nowMs, nowMs + DAY_MS].map(utcDayOf);
}

/** Where the home waits at that moment: the first two relays of the order of each route; of earlier lists too, as a device that was not told orders them. */
export async function waitingPlaces(suite: CryptoSuite, urls: readonly string[], routeSeed: Uint8Array, nowMs: EpochMs, earlier: readonly EarlierList[] = []): Promise<readonly RelayAddress[]> {
  const lists = [urls, ...earlier.filter(({ untilMs }) => nowMs < untilMs).map((one) => one.urls)];
  const places = new Map<string, RelayAddress>();
  for (const day of routeDays(nowMs)) {
    const route = await routeOf(suite, routeSeed, day);
    for (const list of lists) for (const url of (await orderRelays(suite, list, route)).slice(0, HOME_RELAYS)) places.set(`${day} ${url}`, { url, route });
  }
  return [...places.values()];
}

export interface DialerParts extends Omit<ControlParts, 'address' | 'tokens'> {
  readonly suite: CryptoSuite;
  readonly routeSeed: Uint8Array;
  /** Of all devices that may look in now; asked again at every look. */
  readonly findTokens: () => Promise<readonly Uint8Array[]>;
}

interface Held {
  readonly line: ControlLine;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

const RESERVE = 'In reserve: today the home waits at the two other relays.';

export class Dialer {
  readonly #parts: DialerParts;
  readonly #held = new Map<string, Held & { readonly url: string }>();
  readonly #leaving = new Set<Promise<void>>();
  #urls: readonly string[] = [];
  #earlier: readonly EarlierList[] = [];
  #enabled = false;
  #tokens: readonly Uint8Array[] = [];
  #sinceMs: EpochMs;
  #wake: () => void = () => undefined;
  #looked: Promise<void> = Promise.resolve();

  constructor(parts: DialerParts) {
    this.#parts = parts;
    this.#sinceMs = parts.clock.nowMs();
  }

  /** These relays from now on, and for a time those of earlier lists; none where not enabled. */
  set(enabled: boolean, urls: readonly string[], earlier: readonly EarlierList[] = []): void {
    if (enabled !== this.#enabled || urls.join(' ') !== this.#urls.join(' ')) this.#sinceMs = this.#parts.clock.nowMs();
    this.#enabled = enabled;
    this.#urls = urls;
    this.#earlier = earlier;
    this.#wake();
  }

  /** Devices changed: the tokens are with the relays when it resolves, as far as they are connected. */
  async refresh(): Promise<void> {
    this.#looked = this.#looked.then(() => this.#look()).catch((error: unknown) => this.#parts.log.error('the relays could not be looked after', error));
    await this.#looked;
  }

  statuses(): readonly RelayStatus[] {
    return this.#urls.map((url) => {
      const problem = relayUrlProblem(url);
      if (!this.#enabled) return { url, phase: 'off', sinceMs: this.#sinceMs, sentence: null };
      if (problem !== null) return { url, phase: 'waiting', sinceMs: this.#sinceMs, sentence: problem };
      const states = [...this.#held.values()].filter((held) => held.url === url).map(({ line }) => line.state);
      // Around midnight there are two: the worse one is what a person should know.
      const shown = states.find(({ phase }) => phase === 'waiting') ?? states.find(({ phase }) => phase === 'connecting') ?? states[0];
      if (shown === undefined) return { url, phase: this.#held.size === 0 ? 'connecting' : 'waiting', sinceMs: this.#sinceMs, sentence: this.#held.size === 0 ? null : RESERVE };
      return { url, phase: shown.phase, sinceMs: shown.sinceMs, sentence: shown.sentence };
    });
  }

  /** Until the signal; every socket is closed when it resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const changed = new AbortController();
      this.#wake = () => changed.abort();
      await this.refresh();
      await this.#parts.clock.sleep(LOOK_MS, AbortSignal.any([signal, changed.signal]));
    }
    this.#enabled = false;
    await this.refresh();
    await Promise.all(this.#leaving);
  }

  async #look(): Promise<void> {
    const { suite, routeSeed, clock, findTokens } = this.#parts;
    const usable = (list: readonly string[]): readonly string[] => (this.#enabled ? list.filter((url) => relayUrlProblem(url) === null) : []);
    const earlier = this.#earlier.map(({ urls, untilMs }) => ({ urls: usable(urls), untilMs }));
    const places = new Map((await waitingPlaces(suite, usable(this.#urls), routeSeed, clock.nowMs(), earlier)).map((place) => [`${place.url} ${toHex(place.route)}`, place]));
    this.#tokens = await findTokens();
    // It was switched off, or other relays were named, meanwhile: the next look is on its way.
    for (const [key, held] of this.#held) if (!places.has(key)) this.#leave(key, held);
    for (const [key, address] of places) if (!this.#held.has(key)) this.#hold(key, address);
    for (const { line } of this.#held.values()) line.register();
    this.#parts.onState();
  }

  #hold(key: string, address: RelayAddress): void {
    const stop = new AbortController();
    const line = new ControlLine({ ...this.#parts, address, tokens: () => this.#tokens });
    const done = line.run(stop.signal).catch((error: unknown) => this.#parts.log.error('a control socket failed', error));
    this.#held.set(key, { url: address.url, line, stop, done });
  }

  #leave(key: string, { stop, done }: Held): void {
    this.#held.delete(key);
    stop.abort();
    this.#leaving.add(done);
    void done.finally(() => this.#leaving.delete(done));
  }
}
