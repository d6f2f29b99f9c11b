/**
 * Looks for cameras that went offline: by identity in what discovery hears, and believed only after the device took the
 * stored password and named the same serial or endpoint. A stored password goes to a new address as a digest or not at all.
 */
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera, StreamConfig } from '../../../shared/model/camera.ts';
import type { FoundCamera } from '../../../shared/model/discovery.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { MINUTE_MS, SECOND_MS, type DurationMs } from '../../../shared/time.ts';
import { retryWaitMs, type RetryLadder } from '../core/retry.ts';
import type { Login } from './http-auth.ts';
import { bareEndpoint, isSameCamera } from './identity.ts';
import type { CameraNetwork } from './network.ts';
import { OnvifDevice } from './onvif-device.ts';
import type { Relocation } from './registry.ts';
import { describeStream, requireRecordable } from './rtsp-describe.ts';

export interface FinderParts {
  readonly network: CameraNetwork;
  /** Searches the network once and tells what answered. */
  readonly search: () => Promise<readonly FoundCamera[]>;
  readonly cameras: () => readonly Camera[];
  /** Offline long enough to be looked for. */
  readonly isOffline: (cameraId: CameraId) => boolean;
  readonly login: (cameraId: CameraId) => Promise<Login | null>;
  readonly relocate: (cameraId: CameraId, to: Relocation) => Promise<unknown>;
}

export interface Finder {
  /** Looks again and again while cameras are offline, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks once; how many cameras were found again at a new address. */
  runOnce(): Promise<number>;
}

/** A camera that reboots takes about a minute; one that got a new address is found soon after. One that is gone for longer is looked for without hurry. */
const LADDER: RetryLadder = { stepsMs: [30 * SECOND_MS, 30 * SECOND_MS, 30 * SECOND_MS, 30 * SECOND_MS, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS], jitter: 0.1 };
/** How often it is looked whether any camera is offline. */
const GLANCE_EVERY_MS: DurationMs = 10 * SECOND_MS;
/** A stranger that claims to be a camera is not asked again soon. */
const DISTRUST_MS: DurationMs = 10 * MINUTE_MS;

export function createFinder(parts: FinderParts): Finder {
  return new NetworkFinder(parts);
}

class NetworkFinder implements Finder {
  readonly #parts: FinderParts;
  #vainRounds = 0;
  #nextMs = 0;
  /** When a camera was last vainly looked for at a host. */
  readonly #vain = new Map<string, number>();

  constructor(parts: FinderParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts.network;
    while (!signal.aborted) {
      const missing = this.#missing().length > 0;
      if (!missing) [this.#vainRounds, this.#nextMs] = [0, 0];
      if (missing && clock.monotonicMs() >= this.#nextMs) {
        try {
          this.#vainRounds = (await this.runOnce()) > 0 ? 0 : this.#vainRounds + 1;
        } catch (error) {
          log.warn('looking for offline cameras failed', error);
        }
        this.#nextMs = clock.monotonicMs() + retryWaitMs(LADDER, this.#vainRounds, Math.random());
      }
      await clock.sleep(GLANCE_EVERY_MS, signal);
    }
  }

  #missing(): Camera[] {
    return this.#parts.cameras().filter((camera) => camera.origin === 'onvif' && camera.identity !== null && camera.paused === null && this.#parts.isOffline(camera.id));
  }

  async runOnce(): Promise<number> {
    const missing = this.#missing();
    if (missing.length === 0) return 0;
    const found = await this.#parts.search();
    let moved = 0;
    for (const camera of missing) {
      for (const { url } of candidateAddresses(camera, found, this.#parts.cameras())) {
        if (this.#isDistrusted(camera.id, url.host)) continue;
        const relocation = await this.#verify(camera, url);
        if (relocation === null) continue;
        await this.#parts.relocate(camera.id, relocation);
        this.#parts.network.log.info(`${camera.id} is at ${url.host} now`);
        moved += 1;
        break;
      }
    }
    return moved;
  }

  #isDistrusted(cameraId: CameraId, host: string): boolean {
    const atMs = this.#vain.get(`${cameraId} ${host}`);
    return atMs !== undefined && this.#parts.network.clock.monotonicMs() - atMs < DISTRUST_MS;
  }

  /** The camera's new addresses, when it is the camera; null otherwise. */
  async #verify(camera: Camera, url: URL): Promise<Relocation | null> {
    const { network } = this.#parts;
    try {
      const login = await this.#parts.login(camera.id);
      const device = new OnvifDevice(network, { url, login, allowBasic: false });
      const information = await device.deviceInformation();
      if (login !== null && !device.loggedIn) {
        // Answered without a password, so it proved nothing yet; profiles are what cameras guard.
        await device.profiles();
      }
      const endpoint = await device.endpointReference();
      if (!isSameCamera(camera, { endpoint, device: information })) throw new PorchlightError('not-a-camera', 'It is another camera.');
      if (login !== null && !device.loggedIn) throw new PorchlightError('not-a-camera', 'It did not ask for the password.');
      return { deviceUrl: url.href, streams: await movedStreams(network, device, camera, login) };
    } catch (error) {
      if (!(error instanceof PorchlightError)) throw error;
      // Not there (yet) is no reason for distrust; anything else is.
      if (error.kind !== 'unreachable' && error.kind !== 'refused' && error.kind !== 'timeout') this.#vain.set(`${camera.id} ${url.host}`, network.clock.monotonicMs());
      network.log.info(`${camera.id} is not at ${url.host}: ${error.message}`);
      return null;
    }
  }
}

/** The camera's streams at its new address, main known to answer there with a login no stranger can use. */
async function movedStreams(network: CameraNetwork, device: OnvifDevice, camera: Camera, login: Login | null): Promise<StreamConfig[]> {
  // Decides between Media1 and Media2.
  await device.profiles();
  const streams: StreamConfig[] = [];
  for (const stream of camera.streams) {
    if (stream.profileToken === null) continue;
    const url = await device.streamUri(stream.profileToken);
    requireRecordable(await describeStream(network, { url, login, allowBasic: false }), device.host);
    streams.push({ ...stream, url });
  }
  if (!streams.some((stream) => stream.kind === 'main')) throw new PorchlightError('no-video', 'It has no main stream.');
  return streams;
}

/**
 * Where a missing camera may be now: devices with its endpoint reference at another address; for a camera known by its
 * serial, devices of the same model that are none of the configured ones. Pure.
 */
export function candidateAddresses(camera: Camera, found: readonly FoundCamera[], configured: readonly Camera[]): { readonly url: URL }[] {
  const identity = camera.identity ?? '';
  const serialOnly = identity.startsWith('serial:');
  const taken = new Set(configured.filter((other) => other.id !== camera.id).map((other) => other.deviceUrl));
  const model = camera.device.model.toLowerCase();
  const matches = found.filter((one) => (serialOnly ? one.cameraId === null && (one.model === '' || one.model.toLowerCase() === model) : one.identity === bareEndpoint(identity)));
  const urls = matches.flatMap((one) => one.deviceUrls).filter((url) => url !== camera.deviceUrl && !taken.has(url) && URL.canParse(url));
  return [...new Set(urls)].slice(0, 8).map((url) => ({ url: new URL(url) }));
}
