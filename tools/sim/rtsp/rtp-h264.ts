/** Owns the cutting of H.264 and H.265 access units into RTP payloads (RFC 6184, RFC 7798). */

/** What fits beside IP, UDP and RTP headers in an Ethernet frame, with room to spare. */
export const MAX_PAYLOAD_BYTES = 1400;

interface NalFraming {
  readonly headerBytes: number;
  /** The payload header of an aggregation packet over these units. */
  aggregate(nals: readonly Buffer[]): Buffer;
  /** The header of a fragment: what stands before the piece of the unit's body. */
  fragment(nal: Buffer, first: boolean, last: boolean): Buffer;
}

/** RFC 6184: STAP-A (24) and FU-A (28). */
const H264: NalFraming = {
  headerBytes: 1,
  aggregate: (nals) => {
    const importance = Math.max(...nals.map((nal) => (nal[0] ?? 0) & 0x60));
    return Buffer.from([importance | 24]);
  },
  fragment: (nal, first, last) => {
    const header = nal[0] ?? 0;
    return Buffer.from([(header & 0xe0) | 28, (first ? 0x80 : 0) | (last ? 0x40 : 0) | (header & 0x1f)]);
  },
};

/** RFC 7798: aggregation packet (48) and fragmentation unit (49), without DONL. */
const H265: NalFraming = {
  headerBytes: 2,
  aggregate: () => Buffer.from([48 << 1, 1]),
  fragment: (nal, first, last) => {
    const type = ((nal[0] ?? 0) >> 1) & 0x3f;
    return Buffer.from([((nal[0] ?? 0) & 0x81) | (49 << 1), nal[1] ?? 1, (first ? 0x80 : 0) | (last ? 0x40 : 0) | type]);
  },
};

function packetize(nals: readonly Buffer[], framing: NalFraming): Buffer[] {
  const payloads: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = framing.headerBytes;
  const flush = (): void => {
    const only = small[0];
    if (small.length === 1 && only !== undefined) payloads.push(only);
    if (small.length > 1) {
      const parts = [framing.aggregate(small)];
      for (const nal of small) parts.push(Buffer.from([nal.length >> 8, nal.length & 0xff]), nal);
      payloads.push(Buffer.concat(parts));
    }
    small = [];
    smallBytes = framing.headerBytes;
  };
  for (const nal of nals) {
    if (smallBytes + 2 + nal.length > MAX_PAYLOAD_BYTES) flush();
    if (nal.length + 2 + framing.headerBytes <= MAX_PAYLOAD_BYTES) {
      small.push(nal);
      smallBytes += 2 + nal.length;
      continue;
    }
    const pieceBytes = MAX_PAYLOAD_BYTES - framing.headerBytes - 2;
    for (let at = framing.headerBytes; at < nal.length; at += pieceBytes) {
      const last = at + pieceBytes >= nal.length;
      payloads.push(Buffer.concat([framing.fragment(nal, at === framing.headerBytes, last), nal.subarray(at, at + pieceBytes)]));
    }
  }
  flush();
  return payloads;
}

/** Payloads of one H.264 access unit in packetization mode 1, each at most MAX_PAYLOAD_BYTES; the last one takes the marker. */
export function packetizeH264(nals: readonly Buffer[]): Buffer[] {
  return packetize(nals, H264);
}

/** Payloads of one H.265 access unit, each at most MAX_PAYLOAD_BYTES; the last one takes the marker. */
export function packetizeH265(nals: readonly Buffer[]): Buffer[] {
  return packetize(nals, H265);
}
