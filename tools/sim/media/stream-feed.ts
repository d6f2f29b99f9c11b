/** Owns one stream of one camera: pictures and sound come out of it on time, as RTP payloads with timestamps, for any number of clients. */
import { randomBytes } from 'node:crypto';
import { packetizeAac } from '../rtsp/rtp-audio.ts';
import { MAX_PAYLOAD_BYTES, packetizeH264, packetizeH265 } from '../rtsp/rtp-h264.ts';
import { packetizeJpeg } from '../rtsp/rtp-jpeg.ts';
import type { QuirkSet } from '../quirks.ts';
import type { SendLog, SimStream } from '../send-log.ts';
import type { AudioClip, SimVideoCodec } from './clip.ts';
import { monotonicMs, startPacing, stopPacing, type Paced } from './pacer.ts';

/** A picture as its producer hands it over. */
export interface ProducedPicture {
  readonly codec: SimVideoCodec;
  readonly nals: readonly Buffer[];
  readonly keyframe: boolean;
  readonly frameNumber: number;
  readonly pass: number;
  /** 90 kHz since the producer's beginning, presentation time. */
  readonly media90k: number;
  readonly capturedMs: number;
}

export interface VideoFormat {
  readonly codec: SimVideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly parameterSets: readonly Buffer[];
}

/** Where pictures come from: a looped clip or a live encoder. Started with the first client, stopped after the last. */
export interface PictureProducer {
  format(): Promise<VideoFormat>;
  start(onPicture: (picture: ProducedPicture) => void): void;
  stop(): void;
  /** `media90k` of the next keyframe where it is known beforehand. */
  nextKeyframe90k(): number | null;
}

export interface MediaFrame {
  readonly track: 'video' | 'audio';
  readonly payloads: readonly Buffer[];
  /** As in the RTP header. */
  readonly timestamp: number;
  readonly keyframe: boolean;
  /** Wall clock of capture, for RTCP sender reports; the camera's clock skew is not in it. */
  readonly capturedMs: number;
}

/** Gives whether the frame went out to this client. */
export type FrameListener = (frame: MediaFrame) => boolean;

export interface StreamFormat {
  readonly video: VideoFormat;
  readonly audio: AudioClip | null;
}

interface FeedOptions {
  readonly cameraIndex: number;
  readonly stream: SimStream;
  readonly quirks: QuirkSet;
  readonly sendLog: SendLog;
  readonly producer: PictureProducer;
  readonly audio: AudioClip | null;
}

/** Payloads of pictures that come again with each loop. */
const payloadCache = new WeakMap<readonly Buffer[], readonly Buffer[]>();

function packetizePicture(codec: SimVideoCodec, nals: readonly Buffer[]): readonly Buffer[] {
  const known = payloadCache.get(nals);
  if (known !== undefined) return known;
  const first = nals[0] ?? Buffer.alloc(0);
  const payloads = codec === 'h264' ? packetizeH264(nals) : codec === 'h265' ? packetizeH265(nals) : packetizeJpeg(first);
  payloadCache.set(nals, payloads);
  return payloads;
}

/** Filler data NAL units (H.264 type 12, H.265 type 38), which decoders skip. */
function fillerPayloads(codec: SimVideoCodec, bytes: number): Buffer[] {
  if (codec === 'mjpeg') return [];
  const header = codec === 'h264' ? Buffer.from([12]) : Buffer.from([38 << 1, 1]);
  const payloads: Buffer[] = [];
  for (let left = bytes; left > 0; left -= MAX_PAYLOAD_BYTES) {
    payloads.push(Buffer.concat([header, Buffer.alloc(MAX_PAYLOAD_BYTES - 8, 0xff), Buffer.from([0x80])]));
  }
  return payloads;
}

/** A track's RTP time (RFC 3550, 5.1): from a random beginning on, at the rate of the camera's crystal (`clock-rate`). */
class RtpTime {
  readonly #quirks: QuirkSet;
  #ppm = 0;
  /** From here on the rate holds: ticks of the source, and what they are in RTP time. */
  #from = { ticks: 0, rtp: randomBytes(4).readUInt32BE(0) };

  constructor(quirks: QuirkSet) {
    this.#quirks = quirks;
  }

  of(ticks: number): number {
    const ppm = this.#quirks.number('clock-rate');
    if (ppm !== this.#ppm) {
      this.#from = { ticks, rtp: this.#at(ticks) };
      this.#ppm = ppm;
    }
    return this.#at(ticks);
  }

  jump(ticks: number): void {
    this.#from = { ...this.#from, rtp: this.#from.rtp + ticks };
  }

  #at(ticks: number): number {
    return (this.#from.rtp + Math.round((ticks - this.#from.ticks) * (1 + this.#ppm / 1_000_000))) >>> 0;
  }
}

