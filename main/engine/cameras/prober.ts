/** Asks whatever was found or typed who it is and what it sends: the one way a camera gets from an address to a configuration. */
import { PorchlightError } from '../../../shared/errors.ts';
import { type DurationMs, MINUTE_MS } from '../../../shared/time.ts';
import type { Camera, StreamConfig } from '../../../shared/model/camera.ts';
import type { FoundCamera, ProbedCamera } from '../../../shared/model/discovery.ts';
import { parseAddress, type AddressTarget } from './address.ts';
import { type AskHost, findEndpoints, nothingFound } from './endpoints.ts';
import type { Login } from './http-auth.ts';
import type { NeighbourTable } from './neighbours.ts';
import type { CameraNetwork } from './network.ts';
import { OnvifDevice } from './onvif-device.ts';
import { probeOnvif, type OnvifFindings } from './onvif-probe.ts';
import { describeStream, requireRecordable, type RecordableStream } from './rtsp-describe.ts';
import { KNOWN_PATHS, subAddressOf, withPath } from './rtsp-paths.ts';
import { fetchSnapshot } from './snapshot.ts';

/** A camera that was found, or an address as it was typed. */
export type ProbeTarget = { readonly kind: 'found'; readonly found: FoundCamera } | { readonly kind: 'address'; readonly address: string };

export interface FrameSource {
  /** Without user information. */
  readonly url: string;
  readonly login: Login | null;
  readonly transport: StreamConfig['transport'];
}

export interface ProberParts {
  readonly network: CameraNetwork;
  /** One frame of an RTSP stream as JPEG, made by ffmpeg. */
  readonly grabFrame: (source: FrameSource) => Promise<Uint8Array>;
  /** Asks a host over WS-Discovery where its device service is; without it, only the usual ports are tried. */
  readonly askHost?: AskHost;
  /** Where a camera's link-layer address is read; without it, one of bare RTSP is not found again at a new address. */
  readonly neighbours?: Pick<NeighbourTable, 'list'>;
}

export interface ProbeOutcome {
  readonly probed: ProbedCamera;
  /** The login that was used, which may have been in the typed address. */
  readonly login: Login | null;
}

export interface Prober {
  /** @throws PorchlightError unreachable, refused, wrong-password, not-a-camera, codec-not-supported, no-video, invalid-input… */
  probe(target: ProbeTarget, credentials: Login | null): Promise<ProbeOutcome>;
  /** A JPEG: the camera's own still, else one frame of its stream. Uses what a probe learnt within the last minutes. */
  snapshot(target: ProbeTarget, credentials: Login | null): Promise<Uint8Array>;
  /** The camera's clock minus ours, asked anew; null for a camera without ONVIF or without a clock. */
  clockOffset(camera: Camera): Promise<number | null>;
  /** The owner asks for another try: refusals of this host are forgotten. */
  forgetRefusals(host: string): void;
}

const NOBODY_THERE: ReadonlySet<PorchlightError['kind']> = new Set(['unreachable', 'refused']);
/** A web server on the first port, TLS that does not come about, an address that is somebody else's. */
const WORTH_NEXT_ADDRESS: ReadonlySet<PorchlightError['kind']> = new Set(['unreachable', 'refused', 'not-a-camera', 'bad-answer', 'timeout']);
const MEMORY_MS = 10 * MINUTE_MS;
const MAX_REMEMBERED = 64;
/** One path of many that are tried. */
const GUESS_PATIENCE_MS: DurationMs = 5000;

export function createProber(parts: ProberParts): Prober {
  return new NetworkProber(parts);
}

class NetworkProber implements Prober {
  readonly #network: CameraNetwork;
  readonly #grabFrame: ProberParts['grabFrame'];
  readonly #neighbours: ProberParts['neighbours'];
  readonly #askHost: AskHost | undefined;
  readonly #recent = new Map<string, { readonly outcome: ProbeOutcome; readonly atMs: number }>();

  constructor(parts: ProberParts) {
    this.#network = parts.network;
    this.#grabFrame = parts.grabFrame;
    this.#neighbours = parts.neighbours;
    this.#askHost = parts.askHost;
  }

