/** Wires over real sockets through a real relay, and a TCP hop before it that is slow, stalls or flips bits. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { systemClock } from '../../main/engine/core/clock.ts';
import { dialRelay, type DialParts, type RelaySocket } from '../../main/engine/relay/dial-socket.ts';
import { encodeRegister } from '../../shared/relay/protocol.ts';
import type { SessionClock, Wire } from '../../shared/relay/wire.ts';

export const realClock: SessionClock = { nowMs: () => performance.now(), after: (ms, run) => systemClock.after(ms, run) };

const parts: DialParts = { clock: systemClock, tap: () => undefined };

export interface Meeting {
  readonly home: Wire;
  readonly viewer: Wire;
  readonly sessionKey: Uint8Array;
}

/** A home that waits at a relay under one token. */
export class WaitingHome {
  readonly #url: string;
  readonly #route: Uint8Array;
  readonly #token: Uint8Array;
  readonly #control: RelaySocket;

  private constructor(url: string, route: Uint8Array, token: Uint8Array, control: RelaySocket) {
    this.#url = url;
    this.#route = route;
    this.#token = token;
    this.#control = control;
  }

  static async at(url: string, token: Uint8Array, signal: AbortSignal): Promise<WaitingHome> {
    const route = crypto.getRandomValues(new Uint8Array(16));
    const control = await dialRelay(parts, { url, route }, { role: 'home', body: new Uint8Array() }, signal);
    await control.next(signal);
    control.send(encodeRegister([token]));
    return new WaitingHome(url, route, token, control);
  }

  /** A viewer comes, by way of `viewerUrl`, and both are joined. */
  async meet(viewerUrl: string, signal: AbortSignal): Promise<Meeting> {
    const viewer = await dialRelay(parts, { url: viewerUrl, route: this.#route }, { role: 'viewer', body: this.#token }, signal);
    const [session, ring] = [await viewer.next(signal), await this.#control.next(signal)];
    if (session.type !== 'session' || ring.type !== 'ring') throw new Error('the relay said something else');
    const home = await dialRelay(parts, { url: this.#url, route: this.#route }, { role: 'home-session', body: ring.sessionKey }, signal);
    await Promise.all([home.next(signal), viewer.next(signal)]);
    return { home, viewer, sessionKey: session.sessionKey };
  }

  close(): void {
    this.#control.close('over');
  }
}

/** What a hop does with the bytes that come back from the relay. */
export interface HopShape {
  /** Infinity: as they come. */
  bytesPerS: number;
  isStalled: boolean;
  /** The next byte to come is changed. */
  flipsNext: boolean;
}

export interface Hop {
  readonly url: string;
  readonly shape: HopShape;
  close(): Promise<void>;
}

const STEP_MS = 10;

/** A TCP hop to that port; what is held back stays in the sockets' own buffers, as it would on the way. */
export async function openHop(port: number): Promise<Hop> {
  const shape: HopShape = { bytesPerS: Number.POSITIVE_INFINITY, isStalled: false, flipsNext: false };
  const sockets = new Set<Socket>();
  const server = createServer((viewer) => {
    const relay = connect(port, '127.0.0.1');
    for (const socket of [viewer, relay]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        viewer.destroy();
        relay.destroy();
      });
    }
    viewer.pipe(relay);
    const timer = setInterval(() => pour(relay, viewer, shape), STEP_MS);
    relay.on('readable', () => {
      if (shape.bytesPerS === Number.POSITIVE_INFINITY) pour(relay, viewer, shape);
    });
    relay.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shape,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pour(from: Socket, to: Socket, shape: HopShape): void {
  if (shape.isStalled) return;
  let left = (shape.bytesPerS * STEP_MS) / 1_000;
  while (left > 0 && to.writable) {
    const available = from.readableLength;
    if (available === 0) {
      // Asks the socket for more; it comes before the next step.
      from.read(0);
      return;
    }
    const bytes = from.read(Math.max(1, Math.min(available, Math.floor(left)))) as Buffer | null;
    if (bytes === null) return;
    if (shape.flipsNext) {
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      shape.flipsNext = false;
    }
    left -= bytes.length;
    to.write(bytes);
  }
}
