/** Watching from away: paired devices and what they may see, relays, pairing, and the homes this computer looks into (docs/design/relay.md). */
import type { EpochMs } from '../time.ts';
import type { CameraId } from './ids.ts';

/** What a device may do with a camera. `ptz` and `export` take effect where the interface offers them. */
export const RIGHTS = ['live', 'playback', 'previews', 'sound', 'ptz', 'export'] as const;
export type Right = (typeof RIGHTS)[number];

/** What a paired device may see; nothing else. */
export interface Grants {
  readonly cameras: readonly { readonly cameraId: CameraId; readonly rights: readonly Right[] }[];
  /** Null: until it is revoked. */
  readonly untilMs: EpochMs | null;
}

/** A paired remote device. Its id is the first 16 hex digits of SHA-256 of its key. */
export interface RemoteDevice {
  readonly id: string;
  readonly name: string;
  readonly pairedMs: EpochMs;
  readonly lastSeenMs: EpochMs | null;
  readonly grants: Grants;
}

/** `tls` and the like are in the sentence. */
export interface RelayStatus {
  readonly url: string;
  readonly phase: 'off' | 'connecting' | 'connected' | 'waiting';
  readonly sinceMs: EpochMs;
  /** Why it is not connected, for a person; null while it is, or off. */
  readonly sentence: string | null;
}

/** A session that is going on. */
export interface Watching {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly sinceMs: EpochMs;
  /** The cameras it has open at the moment. */
  readonly cameraIds: readonly CameraId[];
  readonly sentBytes: number;
}

export type PairingKind = 'code' | 'words';

/** An offer to pair that is open at home. */
export interface PairingOffer {
  readonly kind: PairingKind;
  /** What the QR holds, or the twelve words. Shown, never logged. */
  readonly text: string;
  readonly relays: readonly string[];
  readonly expiresMs: EpochMs;
  readonly triesLeft: number;
  /** The device that came, waiting for the owner; null until one does. */
  readonly candidate: { readonly name: string; readonly digits: string; readonly cameMs: EpochMs } | null;
  /** What a person must know: a second device came with the same code. */
  readonly warning: string | null;
}

/** Where a home is reached; what a paired device is told of it. */
export interface Reach {
  readonly relays: readonly string[];
}

/** Relays that were taken off the list and are waited at until then, because these devices were not told yet. */
export interface LeavingRelays {
  readonly relays: readonly string[];
  readonly untilMs: EpochMs;
  readonly deviceNames: readonly string[];
}

export interface RemoteState {
  /** Off until wanted: no relay is dialled. */
  readonly enabled: boolean;
  readonly relays: readonly RelayStatus[];
  readonly leaving: LeavingRelays | null;
  readonly devices: readonly RemoteDevice[];
  readonly watching: readonly Watching[];
  readonly offer: PairingOffer | null;
  /** How the last offer ended, for a person; null before the first. */
  readonly lastPairing: string | null;
}

export const VIEW_KINDS = ['session', 'live', 'playback', 'previews', 'timeline', 'refused', 'paired', 'grants', 'revoked'] as const;
export type ViewKind = (typeof VIEW_KINDS)[number];

/** One line of the log of views. */
export interface ViewLogEntry {
  readonly seq: number;
  readonly atMs: EpochMs;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly kind: ViewKind;
  readonly cameraIds: readonly CameraId[];
  /** The footage that was seen, where it is of a time. */
  readonly fromMs: EpochMs | null;
  readonly toMs: EpochMs | null;
  readonly bytes: number;
  readonly path: 'relay' | 'home';
  readonly note: string | null;
}

export interface ViewLog {
  /** Newest first. */
  readonly entries: readonly ViewLogEntry[];
  /** Whether every entry names the one before it; where not, the first that does not. */
  readonly chain: { readonly intact: boolean; readonly brokenAtSeq: number | null; readonly length: number };
}

/** One check of "prove it", with the control that shows the check can find something. */
export interface Proof {
  readonly check: 'search' | 'keys' | 'misroute';
  readonly passed: boolean;
  /** One sentence each. */
  readonly found: string;
  readonly control: string;
  /** What was counted: looked at, found, found by the control. */
  readonly looked: number;
  readonly hits: number;
  readonly controlHits: number;
}

/** What was handed to the relay's socket lately. */
export interface RelayCapture {
  readonly sinceMs: EpochMs;
  readonly messages: number;
  readonly bytes: number;
  /** Bits per byte of all of it; 8 is noise. */
  readonly entropyBits: number;
  /** The newest messages, as the relay sees them. */
  readonly newest: readonly { readonly atMs: EpochMs; readonly sizeBytes: number; readonly direction: 'out' | 'in'; readonly startHex: string }[];
  /** Every field the relay can read, with its value. */
  readonly readable: readonly { readonly name: string; readonly value: string }[];
}

/** Rates of a line that is filled up evenly while somebody looks in, in Mbit/s. */
export const EVEN_RATES_MBIT = [2, 4, 8] as const;
export type EvenRateMbit = (typeof EVEN_RATES_MBIT)[number];

/** A home this computer may look into. Its keys are asked for with `homes.keys`. */
export interface RemoteHome {
  readonly id: string;
  readonly name: string;
  readonly relays: readonly string[];
  readonly pairedMs: EpochMs;
  /** The log of views as this device last saw it: its length and head in hex. */
  readonly logHead: { readonly length: number; readonly headHex: string } | null;
  /** The line to it is filled up to this rate, so that what goes over it does not tell what is seen; absent: it is not. */
  readonly evenMbit?: EvenRateMbit;
}

/** What pairing leaves at the viewer; travels as the bytes of `homes.add` and `homes.keys`: JSON in UTF-8, every key base64url. */
export interface RemoteHomeKeys {
  readonly homePublicKey: string;
  readonly devicePrivateKey: string;
  readonly psk: string;
  readonly ringSeed: string;
  readonly routeSeed: string;
}
