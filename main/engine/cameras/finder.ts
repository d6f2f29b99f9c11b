/**
 * Looks for cameras that went offline: first asks where they were for their streams' addresses, then by identity in what
 * discovery hears (bare RTSP: finder-rtsp.ts), believed only after the device took the stored password and named the same
 * serial or endpoint. A stored password goes to a new address as a digest or not at all.
 */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera, CameraDevice, ConnectionState, StreamConfig } from '../../../shared/model/camera.ts';
import type { FoundCamera } from '../../../shared/model/discovery.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { MINUTE_MS, SECOND_MS, type DurationMs, type EpochMs } from '../../../shared/time.ts';
import { retryWaitMs, type RetryLadder } from '../core/retry.ts';
import { diagnose, diagnosisOf } from './diagnose.ts';
import { findByMac, learnMacs } from './finder-rtsp.ts';
import type { Diagnosis } from './health.ts';
import type { Login } from './http-auth.ts';
import { bareEndpoint, camerasOfDevice, isOtherCamera, isSameCamera, serialIdentity } from './identity.ts';
import type { NeighbourTable } from './neighbours.ts';
import type { CameraNetwork } from './network.ts';
import { OnvifDevice } from './onvif-device.ts';
import type { Relocation } from './registry.ts';
import { describeStream } from './rtsp-describe.ts';
import { atHost } from './rtsp-paths.ts';
import { streamsAnew } from './streams-anew.ts';

export interface FinderParts {
  readonly network: CameraNetwork;
  /** Searches the network once and tells what answered. */
  readonly search: () => Promise<readonly FoundCamera[]>;
  readonly cameras: () => readonly Camera[];
  /** Offline long enough to be looked for. */
  readonly isOffline: (cameraId: CameraId) => boolean;
  readonly login: (cameraId: CameraId) => Promise<Login | null>;
  /** What answers at its address does not take the password: it is not asked there, for cameras lock themselves. */
  readonly loginRefused?: (cameraId: CameraId) => boolean;
  readonly relocate: (cameraId: CameraId, to: Relocation) => Promise<unknown>;
  /** What is wrong with a camera that answers and is not recorded; null when nothing is. */
  readonly onDiagnosis?: (cameraId: CameraId, diagnosis: Diagnosis | null) => void;
  /** What a camera sends is another one's, since `fromMs`; null: it is its own again, or nothing. */
  readonly onOther?: (cameraId: CameraId, fromMs: EpochMs | null) => void;
  /** By which bare RTSP cameras are found again; without it they are not looked for. */
  readonly neighbours?: NeighbourTable;
  /** For learning where cameras that have no link-layer address stored live; both or none. */
  readonly isLive?: (cameraId: CameraId) => boolean;
  readonly noteMac?: (cameraId: CameraId, mac: string) => Promise<unknown>;
}

export interface Finder {
  /** Looks again and again while cameras are offline, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks once; how many cameras have new addresses now. */
  runOnce(signal?: AbortSignal): Promise<number>;
  /** How a camera's main stream is: one that begins to send is asked whether it is still the same. */
  heard(cameraId: CameraId, state: ConnectionState): void;
}

/** A camera that reboots takes about a minute; one that got a new address is found soon after. One that is gone for longer is looked for without hurry. */
const LADDER: RetryLadder = { stepsMs: [30 * SECOND_MS, 30 * SECOND_MS, 30 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS], jitter: 0.1 };
/** How often it is looked whether any camera is offline. */
const GLANCE_EVERY_MS: DurationMs = 10 * SECOND_MS;
/** Link-layer addresses change when somebody replaces a camera, which is rare. */
const LEARN_EVERY_MS: DurationMs = 5 * MINUTE_MS;
/** A camera answers a question soon after it began to send, or never: asked at each glance, so often. */
const MAX_QUESTIONS = 6;
/** ffmpeg hands over at once what came while it got to know the stream: pictures from before the camera counted as sending. */
const HELD_BACK_MS: DurationMs = 10 * SECOND_MS;
/** Sessions that follow each other within this are one beginning. */
const STUMBLING_MS: DurationMs = 30 * SECOND_MS;
/** A stranger that claims to be a camera is not asked again soon. */
const DISTRUST_MS: DurationMs = 10 * MINUTE_MS;

