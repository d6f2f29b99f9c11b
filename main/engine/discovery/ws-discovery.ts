/**
 * WS-Discovery over IPv4: probes on every interface and to given addresses, and listens for Hello and Bye
 * (WS-Discovery 2005/04 with ONVIF Core section 7). Everything heard is hearsay; nothing heard can throw.
 */
import { randomUUID } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { DurationMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { errorCode } from '../core/atomic-file.ts';
import { searchInterfaces, type SearchInterface } from './interfaces.ts';
import { bareUuid, parseDiscoveryMessage, type DeviceAnnouncement, type DiscoveryMessage } from './probe-match.ts';

export const DISCOVERY_GROUP = '239.255.255.250';
export const DISCOVERY_PORT = 3702;

export interface SearchOptions {
  /** Addresses of the interfaces to search; missing or empty: all but internal ones. */
  readonly interfaces?: readonly string[];
  /** Asked directly too; works where multicast does not. */
  readonly targets?: readonly { readonly host: string; readonly port?: number }[];
  /** UDP port of the group, 3702 but in tests. */
  readonly port?: number;
  readonly timeoutMs?: DurationMs;
}

/** How it went on one interface. */
export interface InterfaceReport {
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  /** System code of the failure (`ENETUNREACH`), or null when the probe went out. */
  readonly failure: string | null;
}

/** One device that answered, and from where. */
export interface DiscoveryAnswer {
  readonly device: DeviceAnnouncement;
  readonly senderHost: string;
  /** Interface it was heard on. */
  readonly via: SearchInterface;
}

/** Some cameras answer only one of the two, and openHAB #9022 shows ones that compare the prefix. */
const PROBED_TYPES = [
  { type: 'dn:NetworkVideoTransmitter', namespace: 'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"' },
  { type: 'tds:Device', namespace: 'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"' },
] as const;
/** UDP loses; a repeat finds who was missed in a burst of answers. */
const REPEATS_MS: readonly DurationMs[] = [0, 500, 1500];
/** Slow devices were seen to answer after 430 ms; the last repeat leaves them 3 s. */
const DEFAULT_TIMEOUT_MS = 4500;
/** At the usual 208 KiB only 58 of 64 simultaneous answers were seen. */
const RECEIVE_BUFFER_BYTES = 1_048_576;

/** Searches once. `onAnswer` is called as answers come in, several times for a device that answers several probes. Resolves after the time limit or when `signal` aborts. */
export async function probeNetwork(clock: Clock, options: SearchOptions, onAnswer: (answer: DiscoveryAnswer) => void, signal: AbortSignal): Promise<InterfaceReport[]> {
  const asked = new Set<string>();
  const hear = (via: SearchInterface) => (bytes: Uint8Array, sender: RemoteInfo) => {
    const message = parseDiscoveryMessage(bytes);
    if (message?.kind !== 'probe-matches' || !asked.has(message.relatesTo)) return;
    for (const device of message.devices) if (device.isOnvif) onAnswer({ device, senderHost: sender.address, via });
  };
  const port = options.port ?? DISCOVERY_PORT;
  const probes: ProbeSocket[] = [];
  const targets = options.targets ?? [];
  const onlyTargets = targets.length > 0 && options.interfaces === undefined;
  for (const via of onlyTargets ? [] : searchInterfaces(options.interfaces)) probes.push(await openProbe(via, [{ host: DISCOVERY_GROUP, port }], hear(via)));
  if (targets.length > 0) {
    const direct = { name: 'direct', address: '0.0.0.0', netmask: '' };
    probes.push(await openProbe(direct, targets.map((target) => ({ host: target.host, port: target.port ?? port })), hear(direct)));
  }
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const startMs = clock.monotonicMs();
  for (const [index, atMs] of REPEATS_MS.entries()) {
    if (index > 0 && atMs >= timeoutMs) break;
    await clock.sleep(Math.max(0, startMs + atMs - clock.monotonicMs()), signal);
    if (signal.aborted) break;
    for (const { type, namespace } of PROBED_TYPES) for (const probe of probes) probe.send(type, namespace, asked);
  }
  await clock.sleep(Math.max(0, startMs + timeoutMs - clock.monotonicMs()), signal);
  return await Promise.all(probes.map((probe) => probe.close()));
}

interface ProbeSocket {
  send(type: string, namespace: string, asked: Set<string>): void;
  close(): Promise<InterfaceReport>;
}

async function openProbe(via: SearchInterface, targets: readonly { host: string; port: number }[], onMessage: (bytes: Uint8Array, sender: RemoteInfo) => void): Promise<ProbeSocket> {
  const socket = createSocket('udp4');
  let failure: string | null = null;
  let sent = false;
  socket.on('error', (error) => {
    failure = codeOf(error);
  });
  socket.on('message', onMessage);
  const bound = await bind(socket, 0, via.address);
  if (bound === null) prepareMulticast(socket, via.address);
  else failure = bound;
  return {
    send(type, namespace, asked) {
      if (bound !== null) return;
      for (const target of targets) {
        const id = randomUUID();
        asked.add(bareUuid(id));
        // A throw here would be a bad target; a callback error is the system refusing to send.
        try {
          socket.send(probeMessage(id, type, namespace), target.port, target.host, (error) => {
            if (error === null) sent = true;
            else failure = codeOf(error);
          });
        } catch (error) {
          failure = codeOf(error);
        }
      }
    },
    async close() {
      await closeSocket(socket);
      return { name: via.name, address: via.address, netmask: via.netmask, failure: sent ? null : failure };
    },
  };
}

function prepareMulticast(socket: Socket, address: string): void {
  // Each may be refused by an unusual system; the probe is still worth sending.
  for (const step of [() => socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES), () => socket.setMulticastTTL(1), () => socket.setMulticastInterface(address)]) {
    try {
      step();
    } catch {
      continue;
    }
  }
}

