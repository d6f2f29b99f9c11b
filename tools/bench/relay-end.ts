/** One end of sessions through a relay, as a process of its own (relay.ts starts two): sends or receives, sealed with AES-256-GCM as the real ends do, and says what it took. */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { dialHome, dialSession, dialViewer, RelaySocket } from '../../relay/testing/relay-client.ts';
import { decodeRelayMessage, MAX_RECORD_BYTES } from '../../shared/relay/protocol.ts';
import type { AeadKey, Bytes } from '../../shared/relay/suite.ts';

/** With its tag. */
const RECORD_BYTES = MAX_RECORD_BYTES;
const TAG_BYTES = 16;
const NOTHING = new Uint8Array(0);
const FRAMES_PER_S = 30;
/** One frame in so many is a keyframe, of five times the bytes of the others. */
const KEYFRAME_EACH = 30;
const KEYFRAME_FACTOR = 5;
/** What may wait in a sender: what keeps a line full, and no more. */
const SEND_AHEAD_BYTES = 1_000_000;

export type Order =
  | { readonly do: 'home'; readonly url: string; readonly token: string }
  | { readonly do: 'view'; readonly url: string; readonly token: string; readonly sessions: number }
  | { readonly do: 'splice'; readonly port: number; readonly secure: boolean }
  | { readonly do: 'bulk'; readonly seconds: number; readonly key: string | null }
  | { readonly do: 'live'; readonly seconds: number; readonly bitsPerS: number; readonly key: string }
  | { readonly do: 'receive'; readonly key: string | null; readonly stalled: number }
  | { readonly do: 'report' };

export interface Report {
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** From sealing to opened, milliseconds. */
  readonly delaysMs: readonly number[];
  /** Frames whose last record arrived, by session. */
  readonly frames: readonly number[];
  readonly failed: number;
}

/** The key of one direction of a session, with its counter. node:crypto answers at once. */
class Cipher {
  readonly #key: AeadKey;
  #counter = 0n;

  constructor(key: Buffer) {
    this.#key = nodeSuite.aeadKey(key) as AeadKey;
  }

  seal(plain: Uint8Array): Bytes {
    return this.#key.seal(this.#counter++, NOTHING, plain) as Bytes;
  }

  open(sealed: Uint8Array): Bytes {
    return this.#key.open(this.#counter++, NOTHING, sealed) as Bytes;
  }
}

/** A session socket of either kind, or one to a bare splice. */
interface Pipe {
  send(bytes: Uint8Array, done?: () => void): void;
  waitingBytes(): number;
  listen(listener: (message: Buffer) => void): void;
  pause(): void;
}

const pipes: Pipe[] = [];
let received = { bytes: 0, firstMs: 0, lastMs: 0, failed: 0 };
let delaysMs: number[] = [];
let frames: number[] = [];
let cpuBefore = process.cpuUsage();

function overWebSocket(socket: RelaySocket): Pipe {
  return {
    send: (bytes, done) => socket.ws.send(bytes, done),
    waitingBytes: () => socket.ws.bufferedAmount,
    listen: (listener) => socket.listen(listener),
    pause: () => socket.ws.pause(),
  };
}

function overSplice(socket: Socket): Pipe {
  return {
    send: (bytes, done) => void socket.write(bytes, done),
    waitingBytes: () => socket.writableLength,
    listen: (listener) => void socket.removeAllListeners('data').on('data', listener),
    pause: () => void socket.pause(),
  };
}

async function beHome(url: string, token: string): Promise<void> {
  const control = await dialHome(url, [Buffer.from(token, 'hex')]);
  control.listen((bytes) => {
    const message = decodeRelayMessage(bytes);
    if (message?.type !== 'ring') return;
    void dialSession(url, message.sessionKey).then(async (session) => {
      await session.nextRelay('joined');
      pipes.push(overWebSocket(session));
    });
  });
}

async function view(url: string, token: string, sessions: number): Promise<void> {
  for (let at = 0; at < sessions; at += 1) {
    const socket = await dialViewer(url, Buffer.from(token, 'hex'));
    await socket.nextRelay('session');
    await socket.nextRelay('joined');
    pipes.push(overWebSocket(socket));
  }
}

/** To a bare splice; its certificate is of the moment, and known to nobody. */
async function dialSplice(port: number, secure: boolean): Promise<void> {
  const socket = secure ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }) : connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await new Promise((resolve) => socket.once(secure ? 'secureConnect' : 'connect', resolve));
  pipes.push(overSplice(socket));
}

function clearCounts(): void {
  received = { bytes: 0, firstMs: 0, lastMs: 0, failed: 0 };
  delaysMs = [];
  frames = pipes.map(() => 0);
  cpuBefore = process.cpuUsage();
}

