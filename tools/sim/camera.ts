/** Owns one simulated camera: its RTSP and ONVIF servers, its streams, its place on the network, its misbehaviour. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthGate, Lockout, type AuthScheme, type Credentials } from './auth-gate.ts';
import type { DiscoveryResponder } from './discovery/discovery-responder.ts';
import type { DiscoverableCamera } from './discovery/discovery-message.ts';
import type { AudioClip } from './media/clip.ts';
import { StreamFeed, type StreamFormat } from './media/stream-feed.ts';
import { scopesOf } from './onvif/device-service.ts';
import { EventHub } from './onvif/event-hub.ts';
import { defaultImaging } from './onvif/imaging-service.ts';
import type { OnvifHost, SimProfile } from './onvif/onvif-host.ts';
import { OnvifServer } from './onvif/onvif-server.ts';
import { PtzHead } from './onvif/ptz-service.ts';
import { WsseCheck } from './onvif/wsse.ts';
import { QuirkSet, checkQuirkValue, type QuirkName, type QuirkValue } from './quirks.ts';
import { RtspServer } from './rtsp/rtsp-server.ts';
import { SendLog, type SendLogEntry, type SimStream } from './send-log.ts';
import { openFootage, type Footage, type SimVideo, type SourceRequest } from './sources.ts';

const DEFAULT_REBOOT_MS = 5000;
/** Quirks that need other footage than the camera has. */
const FOOTAGE_QUIRKS: readonly QuirkName[] = ['codec-change', 'b-frames', 'long-gop', 'mjpeg-only'];
/** Quirks whose beginning ends the sessions there are. */
const ENDS_SESSIONS: readonly QuirkName[] = ['drop', 'password', 'no-audio', 'silent-audio', 'no-video', 'answer-404', 'stream-path'];

export interface CameraSetup {
  /** Cameras of different households are different cameras, whatever their index. */
  readonly household: string;
  /** 1 for the first camera. */
  readonly index: number;
  readonly name: string;
  readonly model: string;
  readonly host: string;
  /** 0: the system chooses; the ports then stay for the camera's life. */
  readonly httpPort: number;
  readonly rtspPort: number;
  readonly credentials: Credentials;
  readonly auth: AuthScheme;
  readonly footage: SourceRequest;
  readonly sound: AudioClip | null;
  readonly ptz: boolean;
  readonly discovery: DiscoveryResponder | null;
  readonly sendLogFile: string | null;
}

