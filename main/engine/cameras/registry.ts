/** The configured cameras: the owner's list in <data>/config/cameras.json, their passwords apart from it, and every change of either. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { type Camera, recordingModeOf, type StreamConfig, type StreamKind } from '../../../shared/model/camera.ts';
import type { FoundCamera, ProbedCamera } from '../../../shared/model/discovery.ts';
import { cameraIdFrom, type CameraId } from '../../../shared/model/ids.ts';
import type { RecordingMode } from '../../../shared/model/recording-mode.ts';
import { type EpochMs, SECOND_MS } from '../../../shared/time.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/emitter.ts';
import type { Logger } from '../core/logger.ts';
import { EMPTY_CAMERA_FILE, readCameraFile, writeCameraFile, type CameraFile } from './camera-file.ts';
import type { Login } from './http-auth.ts';
import { bareEndpoint, camerasOfDevice, serialIdentity } from './identity.ts';
import type { SecretStore } from './secret-store.ts';

/** How often it is looked at, at least, whether a pause is over. */
const LOOK_MS = 10 * SECOND_MS;

export interface RegistryParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** <data>/config. */
  readonly folder: string;
  readonly secrets: SecretStore;
}

export interface CameraPatch {
  readonly name?: string;
  readonly recorded?: readonly StreamKind[];
  readonly recordSound?: boolean;
}

/** Where a camera turned out to be now. */
export interface Relocation {
  readonly deviceUrl: string | null;
  readonly streams: readonly StreamConfig[];
}

export interface CameraRegistry {
  /** In the owner's order. */
  list(): readonly Camera[];
  /** Cameras that were taken off the list and can be restored. */
  removed(): readonly Camera[];
  /** @throws PorchlightError not-found. */
  get(cameraId: CameraId): Camera;
  /** User name and password; null for a camera without. */
  login(cameraId: CameraId): Promise<Login | null>;
  /** @throws PorchlightError conflict when it is on the list already. A camera that was removed comes back under its old id. */
  add(probed: ProbedCamera, login: Login | null, name: string | null): Promise<Camera>;
  update(cameraId: CameraId, patch: CameraPatch): Promise<Camera>;
  /** Every camera of the same device takes them: a recorder has one password. */
  setCredentials(cameraId: CameraId, login: Login): Promise<Camera>;
  relocate(cameraId: CameraId, to: Relocation): Promise<Camera>;
  /** Notes the link-layer address a bare RTSP camera was seen at. */
  noteMac(cameraId: CameraId, mac: string): Promise<Camera>;
  pause(cameraId: CameraId, untilMs: EpochMs | null): Promise<Camera>;
  resume(cameraId: CameraId): Promise<Camera>;
  /** When it is recorded; what is not named stays as it is. */
  setRecording(cameraId: CameraId, patch: Partial<RecordingMode>): Promise<Camera>;
  /** Cameras not named keep their order behind the named ones. */
  reorder(cameraIds: readonly CameraId[]): Promise<void>;
  remove(cameraId: CameraId): Promise<void>;
  restore(cameraId: CameraId): Promise<Camera>;
  /** Which configured camera a found one is, by what both say of themselves; null when none. `all`: what else was found. */
  configuredAs(found: FoundCamera, all?: readonly FoundCamera[]): CameraId | null;
  /** Puts the whole list in place, with the passwords given (null takes one away): an imported set-up, or the one before it. */
  replaceAll(list: Pick<CameraFile, 'cameras' | 'removed'>, passwords: ReadonlyMap<CameraId, string | null>): Promise<void>;
  onChange(listener: (cameras: readonly Camera[]) => void): () => void;
  /** Sentences about what was wrong with the stored list. */
  readonly warnings: readonly string[];
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** Reads the list; a damaged file gives way to its previous copy, with a warning, and is kept beside it. */
export async function openRegistry(parts: RegistryParts): Promise<CameraRegistry> {
  await mkdir(parts.folder, { recursive: true, mode: 0o700 });
  const file = path.join(parts.folder, 'cameras.json');
  const { content, warnings } = await load(file, parts);
  return new FileRegistry(parts, file, content, warnings);
}

async function load(file: string, { clock, log }: RegistryParts): Promise<{ readonly content: CameraFile; readonly warnings: readonly string[] }> {
  const text = await readIfThere(file);
  const current = text === null ? null : readCameraFile(text);
  if (current !== null) return { content: current, warnings: [] };
  const previousText = await readIfThere(`${file}.previous`);
  const previous = previousText === null ? null : readCameraFile(previousText);
  if (text === null && previous === null) return { content: EMPTY_CAMERA_FILE, warnings: [] };
  // Set aside before anything is written, or the next write would put the damage over the good copy.
  if (text !== null) await rename(file, `${file}.damaged-${clock.nowMs()}`);
  const warning =
    previous === null
      ? 'The list of cameras is damaged and there is no earlier copy. The damaged file was kept; add the cameras again, and their footage is back.'
      : 'The list of cameras was damaged; the copy before the last change is used. Check whether all cameras are there.';
  log.warn(warning);
  return { content: previous ?? EMPTY_CAMERA_FILE, warnings: [warning] };
}

class FileRegistry implements CameraRegistry {
  readonly warnings: readonly string[];
  readonly #parts: RegistryParts;
  readonly #file: string;
  readonly #changes = new Emitter<readonly Camera[]>();
  #content: CameraFile;
  #writing: Promise<void> = Promise.resolve();
  #cancelWake: () => void = () => undefined;

