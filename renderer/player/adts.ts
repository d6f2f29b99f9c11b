/** AAC packets as an ADTS stream (ISO/IEC 14496-3 Annex 1.A.2), which every browser decodes, also where there is no WebCodecs. Pure. */
import { concatBytes } from '../../shared/media/boxes.ts';

/** What an ADTS header says of its stream. */
export interface AdtsStream {
  /** Audio object type minus one. */
  readonly profile: number;
  readonly frequencyIndex: number;
  readonly channels: number;
  readonly sampleRate: number;
}

/** ISO/IEC 14496-3 table 1.18. */
const SAMPLE_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const AAC_LC = 2;
const HEADER_BYTES = 7;
/** Of one packet of AAC-LC. */
export const SAMPLES_PER_PACKET = 1024;

/** From an AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1). Null for what ADTS or this reader does not know: other than AAC-LC, odd rates. */
export function adtsStreamOf(config: Uint8Array): AdtsStream | null {
  const [first = 0, second = 0] = config;
  const objectType = first >> 3;
  const frequencyIndex = ((first & 7) << 1) | (second >> 7);
  const channels = (second >> 3) & 15;
  const sampleRate = SAMPLE_RATES[frequencyIndex];
  const hasShortFrames = (second & 4) !== 0;
  if (config.length < 2 || objectType !== AAC_LC || sampleRate === undefined || channels < 1 || channels > 7 || hasShortFrames) return null;
  return { profile: objectType - 1, frequencyIndex, channels, sampleRate };
}

/** The packets, each behind a header of its own. */
export function packAdts({ profile, frequencyIndex, channels }: AdtsStream, packets: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes(
    packets.flatMap((packet) => {
      const length = packet.length + HEADER_BYTES;
      return [
        // Sync word, MPEG-4, layer 0, no checksum; then profile, rate, channels, length, and "variable rate" as buffer fullness.
        Uint8Array.of(0xff, 0xf1, (profile << 6) | (frequencyIndex << 2) | (channels >> 2), ((channels & 3) << 6) | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc),
        packet,
      ];
    }),
  ) as Uint8Array<ArrayBuffer>;
}
