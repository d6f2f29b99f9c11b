/**
 * Everything a window, a browser or a remote viewer can ask of an engine, in one typed map
 * (docs/design/contract.md). Inputs are parsed by the receiving side with the schema given here.
 */
import { z } from 'zod';
import type { Camera, CameraStatus, StreamKind } from '../model/camera.ts';
import type { CheckState } from '../model/check.ts';
import type { CameraCoverage } from '../model/coverage.ts';
import type { DiscoveryState, ProbedCamera } from '../model/discovery.ts';
import type { DoorsState } from '../model/doors.ts';
import type { CameraElsewhere } from '../model/elsewhere.ts';
import type { CameraId } from '../model/ids.ts';
import type { PlacementState } from '../model/placement.ts';
import type { ReceivedBytes } from '../model/recording-mode.ts';
import type { PairingOffer, Proof, Reach, RelayCapture, RemoteHome, RemoteState, Right, ViewLog } from '../model/remote.ts';
import type { Settings } from '../model/settings.ts';
import type { SetupImport } from '../model/setup.ts';
import type { FootageLock, LockWithFootage } from '../model/locks.ts';
import type { StorageSummary } from '../model/storage.ts';
import type { StorageRules, WhatIf } from '../model/storage-rules.ts';
import type { CameraEvent, Timeline } from '../model/timeline.ts';
import type { EpochMs, TimeRange } from '../time.ts';
import { doorPasswordSchema, setOpenSchema } from './door-schemas.ts';
import { recordNowSchema, setRecordingSchema } from './recording-schemas.ts';
import { addHomeSchema, allowPairingSchema, beginPairingSchema, deviceIdSchema, homeIdSchema, homeLogHeadSchema, proveSchema, reachSchema, setGrantsSchema, setHomeEvenRateSchema, setHomeRelaysSchema, setRelaysSchema, viewLogSchema } from './remote-schemas.ts';
import { addressSchema, cameraIdSchema, epochMsSchema, nameSchema, nothing, passwordSchema, rangeSchema, rootIdSchema, setupBytesSchema, setupPasswordSchema, streamKindSchema, usernameSchema } from './schemas.ts';
import { addLockSchema, lockIdSchema, setPlacementSchema, setRulesSchema, whatIfSchema } from './storage-schemas.ts';

/** One entry of the map: the schema of its input and, as a type only, its output. */
export interface Operation<Schema extends z.ZodType, Output> {
  readonly input: Schema;
  /** Never set; carries the output's type. */
  readonly output?: Output;
}

function operation<Output>() {
  return <Schema extends z.ZodType>(input: Schema): Operation<Schema, Output> => ({ input });
}

/** Added to an output whose pictures or columns travel as the message's binary part. */
export interface WithBytes {
  readonly bytes: Uint8Array;
}

export interface AppInfo {
  readonly version: string;
  readonly mode: 'app' | 'serve';
  readonly demo: boolean;
  readonly nowMs: EpochMs;
  readonly timeZone: string;
  readonly platform: string;
  readonly dataDir: string;
  readonly ffmpeg: { readonly path: string; readonly version: string; readonly source: 'setting' | 'packaged' | 'path' } | null;
  /** Where camera passwords lie: the system's keyring, or an owner-only file. */
  readonly secrets: 'keyring' | 'owner-only-file';
  /** SHA-256 of the certificate that serve mode shows beyond this computer; absent without TLS. */
  readonly certificateFingerprint?: string;
  /** Sentences about what is wrong with the whole program (ffmpeg missing, database being rebuilt); empty when all is well. */
  readonly warnings: readonly { readonly kind: string; readonly sentence: string }[];
}

export interface CameraWithStatus {
  readonly camera: Camera;
  readonly status: CameraStatus;
  /** What a device that looks in from away may do with it; absent: everything. Times of footage need `playback` or `previews`. */
  readonly rights?: readonly Right[];
}

/** One preview inside a reply's bytes. */
export interface PreviewItem {
  readonly atMs: EpochMs;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** Where a camera to be probed or added is: one that was found, or an address that was typed. */
const targetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('found'), key: z.string().max(512) }),
  z.object({ kind: z.literal('address'), address: addressSchema }),
]);
export type CameraTarget = z.infer<typeof targetSchema>;

const credentialsSchema = z.object({ username: usernameSchema, password: passwordSchema });
export type Credentials = z.infer<typeof credentialsSchema>;

const settingsPatch = z
  .object({
    homeName: nameSchema,
    theme: z.enum(['system', 'dark', 'light']),
    startAtLogin: z.boolean(),
    keepAwake: z.boolean(),
    ffmpegPath: z.string().max(4096).nullable(),
    searchInterfaces: z.array(z.string().max(64)).max(64),
  })
  .partial()
  .strict();

