/** What the home's live part of the relay is given, and what it gives: types only, so that stores and composition can be built against them. */
import type { Channel } from '../../../shared/contract/channel.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Grants, PairingKind, PairingOffer, Proof, RelayCapture, RelayStatus, ViewKind, ViewLogEntry, Watching } from '../../../shared/model/remote.ts';
import type { LogHead } from '../../../shared/relay/session-types.ts';
import type { KeyPair } from '../../../shared/relay/suite.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { MediaService } from '../ports/media.ts';

/** A paired device with its secrets: 32-byte X25519 key, PSK and ring seed. */
export interface PairedDevice {
  readonly id: string;
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly psk: Uint8Array;
  readonly ringSeed: Uint8Array;
  readonly grants: Grants;
}

/** The paired devices, kept elsewhere. */
export interface DeviceBook {
  list(): readonly PairedDevice[];
  /** Null once it is revoked. */
  get(deviceId: string): PairedDevice | null;
  /** Durable when it resolves. */
  add(device: PairedDevice): Promise<void>;
  /** Keeps the highest stamp of a device; false where this one is not above it. Durable when it resolves. */
  acceptStamp(deviceId: string, stampMs: EpochMs): Promise<boolean>;
  /** It looked in at that moment. */
  seen(deviceId: string, atMs: EpochMs): void;
}

/** A new line of the log of views. With `toMs` null a view began; with it, what was seen until then. */
export interface NewView {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly kind: ViewKind;
  readonly cameraIds: readonly CameraId[];
  readonly fromMs: EpochMs | null;
  readonly toMs: EpochMs | null;
  readonly bytes: number;
  readonly path: ViewLogEntry['path'];
  readonly note: string | null;
}

export interface ViewJournal {
  /** Durable when it resolves. */
  append(view: NewView): Promise<unknown>;
  head(): LogHead;
}

/** A list of relays that is waited at besides the current one, until then. */
export interface EarlierList {
  readonly urls: readonly string[];
  readonly untilMs: EpochMs;
}

export interface RemoteHomeParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** The home's static key. */
  readonly own: KeyPair;
  /** 32 bytes; the devices know it from pairing. */
  readonly routeSeed: Uint8Array;
  readonly devices: DeviceBook;
  readonly views: ViewJournal;
  readonly media: MediaService;
  /** Whether live of this camera has a smaller stream to fall to. */
  readonly hasSubStream: (cameraId: CameraId) => boolean;
  /** The same for recordings: a smaller stream is recorded by now. */
  readonly recordsSub: (cameraId: CameraId) => boolean;
  /** Serves the contract to a device until the channel closes. The Access is made of the device's grants, which may change meanwhile. */
  readonly serve: (channel: Channel, device: Pick<PairedDevice, 'id' | 'name'>, media: MediaService) => void;
  readonly homeName: () => string;
  /** What must never be readable on the way: names of cameras and of the home. */
  readonly names: () => readonly string[];
  /** A picture of any camera, JPEG, and the name it belongs to, for "prove it"; null where there is none yet. */
  readonly samplePicture: () => Promise<{ readonly cameraId: CameraId; readonly jpeg: Uint8Array } | null>;
  /** `earlier`: lists that were left, at whose relays devices that were not told yet may still ring. */
  readonly relays: { readonly enabled: boolean; readonly urls: readonly string[]; readonly earlier?: readonly EarlierList[] };
}

/** The home's live part: dials relays, serves devices, pairs. */
export interface RemoteHomeService {
  /** Until the signal: supervises everything, and gives everything back before it resolves. */
  run(signal: AbortSignal): Promise<void>;
  relays(): readonly RelayStatus[];
  watching(): readonly Watching[];
  offer(): PairingOffer | null;
  lastPairing(): string | null;
  /** Something of the four above changed. */
  onChange(listener: () => void): () => void;
  /** Dials these from now on, or none; sessions over a relay that is left end. */
  setRelays(relays: RemoteHomeParts['relays']): void;
  /** The book of devices changed: tokens are registered anew, grants take effect, sessions of devices that are gone end now. Resolves when they have. */
  devicesChanged(): Promise<void>;
  /** Rejects with `conflict` where no relay is in use. */
  beginPairing(kind: PairingKind): Promise<PairingOffer>;
  cancelPairing(): void;
  /** Resolves when the device has kept its keys and is stored here; rejects with `conflict` where another waits by now, `timeout` where it does not answer. The id of the device. */
  allowPairing(answer: { readonly digits: string; readonly name: string; readonly grants: Grants }): Promise<string>;
  refusePairing(): void;
  capture(): RelayCapture;
  /** All of the capture, as a file of pcapng. */
  captureFile(): Uint8Array;
  prove(check: Proof['check']): Promise<Proof>;
}

