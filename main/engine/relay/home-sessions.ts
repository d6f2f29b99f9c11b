/** The sessions of paired devices: from a ring at the relay to a Channel the contract is served on, and their ends. */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Watching } from '../../../shared/model/remote.ts';
import { sameBytes } from '../../../shared/relay/bytes.ts';
import { acceptSession } from '../../../shared/relay/session-home.ts';
import type { HomeSession } from '../../../shared/relay/session-types.ts';
import type { CryptoSuite } from '../../../shared/relay/suite.ts';
import type { SessionClock, Wire } from '../../../shared/relay/wire.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Ring } from './dial-control.ts';
import { meetViewer } from './dial-session.ts';
import type { DialParts } from './dial-socket.ts';
import { Gate } from './gate.ts';
import { isGranted, isInForce } from './gate-rules.ts';
import type { PairedDevice, RemoteHomeParts } from './home-parts.ts';
import { RingLimiter } from './home-rings.ts';
import { SessionViews } from './home-views.ts';
import { lineChannel } from './line-channel.ts';
import { lineMedia } from './line-media.ts';
import { utf8 } from './line-text.ts';

/** Sessions at once, those still shaking hands included. */
const MOST_SESSIONS = 8;

export interface SessionsParts extends Pick<RemoteHomeParts, 'own' | 'devices' | 'views' | 'media' | 'hasSubStream' | 'recordsSub' | 'serve' | 'log'>, DialParts {
  readonly clock: Clock;
  readonly suite: CryptoSuite;
  readonly random: () => number;
  /** The device a ring token belongs to. */
  readonly deviceOf: (token: Uint8Array) => string | null;
  readonly onChange: () => void;
}

interface Live {
  readonly device: PairedDevice;
  readonly relayUrl: string;
  readonly session: HomeSession;
  readonly gate: Gate;
  readonly views: SessionViews;
  readonly sinceMs: EpochMs;
  readonly done: Promise<void>;
}

/** A session's clock of the engine's. */
export function sessionClock(clock: Pick<Clock, 'monotonicMs' | 'after'>): SessionClock {
  return { nowMs: () => clock.monotonicMs(), after: (ms, run) => clock.after(ms, run) };
}

export class Sessions {
  readonly #parts: SessionsParts;
  readonly #limiter = new RingLimiter();
  readonly #live = new Set<Live>();
  readonly #opening = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  watching(): readonly Watching[] {
    return [...this.#live].map(({ device, sinceMs, gate, views }) => ({ deviceId: device.id, deviceName: device.name, sinceMs, cameraIds: gate.watched(), sentBytes: views.sentBytes }));
  }

