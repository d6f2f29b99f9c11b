/** Owns the answering of discovery for all cameras of a simulator: one multicast listener, one socket per camera address. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { announcement, probeMatches, readProbe, type DiscoverableCamera } from './discovery-message.ts';

export const DISCOVERY_GROUP = '239.255.255.250';
export const DISCOVERY_PORT = 3702;

export interface DiscoveryOptions {
  /** 3702 as cameras do, another, or 0 for one the system chooses. */
  readonly port: number;
  /** Addresses of the interfaces on which to join the group. */
  readonly interfaces: readonly string[];
}

interface Presence {
  readonly camera: DiscoverableCamera;
  readonly host: string;
  readonly socket: Socket;
}

function bind(port: number, address: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

export class DiscoveryResponder {
  readonly #options: DiscoveryOptions;
  readonly #present = new Map<DiscoverableCamera, Presence>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #listener: Socket | null = null;
  #messageNumber = 0;
  port: number;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.port = options.port;
  }

  /** Joins the group; interfaces where that fails are left out, as without a network there is nobody to hear. */
  async start(): Promise<void> {
    const listener = await bind(this.port, '0.0.0.0');
    this.#listener = listener;
    this.port = listener.address().port;
    for (const address of this.#options.interfaces) {
      try {
        listener.addMembership(DISCOVERY_GROUP, address);
      } catch {
        continue;
      }
    }
    listener.on('message', (data, from) => {
      for (const presence of this.#present.values()) this.#onMessage(presence, data, from);
    });
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const camera of this.#present.keys()) await this.leave(camera, false);
    const listener = this.#listener;
    this.#listener = null;
    if (listener !== null) await new Promise<void>((resolve) => listener.close(resolve));
  }

  /** The camera is on the network from now on: says Hello, answers probes to the group and to its own address. */
  async join(camera: DiscoverableCamera): Promise<void> {
    const host = camera.address();
    const socket = await bind(this.port, host);
    const presence: Presence = { camera, host, socket };
    socket.on('message', (data, from) => {
      // Cameras that share an address share what arrives there, as the system gives it to one socket only.
      for (const other of this.#present.values()) if (other.host === host) this.#onMessage(other, data, from);
    });
    this.#present.set(camera, presence);
    await this.#announce(presence, 'Hello');
  }

  /** The camera is gone; with `bye` it says so. */
  async leave(camera: DiscoverableCamera, bye: boolean): Promise<void> {
    const presence = this.#present.get(camera);
    if (presence === undefined) return;
    this.#present.delete(camera);
    if (bye) await this.#announce(presence, 'Bye');
    await new Promise<void>((resolve) => presence.socket.close(resolve));
  }

  async #announce(presence: Presence, action: 'Hello' | 'Bye'): Promise<void> {
    if (presence.camera.quirks.flag('silent')) return;
    const text = Buffer.from(announcement(presence.camera, action, this.#nextNumber()));
    for (const address of this.#options.interfaces) {
      try {
        presence.socket.setMulticastInterface(address);
        await new Promise<void>((resolve) => presence.socket.send(text, this.port, DISCOVERY_GROUP, () => resolve()));
      } catch {
        continue;
      }
    }
  }

  #nextNumber(): number {
    this.#messageNumber += 1;
    return this.#messageNumber;
  }

  #onMessage(presence: Presence, data: Buffer, from: RemoteInfo): void {
    const { camera } = presence;
    const { quirks } = camera;
    const probe = readProbe(data.toString('utf8'));
    if (probe === null || quirks.flag('silent') || quirks.flag('unplugged')) return;
    if (probe.kind === 'Hello' && !quirks.flag('answers-hello')) return;
    if (probe.kind === 'Resolve' && probe.address !== `urn:uuid:${camera.uuid}`) return;
    if (probe.kind === 'Probe' && !matchesTypes(camera, probe.types)) return;
    const answer = (): void => this.#reply(presence, probe.kind === 'Resolve' ? 'Resolve' : 'Probe', probe.messageId, from);
    const delayMs = quirks.number('reply-delay');
    if (delayMs === 0) return answer();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      answer();
    }, delayMs);
    this.#timers.add(timer);
  }

  #reply(presence: Presence, kind: 'Probe' | 'Resolve', messageId: string, to: RemoteInfo): void {
    const { camera, socket } = presence;
    const { quirks } = camera;
    if (!this.#present.has(camera)) return;
    const send = (data: string | Buffer): void => {
      socket.send(data, to.port, to.address, () => undefined);
    };
    if (quirks.flag('empty-datagram')) send(Buffer.alloc(0));
    if (quirks.flag('garbage-reply')) send(randomBytes(600));
    if (quirks.flag('entity-bomb')) send(entityBomb());
    if (quirks.flag('hello-instead')) return send(announcement(camera, 'Hello', this.#nextNumber()));
    const bom = quirks.flag('byte-order-mark') ? '\uFEFF' : '';
    const text = bom + probeMatches(camera, kind, messageId, this.#nextNumber());
    send(quirks.flag('truncated-reply') ? text.slice(0, Math.floor(text.length / 2)) : text);
    for (let i = 1; i < quirks.number('reply-burst'); i += 1) send(probeMatches(camera, kind, messageId, this.#nextNumber(), true));
  }
}

function matchesTypes(camera: DiscoverableCamera, types: string): boolean {
  const { quirks } = camera;
  const video = types.includes('NetworkVideoTransmitter');
  const device = /(^|\s|:)Device(\s|$)/.test(types);
  if (quirks.flag('prefix-sensitive')) return types.split(/\s+/).includes('dn:NetworkVideoTransmitter');
  if (quirks.flag('nvt-only')) return video;
  if (quirks.flag('device-only')) return device;
  return types === '' || video || device;
}

function entityBomb(): string {
  const levels = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  return `<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY l0 "lol">${levels}]><bomb>&l9;</bomb>`;
}
