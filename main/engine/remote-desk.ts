/** What the owner does and sees of watching from away: switches it on, pairs, changes grants, revokes, reads the log; it begins the live part of the relay and ends it. */
import { PorchlightError } from '../../shared/errors.ts';
import type { Grants, PairingKind, PairingOffer, LeavingRelays, Proof, Reach, RelayCapture, RelayStatus, RemoteDevice, RemoteState, ViewKind, ViewLog } from '../../shared/model/remote.ts';
import { toHex } from '../../shared/relay/bytes.ts';
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import type { DeviceBook, RemoteHomeParts, RemoteHomeService } from './relay/home-parts.ts';
import type { DeviceStore } from './relay/stores/device-store.ts';
import type { HomeIdentityStore } from './relay/stores/home-identity.ts';
import { monthFiles } from './relay/stores/line-files.ts';
import type { RelaySettingsStore } from './relay/stores/relay-settings.ts';
import type { RemoteFile } from './relay/stores/remote-file.ts';
import type { RemoteSetup } from './relay/stores/remote-part.ts';
import { openViewLog, type ViewLogStore, type ViewQuery } from './relay/stores/view-log.ts';

/** Keys that the keyring does not give back are asked for again so often. */
const TRY_AGAIN_MS = MINUTE_MS;
/** The interface hears of changes this often at most. */
const TELL_MS = 200;
/** A device hears that its word was taken before the line it came over is left. */
const LEAVE_AFTER_MS = 2 * SECOND_MS;

export interface RemoteDeskParts {
  /** <data>/config. */
  readonly configDir: string;
  readonly file: RemoteFile;
  readonly devices: DeviceStore;
  readonly settings: RelaySettingsStore;
  readonly identity: HomeIdentityStore;
  /** Makes the live part; it dials nothing before it runs. */
  readonly create: (parts: Pick<RemoteHomeParts, 'own' | 'routeSeed' | 'devices' | 'views' | 'relays'>) => RemoteHomeService;
  readonly onChange: (state: RemoteState) => void;
  /** The relays this home is reached over are others now. */
  readonly onReach?: (reach: Reach) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Life {
  readonly service: RemoteHomeService;
  end(): Promise<void>;
}

export class RemoteDesk {
  readonly #parts: RemoteDeskParts;
  #life: Life | null = null;
  #views: Promise<ViewLogStore> | null = null;
  /** Why it does not run although it should. */
  #trouble: { readonly sentence: string; readonly sinceMs: EpochMs } | null = null;
  #changing: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #told = '';
  #cancelTelling: (() => void) | null = null;
  #cancelTrying: () => void = () => undefined;
  #cancelLeaving: () => void = () => undefined;
  /** The earlier lists of relays, as last looked at. */
  #waited = '';
  readonly #stopHearing: readonly (() => void)[];

  constructor(parts: RemoteDeskParts) {
    this.#parts = parts;
    const onDevices = (): void => {
      this.#leaveLater();
      this.#tell();
    };
    this.#stopHearing = [parts.devices.onChange(onDevices), parts.settings.onChange(() => this.#tell())];
  }

  /** Begins to dial where the owner switched it on. Never rejects: what keeps it from running is in the state. */
  async start(): Promise<void> {
    await this.#alone(() => this.#begin());
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#alone(async () => {
      await this.#end();
      await (await this.#views?.catch(() => null))?.close();
      await this.#parts.file.close();
    });
    for (const stop of this.#stopHearing) stop();
    this.#cancelTelling?.();
  }