export function createFinder(parts: FinderParts): Finder {
  return new NetworkFinder(parts);
}

class NetworkFinder implements Finder {
  readonly #parts: FinderParts;
  #vainRounds = 0;
  #nextMs = 0;
  #learnMs = 0;
  /** Cameras that were missing at the last glance. */
  #lookedFor: ReadonlySet<CameraId> = new Set();
  /** Cameras whose address another device has. */
  readonly #displaced = new Set<CameraId>();
  readonly #states = new Map<CameraId, ConnectionState>();
  /** When a camera last fell silent, and since when it sends what it sends. */
  readonly #silentMs = new Map<CameraId, EpochMs>();
  readonly #sendsMs = new Map<CameraId, EpochMs>();
  readonly #startedMs: EpochMs;
  /** Began to send, and have not said yet who they are: how often they were asked in vain. */
  readonly #unchecked = new Map<CameraId, number>();
  /** Cameras that began to send and have not yet said who they are. */
  readonly #unanswered = new Set<CameraId>();
  #checking: Promise<void> | null = null;
  #running = false;
  /** When a camera was last vainly looked for at a host. */
  readonly #vain = new Map<string, number>();

  constructor(parts: FinderParts) {
    this.#parts = parts;
    this.#startedMs = parts.network.clock.nowMs();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#running = true;
    try {
      await this.#lookAround(signal);
    } finally {
      this.#running = false;
      await this.#checking;
    }
  }

