/** Finds bare RTSP cameras again: the link-layer address stored when they were added, asked for on the same link, then the same path with the stored password as a digest. */
import { isIPv4 } from 'node:net';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera, StreamConfig } from '../../../shared/model/camera.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import { diagnose } from './diagnose.ts';
import type { Diagnosis } from './health.ts';
import type { Login } from './http-auth.ts';
import { whereIs, type Neighbour, type NeighbourTable } from './neighbours.ts';
import type { CameraNetwork } from './network.ts';
import type { Relocation } from './registry.ts';
import { describeStream, requireRecordable } from './rtsp-describe.ts';
import { atHost } from './rtsp-paths.ts';

export interface MacFinderParts {
  readonly network: CameraNetwork;
  readonly neighbours: NeighbourTable;
  readonly cameras: () => readonly Camera[];
  readonly login: (cameraId: CameraId) => Promise<Login | null>;
  readonly loginRefused?: (cameraId: CameraId) => boolean;
  readonly relocate: (cameraId: CameraId, to: Relocation) => Promise<unknown>;
  readonly onDiagnosis?: (cameraId: CameraId, diagnosis: Diagnosis | null) => void;
}

/** Looks once for these cameras: where they were, in what the system knows of its neighbours, and by asking the network then; how many have new addresses now. */
export async function findByMac(parts: MacFinderParts, missing: readonly Camera[], signal?: AbortSignal): Promise<number> {
  let known = await parts.neighbours.list();
  const lost: Camera[] = [];
  for (const camera of missing) {
    if (macWorthTrusting(camera, parts.cameras()) !== null && (isDisplaced(camera, known) || !(await answers(parts, camera)))) lost.push(camera);
  }
  if (lost.length === 0) return 0;
  if (lost.some((camera) => placeOf(camera, known, parts.cameras()) === null)) {
    await parts.neighbours.stir(signal);
    known = await parts.neighbours.list();
  }
  // All places before the first move: what moves changes what its neighbours' addresses mean.
  const places = lost.map((camera) => ({ camera, host: placeOf(camera, known, parts.cameras()) }));
  const done = new Set<CameraId>();
  for (const { camera, host } of places) {
    if (host === null || done.has(camera.id)) continue;
    const device = parts.cameras().filter((other) => other.origin === 'rtsp' && other.mac === camera.mac && hostOf(other) === hostOf(camera));
    if (!(await proven(parts, camera, host))) continue;
    // Channels of one recorder have one link-layer address; they move together, also one that is dark for now.
    for (const one of device) {
      await parts.relocate(one.id, { deviceUrl: null, streams: streamsAt(one, host) });
      parts.network.log.info(`${one.id} is at ${host} now`);
      done.add(one.id);
    }
  }
  return done.size;
}

/** Whether other hardware has a camera's address by now. Pure. */
export function isDisplaced(camera: Camera, known: readonly Neighbour[]): boolean {
  const there = known.find((one) => one.host === hostOf(camera))?.mac;
  return there !== undefined && (camera.mac ?? null) !== null && there !== camera.mac;
}

/** Whether something at a camera's address answers for its stream, even if with a refusal; what is wrong with it then is told. */
async function answers({ network, login: loginOf, loginRefused, onDiagnosis }: MacFinderParts, camera: Camera): Promise<boolean> {
  if (loginRefused?.(camera.id) === true) return true;
  const diagnosis = await diagnose(network, camera, await loginOf(camera.id));
  if (diagnosis === 'nobody') return false;
  onDiagnosis?.(camera.id, diagnosis);
  return true;
}

export interface MacLearnerParts {
  readonly neighbours: Pick<NeighbourTable, 'list'>;
  readonly cameras: () => readonly Camera[];
  /** Sends pictures right now, so that it is the camera that has its address. */
  readonly isLive: (cameraId: CameraId) => boolean;
  readonly noteMac: (cameraId: CameraId, mac: string) => Promise<unknown>;
}

/** Notes the link-layer addresses of bare RTSP cameras that were added without one; returns those whose address other hardware has. */
export async function learnMacs({ neighbours, cameras, isLive, noteMac }: MacLearnerParts): Promise<Camera[]> {
  const live = cameras().filter((camera) => camera.origin === 'rtsp' && hostOf(camera) !== '' && isLive(camera.id));
  if (live.length === 0) return [];
  const known = await neighbours.list();
  for (const camera of live) {
    const mac = known.find((one) => one.host === hostOf(camera))?.mac;
    // One that is known is not overwritten: other hardware at the address is another camera until the owner says otherwise.
    if (mac !== undefined && (camera.mac ?? null) === null) await noteMac(camera.id, mac);
  }
  return live.filter((camera) => isDisplaced(camera, known) && macWorthTrusting(camera, cameras()) !== null);
}

/** The address a camera is known by; null where cameras at several addresses share it (a router that answers for them), so that it tells none apart. Pure. */
export function macWorthTrusting(camera: Camera, configured: readonly Camera[]): string | null {
  const mac = camera.mac ?? null;
  if (mac === null) return null;
  return configured.some((other) => other.mac === mac && hostOf(other) !== hostOf(camera)) ? null : mac;
}

function placeOf(camera: Camera, known: readonly Neighbour[], configured: readonly Camera[]): string | null {
  const mac = macWorthTrusting(camera, configured);
  const host = mac === null ? null : whereIs(mac, hostOf(camera), known);
  // Where another camera of ours lives, this one cannot be; one with another link-layer address does not live there any more.
  return configured.some((other) => (other.mac ?? null) === null && hostOf(other) === host) ? null : host;
}

function streamsAt(camera: Camera, host: string): StreamConfig[] {
  return camera.streams.map((stream) => ({ ...stream, url: atHost(stream.url, host) }));
}

/** Whether the camera's stream is at `host`, from a device with its link-layer address. */
async function proven({ network, neighbours, login: loginOf }: MacFinderParts, camera: Camera, host: string): Promise<boolean> {
  try {
    const login = await loginOf(camera.id);
    const main = streamsAt(camera, host).find((stream) => stream.kind === 'main');
    if (main === undefined) return false;
    // Whoever answers learns a digest of the password at most, and no readable password is sent here.
    requireRecordable(await describeStream(network, { url: main.url, login, allowBasic: false }), host);
    if (!(await neighbours.list()).some((one) => one.host === host && one.mac === camera.mac)) throw new PorchlightError('not-a-camera', 'Another device has this address by now.');
    return true;
  } catch (error) {
    if (!(error instanceof PorchlightError)) throw error;
    network.log.info(`${camera.id} is not at ${host}: ${error.message}`);
    return false;
  }
}

/** The IPv4 address a camera's stream is at; empty for names and IPv6, which the table of neighbours does not hold. */
export function hostOf(camera: Pick<Camera, 'streams'>): string {
  const url = camera.streams[0]?.url ?? '';
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  return isIPv4(host) ? host : '';
}