export interface AnnouncementListener {
  /** System code when the port could not be listened on; listening is a bonus, so this is no error. */
  readonly failure: string | null;
  readonly port: number;
  close(): Promise<void>;
}

/** Listens for devices that come and go (Hello, Bye) until closed. */
export async function listenForAnnouncements(options: Pick<SearchOptions, 'interfaces' | 'port'>, onMessage: (message: DiscoveryMessage, senderHost: string, via: SearchInterface) => void): Promise<AnnouncementListener> {
  const interfaces = searchInterfaces(options.interfaces);
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('error', () => undefined);
  const everywhere: SearchInterface = { name: 'any', address: '0.0.0.0', netmask: '' };
  socket.on('message', (bytes, sender) => {
    const message = parseDiscoveryMessage(bytes);
    if (message === null || message.kind === 'probe-matches') return;
    onMessage(message, sender.address, interfaces.length === 1 ? (interfaces[0] ?? everywhere) : everywhere);
  });
  let failure = await bind(socket, options.port ?? DISCOVERY_PORT, '0.0.0.0');
  if (failure === null) {
    for (const { address } of interfaces) {
      try {
        socket.addMembership(DISCOVERY_GROUP, address);
      } catch (error) {
        failure = codeOf(error);
      }
    }
  }
  let port = 0;
  try {
    port = socket.address().port;
  } catch {
    port = 0;
  }
  return { failure, port, close: () => closeSocket(socket) };
}

function bind(socket: Socket, port: number, address: string): Promise<string | null> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve(codeOf(error));
    socket.once('error', failed);
    socket.bind({ port, address, exclusive: false }, () => {
      socket.off('error', failed);
      resolve(null);
    });
  });
}

async function closeSocket(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      resolve();
    }
  });
}

function codeOf(error: unknown): string {
  const code = errorCode(error);
  return code === '' ? 'EUNKNOWN' : code;
}

function probeMessage(id: string, type: string, namespace: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">' +
    '<s:Header><a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>' +
    `<a:MessageID>uuid:${id}</a:MessageID>` +
    '<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>' +
    '<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>' +
    `<s:Body><d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:Types ${namespace}>${type}</d:Types></d:Probe></s:Body></s:Envelope>`
  );
}
