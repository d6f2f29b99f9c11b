/**
 * <data>/config/remote.json: relays, paired devices with their grants, and how far the log of views goes. It holds no secret:
 * the keys of home and devices lie among the sealed ones. It is no part of the index, so grants outlive a lost database (I5).
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { grantsSchema } from '../../../../shared/contract/remote-schemas.ts';
import type { RemoteDevice } from '../../../../shared/model/remote.ts';
import type { EpochMs } from '../../../../shared/time.ts';
import type { Logger } from '../../core/logger.ts';
import { JsonFile } from './json-file.ts';
import { type KnownRelays, readReach } from './reach.ts';

/** Keys and seeds, sealed by whatever the system has for that (settings/sealed-secrets.ts, cameras/secret-store.ts). */
export interface Secrets {
  /** Null where there is none. Rejects where the keyring does not give it back. */
  get(name: string): Promise<string | null>;
  set(name: string, secret: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** A paired device as the file holds it. */
export interface DeviceRecord extends RemoteDevice {
  /** X25519, 32 bytes in hex. */
  readonly publicKeyHex: string;
  /** Highest stamp of a session that was accepted; the next must be above it. */
  readonly stampMs: EpochMs;
  /** The lists of relays it may know this home by; none: not known which. */
  readonly reach: readonly KnownRelays[];
}

/** A place in the log of views: the line's number and SHA-256, 64 hex digits. */
export interface LogMark {
  readonly seq: number;
  readonly hashHex: string;
}

export interface RemoteContent {
  readonly format: 1;
  readonly enabled: boolean;
  readonly relays: readonly string[];
  /** Of the key in the sealed secrets: a lost one is known to be lost, and not replaced in silence. */
  readonly homeKeyHex: string | null;
  readonly devices: readonly DeviceRecord[];
  /** Where the log begins, and its last line that was confirmed. */
  readonly logStart: LogMark | null;
  readonly logHead: LogMark | null;
}

export type RemoteFile = JsonFile<RemoteContent>;

const EMPTY: RemoteContent = { format: 1, enabled: false, relays: [], homeKeyHex: null, devices: [], logStart: null, logHead: null };

export async function openRemoteFile(configDir: string, log: Logger): Promise<RemoteFile> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  return await JsonFile.open(path.join(configDir, 'remote.json'), readRemote, EMPTY, log);
}

/** The file's content, each part for itself: one bad device costs one device. Null for what is no such file. */
export function readRemote(value: unknown): RemoteContent | null {
  if (!isRecord(value) || value['format'] !== 1) return null;
  const { enabled, relays, homeKeyHex, devices, logStart, logHead } = value;
  return {
    format: 1,
    enabled: enabled === true,
    relays: Array.isArray(relays) ? relays.filter((one): one is string => typeof one === 'string') : [],
    homeKeyHex: isKeyHex(homeKeyHex) ? homeKeyHex : null,
    devices: Array.isArray(devices) ? devices.flatMap((one) => readDevice(one) ?? []) : [],
    logStart: readMark(logStart),
    logHead: readMark(logHead),
  };
}

/** Null where it is none; what is not known of it is left out. */
export function readDevice(value: unknown): DeviceRecord | null {
  if (!isRecord(value)) return null;
  const { id, name, pairedMs, lastSeenMs, publicKeyHex, stampMs } = value;
  const grants = grantsSchema.safeParse(value['grants']);
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id) || typeof name !== 'string' || typeof pairedMs !== 'number' || !isKeyHex(publicKeyHex) || !grants.success) return null;
  return { id, name, pairedMs, lastSeenMs: typeof lastSeenMs === 'number' ? lastSeenMs : null, grants: grants.data, publicKeyHex, stampMs: typeof stampMs === 'number' && stampMs >= 0 ? stampMs : 0, reach: readReach(value['reach']) };
}

export function readMark(value: unknown): LogMark | null {
  if (!isRecord(value)) return null;
  const { seq, hashHex } = value;
  return Number.isSafeInteger(seq) && typeof seq === 'number' && seq >= 0 && isKeyHex(hashHex) ? { seq, hashHex } : null;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** 32 bytes as lower-case hex. */
export function isKeyHex(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