const timelineQuery = z.object({ cameraIds: z.array(cameraIdSchema).max(64), ...rangeSchema, maxItems: z.number().int().min(16).max(8192).default(2048) });

const QUERIES = {
  'app.info': operation<AppInfo>()(nothing),
  'cameras.list': operation<readonly CameraWithStatus[]>()(nothing),
  /** Cameras with footage here that are not on the list: removed ones, and those of a disk from another computer. */
  'cameras.elsewhere': operation<readonly CameraElsewhere[]>()(nothing),
  /** What came in from each camera on each stream since the engine began: nothing more while it is paused. */
  'cameras.received': operation<readonly ({ readonly cameraId: CameraId; readonly stream: StreamKind } & ReceivedBytes)[]>()(nothing),
  'discovery.state': operation<DiscoveryState>()(nothing),
  /** At most `maxItems` spans and gaps per camera; finer detail than the window's pixels is merged. */
  'timeline.get': operation<Timeline>()(timelineQuery),
  /** The same question; what is drawn comes as the columns of timeline-columns.ts, a month of 16 cameras in a tenth of the bytes and of the time. */
  'timeline.drawn': operation<Omit<Timeline, 'cameras'> & { readonly cameraIds: readonly CameraId[] } & WithBytes>()(timelineQuery),
  /** The preview nearest to a moment, no farther than `toleranceMs`; `item` is null (and bytes empty) where there is none. */
  'previews.at': operation<{ readonly item: PreviewItem | null } & WithBytes>()(
    z.object({ cameraId: cameraIdSchema, atMs: epochMsSchema, toleranceMs: z.number().min(0).max(86_400_000).default(30_000) }),
  ),
  /** Up to `count` previews spread evenly over a range, oldest first: a contact sheet. */
  'previews.sheet': operation<{ readonly items: readonly PreviewItem[] } & WithBytes>()(
    z.object({ cameraId: cameraIdSchema, ...rangeSchema, count: z.number().int().min(1).max(240) }),
  ),
  /** The newest picture of a camera, live or not: for an offline tile, a camera list. */
  'previews.latest': operation<{ readonly item: PreviewItem | null } & WithBytes>()(z.object({ cameraId: cameraIdSchema })),
  /** At most `limit` events, the newest of the range, oldest first. One that goes on (a camera that is away) ends now, under the id it keeps. */
  'events.list': operation<readonly CameraEvent[]>()(
    z.object({ cameraIds: z.array(cameraIdSchema).max(64), ...rangeSchema, limit: z.number().int().min(1).max(1000).default(200) }),
  ),
  /** How much of each of the last `days` local days was recorded, and why the rest is missing. `timeZone`: IANA name, the engine's own where not given. */
  'coverage.days': operation<{ readonly timeZone: string; readonly nowMs: EpochMs; readonly cameras: readonly CameraCoverage[] }>()(
    z.object({ cameraIds: z.array(cameraIdSchema).min(1).max(64), days: z.number().int().min(1).max(62).default(7), untilMs: epochMsSchema.optional(), timeZone: z.string().max(64).optional() }),
  ),
  'storage.summary': operation<StorageSummary>()(nothing),
  'storage.rules': operation<StorageRules>()(nothing),
  /** What rules would delete at once, and how long footage would last, before anything is deleted. */
  'storage.whatIf': operation<WhatIf>()(whatIfSchema),
  /** How footage is placed on the disks, what is being moved, and which disks are not here. */
  'storage.placement': operation<PlacementState>()(nothing),
  /** Locks in force, those of the newest footage first. */
  'locks.list': operation<readonly LockWithFootage[]>()(nothing),
  /** The segment and frame that the index names for a moment: for tests, tools and the curious. */
  'footage.locate': operation<LocatedFrame | null>()(z.object({ cameraId: cameraIdSchema, stream: streamKindSchema, atMs: epochMsSchema })),
  'settings.get': operation<Settings>()(nothing),
  /** How far a check or rebuild is, what the last ones found, and what a repair would do. */
  'check.state': operation<CheckState>()(nothing),
  /** Whether other devices in the house can come in, where, and the certificate they are shown. */
  'doors.state': operation<DoorsState>()(nothing),
  /** Who may look in from away, who does, over which relays. */
  'remote.state': operation<RemoteState>()(nothing),
  /** Who watched what and when, and whether the log is whole. */
  'remote.log': operation<ViewLog>()(viewLogSchema),
  /** What the relay was given of late. */
  'remote.capture': operation<RelayCapture>()(nothing),
  /** All of it, message by message, as a file of pcapng; `conflict` while nothing is dialled. */
  'remote.captureFile': operation<{ readonly fileName: string } & WithBytes>()(nothing),
  /** The relays this home is reached over; every device that may look in may ask, and says which ones it keeps. */
  'remote.reach': operation<Reach>()(reachSchema),
  /** The homes this computer may look into. */
  'homes.list': operation<readonly RemoteHome[]>()(nothing),
  /** The keys to one of them, for the window that opens it; bytes are RemoteHomeKeys. */
  'homes.keys': operation<WithBytes>()(z.object({ homeId: homeIdSchema })),
} as const;

