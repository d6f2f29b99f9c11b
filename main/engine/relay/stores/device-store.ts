/** The devices that may look in from away: who they are, what they may, the last stamp of each; their keys sealed apart. */
import { PorchlightError } from '../../../../shared/errors.ts';
import type { Grants, RemoteDevice } from '../../../../shared/model/remote.ts';
import { fromBase64url, fromHex, toBase64url, toHex } from '../../../../shared/relay/bytes.ts';
import { deviceIdOf } from '../../../../shared/relay/derive.ts';
import type { Bytes, CryptoSuite } from '../../../../shared/relay/suite.ts';
import type { EpochMs } from '../../../../shared/time.ts';
import type { Clock } from '../../core/clock.ts';
import { Emitter } from '../../core/emitter.ts';
import { isUntold, knownAfterTelling } from './reach.ts';
import type { DeviceRecord, RemoteFile, Secrets } from './remote-file.ts';

/** Each takes three of the 64 tokens a home may register at a relay. */
export const MAX_DEVICES = 20;
const KEY_BYTES = 32;

/** What both ends keep of a pairing besides the home's own key and seed; 32 bytes each. */
export interface DeviceKeys {
  readonly publicKey: Uint8Array;
  readonly psk: Uint8Array;
  readonly ringSeed: Uint8Array;
}

/** A device with its keys. */
export interface PairedDevice extends RemoteDevice, DeviceKeys {}

export interface NewDevice extends DeviceKeys {
  readonly name: string;
  readonly grants: Grants;
}

/** A device with its keys as text (base64url), null where they could not be read. */
export interface DeviceText {
  readonly record: DeviceRecord;
  readonly keys: string | null;
}

export interface DeviceChange {
  readonly kind: 'added' | 'changed' | 'revoked' | 'seen';
  readonly device: RemoteDevice;
}

export interface DeviceStore {
  /** In the order of their pairing. */
  list(): readonly RemoteDevice[];
  get(deviceId: string): RemoteDevice | null;
  /** The device with this key; null for a stranger or one that was revoked. */
  find(publicKey: Uint8Array): RemoteDevice | null;
  /** Those whose keys are open, with them. */
  paired(): readonly PairedDevice[];
  /** One of them. */
  getPaired(deviceId: string): PairedDevice | null;
  /** Opens the keys that are not open yet; false where some cannot be read now (the keyring is locked, or another computer's). */
  openKeys(): Promise<boolean>;
  /** Durable when it resolves. Rejects with `conflict` when there are too many; a device that was paired before takes the new keys. */
  add(device: NewDevice): Promise<RemoteDevice>;
  /** Durable when it resolves; in force at once. Rejects with `not-found`. */
  change(deviceId: string, change: { readonly name?: string; readonly grants?: Grants }): Promise<RemoteDevice>;
  /** Out at once; listeners hear of it when that is durable, or failed to be. Rejects with `not-found`. */
  revoke(deviceId: string): Promise<void>;
  /** Whether the stamp is above every earlier one; durable before a true answer. */
  acceptStamp(deviceId: string, stampMs: number): Promise<boolean>;
  /** It says which relays it keeps, and is about to be told those of now. Durable when it resolves; nothing is written where nothing changes. */
  toldRelays(deviceId: string, says: readonly string[]): Promise<void>;
  /** Those that may know this home by relays it left. */
  untold(): readonly RemoteDevice[];
  /** Notes when it was last here; written with the next change. */
  seen(deviceId: string, atMs: EpochMs): void;
  /** All of them with their keys, as a set-up takes them along. */
  texts(): Promise<readonly DeviceText[]>;
  /** Puts these in the place of all: an imported set-up, or what was before it. Durable when it resolves. */
  replaceAll(devices: readonly DeviceText[]): Promise<void>;
  onChange(listener: (change: DeviceChange) => void): () => void;
}

export interface DeviceStoreParts {
  readonly file: RemoteFile;
  readonly secrets: Secrets;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
}

export function openDeviceStore(parts: DeviceStoreParts): DeviceStore {
  return new FileDevices(parts);
}

/** Under which name a device's keys are sealed. */
function secretName(deviceId: string): string {
  return `away.device.${deviceId}`;
}

