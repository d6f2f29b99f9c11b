/** Owns a camera's RTSP port: accepts, refuses, drops and resets connections as its quirks say. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { RtspConnection, type RtspHost } from './rtsp-connection.ts';

const EXPIRY_CHECK_MS = 1000;

export class RtspServer {
  readonly #host: Omit<RtspHost, 'sessionCount'>;
  readonly #connections = new Set<RtspConnection>();
  #server: Server | null = null;
  #accepted = 0;
  /** Of connections that are closed. */
  #sentBytes = 0;
  #expiry: NodeJS.Timeout | null = null;
  /** The port; 0 before the first start, kept over later ones. */
  port = 0;

  constructor(host: Omit<RtspHost, 'sessionCount'>, port: number) {
    this.#host = host;
    this.port = port;
  }

  async start(address: string): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    server.listen({ port: this.port, host: address, exclusive: true });
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#expiry = setInterval(() => {
      for (const connection of this.#connections) if (connection.expire(performance.now())) connection.socket.destroy();
    }, EXPIRY_CHECK_MS);
    this.#expiry.unref();
  }

  /** Closes the port. Open connections end ('end'), are reset ('reset') or are left open and dumb ('keep'). */
  async stop(connections: 'end' | 'reset' | 'keep'): Promise<void> {
    if (this.#expiry !== null) clearInterval(this.#expiry);
    const server = this.#server;
    this.#server = null;
    if (connections !== 'keep') this.dropAll(connections);
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    if (connections !== 'keep') await closed;
  }

  dropAll(how: 'end' | 'reset'): void {
    for (const connection of this.#connections) {
      connection.closeSessions();
      if (how === 'reset') connection.socket.resetAndDestroy();
      else connection.socket.destroy();
    }
    this.#connections.clear();
  }

  get sessionCount(): number {
    let count = 0;
    for (const connection of this.#connections) count += connection.sessionCount;
    return count;
  }

  /** Open connections, those ever accepted, and bytes sent over all of them (TCP; pictures over UDP are not counted). */
  get traffic(): { readonly open: number; readonly accepted: number; readonly sentBytes: number } {
    let sentBytes = this.#sentBytes;
    for (const { socket } of this.#connections) sentBytes += socket.bytesWritten;
    return { open: this.#connections.size, accepted: this.#accepted, sentBytes };
  }

  #accept(socket: Socket): void {
    this.#accepted += 1;
    const { quirks } = this.#host;
    if (quirks.flag('reset')) {
      socket.resetAndDestroy();
      return;
    }
    if (quirks.flag('drop') || quirks.flag('unplugged')) {
      socket.destroy();
      return;
    }
    const { quirks: set, gate } = this.#host;
    const connection = new RtspConnection(socket, { quirks: set, gate, stream: (path) => this.#host.stream(path), sessionCount: () => this.sessionCount });
    this.#connections.add(connection);
    socket.on('close', () => {
      this.#connections.delete(connection);
      this.#sentBytes += socket.bytesWritten;
    });
  }
}