  state(): RemoteState {
    const { devices, settings, clock } = this.#parts;
    const { enabled, relays } = settings.get();
    const service = this.#life?.service;
    const notRunning = (): readonly RelayStatus[] =>
      relays.map((url) => ({ url, phase: enabled ? 'waiting' : 'off', sinceMs: this.#trouble?.sinceMs ?? clock.nowMs(), sentence: enabled ? (this.#trouble?.sentence ?? null) : null }));
    return {
      enabled,
      relays: service?.relays() ?? notRunning(),
      leaving: this.#leaving(),
      devices: devices.list(),
      watching: service?.watching() ?? [],
      offer: service?.offer() ?? null,
      lastPairing: service?.lastPairing() ?? null,
    };
  }

  /** Also while it is off: who looked in before stays to be seen. */
  async log({ limit, beforeSeq, deviceId }: ViewQuery): Promise<ViewLog> {
    const views = await this.#openViews();
    return views === null ? { entries: [], chain: { intact: true, brokenAtSeq: null, length: 0 } } : await views.read({ limit, beforeSeq, deviceId });
  }

  capture(): RelayCapture {
    return this.#life?.service.capture() ?? { sinceMs: this.#parts.clock.nowMs(), messages: 0, bytes: 0, entropyBits: 0, newest: [], readable: [] };
  }

  /** Rejects with `conflict` where nothing runs. */
  async captureFile(): Promise<{ readonly fileName: string; readonly bytes: Uint8Array }> {
    const when = new Date(this.#parts.clock.nowMs()).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
    return { fileName: `porchlight-relay-${when}.pcapng`, bytes: this.#service().captureFile() };
  }

  async setRelays({ enabled, relays, leaveNow = false }: { readonly enabled: boolean; readonly relays: readonly string[]; readonly leaveNow?: boolean | undefined }): Promise<void> {
    const { settings } = this.#parts;
    await settings.set({ enabled, relays });
    if (leaveNow) await settings.leaveNow();
    await this.#alone(async () => {
      if (this.#life !== null) this.#life.service.setRelays(this.#relaysNow());
      else await this.#begin();
    });
    this.#parts.onReach?.(this.#reach());
    this.#tell();
  }

  /** A device (null: the owner) asks where this home is reached, and says which relays it keeps. What it may know by then is on the disk before it is answered. */
  async reach(deviceId: string | null, known: readonly string[]): Promise<Reach> {
    if (deviceId !== null) await this.#parts.devices.toldRelays(deviceId, known);
    return this.#reach();
  }

  async beginPairing(kind: PairingKind): Promise<PairingOffer> {
    return await this.#service().beginPairing(kind);
  }

  async cancelPairing(): Promise<void> {
    this.#life?.service.cancelPairing();
  }

  async allowPairing(answer: { readonly digits: string; readonly name: string; readonly grants: Grants }): Promise<void> {
    await this.#service().allowPairing(answer);
  }

  async refusePairing(): Promise<void> {
    this.#life?.service.refusePairing();
  }

  async setGrants(deviceId: string, grants: Grants, name: string | null): Promise<void> {
    const device = await this.#atOnce(() => this.#parts.devices.change(deviceId, { grants, ...(name === null ? {} : { name }) }));
    await this.#note(device, 'grants', whatItMay(grants));
  }

  async revoke(deviceId: string): Promise<void> {
    const device = this.#parts.devices.get(deviceId);
    await this.#atOnce(() => this.#parts.devices.revoke(deviceId));
    if (device !== null) await this.#note(device, 'revoked', null);
  }

  async prove(check: Proof['check']): Promise<Proof> {
    return await this.#service().prove(check);
  }

  /** What a set-up takes along. */
  async collect(): Promise<RemoteSetup> {
    const { devices, file, identity, settings } = this.#parts;
    return { ...settings.get(), identity: await identity.text(), devices: await devices.texts(), logHead: file.content.logHead };
  }

  /** Puts a set-up in force: everybody who looks in now is cut off and comes back under it. */
  async put(setup: RemoteSetup): Promise<void> {
    const { configDir, devices, file, identity, settings } = this.#parts;
    await this.#alone(async () => {
      await this.#end();
      await (await this.#views?.catch(() => null))?.close();
      this.#views = null;
      await identity.replace(setup.identity);
      await devices.replaceAll(setup.devices);
      // A log that is empty here goes on where the other computer's ended; one that is not goes on by itself.
      if ((await monthFiles(configDir)).length === 0) await file.change({ logStart: setup.logHead, logHead: setup.logHead });
      await settings.set({ enabled: setup.enabled, relays: setup.relays });
      await this.#begin();
    });
    this.#tell();
  }

  #service(): RemoteHomeService {
    const { enabled } = this.#parts.settings.get();
    if (this.#life === null || !enabled) throw new PorchlightError('conflict', this.#trouble?.sentence ?? 'Watching from away is off. Choose a relay and switch it on first.');
    return this.#life.service;
  }

  async #begin(): Promise<void> {
    const { clock, create, devices, identity, log, settings } = this.#parts;
    if (!settings.get().enabled || this.#life !== null || this.#isOver) return;
    this.#cancelTrying();
    try {
      const { key, routeSeed } = await identity.get();
      const keysAreOpen = await devices.openKeys();
      const views = await this.#openViews(toHex(key.publicKey));
      if (views === null) throw new Error('there is no key of the home');
      const service = create({ own: key, routeSeed, devices: this.#book(), views, relays: this.#relaysNow() });
      const over = new AbortController();
      const stopHearing = service.onChange(() => this.#tell());
      const running = service.run(over.signal).catch((error: unknown) => log.error('watching from away ended', error));
      this.#life = {
        service,
        end: async () => {
          stopHearing();
          over.abort();
          await running;
        },
      };
      this.#trouble = null;
      if (!keysAreOpen) {
        log.warn('the keys of some paired devices could not be read; they are asked for again');
        this.#openKeysLater();
      }
    } catch (error) {
      log.error('watching from away could not begin', error);
      const sentence = error instanceof PorchlightError ? error.message : 'Watching from away could not begin. The log has the details.';
      this.#trouble = { sentence, sinceMs: this.#trouble?.sinceMs ?? clock.nowMs() };
      this.#cancelTrying = clock.after(TRY_AGAIN_MS, () => void this.start());
    }
    this.#tell();
  }

  /** A keyring that is locked now may be unlocked later: those devices are let in then. */
  #openKeysLater(): void {
    const { clock, devices, log } = this.#parts;
    this.#cancelTrying = clock.after(TRY_AGAIN_MS, () => {
      const again = this.#alone(async () => {
        if (this.#isOver || this.#life === null) return;
        const before = devices.paired().length;
        if (!(await devices.openKeys())) this.#openKeysLater();
        if (devices.paired().length > before) await this.#life.service.devicesChanged();
      });
      again.catch((error: unknown) => log.error('the keys of paired devices could not be read', error));
    });
  }

  async #end(): Promise<void> {
    this.#cancelTrying();
    this.#cancelLeaving();
    const life = this.#life;
    this.#life = null;
    await life?.end();
  }