class FileDevices implements DeviceStore {
  readonly #parts: DeviceStoreParts;
  readonly #changes = new Emitter<DeviceChange>();
  /** Opened keys: the ring tokens are derived of them again and again. */
  readonly #keys = new Map<string, DeviceKeys>();

  constructor(parts: DeviceStoreParts) {
    this.#parts = parts;
  }

  list(): readonly RemoteDevice[] {
    return this.#records.map(toDevice);
  }

  get(deviceId: string): RemoteDevice | null {
    const record = this.#record(deviceId);
    return record === undefined ? null : toDevice(record);
  }

  find(publicKey: Uint8Array): RemoteDevice | null {
    const hex = toHex(publicKey);
    const record = this.#records.find((one) => one.publicKeyHex === hex);
    return record === undefined ? null : toDevice(record);
  }

  paired(): readonly PairedDevice[] {
    return this.#records.flatMap(({ id }) => this.getPaired(id) ?? []);
  }

  getPaired(deviceId: string): PairedDevice | null {
    const record = this.#record(deviceId);
    const keys = this.#keys.get(deviceId);
    return record === undefined || keys === undefined ? null : { ...toDevice(record), ...keys };
  }

  async openKeys(): Promise<boolean> {
    for (const { id, publicKeyHex } of this.#records) {
      if (this.#keys.has(id)) continue;
      const keys = readKeys(publicKeyHex, await this.#parts.secrets.get(secretName(id)).catch(() => null));
      // It may be revoked by now.
      if (keys !== null && this.#record(id)?.publicKeyHex === publicKeyHex) this.#keys.set(id, keys);
    }
    return this.#records.every(({ id }) => this.#keys.has(id));
  }

  async add({ name, grants, publicKey, psk, ringSeed }: NewDevice): Promise<RemoteDevice> {
    for (const key of [publicKey, psk, ringSeed]) if (key.length !== KEY_BYTES) throw new RangeError(`keys have ${KEY_BYTES} bytes`);
    const id = await deviceIdOf(this.#parts.suite, publicKey);
    const before = this.#record(id);
    this.#assertRoom(id);
    // First the keys: a device without them would be on the list and could never come.
    await this.#parts.secrets.set(secretName(id), keysText(psk, ringSeed));
    this.#assertRoom(id);
    this.#keys.set(id, { publicKey: publicKey.slice(), psk: psk.slice(), ringSeed: ringSeed.slice() });
    const record: DeviceRecord = { id, name, pairedMs: this.#parts.clock.nowMs(), lastSeenMs: before?.lastSeenMs ?? null, grants, publicKeyHex: toHex(publicKey), stampMs: before?.stampMs ?? 0, reach: this.#reachNow() };
    await this.#parts.file.change({ devices: [...this.#records.filter((one) => one.id !== id), record] });
    this.#changes.emit({ kind: 'added', device: toDevice(record) });
    return toDevice(record);
  }

  async change(deviceId: string, { name, grants }: { readonly name?: string; readonly grants?: Grants }): Promise<RemoteDevice> {
    const before = this.#need(deviceId);
    const record: DeviceRecord = { ...before, name: name ?? before.name, grants: grants ?? before.grants };
    try {
      await this.#replace(record);
    } finally {
      // Also where it could not be written: what is in force changed.
      this.#changes.emit({ kind: 'changed', device: toDevice(record) });
    }
    return toDevice(record);
  }

  async revoke(deviceId: string): Promise<void> {
    const record = this.#need(deviceId);
    this.#keys.delete(deviceId);
    try {
      await this.#parts.file.change({ devices: this.#records.filter((one) => one.id !== deviceId) });
    } finally {
      this.#changes.emit({ kind: 'revoked', device: toDevice(record) });
    }
    await this.#parts.secrets.delete(secretName(deviceId));
  }

  async acceptStamp(deviceId: string, stampMs: number): Promise<boolean> {
    const record = this.#record(deviceId);
    if (record === undefined || !Number.isSafeInteger(stampMs) || stampMs <= record.stampMs) return false;
    await this.#replace({ ...record, stampMs, lastSeenMs: this.#parts.clock.nowMs() });
    return this.#record(deviceId) !== undefined;
  }

  async toldRelays(deviceId: string, says: readonly string[]): Promise<void> {
    const record = this.#need(deviceId);
    const reach = knownAfterTelling(record.reach, says, this.#parts.file.content.relays);
    if (JSON.stringify(reach) === JSON.stringify(record.reach)) return;
    try {
      await this.#replace({ ...record, reach });
    } finally {
      this.#changes.emit({ kind: 'changed', device: toDevice(record) });
    }
  }

  untold(): readonly RemoteDevice[] {
    const { clock, file } = this.#parts;
    return this.#records.filter(({ reach }) => isUntold(reach, file.content.relays, clock.nowMs())).map(toDevice);
  }

  seen(deviceId: string, atMs: EpochMs): void {
    const record = this.#record(deviceId);
    if (record === undefined || atMs <= (record.lastSeenMs ?? 0)) return;
    const now = { ...record, lastSeenMs: atMs };
    this.#parts.file.note({ devices: this.#records.map((one) => (one.id === deviceId ? now : one)) });
    this.#changes.emit({ kind: 'seen', device: toDevice(now) });
  }

  async texts(): Promise<readonly DeviceText[]> {
    const { secrets } = this.#parts;
    return await Promise.all(this.#records.map(async (record) => ({ record, keys: await secrets.get(secretName(record.id)).catch(() => null) })));
  }

  async replaceAll(devices: readonly DeviceText[]): Promise<void> {
    const { file, secrets } = this.#parts;
    const before = this.#records;
    for (const { record, keys } of devices) if (keys !== null) await secrets.set(secretName(record.id), keys);
    this.#keys.clear();
    await file.change({ devices: devices.map(({ record }) => record) });
    for (const { id } of before) if (!devices.some(({ record }) => record.id === id)) await secrets.delete(secretName(id));
  }

  onChange(listener: (change: DeviceChange) => void): () => void {
    return this.#changes.on(listener);
  }

  get #records(): readonly DeviceRecord[] {
    return this.#parts.file.content.devices;
  }

  /** An offer to pair is withdrawn where the list changes: who pairs knows the list of now. */
  #reachNow(): DeviceRecord['reach'] {
    const { relays } = this.#parts.file.content;
    return relays.length === 0 ? [] : [{ relays, leftMs: null }];
  }

  #record(deviceId: string): DeviceRecord | undefined {
    return this.#records.find((one) => one.id === deviceId);
  }

  #need(deviceId: string): DeviceRecord {
    const record = this.#record(deviceId);
    if (record === undefined) throw new PorchlightError('not-found', 'This device is not paired any more.');
    return record;
  }

  #assertRoom(deviceId: string): void {
    if (this.#records.filter((one) => one.id !== deviceId).length >= MAX_DEVICES) throw new PorchlightError('conflict', `${MAX_DEVICES} devices are paired already. Take one off the list first.`);
  }

  async #replace(record: DeviceRecord): Promise<void> {
    await this.#parts.file.change({ devices: this.#records.map((one) => (one.id === record.id ? record : one)) });
  }
}

function toDevice({ id, name, pairedMs, lastSeenMs, grants }: DeviceRecord): RemoteDevice {
  return { id, name, pairedMs, lastSeenMs, grants };
}

/** How psk and ring seed are kept, and travel in a set-up. */
export function keysText(psk: Uint8Array, ringSeed: Uint8Array): string {
  return JSON.stringify({ psk: toBase64url(psk), ringSeed: toBase64url(ringSeed) });
}

/** The keys of a device, of the text they are kept as; null where it is none. */
export function readKeys(publicKeyHex: string, text: string | null): DeviceKeys | null {
  const publicKey = fromHex(publicKeyHex);
  if (text === null || publicKey === null) return null;
  try {
    const value = JSON.parse(text) as { readonly psk?: unknown; readonly ringSeed?: unknown };
    const psk = keyOf(value.psk);
    const ringSeed = keyOf(value.ringSeed);
    return psk === null || ringSeed === null ? null : { publicKey, psk, ringSeed };
  } catch {
    return null;
  }
}

/** 32 bytes of base64url; null otherwise. */
export function keyOf(text: unknown): Bytes | null {
  const bytes = typeof text === 'string' ? fromBase64url(text) : null;
  return bytes?.length === KEY_BYTES ? bytes : null;
}
