/** Decodes AAC where there is no AudioDecoder (no secure context): some packets at a time through decodeAudioData. */
import type { InitTrack } from '../../shared/media/init.ts';
import { adtsStreamOf, type AdtsStream, packAdts, SAMPLES_PER_PACKET } from './adts.ts';

/** Packets decoded together: fewer mean less delay and more work. */
const TOGETHER = 6;
/** The first packets of a stream come out wrong, because each overlaps with the one before it: they are decoded again and cut off. */
const LEAD_IN = 2;

export interface DecodedSound {
  readonly buffer: AudioBuffer;
  /** As given with the first packet in it. */
  readonly dueSeconds: number | null;
}

export class PacketDecoder {
  readonly #context: BaseAudioContext;
  readonly #stream: AdtsStream;
  readonly #onSound: (sound: DecodedSound) => void;
  #packets: { readonly data: Uint8Array; readonly dueSeconds: number | null }[] = [];
  #leadIn: Uint8Array[] = [];
  /** Pieces come out in the order they went in. */
  #order: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(context: BaseAudioContext, stream: AdtsStream, onSound: (sound: DecodedSound) => void) {
    this.#context = context;
    this.#stream = stream;
    this.#onSound = onSound;
  }

  /** Null for sound that cannot be decoded this way. */
  static for(context: BaseAudioContext, track: InitTrack, onSound: (sound: DecodedSound) => void): PacketDecoder | null {
    const stream = adtsStreamOf(track.description);
    return stream === null ? null : new PacketDecoder(context, stream, onSound);
  }

  decode(data: Uint8Array, dueSeconds: number | null): void {
    this.#packets.push({ data, dueSeconds });
    if (this.#packets.length < TOGETHER) return;
    const packets = this.#packets;
    this.#packets = [];
    const bytes = packAdts(this.#stream, [...this.#leadIn, ...packets.map((packet) => packet.data)]);
    const lengthSeconds = (packets.length * SAMPLES_PER_PACKET) / this.#stream.sampleRate;
    this.#leadIn = packets.slice(-LEAD_IN).map((packet) => packet.data);
    const decoded = this.#context.decodeAudioData(bytes.buffer);
    this.#order = this.#order.then(async () => {
      // A damaged packet costs its piece.
      const whole = await decoded.catch(() => null);
      if (whole !== null && !this.#closed) this.#onSound({ buffer: tailOf(this.#context, whole, lengthSeconds), dueSeconds: packets[0]?.dueSeconds ?? null });
    });
  }

  /** What has not come out is dropped; what follows does not follow what came. */
  reset(): void {
    this.#packets = [];
    this.#leadIn = [];
  }

  close(): void {
    this.#closed = true;
    this.reset();
  }
}

function tailOf(context: BaseAudioContext, whole: AudioBuffer, lengthSeconds: number): AudioBuffer {
  const length = Math.min(whole.length, Math.round(lengthSeconds * whole.sampleRate));
  if (length === whole.length || length === 0) return whole;
  const tail = context.createBuffer(whole.numberOfChannels, length, whole.sampleRate);
  for (let channel = 0; channel < whole.numberOfChannels; channel += 1) tail.copyToChannel(whole.getChannelData(channel).subarray(whole.length - length), channel);
  return tail;
}
