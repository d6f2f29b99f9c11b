/** Reads the packets of a little-endian pcapng file, strictly by its description, for tests (IETF draft-ietf-opsawg-pcapng, section 4). */
export interface ReadPacket {
  readonly atUs: bigint;
  readonly linkType: number;
  /** 1 inbound, 2 outbound; null where it is not said. */
  readonly flags: number | null;
  readonly bytes: Uint8Array;
}

/** Throws on anything that does not fit. */
export function readPcapng(file: Uint8Array): readonly ReadPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u16 = (at: number): number => view.getUint16(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  const linkTypes: number[] = [];
  const packets: ReadPacket[] = [];
  let at = 0;
  while (at < file.length) {
    const [type, length] = [u32(at), u32(at + 4)];
    if (length % 4 !== 0 || length < 12 || at + length > file.length || u32(at + length - 4) !== length) throw new Error(`no block at ${at}`);
    const [body, end] = [at + 8, at + length - 4];
    if (at === 0 && (type !== 0x0a0d0d0a || u32(body) !== 0x1a2b3c4d || u16(body + 4) !== 1)) throw new Error('no section header');
    if (type === 1) {
      linkTypes.push(u16(body));
      optionsOf(file, body + 8, end);
    } else if (type === 6) {
      const [captured, original] = [u32(body + 12), u32(body + 16)];
      const linkType = linkTypes[u32(body)];
      if (captured !== original || linkType === undefined) throw new Error('a packet that is cut, or of no interface');
      const flags = optionsOf(file, body + 20 + Math.ceil(captured / 4) * 4, end).get(2);
      packets.push({ linkType, atUs: (BigInt(u32(body + 4)) << 32n) | BigInt(u32(body + 8)), bytes: file.subarray(body + 20, body + 20 + captured), flags: flags === undefined ? null : new DataView(flags.buffer, flags.byteOffset).getUint32(0, true) });
    } else if (type === 0x0a0d0d0a) optionsOf(file, body + 16, end);
    else throw new Error(`a block of type ${type}`);
    at += length;
  }
  return packets;
}

function optionsOf(file: Uint8Array, from: number, end: number): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const options = new Map<number, Uint8Array>();
  let at = from;
  while (at < end) {
    const [code, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    at += 4;
    if (code === 0) break;
    options.set(code, file.subarray(at, at + length));
    at += Math.ceil(length / 4) * 4;
  }
  if (at !== end) throw new Error('options that do not end with their block');
  return options;
}
