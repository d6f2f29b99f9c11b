/** Owns one RTSP connection: reads requests, keeps their order, answers by method (RFC 2326 section 10). */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuthGate } from '../auth-gate.ts';
import type { StreamFeed } from '../media/stream-feed.ts';
import type { QuirkSet } from '../quirks.ts';
import { RtspParser, formatResponse, type RtspRequest } from './rtsp-message.ts';
import { RtspSession } from './rtsp-session.ts';
import { formatSdp } from './sdp.ts';
import { openUdpPair } from './udp-pair.ts';

const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER';
const DEFAULT_TIMEOUT_S = 60;

/** What a connection needs of its camera. */
export interface RtspHost {
  readonly quirks: QuirkSet;
  readonly gate: AuthGate;
  /** The stream at this path (without leading slash), or null. */
  stream(path: string): StreamFeed | null;
  sessionCount(): number;
}

type Headers = Record<string, string | readonly string[]>;
interface Answer {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: string;
}

/** The stream's path and the track's number, of a URL like rtsp://host/main/trackID=1. */
function splitUri(uri: string): { base: string; path: string; track: number | null } {
  const [, origin = '', rest = ''] = /^(rtsps?:\/\/[^/]*)\/?(.*)$/i.exec(uri) ?? [];
  const match = /^(.*?)\/?trackID=(\d+)$/.exec(rest);
  const path = (match?.[1] ?? rest).replace(/\/+$/, '');
  return { base: `${origin}/${path}`, path: path.split('?')[0] ?? '', track: match === null ? null : Number(match[2]) };
}

export class RtspConnection {
  readonly socket: Socket;
  readonly #host: RtspHost;
  readonly #parser = new RtspParser();
  readonly #sessions = new Map<string, RtspSession>();
  #queue: Promise<void> = Promise.resolve();

  constructor(socket: Socket, host: RtspHost) {
    this.socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('close', () => this.closeSessions());
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  closeSessions(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }

  /** Ends sessions not heard of for their timeout; gives whether the connection had any and lost all. */
  expire(nowMs: number): boolean {
    const timeoutMs = this.#timeoutS() * 1000;
    for (const session of this.#sessions.values()) {
      if (nowMs - session.heardMs <= timeoutMs) continue;
      session.close();
      this.#sessions.delete(session.id);
      if (this.#sessions.size === 0) return true;
    }
    return false;
  }

  #timeoutS(): number {
    return this.#host.quirks.number('session-timeout') || DEFAULT_TIMEOUT_S;
  }

  #onData(chunk: Buffer): void {
    const { quirks } = this.#host;
    if (quirks.flag('stall') || quirks.flag('unplugged')) return;
    for (const session of this.#sessions.values()) session.heardMs = performance.now();
    try {
      for (const message of this.#parser.push(chunk)) {
        if (message.kind === 'request') this.#queue = this.#queue.then(() => this.#answer(message)).catch(() => void this.socket.destroy());
      }
    } catch {
      this.socket.end(formatResponse(400, '0', {}));
    }
  }

  async #answer(request: RtspRequest): Promise<void> {
    const answer = await this.#handle(request);
    if (this.socket.destroyed) return;
    this.socket.write(formatResponse(answer.status, request.headers.get('cseq') ?? '0', answer.headers ?? {}, answer.body));
    // Only now, so that no packet overtakes the answer.
    if (request.method === 'PLAY' && answer.status === 200) this.#session(request)?.play();
  }

  async #handle(request: RtspRequest): Promise<Answer> {
    const { gate } = this.#host;
    if (request.method === 'OPTIONS') return { status: 200, headers: { Public: METHODS } };
    const login = gate.check(request.method, request.headers.get('authorization'));
    if (!login.ok) return { status: 401, headers: { 'WWW-Authenticate': gate.challenges(login.stale) } };
    if (request.headers.has('require')) return { status: 551, headers: { Unsupported: request.headers.get('require') ?? '' } };
    switch (request.method) {
      case 'DESCRIBE':
        return this.#describe(request);
      case 'SETUP':
        return this.#setup(request);
      case 'PLAY':
        return this.#play(request);
      case 'PAUSE':
      case 'TEARDOWN':
        return this.#end(request);
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        return { status: 200, headers: this.#sessionHeader(request) };
      default:
        return { status: 405, headers: { Allow: METHODS } };
    }
  }