  constructor(parts: RegistryParts, file: string, content: CameraFile, warnings: readonly string[]) {
    this.#parts = parts;
    this.#file = file;
    this.#content = content;
    this.warnings = warnings;
    this.#endPausesInTime();
  }

  list(): readonly Camera[] {
    return this.#content.cameras;
  }

  removed(): readonly Camera[] {
    return this.#content.removed;
  }

  get(cameraId: CameraId): Camera {
    const camera = this.#content.cameras.find((one) => one.id === cameraId);
    if (camera === undefined) throw new PorchlightError('not-found', 'This camera is not on the list any more.');
    return camera;
  }

  async login(cameraId: CameraId): Promise<Login | null> {
    const { username } = this.get(cameraId);
    const password = await this.#parts.secrets.get(secretName(cameraId));
    return username === null || password === null ? null : { username, password };
  }

  async add(probed: ProbedCamera, login: Login | null, name: string | null): Promise<Camera> {
    if (this.#content.cameras.some((camera) => isProbed(camera, probed))) throw new PorchlightError('conflict', 'This camera is on the list already.');
    const back = this.#content.removed.find((camera) => isProbed(camera, probed));
    const camera: Camera = {
      id: back?.id ?? cameraIdFrom(randomBytes(12)),
      name: name ?? back?.name ?? this.#freeName(probed.suggestedName),
      device: probed.device,
      origin: probed.origin,
      identity: probed.identity,
      deviceUrl: probed.deviceUrl,
      sourceToken: probed.sourceToken ?? null,
      mac: probed.mac ?? null,
      username: login?.username ?? null,
      streams: probed.streams,
      recorded: back?.recorded ?? ['main'],
      recordSound: back?.recordSound ?? true,
      paused: null,
      addedMs: back?.addedMs ?? this.#parts.clock.nowMs(),
      ...(back?.recording === undefined ? {} : { recording: back.recording }),
    };
    if (login === null) await this.#parts.secrets.delete(secretName(camera.id));
    else await this.#parts.secrets.set(secretName(camera.id), login.password);
    await this.#commit({ cameras: [...this.#content.cameras, camera], removed: this.#content.removed.filter((one) => one.id !== camera.id) });
    return camera;
  }

  async update(cameraId: CameraId, patch: CameraPatch): Promise<Camera> {
    const recorded = patch.recorded === undefined ? {} : { recorded: [...new Set<StreamKind>(['main', ...patch.recorded])] };
    return await this.#change(cameraId, { ...(patch.name === undefined ? {} : { name: patch.name }), ...(patch.recordSound === undefined ? {} : { recordSound: patch.recordSound }), ...recorded });
  }

  async setCredentials(cameraId: CameraId, login: Login): Promise<Camera> {
    const same = new Set(camerasOfDevice(this.get(cameraId), this.#content.cameras).map((camera) => camera.id));
    for (const id of same) await this.#parts.secrets.set(secretName(id), login.password);
    await this.#commit({ cameras: this.#content.cameras.map((one) => (same.has(one.id) ? { ...one, username: login.username } : one)), removed: this.#content.removed });
    return this.get(cameraId);
  }

  async relocate(cameraId: CameraId, to: Relocation): Promise<Camera> {
    return await this.#change(cameraId, { deviceUrl: to.deviceUrl, streams: to.streams });
  }

  async noteMac(cameraId: CameraId, mac: string): Promise<Camera> {
    return await this.#change(cameraId, { mac });
  }

  async pause(cameraId: CameraId, untilMs: EpochMs | null): Promise<Camera> {
    const since = this.get(cameraId).paused?.sinceMs ?? this.#parts.clock.nowMs();
    return await this.#change(cameraId, { paused: { sinceMs: since, untilMs } });
  }

  async resume(cameraId: CameraId): Promise<Camera> {
    return await this.#change(cameraId, { paused: null });
  }

  async setRecording(cameraId: CameraId, patch: Partial<RecordingMode>): Promise<Camera> {
    return await this.#change(cameraId, { recording: { ...recordingModeOf(this.get(cameraId)), ...patch } });
  }

  async reorder(cameraIds: readonly CameraId[]): Promise<void> {
    const place = (camera: Camera): number => (cameraIds.includes(camera.id) ? cameraIds.indexOf(camera.id) : cameraIds.length);
    await this.#commit({ cameras: [...this.#content.cameras].sort((a, b) => place(a) - place(b)), removed: this.#content.removed });
  }

  async remove(cameraId: CameraId): Promise<void> {
    const camera = this.get(cameraId);
    const { cameras, removed } = this.#content;
    await this.#commit({ cameras: cameras.filter((one) => one.id !== cameraId), removed: [...removed.filter((one) => one.id !== cameraId), camera] });
  }

  async restore(cameraId: CameraId): Promise<Camera> {
    const camera = this.#content.removed.find((one) => one.id === cameraId);
    if (camera === undefined) throw new PorchlightError('not-found', 'There is no removed camera of this kind.');
    await this.#commit({ cameras: [...this.#content.cameras, camera], removed: this.#content.removed.filter((one) => one.id !== cameraId) });
    return camera;
  }

  configuredAs(found: FoundCamera, all: readonly FoundCamera[] = []): CameraId | null {
    const same = this.#content.cameras.filter((camera) => camera.identity !== null && found.identity !== '' && bareEndpoint(camera.identity) === found.identity);
    const byHost = (camera: Camera): boolean => hostOf(camera.deviceUrl ?? camera.streams[0]?.url ?? '') === found.host;
    // The endpoint reference decides; the address only where the camera never told one.
    const byAddress = this.#content.cameras.find((camera) => byHost(camera) && (camera.identity === null || camera.identity.startsWith('serial:')) && camera.deviceUrl !== null && found.deviceUrls.some((url) => originOf(url) === originOf(camera.deviceUrl ?? '')));
    // One that answers where it always was has not moved here: another device with its endpoint.
    const moved = same.find((camera) => !all.some((other) => other.identity === found.identity && other.host === hostOf(camera.deviceUrl ?? '')));
    return (same.find(byHost) ?? moved ?? byAddress)?.id ?? null;
  }

  async replaceAll(list: Pick<CameraFile, 'cameras' | 'removed'>, passwords: ReadonlyMap<CameraId, string | null>): Promise<void> {
    for (const [cameraId, password] of passwords) {
      if (password === null) await this.#parts.secrets.delete(secretName(cameraId));
      else await this.#parts.secrets.set(secretName(cameraId), password);
    }
    await this.#commit({ cameras: list.cameras, removed: list.removed });
  }

  onChange(listener: (cameras: readonly Camera[]) => void): () => void {
    return this.#changes.on(listener);
  }

  async close(): Promise<void> {
    this.#cancelWake();
    await this.#writing;
  }

  async #change(cameraId: CameraId, fields: Partial<Camera>): Promise<Camera> {
    const camera: Camera = { ...this.get(cameraId), ...fields };
    await this.#commit({ cameras: this.#content.cameras.map((one) => (one.id === cameraId ? camera : one)), removed: this.#content.removed });
    return camera;
  }

  async #commit(next: Pick<CameraFile, 'cameras' | 'removed'>): Promise<void> {
    const before = this.#content;
    const content: CameraFile = { format: 1, ...next };
    this.#content = content;
    const write = (): Promise<void> => replaceFile(this.#file, writeCameraFile(content));
    this.#writing = this.#writing.then(write, write);
    try {
      await this.#writing;
    } catch (error) {
      // What is not on disk must not look as if it were.
      if (this.#content === content) this.#content = before;
      throw new PorchlightError('disk-failing', 'The list of cameras could not be written. Check the disk of the data folder.', error);
    }
    this.#endPausesInTime();
    this.#changes.emit(this.#content.cameras);
  }

  /** Wakes at the next end of a pause; LOOK_MS at most, because timers stand still while the computer sleeps, and the wall clock may be set. */
  #endPausesInTime(): void {
    this.#cancelWake();
    const nowMs = this.#parts.clock.nowMs();
    const ends = this.#content.cameras.flatMap((camera) => (camera.paused?.untilMs === undefined || camera.paused.untilMs === null ? [] : [camera.paused.untilMs]));
    if (ends.length === 0) return;
    this.#cancelWake = this.#parts.clock.after(Math.min(LOOK_MS, Math.max(0, Math.min(...ends) - nowMs)), () => {
      const over = (camera: Camera): boolean => camera.paused !== null && camera.paused.untilMs !== null && camera.paused.untilMs <= this.#parts.clock.nowMs();
      if (!this.#content.cameras.some(over)) {
        this.#endPausesInTime();
        return;
      }
      this.#commit({ cameras: this.#content.cameras.map((camera) => (over(camera) ? { ...camera, paused: null } : camera)), removed: this.#content.removed }).catch((error: unknown) => this.#parts.log.error('a pause could not be ended', error));
    });
  }

