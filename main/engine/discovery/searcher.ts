/** The search for cameras as the window sees it: a state that changes while answers come in, and devices that announce themselves. */
import type { CameraId } from '../../../shared/model/ids.ts';
import type { DiscoveryState, FoundCamera } from '../../../shared/model/discovery.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import { mergeAnswers } from './merge.ts';
import { listenForAnnouncements, probeNetwork, type AnnouncementListener, type DiscoveryAnswer, type InterfaceReport, type SearchOptions } from './ws-discovery.ts';

export interface SearcherParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked at the start of each search, so that settings count at once. */
  readonly options: () => SearchOptions;
  /** Which configured camera a found one is, or null. */
  readonly configuredAs: (found: FoundCamera, all: readonly FoundCamera[]) => CameraId | null;
  readonly platform?: NodeJS.Platform;
  /** Listens for Hello and Bye from the start; off where nobody needs it. */
  readonly listen?: boolean;
}

export interface Searcher {
  state(): DiscoveryState;
  /** Searches once; a search under way is joined. */
  search(): Promise<DiscoveryState>;
  /** A found camera by its key. */
  find(key: string): FoundCamera | null;
  onChange(listener: (state: DiscoveryState) => void): () => void;
  /** Begins to listen for announcements, when that was asked for. */
  start(): Promise<void>;
  /** Resolves when the search has ended and every socket is closed. */
  stop(): Promise<void>;
}

/** Answers come in bursts; the window is told this often at most. */
const NOTICE_STEP_MS = 150;
/** Answers kept; the oldest goes first. */
const MAX_ANNOUNCED = 4096;

export function createSearcher(parts: SearcherParts): Searcher {
  return new NetworkSearcher(parts);
}

class NetworkSearcher implements Searcher {
  readonly #parts: SearcherParts;
  readonly #changes = new Emitter<DiscoveryState>();
  /** By endpoint, sender and addresses; newest last. */
  #fresh = new Map<string, DiscoveryAnswer>();
  #earlier = new Map<string, DiscoveryAnswer>();
  #reports: readonly InterfaceReport[] = [];
  #found: readonly FoundCamera[] = [];
  #running: { readonly done: Promise<DiscoveryState>; readonly abort: AbortController } | null = null;
  #listener: AnnouncementListener | null = null;
  #cancelNotice: (() => void) | null = null;

  constructor(parts: SearcherParts) {
    this.#parts = parts;
  }

  state(): DiscoveryState {
    const found = this.#found.map((one) => ({ ...one, cameraId: this.#parts.configuredAs(one, this.#found) }));
    const interfaces = this.#reports.map((report) => ({ name: report.name, address: report.address, problem: report.failure === null ? null : `Could not search on ${report.name} (${report.failure}).` }));
    return { searching: this.#running !== null, found, interfaces, hint: this.#running === null ? searchHint(found.length, this.#reports, this.#parts.platform ?? process.platform) : null };
  }

  search(): Promise<DiscoveryState> {
    if (this.#running !== null) return this.#running.done;
    const abort = new AbortController();
    const done = this.#searchOnce(abort.signal);
    this.#running = { done, abort };
    this.#changes.emit(this.state());
    return done;
  }

  find(key: string): FoundCamera | null {
    return this.#found.find((one) => one.key === key) ?? null;
  }

  onChange(listener: (state: DiscoveryState) => void): () => void {
    return this.#changes.on(listener);
  }

  async start(): Promise<void> {
    if (this.#parts.listen !== true || this.#listener !== null) return;
    const options = this.#parts.options();
    this.#listener = await listenForAnnouncements(options, (message, senderHost, via) => {
      if (message.kind === 'bye') return;
      for (const device of message.devices) if (device.isOnvif) this.#take({ device, senderHost, via });
    });
    if (this.#listener.failure !== null) this.#parts.log.info(`announcements of cameras are not heard (${this.#listener.failure}); searching still works`);
  }

  async stop(): Promise<void> {
    this.#running?.abort.abort();
    await this.#running?.done;
    await this.#listener?.close();
    this.#listener = null;
    this.#cancelNotice?.();
    this.#cancelNotice = null;
  }

  async #searchOnce(signal: AbortSignal): Promise<DiscoveryState> {
    this.#earlier = this.#fresh;
    this.#fresh = new Map();
    // A frame later, so that #running is set before anything reports.
    await Promise.resolve();
    try {
      this.#reports = await probeNetwork(this.#parts.clock, this.#parts.options(), (answer) => this.#take(answer), signal);
      for (const report of this.#reports) if (report.failure !== null) this.#parts.log.warn(`could not search on ${report.name} (${report.address}): ${report.failure}`);
    } catch (error) {
      this.#parts.log.error('the search for cameras failed', error);
    }
    // What did not answer this time is gone from the list.
    this.#earlier = new Map();
    this.#running = null;
    this.#publish();
    return this.state();
  }

  #take(answer: DiscoveryAnswer): void {
    const key = [answer.device.endpoint, answer.senderHost, ...answer.device.addresses].join(' ');
    this.#fresh.delete(key);
    this.#fresh.set(key, answer);
    const oldest = this.#fresh.keys().next();
    if (this.#fresh.size > MAX_ANNOUNCED && oldest.done !== true) this.#fresh.delete(oldest.value);
    this.#cancelNotice ??= this.#parts.clock.after(NOTICE_STEP_MS, () => this.#publish());
  }

  #publish(): void {
    this.#cancelNotice?.();
    this.#cancelNotice = null;
    this.#found = mergeAnswers([...this.#fresh.values(), ...this.#earlier.values()]);
    this.#changes.emit(this.state());
  }
}

/** Why nothing may have been found, when the system gives a reason; null otherwise. Pure. */
export function searchHint(found: number, reports: readonly InterfaceReport[], platform: NodeJS.Platform): string | null {
  if (found > 0) return null;
  if (reports.length === 0) return 'This computer is not connected to a network, so there is nothing to search.';
  const failures = reports.map((report) => report.failure).filter((failure) => failure !== null);
  // macOS 15 answers so where the Local Network permission is missing.
  if (platform === 'darwin' && failures.some((failure) => failure === 'EHOSTUNREACH' || failure === 'EPERM')) {
    return 'macOS may be keeping Porchlight from the local network: allow it in System Settings, Privacy & Security, Local Network, then search again.';
  }
  if (failures.length === reports.length) return 'The search could not be sent on any network. Check the connection of this computer, then search again.';
  return null;
}
