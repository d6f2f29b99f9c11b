/** The outputs of a child that is read in beats: FIFOs of our own where the system has them, the child's streams elsewhere. */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readSync, rmdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/** One output. Bytes come through the listener: on `drain`, or as they come while it flows. They are lent until the listener returns. */
export interface OutputPipe {
  listen(take: (bytes: Uint8Array) => void): void;
  flow(on: boolean): void;
  /** Takes what is there now without waiting. */
  drain(): void;
  /** Gives the descriptor back; nothing comes afterwards. */
  close(): void;
}

/** A FIFO: our end, and the descriptor a child gets as its output and we close after the start. */
export interface Fifo {
  readonly pipe: OutputPipe;
  readonly childFd: number;
}

/** A FIFO holds 64 kB on Linux and macOS. One buffer serves all: it is read and handed on before anything else runs. */
const buffer = Buffer.allocUnsafeSlow(128 * 1024);

/**
 * Makes FIFOs that nobody else can open: in an owner-only folder, gone before it returns. Reading them takes one call and
 * no memory, where a stream of Node takes several turns of the event loop. Null where there are none (Windows).
 */
export async function makeFifos(count: number): Promise<Fifo[] | null> {
  if (process.platform === 'win32') return null;
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-pipe-')).catch(() => null);
  if (folder === null) return null;
  const fifos: Fifo[] = [];
  const names = Array.from({ length: count }, (_, index) => path.join(folder, String(index)));
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', ...names]);
    for (const name of names) {
      const fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
      const pipe = new FifoPipe(fd);
      try {
        fifos.push({ pipe, childFd: openSync(name, constants.O_WRONLY) });
      } catch (error) {
        pipe.close();
        throw error;
      }
    }
    return fifos;
  } catch {
    closeFifos(fifos);
    return null;
  } finally {
    removeFolder(folder, names);
  }
}

/** Without reading it, which takes a descriptor: there may be none left. */
function removeFolder(folder: string, names: readonly string[]): void {
  for (const name of names) rmSync(name, { force: true });
  rmdirSync(folder);
}

function closeFifos(fifos: readonly Fifo[]): void {
  for (const { pipe, childFd } of fifos) {
    pipe.close();
    closeSync(childFd);
  }
}

class FifoPipe implements OutputPipe {
  readonly #fd: number;
  readonly #socket: Socket;
  #take: (bytes: Uint8Array) => void = () => undefined;
  #flowing = false;
  #ended = false;

  constructor(fd: number) {
    this.#fd = fd;
    this.#socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback: (count, bytes) => {
          this.#take(bytes.subarray(0, count));
          return true;
        },
      },
    });
    // The descriptor is the socket's: after its end the number may already be somebody else's.
    for (const event of ['end', 'error', 'close']) this.#socket.on(event, () => void (this.#ended = true));
    this.#socket.pause();
  }

  listen(take: (bytes: Uint8Array) => void): void {
    this.#take = take;
  }

  flow(on: boolean): void {
    if (this.#ended || on === this.#flowing) return;
    this.#flowing = on;
    if (on) this.#socket.resume();
    else this.#socket.pause();
  }

  drain(): void {
    while (!this.#ended) {
      const count = readNow(this.#fd);
      if (count > 0) this.#take(buffer.subarray(0, count));
      if (count < FULL_BYTES) return;
    }
  }

  close(): void {
    this.#ended = true;
    this.#socket.destroy();
  }
}

/** A whole FIFO was read: the child may have been waiting and have written more. */
const FULL_BYTES = 64 * 1024;

/** How many bytes were there; 0 when none, or when the writer is gone. */
function readNow(fd: number): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } catch {
    return 0;
  }
}

/** The same over a stream of a child: Node reads ahead of us, so a beat takes what it has read. */
export function streamPipe(stream: Readable): OutputPipe {
  let take: ((bytes: Uint8Array) => void) | null = null;
  const onData = (chunk: Buffer): void => take?.(chunk);
  return {
    listen(listener) {
      if (take === null) stream.on('data', onData);
      take = listener;
    },
    flow: (on) => void (on ? stream.resume() : stream.pause()),
    drain() {
      for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) if (take === null) return;
    },
    close() {
      take = null;
      stream.resume();
    },
  };
}
