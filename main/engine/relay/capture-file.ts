/** The capture as a file that Wireshark and its like read: pcapng (IETF draft-ietf-opsawg-pcapng), one packet for each message as it was handed to the relay's socket. */
import { concat } from '../../../shared/relay/bytes.ts';
import type { CapturedMessage } from './capture.ts';

/** Of no protocol that anybody knows: the packets are shown as they are. https://www.tcpdump.org/linktypes.html */
const LINKTYPE_USER0 = 147;
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_COMMENT = 1;
const OPTION_NAME = 2;
const OPTION_FLAGS = 2;
const OPTION_PROGRAM = 4;
/** Bits 0 and 1 of a packet's flags. */
const INBOUND = 1;
const OUTBOUND = 2;
const US_PER_MS = 1_000n;

const COMMENT = 'What Porchlight handed to the sockets of its relays, and took from them: one packet for each WebSocket message, whole and in order, with its direction. TLS around them ends at the relay or before it, so this is what a relay sees.';

/** The file's bytes; one without messages is a file too. */
export function captureFile(messages: readonly CapturedMessage[]): Uint8Array {
  return concat(
    block(SECTION_HEADER, u32(BYTE_ORDER_MAGIC), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff), option(OPTION_COMMENT, text(COMMENT)), option(OPTION_PROGRAM, text('Porchlight')), END),
    block(INTERFACE_DESCRIPTION, u16(LINKTYPE_USER0), u16(0), u32(0), option(OPTION_NAME, text('relay')), END),
    ...messages.map(packet),
  );
}

function packet({ atMs, direction, bytes }: CapturedMessage): Uint8Array {
  const us = BigInt(Math.round(atMs)) * US_PER_MS;
  const flags = option(OPTION_FLAGS, u32(direction === 'in' ? INBOUND : OUTBOUND));
  return block(ENHANCED_PACKET, u32(0), u32(Number(us >> 32n)), u32(Number(us & 0xffffffffn)), u32(bytes.length), u32(bytes.length), padded(bytes), flags, END);
}

/** Type, length, body, and the length once more. */
function block(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(...parts);
  const length = u32(body.length + 12);
  return concat(u32(type), length, body, length);
}

function option(code: number, value: Uint8Array): Uint8Array {
  return concat(u16(code), u16(value.length), padded(value));
}

/** The end of a block's options. */
const END = new Uint8Array(4);

function padded(bytes: Uint8Array): Uint8Array {
  const over = bytes.length % 4;
  return over === 0 ? bytes : concat(bytes, new Uint8Array(4 - over));
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
