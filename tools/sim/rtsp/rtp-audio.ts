/** Owns the RTP payloads of sound: AAC in mode AAC-hbr (RFC 3640 section 3.3.6); G.711 needs no framing (RFC 3551). */

/** One raw AAC data block as an RTP payload: one AU header of 13 bits size and 3 bits index. */
export function packetizeAac(frame: Buffer): Buffer[] {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(16, 0);
  header.writeUInt16BE((frame.length << 3) & 0xffff, 2);
  return [Buffer.concat([header, frame])];
}

const AAC_RATES_HZ = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/** The two bytes of AudioSpecificConfig for AAC-LC (ISO/IEC 14496-3, 1.6.2.1). */
export function aacConfig(sampleRateHz: number, channels: number): Buffer {
  const index = AAC_RATES_HZ.indexOf(sampleRateHz);
  const bits = (2 << 11) | (index << 7) | (channels << 3);
  return Buffer.from([bits >> 8, bits & 0xff]);
}
