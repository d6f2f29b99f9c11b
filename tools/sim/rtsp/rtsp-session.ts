/** Owns one client's RTSP session: its tracks, whether they play, and how a slow reader is treated. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { MediaFrame, StreamFeed, StreamFormat } from '../media/stream-feed.ts';
import type { QuirkSet } from '../quirks.ts';
import { RtpTrack, type TrackTransport } from './rtp-track.ts';
import { audioPayloadType, videoPayloadType } from './sdp.ts';
import type { UdpPair } from './udp-pair.ts';

/** A client this far behind gets no pictures until a keyframe, as a camera's own queue overflows. */
const MAX_BACKLOG_BYTES = 8 << 20;

export class RtspSession {
  readonly id = randomBytes(6).toString('hex').toUpperCase();
  readonly feed: StreamFeed;
  readonly #format: StreamFormat;
  readonly #socket: Socket;
  readonly #quirks: QuirkSet;
  readonly #tracks = new Map<'video' | 'audio', RtpTrack>();
  readonly #pairs: UdpPair[] = [];
  #unsubscribe: (() => void) | null = null;
  #waitsForKeyframe = true;
  /** What `jitter` and `burst-start` hold back, in order, with when it leaves on the monotonic clock. */
  #late: { readonly dueMs: number; readonly send: () => void }[] = [];
  #lateTimer: NodeJS.Timeout | null = null;
  #playedMs = 0;
  /** When the client was last heard of, on the monotonic clock. */
  heardMs = performance.now();

  constructor(feed: StreamFeed, format: StreamFormat, socket: Socket, quirks: QuirkSet) {
    this.feed = feed;
    this.#format = format;
    this.#socket = socket;
    this.#quirks = quirks;
  }

  get playing(): boolean {
    return this.#unsubscribe !== null;
  }

  get tracks(): ReadonlyMap<'video' | 'audio', RtpTrack> {
    return this.#tracks;
  }

  /** Whether the stream's description has this track. */
  hasTrack(track: 'video' | 'audio'): boolean {
    return track === 'video' || this.#format.audio !== null;
  }

  addTrack(track: 'video' | 'audio', transport: TrackTransport, pair: UdpPair | null): RtpTrack {
    const { video, audio } = this.#format;
    if (pair !== null) {
      this.#pairs.push(pair);
      pair.rtcp.on('message', () => {
        this.heardMs = performance.now();
      });
    }
    const isVideo = track === 'video' || audio === null;
    const made = new RtpTrack({
      transport,
      payloadType: isVideo ? videoPayloadType(video) : audioPayloadType(audio),
      clockRateHz: isVideo ? 90_000 : audio.sampleRateHz,
      clockSkewMs: () => this.#quirks.number('clock-skew') * 1000,
      reports: () => !this.#quirks.flag('no-rtcp'),
      lossPercent: () => this.#quirks.number('packet-loss'),
    });
    this.#tracks.set(track, made);
    return made;
  }

  play(): void {
    if (this.#unsubscribe !== null) return;
    this.#waitsForKeyframe = true;
    this.#playedMs = performance.now();
    this.#unsubscribe = this.feed.subscribe((frame) => this.#onFrame(frame));
  }

  pause(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#late = [];
    if (this.#lateTimer !== null) clearTimeout(this.#lateTimer);
    this.#lateTimer = null;
  }

  close(): void {
    this.pause();
    for (const pair of this.#pairs.splice(0)) {
      pair.rtp.close();
      pair.rtcp.close();
    }
  }

  #onFrame(frame: MediaFrame): boolean {
    const track = this.#tracks.get(frame.track);
    if (track === undefined) return false;
    if (this.#quirks.flag('stall') || this.#quirks.flag('unplugged')) {
      this.#waitsForKeyframe = true;
      return false;
    }
    if (frame.track === 'video') {
      if (track.transport.kind === 'tcp' && this.#socket.writableLength > MAX_BACKLOG_BYTES) this.#waitsForKeyframe = true;
      if (this.#waitsForKeyframe && !frame.keyframe) return false;
      this.#waitsForKeyframe = false;
    } else if (this.#waitsForKeyframe && this.#tracks.has('video')) {
      return false; // Sound before the first picture would only make players wait.
    }
    this.#sendInTime(() => track.send(frame));
    return true;
  }

  #sendInTime(send: () => void): void {
    const nowMs = performance.now();
    const dueMs = Math.max(nowMs + Math.random() * this.#quirks.number('jitter'), this.#playedMs + this.#quirks.number('burst-start'), this.#late.at(-1)?.dueMs ?? 0);
    if (dueMs <= nowMs && this.#late.length === 0) {
      send();
      return;
    }
    this.#late.push({ dueMs, send });
    this.#armLate();
  }

  #armLate(): void {
    const [next] = this.#late;
    if (next === undefined || this.#lateTimer !== null) return;
    this.#lateTimer = setTimeout(() => {
      this.#lateTimer = null;
      const nowMs = performance.now();
      while ((this.#late[0]?.dueMs ?? Infinity) <= nowMs) this.#late.shift()?.send();
      this.#armLate();
    }, Math.max(1, next.dueMs - performance.now()));
  }
}