  async probe(target: ProbeTarget, credentials: Login | null): Promise<ProbeOutcome> {
    const outcome = await this.#withMac(target.kind === 'found' ? await this.#probeFound(target.found, credentials) : await this.#probeAddress(target.address, credentials));
    this.#recent.set(this.#keyOf(target, credentials), { outcome, atMs: this.#network.clock.monotonicMs() });
    const oldest = this.#recent.keys().next();
    if (this.#recent.size > MAX_REMEMBERED && oldest.done !== true) this.#recent.delete(oldest.value);
    return outcome;
  }

  async snapshot(target: ProbeTarget, credentials: Login | null): Promise<Uint8Array> {
    const known = this.#recent.get(this.#keyOf(target, credentials));
    const fresh = known !== undefined && this.#network.clock.monotonicMs() - known.atMs < MEMORY_MS;
    const { probed, login } = fresh ? known.outcome : await this.probe(target, credentials);
    const stream = probed.streams.find((one) => one.kind === 'sub') ?? probed.streams[0];
    if (stream === undefined) throw new PorchlightError('no-video', 'The camera offers no video.');
    if (probed.deviceUrl !== null && stream.profileToken !== null) {
      const allowBasic = target.kind === 'address';
      try {
        const device = new OnvifDevice(this.#network, { url: new URL(probed.deviceUrl), login, allowBasic });
        await device.profiles();
        return await fetchSnapshot(this.#network, await device.snapshotUri(stream.profileToken), login, allowBasic);
      } catch (error) {
        if (!(error instanceof PorchlightError) || error.kind === 'unreachable') throw error;
        this.#network.log.info(`${new URL(probed.deviceUrl).hostname}: no still picture over HTTP (${error.message}); a frame of its stream is used`);
      }
    }
    return await this.#grabFrame({ url: stream.url, login, transport: stream.transport });
  }

  async clockOffset(camera: Camera): Promise<number | null> {
    if (camera.deviceUrl === null) return null;
    // The time is told to everybody, so no password is sent for it.
    return await new OnvifDevice(this.#network, { url: new URL(camera.deviceUrl), login: null, allowBasic: false }).readClock();
  }

  forgetRefusals(host: string): void {
    this.#network.ledger.forget(host);
  }

  #keyOf(target: ProbeTarget, credentials: Login | null): string {
    // An address may hold a password, so it is kept as a keyed hash like the credentials.
    return this.#network.ledger.fingerprint(target.kind === 'found' ? `found ${target.found.key}` : `address ${target.address}`, credentials);
  }

  /** It answered a moment ago, so the system knows its neighbour; one behind a router is none. */
  async #withMac(outcome: ProbeOutcome): Promise<ProbeOutcome> {
    const { hostname } = new URL(outcome.probed.deviceUrl ?? outcome.probed.streams[0]?.url ?? 'rtsp://unknown');
    const mac = (await this.#neighbours?.list())?.find((one) => one.host === hostname)?.mac ?? null;
    return { ...outcome, probed: { ...outcome.probed, mac } };
  }

  async #probeFound(found: FoundCamera, login: Login | null): Promise<ProbeOutcome> {
    let failure: PorchlightError | null = null;
    for (const address of found.deviceUrls) {
      try {
        // The address came by hearsay, so no password goes there in a readable form.
        return { probed: onvifCamera(await probeOnvif(this.#network, { url: new URL(address), login, allowBasic: false, foundAs: found.identity })), login };
      } catch (error) {
        if (!(error instanceof PorchlightError)) throw error;
        // What a camera says of the login or of its video holds at its other addresses too; the rest may be this address's fault.
        if (!WORTH_NEXT_ADDRESS.has(error.kind)) throw error;
        failure = failure === null || (NOBODY_THERE.has(failure.kind) && !NOBODY_THERE.has(error.kind)) ? error : failure;
      }
    }
    throw failure ?? new PorchlightError('unreachable', `No answer from ${found.host}.`);
  }

  async #probeAddress(address: string, credentials: Login | null): Promise<ProbeOutcome> {
    const typed = parseAddress(address);
    const login = credentials ?? typed.login;
    return { probed: await this.#probeTarget(typed.target, login), login };
  }

  async #probeTarget(target: AddressTarget, login: Login | null): Promise<ProbedCamera> {
    switch (target.kind) {
      case 'onvif':
        return await this.#onvifAt(new URL(target.url), login);
      case 'rtsp':
        return await this.#probeRtsp(target.url, login);
      case 'host':
        return await this.#probeHost(target.host, target.port, login);
    }
  }

  /** At an address the owner typed. Few devices answer GetEndpointReference; most tell it over WS-Discovery, and by it a camera is found again. */
  async #onvifAt(url: URL, login: Login | null): Promise<ProbedCamera> {
    const findings = await probeOnvif(this.#network, { url, login, allowBasic: true, foundAs: null });
    if (findings.endpoint !== null || this.#askHost === undefined) return onvifCamera(findings);
    const told = await this.#askHost(url.hostname, ({ endpoint, urls }) => endpoint !== '' && urls.some((one) => new URL(one).host === url.host));
    return onvifCamera(told === null ? findings : { ...findings, identity: told.endpoint });
  }

  async #probeHost(host: string, port: number | null, login: Login | null): Promise<ProbedCamera> {
    const { onvif, rtsp, failures } = await findEndpoints(this.#network, host, port, this.#askHost);
    const [service] = onvif;
    const [stream] = rtsp;
    if (service !== undefined) {
      try {
        return await this.#onvifAt(service, login);
      } catch (error) {
        // A locked door that was no camera's, or an ONVIF that does not work: RTSP may still.
        const tellsEnough = !(error instanceof PorchlightError) || stream === undefined || (error.kind !== 'not-a-camera' && error.kind !== 'bad-answer' && error.kind !== 'no-video');
        if (tellsEnough) throw error;
      }
    }
    if (stream === undefined) throw nothingFound(host, failures);
    return await this.#probeKnownPaths(stream, login);
  }

  async #probeRtsp(url: string, login: Login | null): Promise<ProbedCamera> {
    const { pathname, search } = new URL(url);
    try {
      return await this.#rtspCamera(url, login, subAddressOf(url));
    } catch (error) {
      if (!(error instanceof PorchlightError) || error.kind !== 'not-found') throw error;
      if ((pathname === '' || pathname === '/') && search === '') return await this.#probeKnownPaths(new URL(url), login);
      throw new PorchlightError('not-a-camera', error.message, error);
    }
  }

  /** The makers' usual paths, one after the other, until one has video; a refused password ends it. */
  async #probeKnownPaths(base: URL, login: Login | null): Promise<ProbedCamera> {
    let failure: PorchlightError | null = null;
    for (const { main, sub } of [{ main: '/', sub: null }, ...KNOWN_PATHS]) {
      try {
        return await this.#rtspCamera(withPath(base, main), login, sub === null ? null : withPath(base, sub), GUESS_PATIENCE_MS);
      } catch (error) {
        if (!(error instanceof PorchlightError)) throw error;
        if (error.kind === 'wrong-password' || error.kind === 'unreachable' || error.kind === 'refused') throw error;
        if (error.kind !== 'not-found') failure ??= error;
      }
    }
    throw failure ?? new PorchlightError('not-a-camera', `The camera at ${base.hostname} answers, but its stream is at none of the usual paths. Switch on ONVIF in it, or paste its whole rtsp:// address.`);
  }

  async #rtspCamera(url: string, login: Login | null, subUrl: string | null, patienceMs?: DurationMs): Promise<ProbedCamera> {
    const main = await describeStream(this.#network, { url, login, allowBasic: true, ...(patienceMs === undefined ? {} : { patienceMs }) });
    const { hostname } = new URL(url);
    const streams = [streamOf('main', url, requireRecordable(main, hostname))];
    if (subUrl !== null && subUrl !== url) {
      const sub = await this.#describeSub(subUrl, login);
      if (sub !== null) streams.push(streamOf('sub', subUrl, sub));
    }
    return { origin: 'rtsp', identity: null, deviceUrl: null, device: { maker: '', model: '', firmware: '', serial: '' }, suggestedName: `Camera at ${hostname}`, streams, clockOffsetMs: null };
  }

  /** A sub stream is a bonus: without it the main stream serves for everything. */
  async #describeSub(url: string, login: Login | null): Promise<RecordableStream | null> {
    try {
      return requireRecordable(await describeStream(this.#network, { url, login, allowBasic: true }), new URL(url).hostname);
    } catch (error) {
      if (error instanceof PorchlightError) return null;
      throw error;
    }
  }
}

function onvifCamera(findings: OnvifFindings): ProbedCamera {
  const { deviceUrl, identity, device: information, name, sources, clockOffsetMs } = findings;
  const common = { origin: 'onvif', identity, deviceUrl, device: information, clockOffsetMs } as const;
  const [first] = sources;
  if (sources.length < 2) return { ...common, suggestedName: name, streams: first?.streams ?? [], sourceToken: null };
  const lenses = sources.map(({ token, label, streams }) => ({ token, label, suggestedName: /^\d+$/.test(label) ? `${name} ${label}` : label, streams }));
  return { ...common, suggestedName: lenses[0]?.suggestedName ?? name, streams: lenses[0]?.streams ?? [], sourceToken: lenses[0]?.token ?? null, sources: lenses };
}

function streamOf(kind: StreamConfig['kind'], url: string, stream: RecordableStream): StreamConfig {
  const { videoCodec, audioCodec, width, height, fps } = stream;
  return { kind, url, videoCodec, audioCodec, width, height, fps, transport: 'tcp', profileToken: null };
}