  async #lookAround(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts.network;
    while (!signal.aborted) {
      await this.#check();
      const missing = this.#missing().map((camera) => camera.id);
      // One that is gone for a week must not make the others wait.
      if (missing.some((id) => !this.#lookedFor.has(id))) [this.#vainRounds, this.#nextMs] = [0, 0];
      this.#lookedFor = new Set(missing);
      if (missing.length > 0 && clock.monotonicMs() >= this.#nextMs) {
        try {
          this.#vainRounds = (await this.runOnce(signal)) > 0 ? 0 : this.#vainRounds + 1;
        } catch (error) {
          log.warn('looking for offline cameras failed', error);
        }
        this.#nextMs = clock.monotonicMs() + retryWaitMs(LADDER, this.#vainRounds, Math.random());
      }
      await this.#learn();
      await clock.sleep(GLANCE_EVERY_MS, signal);
    }
  }

  async #learn(): Promise<void> {
    const { neighbours, isLive, noteMac, cameras, network } = this.#parts;
    if (neighbours === undefined || isLive === undefined || noteMac === undefined || network.clock.monotonicMs() < this.#learnMs) return;
    this.#learnMs = network.clock.monotonicMs() + LEARN_EVERY_MS;
    try {
      for (const camera of await learnMacs({ neighbours, cameras, isLive, noteMac })) this.#isDisplacedNow(camera);
    } catch (error) {
      network.log.warn('the link-layer addresses of cameras could not be noted', error);
    }
  }

  /** Another device lives where a camera was: what is recorded under its name is not its own. */
  #isDisplacedNow(camera: Camera): void {
    this.#parts.network.log.warn(`${camera.id}: another device has its address`);
    this.#displaced.add(camera.id);
    this.#parts.onDiagnosis?.(camera.id, 'other-camera');
    this.#parts.onOther?.(camera.id, this.#sendsMs.get(camera.id) ?? this.#startedMs);
    // It fell silent before the answer came.
    if (this.#states.has(camera.id) && this.#states.get(camera.id) !== 'live') this.#parts.onOther?.(camera.id, null);
    this.#nextMs = 0;
  }

  heard(cameraId: CameraId, state: ConnectionState): void {
    const nowMs = this.#parts.network.clock.nowMs();
    const before = this.#states.get(cameraId);
    this.#states.set(cameraId, state);
    if (state === 'live' && before !== 'live') {
      const unanswered = this.#unanswered.has(cameraId) ? this.#sendsMs.get(cameraId) : undefined;
      this.#sendsMs.set(cameraId, sendingSince(unanswered ?? null, this.#silentMs.get(cameraId) ?? this.#startedMs, nowMs));
      this.#unanswered.add(cameraId);
      this.#unchecked.set(cameraId, 0);
      // At once: what is recorded until the answer may be another camera's.
      if (this.#running) void this.#check();
    } else if (before === 'live' && state !== 'live') {
      this.#silentMs.set(cameraId, nowMs);
      if (this.#displaced.has(cameraId)) this.#parts.onOther?.(cameraId, null);
    }
  }

  /** One check at a time; what begins to send meanwhile is asked by one more. */
  #check(): Promise<void> {
    this.#checking ??= this.#checkWhoSends()
      .catch((error: unknown) => this.#parts.network.log.warn('cameras could not be asked who they are', error))
      .finally(() => {
        this.#checking = null;
        if (this.#running && [...this.#unchecked.values()].includes(0)) void this.#check();
      });
    return this.#checking;
  }

  /** Asks cameras that began to send who they are: addresses are given out anew when a router restarts, and a password often fits several. */
  async #checkWhoSends(): Promise<void> {
    const asked = new Map(this.#unchecked);
    this.#unchecked.clear();
    const list = this.#parts.cameras().filter((camera) => asked.has(camera.id) && this.#parts.loginRefused?.(camera.id) !== true && camera.origin === 'onvif' && camera.deviceUrl !== null && URL.canParse(camera.deviceUrl));
    for (const camera of oneOfEachDevice(list)) {
      try {
        const device = new OnvifDevice(this.#parts.network, { url: new URL(camera.deviceUrl ?? ''), login: await this.#parts.login(camera.id), allowBasic: false });
        const information = await device.deviceInformation();
        const isOther = isOtherCamera(camera, { endpoint: await device.endpointReference(), device: information });
        for (const one of camerasOfDevice(camera, this.#parts.cameras())) {
          this.#unanswered.delete(one.id);
          if (isOther) this.#isDisplacedNow(one);
          else if (this.#displaced.has(one.id)) this.#isItselfAgain(one.id);
        }
      } catch (error) {
        // Sends pictures and answers no questions: nothing speaks against it. One that has just started may answer soon.
        if (!(error instanceof PorchlightError)) throw error;
        const tries = (asked.get(camera.id) ?? 0) + 1;
        if (tries < MAX_QUESTIONS && !this.#unchecked.has(camera.id) && this.#states.get(camera.id) === 'live') this.#unchecked.set(camera.id, tries);
      }
    }
  }

  #isItselfAgain(cameraId: CameraId): void {
    this.#displaced.delete(cameraId);
    this.#parts.onDiagnosis?.(cameraId, null);
    this.#parts.onOther?.(cameraId, null);
  }

  #missing(): Camera[] {
    return this.#parts.cameras().filter((camera) => camera.paused === null && (this.#parts.isOffline(camera.id) || this.#displaced.has(camera.id)));
  }

  async runOnce(signal?: AbortSignal): Promise<number> {
    const missing = this.#missing();
    const bare = missing.filter((camera) => camera.origin === 'rtsp');
    const lost: Camera[] = [];
    let moved = 0;
    for (const camera of oneOfEachDevice(missing.filter((one) => one.origin === 'onvif'))) {
      const here = await this.#askWhereItWas(camera);
      if (here === null) {
        lost.push(camera);
        if (!this.#displaced.has(camera.id)) this.#parts.onDiagnosis?.(camera.id, null);
      } else moved += here;
    }
    if (lost.some((camera) => camera.identity !== null)) moved += await this.#search(lost);
    if (bare.length > 0) moved += await this.#findBare(bare, signal);
    return moved;
  }

  async #findBare(bare: readonly Camera[], signal: AbortSignal | undefined): Promise<number> {
    const { neighbours, network, login, onDiagnosis } = this.#parts;
    const known = neighbours === undefined ? [] : bare.filter((camera) => (camera.mac ?? null) !== null);
    for (const camera of bare) {
      if (known.includes(camera) || this.#parts.loginRefused?.(camera.id) === true) continue;
      const diagnosis = await diagnose(network, camera, await login(camera.id));
      onDiagnosis?.(camera.id, diagnosis === 'nobody' ? null : diagnosis);
    }
    if (neighbours === undefined || known.length === 0) return 0;
    const relocate = async (cameraId: CameraId, to: Relocation): Promise<void> => this.#relocated(cameraId, to);
    return await findByMac({ ...this.#parts, relocate, neighbours }, known, signal);
  }

  async #relocated(cameraId: CameraId, to: Relocation): Promise<void> {
    await this.#parts.relocate(cameraId, to);
    this.#isItselfAgain(cameraId);
  }

  /** A device that answers where it was may have given its streams new addresses; how many cameras have new ones, null when it is not there. */
  async #askWhereItWas(camera: Camera): Promise<number | null> {
    if (camera.deviceUrl === null || !URL.canParse(camera.deviceUrl) || this.#parts.loginRefused?.(camera.id) === true) return null;
    const url = new URL(camera.deviceUrl);
    if (this.#isDistrusted(camera.id, url.host)) return null;
    const device = await this.#meet(camera, url, true);
    return device === null ? null : await this.#follow(camera, device);
  }

  async #search(lost: readonly Camera[]): Promise<number> {
    const found = await this.#parts.search();
    let moved = 0;
    for (const camera of lost) {
      for (const { url } of candidateAddresses(camera, found, this.#parts.cameras())) {
        if (this.#isDistrusted(camera.id, url.host)) continue;
        const device = await this.#meet(camera, url, false);
        if (device === null) continue;
        const followed = await this.#follow(camera, device);
        if (followed === 0) continue;
        this.#parts.network.log.info(`${camera.id} is at ${url.host} now`);
        moved += followed;
        break;
      }
    }
    return moved;
  }

  #isDistrusted(cameraId: CameraId, host: string): boolean {
    const atMs = this.#vain.get(`${cameraId} ${host}`);
    return atMs !== undefined && this.#parts.network.clock.monotonicMs() - atMs < DISTRUST_MS;
  }

  /** The device at `url`, when it is the camera's and took its password; null otherwise. */
  async #meet(camera: Camera, url: URL, whereItWas: boolean): Promise<OnvifDevice | null> {
    const { network } = this.#parts;
    try {
      const login = await this.#parts.login(camera.id);
      const device = new OnvifDevice(network, { url, login, allowBasic: false });
      const information = await device.deviceInformation();
      // Answered without a password, so it proved nothing yet; profiles are what cameras guard.
      if (login !== null && !device.loggedIn) await device.profiles();
      const endpoint = await device.endpointReference();
      if (!isSameCamera(camera, { endpoint, device: information }) && !(whereItWas && isSameModel(camera, endpoint, information))) throw new PorchlightError('not-a-camera', 'It is another camera.');
      // Some ask nobody for a password over ONVIF; then it is their stream that has to take it. Where the camera was, it need not prove that.
      if (login !== null && !device.loggedIn && !whereItWas && !(await this.#streamTakes(camera, device, login))) throw new PorchlightError('not-a-camera', 'It did not ask for the password.');
      return device;
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      // Not there (yet) is no reason for distrust; anything else is.
      if (error.kind !== 'unreachable' && error.kind !== 'refused' && error.kind !== 'timeout') this.#vain.set(`${camera.id} ${url.host}`, network.clock.monotonicMs());
      network.log.info(`${camera.id} is not at ${url.host}: ${error.message}`);
      return null;
    }
  }

  async #streamTakes(camera: Camera, device: OnvifDevice, login: Login): Promise<boolean> {
    let taken = false;
    const profiles = await device.profiles();
    const token = camera.streams.find((stream) => stream.kind === 'main')?.profileToken;
    if (!profiles.some((profile) => profile.token === token) || token === undefined || token === null) return false;
    await describeStream(this.#parts.network, { url: await device.streamUri(token), login, allowBasic: false, onLogin: () => (taken = true) });
    return taken;
  }

  /** Gives every camera of the device the addresses its streams have now; how many cameras that changed. */
  async #follow(camera: Camera, device: OnvifDevice): Promise<number> {
    const { network } = this.#parts;
    let changed = 0;
    for (const one of camerasOfDevice(camera, this.#parts.cameras())) {
      try {
        const streams = await streamsAnew(network, device, one, await this.#parts.login(one.id));
        this.#parts.onDiagnosis?.(one.id, null);
        if (one.deviceUrl === device.url.href && sameAddresses(one.streams, streams)) continue;
        await this.#relocated(one.id, { deviceUrl: device.url.href, streams });
        changed += 1;
      } catch (error) {
        if (!(error instanceof PorchlightError)) throw error;
        network.log.info(`${one.id}: its streams at ${device.host} cannot be had: ${error.message}`);
        if (one.deviceUrl === device.url.href) this.#parts.onDiagnosis?.(one.id, diagnosisOf(error));
        // The device took the password and is the right one, so a channel that is dark for now moves along with the others.
        if (one.id !== camera.id && one.deviceUrl !== device.url.href && changed > 0) await this.#relocated(one.id, { deviceUrl: device.url.href, streams: one.streams.map((stream) => ({ ...stream, url: atHost(stream.url, device.host) })) });
      }
    }
    return changed;
  }
}

/** Cameras without serial and endpoint are known by their place and kind alone; enough to ask one for its streams, not to look for it elsewhere. */
function isSameModel(camera: Camera, endpoint: string | null, device: CameraDevice): boolean {
  return serialIdentity(camera.device) === null && serialIdentity(device) === null && (camera.identity === null || endpoint === null) && camera.device.maker === device.maker && camera.device.model === device.model;
}

function sameAddresses(before: readonly StreamConfig[], after: readonly StreamConfig[]): boolean {
  return before.length === after.length && before.every((stream) => after.some((one) => one.kind === stream.kind && one.url === stream.url && one.videoCodec === stream.videoCodec));
}

/** The channels of one recorder are looked for together. */
function oneOfEachDevice(missing: readonly Camera[]): Camera[] {
  return missing.filter((camera, index) => camerasOfDevice(camera, missing.slice(0, index)).length === 0);
}

/**
 * Where a missing camera may be now: devices with its endpoint reference at another address; for a camera known by its
 * serial, devices of the same model that are none of the configured ones. Pure.
 */
export function candidateAddresses(camera: Camera, found: readonly FoundCamera[], configured: readonly Camera[]): { readonly url: URL }[] {
  const identity = camera.identity ?? '';
  const serialOnly = identity.startsWith('serial:');
  const own = new Set(camerasOfDevice(camera, configured).map((one) => one.id));
  // A serial that another camera has as well says nothing.
  if (serialOnly && configured.some((other) => !own.has(other.id) && other.identity === identity)) return [];
  // Cameras may have changed places, so an endpoint is believed also where another one was; a model alone is not.
  const taken = new Set(serialOnly ? configured.filter((other) => !own.has(other.id)).map((other) => other.deviceUrl) : []);
  const model = camera.device.model.toLowerCase();
  const matches = found.filter((one) => (serialOnly ? one.cameraId === null && (one.model === '' || one.model.toLowerCase() === model) : one.identity === bareEndpoint(identity)));
  const urls = matches.flatMap((one) => one.deviceUrls).filter((url) => url !== camera.deviceUrl && !taken.has(url) && URL.canParse(url));
  return [...new Set(urls)].slice(0, 8).map((url) => ({ url: new URL(url) }));
}

/**
 * From when on what a camera sends may be another's that is found out later. `unansweredMs`: the same of an earlier beginning that nobody
 * answered for yet; a stream that stumbles begins twice. `silentMs`: when it last fell silent.
 */
export function sendingSince(unansweredMs: EpochMs | null, silentMs: EpochMs, nowMs: EpochMs): EpochMs {
  if (unansweredMs !== null && nowMs - unansweredMs <= STUMBLING_MS) return unansweredMs;
  return Math.max(silentMs, nowMs - HELD_BACK_MS);
}
