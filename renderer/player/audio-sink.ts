/** Sound on demand: decodes packets and plays them in time with the pictures; one camera at a time is heard. */
import type { InitTrack } from '../../shared/media/init.ts';
import type { EncodedUnit } from './demux.ts';
import { PacketDecoder } from './packet-decoder.ts';

/** How far live sound may run ahead of its output before it is brought back: what a network hiccup adds. */
const LIVE_AHEAD_SECONDS = 0.4;
const LIVE_START_SECONDS = 0.08;

export class AudioSink {
  readonly #context: AudioContext;
  readonly #sources = new Set<AudioBufferSourceNode>();
  #decoder: AudioDecoder | null = null;
  /** In place of the decoder where the browser has none for this page. */
  #packets: PacketDecoder | null = null;
  #nextTime = 0;
  /** Wall time in microseconds of a packet to its output time; null plays as soon as possible. */
  readonly #due = new Map<number, number | null>();

  /** Needs a click or a key before it, as browsers demand for sound. */
  constructor() {
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    void this.#context.resume();
  }

  configure(track: InitTrack): void {
    this.#closeDecoder();
    if (typeof AudioDecoder === 'undefined') {
      this.#packets = PacketDecoder.for(this.#context, track, ({ buffer, dueSeconds }) => this.#start(buffer, dueSeconds));
      return;
    }
    const decoder: AudioDecoder = new AudioDecoder({
      output: (data) => {
        if (decoder === this.#decoder) this.#schedule(data);
        data.close();
      },
      error: () => {
        if (decoder === this.#decoder) this.#decoder = null;
      },
    });
    decoder.configure({
      codec: track.codec,
      sampleRate: track.sampleRate,
      numberOfChannels: track.channels,
      ...(track.description === null ? {} : { description: track.description }),
    });
    this.#decoder = decoder;
  }

  /** Plays a packet `inMs` from now, or, with null, as it comes (live). */
  play(unit: EncodedUnit, inMs: number | null): void {
    const dueSeconds = inMs === null ? null : this.#context.currentTime + inMs / 1000;
    this.#packets?.decode(unit.data, dueSeconds);
    if (this.#decoder?.state !== 'configured') return;
    const timestamp = Math.round(unit.wallMs * 1000);
    this.#due.set(timestamp, dueSeconds);
    this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp, data: unit.data }));
  }

  /** Stops what is scheduled. */
  silence(): void {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    this.#packets?.reset();
    this.#due.clear();
    this.#nextTime = 0;
  }

  close(): void {
    this.silence();
    this.#closeDecoder();
    void this.#context.close();
  }

  #closeDecoder(): void {
    this.#packets?.close();
    this.#packets = null;
    const decoder = this.#decoder;
    this.#decoder = null;
    this.#due.clear();
    if (decoder !== null && decoder.state !== 'closed') decoder.close();
  }

  #schedule(data: AudioData): void {
    const due = this.#due.get(data.timestamp) ?? null;
    this.#due.delete(data.timestamp);
    const buffer = this.#context.createBuffer(data.numberOfChannels, data.numberOfFrames, data.sampleRate);
    for (let channel = 0; channel < data.numberOfChannels; channel += 1) {
      data.copyTo(buffer.getChannelData(channel), { planeIndex: channel, format: 'f32-planar' });
    }
    this.#start(buffer, due);
  }

  #start(buffer: AudioBuffer, due: number | null): void {
    const now = this.#context.currentTime;
    // Packets follow each other without a seam unless they fell behind or ran too far ahead.
    const seamless = this.#nextTime > now && this.#nextTime < now + LIVE_AHEAD_SECONDS;
    const start = seamless ? this.#nextTime : Math.max(now, due ?? now + LIVE_START_SECONDS);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.onended = () => this.#sources.delete(source);
    source.start(start);
    this.#sources.add(source);
    this.#nextTime = start + buffer.duration;
  }
}