/** Names a camera of a household for good, the same in each run. */
function stableUuid(household: string, index: number): string {
  const hex = createHash('sha256').update(`lanternworks-${household}-${index}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

interface SourceFeeds {
  readonly main: StreamFeed;
  readonly sub: StreamFeed | null;
}

export class SimCamera {
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  readonly username: string;
  readonly events = new EventHub();
  readonly #setup: CameraSetup;
  readonly #quirks = new QuirkSet();
  readonly #sendLog: SendLog;
  readonly #rtsp: RtspServer;
  readonly #onvif: OnvifServer;
  readonly #otherHttp: OnvifServer;
  readonly #lockout: Lockout;
  readonly #discoverable: DiscoverableCamera;
  #feeds: SourceFeeds;
  /** Of the second video source on. */
  readonly #more: { readonly feeds: SourceFeeds; readonly sendLog: SendLog }[] = [];
  #footage: Footage;
  #host: string;
  #password: string;
  #online = false;

  constructor(setup: CameraSetup, footage: Footage) {
    this.#setup = setup;
    this.index = setup.index;
    this.name = setup.name;
    this.uuid = stableUuid(setup.household, setup.index);
    this.username = setup.credentials.username;
    this.#password = setup.credentials.password;
    this.#host = setup.host;
    this.#footage = footage;
    this.#sendLog = new SendLog(setup.sendLogFile);
    this.#feeds = this.#createFeeds(this.#footage, this.#sendLog);
    const lockout = new Lockout(this.#quirks);
    this.#lockout = lockout;
    const credentials = (): Credentials => ({ username: this.username, password: this.password });
    const gate = (realm: string, quirk: 'rtsp-auth' | 'onvif-auth'): AuthGate =>
      new AuthGate({ realm, credentials, lockout, quirks: this.#quirks, scheme: () => this.#scheme(quirk) });
    const rtspGate = gate('Lanternworks RTSP', 'rtsp-auth');
    this.#rtsp = new RtspServer({ quirks: this.#quirks, gate: rtspGate, stream: (path) => this.#feedAt(path) }, setup.rtspPort);
    const host = this.#onvifHost();
    this.#discoverable = { uuid: this.uuid, quirks: this.#quirks, address: () => this.#host, httpPort: () => this.#onvif.port, scopes: () => scopesOf(host) };
    const wsse = new WsseCheck(this.#quirks, credentials, lockout, () => this.#clockMs());
    const options = { host, wsse, gate: gate('Lanternworks', 'onvif-auth'), snapshot: () => Promise.resolve(this.#footage.snapshot) };
    this.#onvif = new OnvifServer(options, setup.httpPort);
    this.#otherHttp = new OnvifServer(options, 0);
  }

  get host(): string {
    return this.#host;
  }
  get password(): string {
    return this.#quirks.text('password') || this.#password;
  }
  get onvifUrl(): string {
    return `http://${this.#host}:${this.#onvif.port}/onvif/device_service`;
  }
  get rtspPort(): number {
    return this.#rtsp.port;
  }
  get online(): boolean {
    return this.#online;
  }
  /** Open RTSP sessions, of both streams. */
  get sessionCount(): number {
    return this.#rtsp.sessionCount;
  }

  /** RTSP connections of now and ever, and what was sent over them. */
  get traffic(): { readonly open: number; readonly accepted: number; readonly sentBytes: number } {
    return this.#rtsp.traffic;
  }

  /** Wrong passwords that were sent here, over ONVIF and RTSP together. */
  get wrongLogins(): number {
    return this.#lockout.wrongLoginsInAll;
  }

  /** Without user information. */
  rtspUrl(stream: SimStream = 'main'): string {
    return `rtsp://${this.#host}:${this.#rtsp.port}/${this.#streamPath({ source: 1, stream })}`;
  }

  /** With user name and password in it, for tools that take them so. */
  rtspUrlWithLogin(stream: SimStream = 'main'): string {
    if (this.#scheme('rtsp-auth') === 'none') return this.rtspUrl(stream);
    return `rtsp://${encodeURIComponent(this.username)}:${encodeURIComponent(this.password)}@${this.#host}:${this.#rtsp.port}/${this.#streamPath({ source: 1, stream })}`;
  }

  /** Pictures that went to at least one client, oldest first. */
  sendLog(stream: SimStream = 'main', sinceMs = 0): SendLogEntry[] {
    return this.#sendLog.read(stream, sinceMs);
  }

  /** The same of one of several video sources, from 1. */
  sendLogOf(source: number, stream: SimStream = 'main'): SendLogEntry[] {
    return source === 1 ? this.sendLog(stream) : (this.#more[source - 2]?.sendLog.read(stream) ?? []);
  }

  quirks(): Readonly<Record<string, QuirkValue>> {
    return this.#quirks.all();
  }

  /** Resolves when the quirk is in effect. `false`, 0 or '' switches it off. */
  async setQuirk(name: QuirkName, value: QuirkValue): Promise<void> {
    const checked = checkQuirkValue(name, value);
    const happening = this.#happening(name, checked);
    if (happening !== null) return happening();
    this.#quirks.set(name, checked);
    if (name === 'video-sources') return this.#haveSources(Number(checked));
    if (FOOTAGE_QUIRKS.includes(name)) return this.#changeFootage(name);
    if (ENDS_SESSIONS.includes(name) && this.#quirks.flag(name)) this.#rtsp.dropAll('end');
    if (name === 'reset' && this.#quirks.flag(name)) this.#rtsp.dropAll('reset');
  }

  /** The quirks that happen once rather than last: what is to be done, null for all others. */
  #happening(name: QuirkName, value: QuirkValue): (() => void | Promise<void>) | null {
    const feeds = [this.#feeds.main, ...(this.#feeds.sub === null ? [] : [this.#feeds.sub])];
    if (name === 'network-stall') return () => feeds.forEach((feed) => feed.hold(Number(value)));
    if (name === 'timestamp-jump') return () => feeds.forEach((feed) => feed.jumpTimestamps(Number(value)));
    if (name === 'reboot') return () => (value === 0 ? undefined : this.reboot(Number(value)));
    if (name === 'new-address') return () => (value === '' ? undefined : this.moveTo(String(value)));
    if (name === 'unplugged') return () => (value === true ? this.unplug() : this.replug());
    return null;
  }

  setMotion(motion: boolean): void {
    this.events.setMotion(motion, this.#clockMs());
  }

  async start(): Promise<void> {
    await this.#rtsp.start(this.#host);
    await this.#onvif.start(this.#host);
    await this.#otherHttp.start(this.#host);
    await this.#setup.discovery?.join(this.#discoverable);
    this.#online = true;
  }

  /** The cable is pulled: ports close, open connections fall silent without an end, nothing is said on the network. */
  async unplug(): Promise<void> {
    if (!this.#online) return;
    this.#online = false;
    this.#quirks.set('unplugged', true);
    await this.#setup.discovery?.leave(this.#discoverable, false);
    await Promise.all([this.#rtsp.stop('keep'), this.#onvif.stop(true), this.#otherHttp.stop(true)]);
  }

  async replug(): Promise<void> {
    if (this.#online) return;
    this.#quirks.set('unplugged', false);
    await this.start();
  }

  /** Goes away with everything it knew and comes back after `downMs`. Resolves when it is back. */
  async reboot(downMs = DEFAULT_REBOOT_MS): Promise<void> {
    await this.#goDown(true);
    await delay(downMs);
    this.#restartMedia();
    await this.start();
  }

  /** Takes another address, as after a new DHCP lease; identity, ports and password stay. */
  async moveTo(host: string): Promise<void> {
    await this.#goDown(false);
    this.#host = host;
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#goDown(true);
    for (const { main, sub } of [this.#feeds, ...this.#more.map((one) => one.feeds)]) {
      main.close();
      sub?.close();
    }
    await this.#sendLog.close();
  }

  async #goDown(bye: boolean): Promise<void> {
    this.#online = false;
    this.events.forgetSubscriptions();
    await this.#setup.discovery?.leave(this.#discoverable, bye);
    await Promise.all([this.#rtsp.stop('end'), this.#onvif.stop(false), this.#otherHttp.stop(false)]);
  }

  #createFeeds({ main, sub }: Footage, sendLog: SendLog): SourceFeeds {
    const common = { cameraIndex: this.index, quirks: this.#quirks, sendLog, audio: this.#setup.sound };
    return {
      main: new StreamFeed({ ...common, stream: 'main', producer: main }),
      sub: sub === null ? null : new StreamFeed({ ...common, stream: 'sub', producer: sub }),
    };
  }

  #restartMedia(): void {
    this.#feeds.main.close();
    this.#feeds.sub?.close();
    this.#feeds = this.#createFeeds(this.#footage, this.#sendLog);
  }

  /** Video sources beyond the first, each with pictures of its own. */
  async #haveSources(count: number): Promise<void> {
    while (this.#more.length + 1 < count) {
      const footage = await openFootage({ ...this.#setup.footage, seed: this.#setup.footage.seed + this.#more.length + 1 });
      const sendLog = new SendLog(null);
      this.#more.push({ sendLog, feeds: this.#createFeeds(footage, sendLog) });
    }
  }

  async #changeFootage(name: QuirkName): Promise<void> {
    const request = this.#setup.footage;
    const change: { -readonly [K in keyof SimVideo]?: SimVideo[K] } = {};
    if (this.#quirks.text('codec-change') === 'h265') change.codec = 'h265';
    if (this.#quirks.flag('mjpeg-only')) change.codec = 'mjpeg';
    if (this.#quirks.flag('b-frames')) change.bFrames = 2;
    if (this.#quirks.number('long-gop') > 0) change.gopFrames = Math.round(this.#quirks.number('long-gop') * (request.main.fps ?? 15));
    const main = { ...request.main, ...change };
    if (this.#quirks.text('codec-change') === 'size') Object.assign(main, { width: 960, height: 540 });
    const sub = request.sub === null ? null : { ...request.sub, ...change };
    this.#footage = await openFootage({ ...request, main, sub });
    if (name !== 'codec-change' || change.codec === 'h265') {
      this.#rtsp.dropAll('end');
      this.#restartMedia();
    } else {
      this.#feeds.main.replaceProducer(this.#footage.main);
    }
  }

  #scheme(quirk: 'rtsp-auth' | 'onvif-auth'): AuthScheme {
    const asked = this.#quirks.text(quirk);
    if (asked === 'digest' || asked === 'sha256' || asked === 'both' || asked === 'basic' || asked === 'none') return asked;
    return this.#setup.auth;
  }

  #feedAt(path: string): StreamFeed | null {
    const profile = Array.from({ length: this.#sources() }, (_unused, index) => index + 1)
      .flatMap((source) => (['main', 'sub'] as const).map((stream) => ({ source, stream })))
      .find((one) => this.#streamPath(one) === path);
    return profile === undefined ? null : this.#feedOf(profile);
  }

  #sources(): number {
    return Math.max(1, Math.min(this.#quirks.number('video-sources'), this.#more.length + 1));
  }

  #feedOf({ source, stream }: SimProfile): StreamFeed | null {
    const feeds = source === 1 ? this.#feeds : this.#more[source - 2]?.feeds;
    return feeds?.[stream] ?? null;
  }

  #streamPath({ source, stream }: SimProfile): string {
    const under = this.#quirks.text('stream-path');
    return `${under === '' ? '' : `${under}/`}${source === 1 ? '' : `${source}/`}${stream}`;
  }

  #clockMs(): number {
    return Date.now() + this.#quirks.number('clock-skew') * 1000;
  }

  #onvifHost(): OnvifHost {
    const format = (profile: SimProfile): Promise<StreamFormat> => (this.#feedOf(profile) ?? this.#feeds.main).format();
    return {
      index: this.index,
      name: this.name,
      model: this.#setup.model,
      serial: `LW${this.uuid.slice(0, 8).toUpperCase()}`,
      uuid: this.uuid,
      quirks: this.#quirks,
      events: this.events,
      ptz: this.#setup.ptz ? new PtzHead() : null,
      imaging: defaultImaging(),
      address: () => this.#host,
      httpPort: () => this.#onvif.port,
      otherHttpPort: () => this.#otherHttp.port,
      rtspPort: () => this.#rtsp.port,
      hasSub: () => this.#feeds.sub !== null,
      sources: () => this.#sources(),
      format,
      streamPath: (profile) => this.#streamPath(profile),
      clockMs: () => this.#clockMs(),
      reboot: () => {
        setTimeout(() => void this.reboot(), 1000).unref();
      },
    };
  }
}