export interface LocatedFrame {
  readonly path: string;
  readonly segmentStartMs: EpochMs;
  readonly keyframeOffsetBytes: number;
  readonly keyframeMs: EpochMs;
}

export const COMMANDS = {
  'discovery.search': operation<null>()(nothing),
  /** Asks a camera who it is. At most two authenticated attempts per password (facts: lockouts). */
  'cameras.probe': operation<ProbedCamera>()(z.object({ target: targetSchema, credentials: credentialsSchema.nullable() })),
  /** A still from a camera that has not been added yet; bytes are a JPEG. */
  'cameras.snapshot': operation<WithBytes>()(z.object({ target: targetSchema, credentials: credentialsSchema.nullable() })),
  /**
   * Probes and adds; recording starts at once. A device with several video sources becomes a camera for each of `sourceTokens`,
   * all of them when none are given; the answer is the first.
   */
  'cameras.add': operation<Camera>()(z.object({ target: targetSchema, credentials: credentialsSchema.nullable(), name: nameSchema.nullable(), sourceTokens: z.array(z.string().max(256)).max(128).optional() })),
  'cameras.update': operation<Camera>()(
    z.object({ cameraId: cameraIdSchema, name: nameSchema.optional(), recorded: z.array(streamKindSchema).optional(), recordSound: z.boolean().optional() }),
  ),
  'cameras.setCredentials': operation<Camera>()(z.object({ cameraId: cameraIdSchema, credentials: credentialsSchema })),
  /** Tries again at once after a refusal; the only way out of `refused` besides new credentials. */
  'cameras.retry': operation<null>()(z.object({ cameraId: cameraIdSchema })),
  'cameras.pause': operation<Camera>()(z.object({ cameraId: cameraIdSchema, untilMs: epochMsSchema.nullable() })),
  'cameras.resume': operation<Camera>()(z.object({ cameraId: cameraIdSchema })),
  /** When it is recorded: always or around events, at all hours or some. No connection is closed by it. */
  'cameras.setRecording': operation<Camera>()(setRecordingSchema),
  /** Records this camera for so many seconds whatever its mode, or for so many more where that goes on already; an event says so. Refused with `conflict` while it is paused. */
  'recording.now': operation<{ readonly untilMs: EpochMs }>()(recordNowSchema),
  'cameras.reorder': operation<null>()(z.object({ cameraIds: z.array(cameraIdSchema).max(64) })),
  /** Stops recording and takes the camera off the list; its footage stays. Undone by `cameras.restore`. */
  'cameras.remove': operation<null>()(z.object({ cameraId: cameraIdSchema })),
  'cameras.restore': operation<Camera>()(z.object({ cameraId: cameraIdSchema })),
  /** Refused with `conflict` where more than a tenth of the archive would go at once and `confirmed` is not the token of a what-if that said so. */
  'storage.setRules': operation<StorageRules>()(setRulesSchema),
  /** How footage is placed from now on; with `order`, the disks in that order. What lies elsewhere moves bit by bit (tiers) or stays (spread). */
  'storage.setPlacement': operation<PlacementState>()(setPlacementSchema),
  /** Keeps a range of a camera whatever the rules say; on the disks when it is answered. The answer says where none of it is left. */
  'locks.add': operation<LockWithFootage>()(addLockSchema),
  'locks.remove': operation<null>()(lockIdSchema),
  /** Adds a folder for footage; it must be empty or a Porchlight disk. */
  'storage.addRoot': operation<StorageSummary>()(z.object({ path: z.string().min(1).max(4096) })),
  'storage.removeRoot': operation<StorageSummary>()(z.object({ rootId: rootIdSchema })),
  'settings.set': operation<Settings>()(settingsPatch),
  /** Begins to check the archive beside the recorder; nothing is changed. `conflict` while all files are being looked at already. */
  'check.run': operation<CheckState>()(nothing),
  /** Begins to do what the last check said a repair would, and checks again. */
  'check.repair': operation<CheckState>()(nothing),
  /** Breaks off a check or repair that was asked for. */
  'check.cancel': operation<CheckState>()(nothing),
  /** Cameras with their passwords, rules and settings as one sealed file (docs/design/config-export.md). */
  'config.export': operation<{ readonly fileName: string } & WithBytes>()(z.object({ password: setupPasswordSchema })),
  /** What such a file would change here; with `apply`, changes it, all or nothing. `bytes` travel as the message's binary part. */
  'config.import': operation<SetupImport>()(z.object({ password: passwordSchema, apply: z.boolean(), bytes: setupBytesSchema })),
  /** Opens or closes the way in for other devices in the house. `conflict` without a password, `not-allowed` in the app. */
  'doors.setOpen': operation<DoorsState>()(setOpenSchema),
  /** The password of other devices in the house; those that came in with the old one are signed out. */
  'doors.setPassword': operation<DoorsState>()(doorPasswordSchema),
  /** Which relays are used, and whether. `invalid-input` for an address that is none. */
  'remote.setRelays': operation<RemoteState>()(setRelaysSchema),
  /** Opens an offer for one device and five minutes, in place of any other. */
  'remote.beginPairing': operation<PairingOffer>()(beginPairingSchema),
  'remote.cancelPairing': operation<null>()(nothing),
  /** Lets the device in that shows these digits; `conflict` where another is waiting by now. Answered when the device has kept its keys. */
  'remote.allowPairing': operation<RemoteState>()(allowPairingSchema),
  'remote.refusePairing': operation<null>()(nothing),
  'remote.setGrants': operation<RemoteState>()(setGrantsSchema),
  /** Ends its sessions and takes its place off the relays; within a second. */
  'remote.revoke': operation<RemoteState>()(z.object({ deviceId: deviceIdSchema })),
  'remote.prove': operation<Proof>()(proveSchema),
  /** Keeps what a pairing left; bytes are RemoteHomeKeys. */
  'homes.add': operation<RemoteHome>()(addHomeSchema),
  'homes.rename': operation<RemoteHome>()(z.object({ homeId: homeIdSchema, name: nameSchema })),
  /** What that home said of the relays it is reached over now. `invalid-input` for an address that is none. */
  'homes.setRelays': operation<RemoteHome>()(setHomeRelaysSchema),
  /** Whether the line to it is filled up evenly, from the next session on. */
  'homes.setEvenRate': operation<RemoteHome>()(setHomeEvenRateSchema),
  'homes.remove': operation<null>()(z.object({ homeId: homeIdSchema })),
  /** A stamp for the next session, above every earlier one even when the clock was set back; kept before it is answered. */
  'homes.stamp': operation<{ readonly stampMs: EpochMs }>()(z.object({ homeId: homeIdSchema })),
  'homes.sawLog': operation<null>()(homeLogHeadSchema),
} as const;

