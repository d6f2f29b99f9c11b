/**
 * The engine's door for a terminal on the same computer (`npm run cli`): a Unix socket or named pipe and a token, both
 * named in <data>/control.json, which only the owner can read. Nothing here listens on a network port.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Channel } from '../../../shared/contract/channel.ts';
import { MAX_SETUP_BYTES } from '../../../shared/model/setup.ts';
import { replaceFile } from '../core/atomic-file.ts';
import { socketChannel } from '../rpc/channels/socket-channel.ts';

/** sun_path holds 104 bytes on macOS, 108 on Linux (unix(4), unix(7)). */
const LONGEST_SOCKET_PATH = 100;
/** A set-up to be taken over, and its head. */
export const MAX_CONTROL_FRAME_BYTES = MAX_SETUP_BYTES + 1024 * 1024;
const MAX_CONNECTIONS = 16;

export interface LocalDoor {
  readonly socketPath: string;
  stop(): Promise<void>;
}

export function controlFileOf(dataDir: string): string {
  return path.join(dataDir, 'control.json');
}

/** Listens; every connection's first message is `{ token }`, then it is a Channel. */
export async function openLocalDoor(dataDir: string, onChannel: (channel: Channel) => void): Promise<LocalDoor> {
  const token = randomBytes(32).toString('base64url');
  const socketPath = socketPathFor(dataDir);
  if (process.platform !== 'win32') await rm(socketPath, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    greet(socket, token, onChannel);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, socketPath);
  const file = controlFileOf(dataDir);
  await replaceFile(file, JSON.stringify({ socketPath, token }), 0o600);
  return {
    socketPath,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      await rm(file, { force: true });
      await rm(`${file}.previous`, { force: true });
    },
  };
}

function socketPathFor(dataDir: string): string {
  const name = createHash('sha256').update(path.resolve(dataDir)).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\porchlight-${name}`;
  const inside = path.join(dataDir, 'control.sock');
  return Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH ? inside : path.join(tmpdir(), `porchlight-${name}.sock`);
}

/** The token comes as the first message of a plain channel, which is handed on once it is right. */
function greet(socket: Socket, token: string, onChannel: (channel: Channel) => void): void {
  const channel = socketChannel(socket, MAX_CONTROL_FRAME_BYTES);
  let admitted: ((message: Parameters<Channel['send']>[0]) => void) | null = null;
  channel.onMessage((message) => {
    if (admitted !== null) {
      admitted(message);
      return;
    }
    const head = message.head;
    const given = typeof head === 'object' && head !== null && 'token' in head && typeof head.token === 'string' ? head.token : '';
    if (!sameToken(given, token)) {
      channel.close('wrong token');
      return;
    }
    admitted = () => undefined;
    onChannel({
      send: (outgoing) => channel.send(outgoing),
      onMessage: (listener) => {
        admitted = listener;
      },
      onClose: (listener) => channel.onClose(listener),
      close: (reason) => channel.close(reason),
    });
  });
}

function sameToken(given: string, token: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(token);
  return left.length === right.length && timingSafeEqual(left, right);
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