  async #describe(request: RtspRequest): Promise<Answer> {
    const { quirks } = this.#host;
    await delay(quirks.number('describe-delay'));
    if (quirks.flag('answer-503')) return { status: 503 };
    const { base, path } = splitUri(request.uri);
    const feed = this.#host.stream(path);
    if (feed === null || quirks.flag('answer-404')) return { status: 404 };
    const accept = request.headers.get('accept') ?? 'application/sdp';
    if (!accept.includes('application/sdp') && !accept.includes('*/*')) return { status: 406 };
    const sdp = formatSdp(await feed.format(), this.socket.localAddress ?? '0.0.0.0', !quirks.flag('no-sprop'), !quirks.flag('no-video'));
    return { status: 200, headers: { 'Content-Type': 'application/sdp', 'Content-Base': `${base}/` }, body: sdp };
  }

  async #setup(request: RtspRequest): Promise<Answer> {
    const { quirks } = this.#host;
    const { path, track: trackNumber } = splitUri(request.uri);
    const feed = this.#host.stream(path);
    if (feed === null) return { status: 404 };
    const asked = (request.headers.get('transport') ?? '').split(',').map((one) => one.trim());
    const spec = asked.find((one) => (one.includes('/TCP') ? !quirks.flag('udp-only') : !quirks.flag('tcp-only')) && !one.includes('multicast'));
    if (spec === undefined || !spec.startsWith('RTP/AVP')) return { status: 461 };
    let session = this.#session(request);
    if (session === null) {
      const limit = quirks.number('max-clients');
      if (limit > 0 && this.#host.sessionCount() >= limit) return { status: 453 };
      session = new RtspSession(feed, await feed.format(), this.socket, quirks);
      this.#sessions.set(session.id, session);
    }
    const track = trackNumber === 1 ? 'audio' : 'video';
    if (!session.hasTrack(track)) return { status: 404 };
    if (session.playing) return { status: 455 };
    const transport = spec.includes('/TCP') ? this.#setupTcp(session, track, spec) : await this.#setupUdp(session, track, spec);
    if (transport === null) return { status: 461 };
    return { status: 200, headers: { Transport: transport, Session: `${session.id};timeout=${this.#timeoutS()}` } };
  }

  #setupTcp(session: RtspSession, track: 'video' | 'audio', spec: string): string {
    const match = /interleaved=(\d+)(?:-(\d+))?/.exec(spec);
    const rtpChannel = match === null ? session.tracks.size * 2 : Number(match[1]);
    const rtcpChannel = match?.[2] === undefined ? rtpChannel + 1 : Number(match[2]);
    const write = (data: Buffer): void => void this.socket.write(data);
    const made = session.addTrack(track, { kind: 'tcp', rtpChannel, rtcpChannel, write }, null);
    return `RTP/AVP/TCP;unicast;interleaved=${rtpChannel}-${rtcpChannel};ssrc=${ssrcText(made.ssrc)}`;
  }

  async #setupUdp(session: RtspSession, track: 'video' | 'audio', spec: string): Promise<string | null> {
    const match = /client_port=(\d+)(?:-(\d+))?/.exec(spec);
    const peer = this.socket.remoteAddress;
    if (match === null || peer === undefined) return null;
    const rtpPort = Number(match[1]);
    const rtcpPort = match[2] === undefined ? rtpPort + 1 : Number(match[2]);
    const pair = await openUdpPair(this.socket.localAddress ?? '0.0.0.0');
    const made = session.addTrack(track, { kind: 'udp', rtp: pair.rtp, rtcp: pair.rtcp, host: peer, rtpPort, rtcpPort }, pair);
    return `RTP/AVP;unicast;client_port=${rtpPort}-${rtcpPort};server_port=${pair.rtpPort}-${pair.rtpPort + 1};ssrc=${ssrcText(made.ssrc)}`;
  }

  #play(request: RtspRequest): Answer {
    const session = this.#session(request);
    if (session === null) return { status: 454 };
    if (session.tracks.size === 0) return { status: 455 };
    const headers: Headers = { ...this.#sessionHeader(request), Range: 'npt=now-' };
    const base = splitUri(request.uri).base;
    const timestamp = session.feed.nextKeyframeTimestamp();
    if (!this.#host.quirks.flag('no-rtp-info')) {
      headers['RTP-Info'] = [...session.tracks]
        .map(([name, track]) => {
          const rtptime = name === 'video' && timestamp !== null ? `;rtptime=${timestamp}` : '';
          return `url=${base}/trackID=${name === 'video' ? 0 : 1};seq=${track.nextSequence}${rtptime}`;
        })
        .join(',');
    }
    return { status: 200, headers };
  }

  #end(request: RtspRequest): Answer {
    const session = this.#session(request);
    if (session === null) return { status: 454 };
    const headers = this.#sessionHeader(request);
    if (request.method === 'PAUSE') {
      session.pause();
      return { status: 200, headers };
    }
    session.close();
    this.#sessions.delete(session.id);
    return { status: 200, headers };
  }

  #session(request: RtspRequest): RtspSession | null {
    return this.#sessions.get((request.headers.get('session') ?? '').split(';')[0] ?? '') ?? null;
  }

  #sessionHeader(request: RtspRequest): Headers {
    const session = this.#session(request);
    return session === null ? {} : { Session: `${session.id};timeout=${this.#timeoutS()}` };
  }
}

function ssrcText(ssrc: number): string {
  return ssrc.toString(16).toUpperCase().padStart(8, '0');
}
