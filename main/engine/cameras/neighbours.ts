/**
 * Which link-layer address answers at which IPv4 address: the system's table of neighbours (ARP, RFC 826), by which a bare
 * RTSP camera is known again. It knows devices on the same link only; behind a router there is nothing to read.
 */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { runToEnd } from '../ffmpeg/process.ts';

export interface Neighbour {
  /** Dotted IPv4. */
  readonly host: string;
  /** Lower case with colons. */
  readonly mac: string;
}

export interface NeighbourTable {
  /** Empty where the system tells none. */
  list(): Promise<readonly Neighbour[]>;
  /** Makes the system ask every address of its own networks who is there; resolves when answers had their time. */
  stir(signal?: AbortSignal): Promise<void>;
}

const LINE_ADDRESS = /(?:^|[\s(])(\d{1,3}(?:\.\d{1,3}){3})(?=[\s)])/;
const LINE_MAC = /(?:^|\s)((?:[0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2})(?=\s|$)/i;

/** Reads /proc/net/arp, `ip neigh`, and `arp -a` of macOS, Windows and BSD; entries without an answer are left out. Pure. */
export function parseNeighbours(text: string): Neighbour[] {
  const found: Neighbour[] = [];
  for (const line of text.split(/\r?\n/)) {
    const host = LINE_ADDRESS.exec(line)?.[1];
    const written = LINE_MAC.exec(line)?.[1];
    if (host === undefined || written === undefined || /\bFAILED\b|incomplete/i.test(line)) continue;
    // macOS leaves leading zeros out, Windows writes dashes.
    const mac = written.toLowerCase().split(/[:-]/).map((part) => part.padStart(2, '0')).join(':');
    const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
    if (mac !== '00:00:00:00:00:00' && !isGroup) found.push({ host, mac });
  }
  return found;
}

/** Where `mac` answers, other than at `knownHost`; null when nowhere, or at several places (a router that answers for others). Pure. */
export function whereIs(mac: string, knownHost: string, neighbours: readonly Neighbour[]): string | null {
  const hosts = new Set(neighbours.filter((one) => one.mac === mac && one.host !== knownHost).map((one) => one.host));
  const [host] = hosts;
  return host === undefined || hosts.size > 1 ? null : host;
}

/** The addresses of a computer's own network that are worth asking: all of it up to 1,022, else the 254 around the computer. Pure. */
export function addressesAround(address: string, netmask: string): string[] {
  const number = (dotted: string): number => dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const sizeOf = (mask: number): number => 2 ** 32 - mask;
  const mask = sizeOf(number(netmask)) > 1024 ? number('255.255.255.0') : number(netmask);
  const first = Math.floor(number(address) / sizeOf(mask)) * sizeOf(mask);
  const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  return Array.from({ length: Math.max(0, sizeOf(mask) - 2) }, (_unused, index) => dotted(first + index + 1)).filter((one) => one !== address);
}

/** The discard service: nobody serves it, and who does says nothing. */
const DISCARD_PORT = 9;
/** A burst would overflow the queue of unanswered questions (Linux keeps 101 packets per neighbour, 1,024 entries in all). */
const AT_ONCE = 32;
const BETWEEN_MS: DurationMs = 40;
/** ARP gives up after three questions, a second apart. */
const ANSWERS_MS: DurationMs = 1500;
const COMMAND_TIMEOUT_MS: DurationMs = 3000;

export function createNeighbourTable(clock: Clock, platform: NodeJS.Platform = process.platform): NeighbourTable {
  return {
    async list() {
      try {
        return parseNeighbours(platform === 'linux' ? await readFile('/proc/net/arp', 'utf8') : await arpTable(platform));
      } catch {
        // A system without this table; cameras are then found by the owner.
        return [];
      }
    },
    async stir(signal = new AbortController().signal) {
      const own = Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).filter((one) => one.family === 'IPv4' && !one.internal));
      for (const { address, netmask } of own) await ask(address, addressesAround(address, netmask), clock, signal);
      await clock.sleep(ANSWERS_MS, signal);
    },
  };
}

async function arpTable(platform: NodeJS.Platform): Promise<string> {
  // Without -n, macOS asks a name server about every address.
  return (await runToEnd('arp', [platform === 'win32' ? '-a' : '-an'], COMMAND_TIMEOUT_MS)).stdout;
}

/** One empty datagram to each address: the system has to learn who lives there before it can send it. */
async function ask(from: string, addresses: readonly string[], clock: Clock, signal: AbortSignal): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('error', () => resolve());
    socket.bind(0, from, resolve);
  });
  for (let at = 0; at < addresses.length && !signal.aborted; at += AT_ONCE) {
    for (const address of addresses.slice(at, at + AT_ONCE)) socket.send(new Uint8Array(), DISCARD_PORT, address, () => undefined);
    await clock.sleep(BETWEEN_MS, signal);
  }
  await new Promise<void>((resolve) => {
    socket.close(() => resolve());
  });
}