  /** Somebody rang. What comes of it is told by `watching` and the log. */
  rang(ring: Ring): void {
    const { clock, log, deviceOf } = this.#parts;
    if (this.#stopping.signal.aborted || deviceOf(ring.token) === null) return;
    if (!this.#limiter.take(ring.token, clock.monotonicMs())) return log.debug('a token rang too often');
    if (this.#live.size + this.#opening.size >= MOST_SESSIONS) return log.warn('more devices look in than the home serves at once');
    const opening = this.#open(ring).catch((error: unknown) => log.debug(`a session came to nothing: ${error instanceof Error ? error.message : String(error)}`));
    this.#opening.add(opening);
    void opening.finally(() => this.#opening.delete(opening));
  }

  /** Looks at who may still be here: devices that are gone, changed or past their date are sent away at once. */
  recheck(): void {
    for (const live of this.#live) {
      const now = this.#parts.devices.get(live.device.id);
      if (now === null) live.session.close('The owner took this device off the list.');
      else if (!isInForce(now.grants, this.#parts.clock.nowMs())) live.session.close('The time this device was given is over.');
      // What waits to be sent was judged by the old grants: it is thrown away, and the device comes back to the new ones.
      else if (JSON.stringify(now.grants) !== JSON.stringify(live.device.grants)) live.session.close('The owner changed what this device may see.');
    }
  }

  /** Ends the sessions over relays that are not among these. */
  keepRelays(urls: readonly string[]): void {
    for (const { session, relayUrl } of this.#live) if (!urls.includes(relayUrl)) session.close('The home leaves this relay.');
  }

  /** Ends everything; resolves when all of it is given back and written down. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { session } of this.#live) session.close('The home stops.');
    await Promise.all([...this.#opening, ...[...this.#live].map(({ done }) => done)]);
  }

  async #open(ring: Ring): Promise<void> {
    const wire = await meetViewer(this.#parts, ring, this.#stopping.signal);
    const stop = (): void => wire.close('The home stops.');
    this.#stopping.signal.addEventListener('abort', stop);
    try {
      await this.serve(wire, ring);
    } finally {
      this.#stopping.signal.removeEventListener('abort', stop);
    }
  }

  /** Shakes hands over the wire and serves whoever it is; rejects where that is nobody who may look in. */
  async serve(wire: Wire, ring: Pick<Ring, 'token' | 'sessionKey' | 'url'>): Promise<void> {
    const { suite, own, clock, devices, views, log } = this.#parts;
    const find = (publicKey: Uint8Array): PairedDevice | null => {
      const id = this.#parts.deviceOf(ring.token);
      const device = id === null ? null : devices.get(id);
      return device !== null && sameBytes(device.publicKey, publicKey) && isInForce(device.grants, clock.nowMs()) ? device : null;
    };
    const session = await acceptSession({
      suite, wire, own, text: utf8, token: ring.token, sessionKey: ring.sessionKey, clock: sessionClock(clock), logHead: () => views.head(), wallMs: () => clock.nowMs(),
      findDevice: async (publicKey) => find(publicKey),
      acceptStamp: async (stampMs, publicKey) => {
        const device = find(publicKey);
        return device !== null && (await devices.acceptStamp(device.id, stampMs));
      },
    });
    const device = find(session.devicePublicKey);
    if (device === null) {
      session.close('This device may not look in any more.');
      return;
    }
    const deviceViews = new SessionViews({ journal: views, clock, log, device });
    try {
      await deviceViews.begin();
    } catch (error) {
      session.close('The home cannot write down who watches, so it shows nothing.');
      throw new PorchlightError('disk-failing', 'The log of views cannot be written, so nobody can look in from away.', error);
    }
    this.#begin(session, device, ring.url, deviceViews);
  }

  #begin(session: HomeSession, device: PairedDevice, relayUrl: string, views: SessionViews): void {
    const { clock, devices, media, hasSubStream, recordsSub, random, log, onChange, serve } = this.#parts;
    const grants = (): PairedDevice['grants'] | null => devices.get(device.id)?.grants ?? null;
    const gate = new Gate({ session, grants, nowMs: () => clock.nowMs() });
    const channel = lineChannel({ session, gate, views, log: log.scoped(device.id), onWatched: onChange });
    const pictures = lineMedia({ media, line: session.line, clock, random, hasSubStream, recordsSub, maySound: (cameraId) => isGranted(grants(), cameraId, ['sound'], clock.nowMs()) });
    const ended = Promise.withResolvers<void>();
    const live: Live = { device, relayUrl, session, gate, views, sinceMs: clock.nowMs(), done: ended.promise };
    this.#live.add(live);
    devices.seen(device.id, clock.nowMs());
    log.info(`${device.id} looks in from away`);
    session.onClose((reason) => {
      pictures.end();
      log.info(`${device.id} is gone: ${reason}`);
      views.end(reason).then(() => {
        this.#live.delete(live);
        devices.seen(device.id, clock.nowMs());
        onChange();
        ended.resolve();
      }, ended.reject);
    });
    // It may have changed while it shook hands.
    this.recheck();
    serve(channel, device, pictures);
    onChange();
  }
}