export class StreamFeed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<FrameListener>();
  #producer: PictureProducer;
  #audioPaced: Paced | null = null;
  readonly #videoTime: RtpTime;
  readonly #audioTime: RtpTime;
  readonly #epochMs = monotonicMs();
  #held: (() => void)[] | null = null;
  #holdTimer: NodeJS.Timeout | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#producer = options.producer;
    this.#videoTime = new RtpTime(options.quirks);
    this.#audioTime = new RtpTime(options.quirks);
  }

  /** What the SDP says. `silent-audio` and `no-audio` are taken into account. */
  async format(): Promise<StreamFormat> {
    const { quirks, audio } = this.#options;
    const silent: AudioClip = { codec: 'pcma', sampleRateHz: 8000, channels: 1, samplesPerFrame: 160, frames: [] };
    const sound = quirks.flag('no-audio') ? null : quirks.flag('silent-audio') ? silent : audio;
    return { video: await this.#producer.format(), audio: sound };
  }

  /** Where the picture's RTP timestamps will begin for a client that plays now; null when not known. */
  nextKeyframeTimestamp(): number | null {
    const media = this.#producer.nextKeyframe90k();
    return media === null ? null : this.#videoTime.of(media);
  }

  subscribe(listener: FrameListener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  /** Pictures come from here from its next keyframe on; timestamps go on from their own base, as after an encoder's restart. */
  replaceProducer(producer: PictureProducer): void {
    const running = this.#listeners.size > 0;
    if (running) this.#producer.stop();
    this.#producer = producer;
    if (!running) return;
    let begun = false;
    producer.start((picture) => {
      begun ||= picture.keyframe;
      if (begun) this.#onPicture(picture);
    });
  }

  jumpTimestamps(seconds: number): void {
    this.#videoTime.jump(Math.round(seconds * 90_000));
  }

  /** Nothing leaves for this long; then everything at once, in order. */
  hold(ms: number): void {
    if (this.#held !== null) return;
    this.#held = [];
    this.#holdTimer = setTimeout(() => this.#release(), ms);
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    this.#held = null;
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    this.#holdTimer = null;
    for (const send of held) send();
  }

  #start(): void {
    this.#producer.start((picture) => this.#onPicture(picture));
    const { audio } = this.#options;
    if (audio === null || audio.frames.length === 0) return;
    const frameMs = (audio.samplesPerFrame * 1000) / audio.sampleRateHz;
    let index = Math.ceil((monotonicMs() - this.#epochMs) / frameMs);
    const paced: Paced = {
      dueMs: this.#epochMs + index * frameMs,
      fire: (nowMs) => {
        while (paced.dueMs <= nowMs) {
          this.#onSound(audio, index, Date.now() - (nowMs - paced.dueMs));
          index += 1;
          paced.dueMs = this.#epochMs + index * frameMs;
        }
      },
    };
    this.#audioPaced = paced;
    startPacing(paced);
  }

  #stop(): void {
    this.#producer.stop();
    if (this.#audioPaced !== null) stopPacing(this.#audioPaced);
    this.#audioPaced = null;
  }

  #dispatch(send: () => void): void {
    if (this.#held !== null) this.#held.push(send);
    else send();
  }

  #onSound(audio: AudioClip, index: number, capturedMs: number): void {
    const { quirks } = this.#options;
    if (quirks.flag('silent-audio') || quirks.flag('no-audio')) return;
    const frame = audio.frames[index % audio.frames.length];
    if (frame === undefined) return;
    const payloads = audio.codec === 'aac' ? packetizeAac(frame) : [frame];
    const timestamp = this.#audioTime.of(index * audio.samplesPerFrame);
    this.#dispatch(() => this.#deliver({ track: 'audio', payloads, timestamp, keyframe: true, capturedMs }));
  }

  #onPicture(picture: ProducedPicture): void {
    const { quirks, cameraIndex, stream, sendLog } = this.#options;
    if (quirks.flag('stop-video') || (quirks.flag('freeze-picture') && !picture.keyframe)) return;
    let nals = picture.nals;
    if (picture.keyframe && quirks.flag('no-inband-parameter-sets') && picture.codec !== 'mjpeg') nals = nals.slice(picture.codec === 'h264' ? 2 : 3);
    let payloads = packetizePicture(picture.codec, nals);
    const spike = quirks.number('bitrate-spike');
    if (spike > 1) {
      const own = payloads.reduce((sum, payload) => sum + payload.length, 0);
      payloads = [...payloads, ...fillerPayloads(picture.codec, own * (spike - 1))];
    }
    const timestamp = this.#videoTime.of(picture.media90k);
    this.#dispatch(() => {
      const clients = this.#deliver({ track: 'video', payloads, timestamp, keyframe: picture.keyframe, capturedMs: picture.capturedMs });
      if (clients === 0) return;
      const { frameNumber: frameIndex, pass, keyframe, capturedMs } = picture;
      sendLog.add({ cameraIndex, stream, frameIndex, pass, keyframe, rtpTimestamp: timestamp, capturedMs, sentMs: Date.now(), clients });
    });
  }

  #deliver(frame: MediaFrame): number {
    let clients = 0;
    for (const listener of this.#listeners) if (listener(frame)) clients += 1;
    return clients;
  }
}