  #freeName(wanted: string): string {
    const taken = new Set(this.#content.cameras.map((camera) => camera.name));
    for (let number = 2; ; number += 1) {
      const name = number === 2 && !taken.has(wanted) ? wanted : `${wanted} ${number}`;
      if (!taken.has(name)) return name;
    }
  }
}

function secretName(cameraId: CameraId): string {
  return `camera:${cameraId}`;
}

/** The same lens of the same device, or for bare RTSP the same address. */
function isProbed(camera: Camera, probed: ProbedCamera): boolean {
  return isProbedDevice(camera, probed) && isProbedLens(camera, probed);
}

function isProbedLens(camera: Camera, probed: ProbedCamera): boolean {
  const [ours, theirs] = [camera.sourceToken ?? null, probed.sourceToken ?? null];
  // Where only one of them knows its source, the profile of its main stream tells which it is.
  return ours === theirs || ((ours === null || theirs === null) && camera.streams[0]?.profileToken === probed.streams[0]?.profileToken);
}

function isProbedDevice(camera: Camera, probed: ProbedCamera): boolean {
  const samePlace = camera.deviceUrl !== null && camera.deviceUrl === probed.deviceUrl;
  const sameSerial = camera.device.serial === probed.device.serial;
  if (camera.identity !== null && probed.identity !== null) {
    // Found by its endpoint and typed by its address, or the other way round.
    if (isBySerial(camera.identity) !== isBySerial(probed.identity)) return samePlace && sameSerial;
    if (bareEndpoint(camera.identity) !== bareEndpoint(probed.identity)) return false;
    // Makers give one serial, or one endpoint, to all cameras of a model (Tapo C200): two network cards are two cameras, unless both agree.
    const [ours, theirs] = [camera.mac ?? null, probed.mac ?? null];
    const bothAgree = !isBySerial(camera.identity) && sameSerial && serialIdentity(camera.device) !== null;
    if (!samePlace && !bothAgree && ours !== null && theirs !== null && ours !== theirs) return false;
    return sameSerial || samePlace;
  }
  if (samePlace) return true;
  return camera.streams[0]?.url === probed.streams[0]?.url;
}

function isBySerial(identity: string): boolean {
  return identity.startsWith('serial:');
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : '';
}