/** Told to everybody who is connected, on change only. */
export interface EngineEvents {
  readonly 'app.changed': AppInfo;
  /** The whole list: cameras were added, removed, renamed, reordered. */
  readonly 'cameras.changed': readonly CameraWithStatus[];
  readonly 'camera.status': CameraStatus;
  readonly 'discovery.changed': DiscoveryState;
  /** Footage, gaps or events of these cameras changed in this range; ask again if it is in sight. */
  readonly 'timeline.changed': { readonly cameraIds: readonly CameraId[] } & TimeRange;
  readonly 'storage.changed': StorageSummary;
  readonly 'locks.changed': readonly FootageLock[];
  readonly 'settings.changed': Settings;
  readonly 'placement.changed': PlacementState;
  readonly 'check.changed': CheckState;
  readonly 'doors.changed': DoorsState;
  readonly 'remote.changed': RemoteState;
  readonly 'reach.changed': Reach;
  readonly 'homes.changed': readonly RemoteHome[];
}

export type QueryName = keyof typeof QUERIES;
export type CommandName = keyof typeof COMMANDS;
export type EventName = keyof EngineEvents;
export type OperationName = QueryName | CommandName;

export const OPERATIONS = { ...QUERIES, ...COMMANDS } as const;
type Operations = typeof OPERATIONS;

/** What a caller passes (defaults may be left out). */
export type InputOf<Name extends OperationName> = z.input<Operations[Name]['input']>;
/** What a handler receives, parsed. */
export type ParsedOf<Name extends OperationName> = z.output<Operations[Name]['input']>;
export type OutputOf<Name extends OperationName> = Operations[Name] extends Operation<z.ZodType, infer Output> ? Output : never;

/** One handler per operation: what the engine implements. */
export type EngineHandlers = { readonly [Name in OperationName]: (input: ParsedOf<Name>) => Promise<OutputOf<Name>> | OutputOf<Name> };

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}

export type { StreamKind };