  /** A change of the devices is in force in memory and its sessions are cut off before anything is written or answered: no disk holds that up, and none that fails takes it back (R6). */
  async #atOnce<T>(change: () => Promise<T>): Promise<T> {
    const written = change();
    const [kept, cut] = await Promise.allSettled([written, this.#life?.service.devicesChanged()]);
    if (cut.status === 'rejected') this.#parts.log.error('the relays could not be told of a change of the devices', cut.reason);
    if (kept.status === 'rejected') throw kept.reason;
    return kept.value;
  }

  #reach(): Reach {
    return { relays: this.#parts.settings.get().relays };
  }

  #relaysNow(): RemoteHomeParts['relays'] {
    const { settings } = this.#parts;
    const { enabled, relays } = settings.get();
    return { enabled, urls: relays, earlier: settings.earlier() };
  }

  /** What is waited at although it is off the list; null where nothing. */
  #leaving(): LeavingRelays | null {
    const { devices, settings } = this.#parts;
    const { enabled, relays } = settings.get();
    const earlier = enabled ? settings.earlier().filter(({ urls }) => urls.some((url) => !relays.includes(url))) : [];
    if (earlier.length === 0) return null;
    return {
      relays: [...new Set(earlier.flatMap(({ urls }) => urls))].filter((url) => !relays.includes(url)),
      untilMs: Math.max(...earlier.map(({ untilMs }) => untilMs)),
      deviceNames: devices.untold().map(({ name }) => name),
    };
  }

  /** Nobody may have to be waited for any more at relays that were left. */
  #leaveLater(): void {
    const waited = JSON.stringify(this.#parts.settings.earlier());
    if (waited === this.#waited || this.#life === null) return;
    this.#waited = waited;
    this.#cancelLeaving();
    this.#cancelLeaving = this.#parts.clock.after(LEAVE_AFTER_MS, () => this.#life?.service.setRelays(this.#relaysNow()));
  }

  #book(): DeviceBook {
    const { devices } = this.#parts;
    return {
      list: () => devices.paired(),
      get: (deviceId) => devices.getPaired(deviceId),
      add: async (device) => void (await devices.add(device)),
      acceptStamp: (deviceId, stampMs) => devices.acceptStamp(deviceId, stampMs),
      seen: (deviceId, atMs) => devices.seen(deviceId, atMs),
    };
  }

  /** Null where this home never had a key: nobody can have looked in. */
  async #openViews(homeKeyHex = this.#parts.file.content.homeKeyHex): Promise<ViewLogStore | null> {
    if (homeKeyHex === null) return null;
    const { clock, configDir, file, log } = this.#parts;
    this.#views ??= openViewLog({ folder: configDir, file, homeKeyHex, clock, log }).catch((error: unknown) => {
      this.#views = null;
      throw error;
    });
    return await this.#views;
  }

  async #note({ id, name, grants }: RemoteDevice, kind: ViewKind, note: string | null): Promise<void> {
    try {
      const views = await this.#openViews();
      await views?.append({ deviceId: id, deviceName: name, kind, cameraIds: grants.cameras.map(({ cameraId }) => cameraId), fromMs: null, toMs: null, bytes: 0, path: 'home', note });
    } catch (error) {
      // It is done; only that it was done is not in the log.
      this.#parts.log.error(`that a device was ${kind} could not be written down`, error);
    }
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#changing.then(work);
    this.#changing = mine.catch(() => undefined);
    return await mine;
  }

  #tell(): void {
    if (this.#isOver) return;
    this.#cancelTelling ??= this.#parts.clock.after(TELL_MS, () => {
      this.#cancelTelling = null;
      const state = this.state();
      const text = JSON.stringify(state);
      if (text !== this.#told) this.#parts.onChange(state);
      this.#told = text;
    });
  }
}

/** For the log of views: the rights given, and until when. */
function whatItMay({ cameras, untilMs }: Grants): string {
  const rights = [...new Set(cameras.flatMap((camera) => camera.rights))].sort();
  const ending = untilMs === null ? '' : `, until ${new Date(untilMs).toISOString()}`;
  return `${rights.length === 0 ? 'nothing' : rights.join(', ')} of ${cameras.length} ${cameras.length === 1 ? 'camera' : 'cameras'}${ending}`;
}