/** As much as goes, through the first session, until time is up. */
function pump(seconds: number, key: Buffer | null): Promise<void> {
  const pipe = pipes[0];
  if (pipe === undefined) throw new Error('no session');
  const cipher = key === null ? null : new Cipher(key);
  const plain = Buffer.alloc(RECORD_BYTES - TAG_BYTES, 7);
  const bare = Buffer.alloc(RECORD_BYTES, 7);
  const endMs = performance.now() + seconds * 1000;
  return new Promise((resolve) => {
    const fill = (): void => {
      if (performance.now() > endMs) {
        resolve();
        return;
      }
      while (pipe.waitingBytes() < SEND_AHEAD_BYTES) {
        const sealed = cipher === null ? bare : cipher.seal(plain);
        received.bytes += sealed.length;
        pipe.send(sealed);
      }
      pipe.send(cipher === null ? bare : cipher.seal(plain), fill);
      received.bytes += RECORD_BYTES;
    };
    fill();
  });
}

/** Frames of a camera through each session, their moments spread; a frame is records of which each tells when it was sealed. */
async function stream(seconds: number, bitsPerS: number, key: Buffer): Promise<void> {
  const mean = bitsPerS / 8 / FRAMES_PER_S;
  const small = (mean * KEYFRAME_EACH) / (KEYFRAME_EACH - 1 + KEYFRAME_FACTOR);
  const everyMs = 1000 / FRAMES_PER_S;
  const total = Math.round(seconds * FRAMES_PER_S);
  const sendFrame = (pipe: Pipe, cipher: Cipher, frame: number): void => {
    let left = Math.round(frame % KEYFRAME_EACH === 0 ? small * KEYFRAME_FACTOR : small);
    // A stalled viewer's home drops; here: does not seal what has no room.
    if (pipe.waitingBytes() > SEND_AHEAD_BYTES) return;
    while (left > 0) {
      const size = Math.min(left, RECORD_BYTES - TAG_BYTES - 17);
      left -= size;
      const plain = Buffer.alloc(17 + size);
      plain.writeBigUInt64BE(process.hrtime.bigint());
      plain[16] = left <= 0 ? 1 : 0;
      const sealed = cipher.seal(plain);
      received.bytes += sealed.length;
      pipe.send(sealed);
    }
  };
  await Promise.all(
    pipes.map(async (pipe, at) => {
      const cipher = new Cipher(key);
      const startMs = performance.now() + (at / pipes.length) * everyMs;
      for (let frame = 0; frame < total; frame += 1) {
        const waitMs = startMs + frame * everyMs - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        sendFrame(pipe, cipher, frame + at);
      }
    }),
  );
}

function receive(key: Buffer | null, stalled: number): void {
  clearCounts();
  pipes.forEach((pipe, at) => {
    const cipher = key === null ? null : new Cipher(key);
    if (at < stalled) {
      pipe.pause();
      return;
    }
    pipe.listen((message) => {
      const nowMs = performance.now();
      if (received.bytes === 0) received.firstMs = nowMs;
      received.lastMs = nowMs;
      received.bytes += message.length;
      if (cipher === null) return;
      try {
        const plain = Buffer.from(cipher.open(message).buffer);
        const sentNs = plain.readBigUInt64BE();
        // Bulk records carry no time.
        if (plain[16] === 1) {
          delaysMs.push(Number(process.hrtime.bigint() - sentNs) / 1e6);
          frames[at] = (frames[at] ?? 0) + 1;
        }
      } catch {
        received.failed += 1;
      }
    });
  });
}

function report(): Report {
  const { user, system } = process.cpuUsage(cpuBefore);
  return { bytes: received.bytes, seconds: (received.lastMs - received.firstMs) / 1000, cpuSeconds: (user + system) / 1e6, delaysMs, frames, failed: received.failed };
}

async function obey(order: Order): Promise<unknown> {
  const keyOf = (key: string | null): Buffer | null => (key === null ? null : Buffer.from(key, 'hex'));
  switch (order.do) {
    case 'home':
      return beHome(order.url, order.token);
    case 'view':
      return view(order.url, order.token, order.sessions);
    case 'splice':
      return dialSplice(order.port, order.secure);
    case 'bulk':
      clearCounts();
      return pump(order.seconds, keyOf(order.key));
    case 'live':
      clearCounts();
      return stream(order.seconds, order.bitsPerS, Buffer.from(order.key, 'hex'));
    case 'receive':
      return receive(keyOf(order.key), order.stalled);
    case 'report':
      return report();
  }
}

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ answer: answer ?? null }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
