/** One RTSP connection for questions (OPTIONS, DESCRIBE), by RFC 2326: messages in and out, with time limits and caps; no media. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PorchlightError } from '../../../shared/errors.ts';
import type { DurationMs } from '../../../shared/time.ts';
import { errorCode } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import { CAMERA_TLS } from './camera-tls.ts';
import { networkError, unreachable } from './network.ts';

export interface RtspReply {
  readonly status: number;
  /** Names in lower case; values in the order they came. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
}

export interface RtspParse {
  readonly reply: RtspReply;
  /** Bytes it took. */
  readonly sizeBytes: number;
}

const MAX_HEAD_BYTES = 32_768;
const MAX_BODY_BYTES = 262_144;
const RTSP_TIMEOUT_MS: DurationMs = 5000;
const RESET_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** A reply at the start of `bytes`, or null while more is to come. Pure. @throws PorchlightError not-a-camera or bad-answer. */
function parseRtspReply(bytes: Uint8Array, host: string): RtspParse | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_HEAD_BYTES)).toString('latin1');
  const start = /^(?:\r?\n)*/.exec(text)?.[0].length ?? 0;
  const head = text.slice(start);
  if (/^HTTP\//.test(head)) throw new PorchlightError('not-a-camera', `A web server answers at ${host} on this port, not a camera's stream. Check the port; RTSP is usually 554.`);
  const expected = 'RTSP/';
  if (!head.startsWith(expected.slice(0, head.length))) throw new PorchlightError('not-a-camera', `What answers at ${host} on this port is not a camera's stream (it does not speak RTSP).`);
  const end = /\r?\n\r?\n/.exec(head);
  if (end === null) {
    if (bytes.length >= MAX_HEAD_BYTES) throw new PorchlightError('bad-answer', `The device at ${host} sent more than a camera would.`);
    return null;
  }
  const lines = head.slice(0, end.index).split(/\r?\n/);
  const status = Number(/^RTSP\/\d\.\d\s+(\d{3})/.exec(lines[0] ?? '')?.[1] ?? 0);
  const headers = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const bodyStart = start + end.index + end[0].length;
  const length = Number.parseInt(headers.get('content-length')?.[0] ?? '0', 10) || 0;
  if (status === 0 || length < 0 || length > MAX_BODY_BYTES) throw new PorchlightError('bad-answer', `The device at ${host} sent something that is no RTSP answer.`);
  if (bytes.length < bodyStart + length) return null;
  return { reply: { status, headers, body: bytes.slice(bodyStart, bodyStart + length) }, sizeBytes: bodyStart + length };
}

function notEncrypted(host: string, cause: unknown): PorchlightError {
  return new PorchlightError('not-a-camera', `The device at ${host} takes connections on this port, but not encrypted ones (rtsps). Check the port, or type rtsp:// in place of rtsps://.`, cause);
}

export class RtspConnection {
  readonly #clock: Clock;
  readonly #host: string;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #sequence = 0;
  #failure: PorchlightError | null = null;
  #ended = false;
  #wake: (() => void) | null = null;

  private constructor(clock: Clock, host: string, socket: Socket) {
    this.#clock = clock;
    this.#host = host;
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      if (this.#received.length > MAX_HEAD_BYTES + MAX_BODY_BYTES) socket.destroy();
      this.#wake?.();
    });
    socket.on('error', (error) => {
      // One that was reset is closed, like one that ended.
      if (!RESET_CODES.has(errorCode(error))) this.#failure ??= networkError(error, host);
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** @throws PorchlightError unreachable or refused. */
  static async open(clock: Clock, url: URL, timeoutMs = RTSP_TIMEOUT_MS): Promise<RtspConnection> {
    const secure = url.protocol === 'rtsps:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port === '' ? (secure ? 322 : 554) : Number(url.port);
    return await new Promise((resolve, reject) => {
      const socket = secure ? connectTls({ host, port, ...CAMERA_TLS }) : connectTcp({ host, port });
      let reached = false;
      const cancelLimit = clock.after(timeoutMs, () => failed(unreachable(host)));
      const failed = (error: unknown): void => {
        cancelLimit();
        socket.on('error', () => undefined);
        socket.destroy();
        // A connection that was taken fails here only where TLS comes to nothing.
        reject(reached ? notEncrypted(host, error) : networkError(error, host));
      };
      socket.once('connect', () => (reached = true));
      socket.once('error', failed);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        cancelLimit();
        socket.off('error', failed);
        resolve(new RtspConnection(clock, host, socket));
      });
    });
  }

  get open(): boolean {
    return !this.#ended && this.#failure === null && !this.#socket.destroyed;
  }

  /** Sends one request and waits for its reply. @throws PorchlightError timeout, bad-answer or not-a-camera. */
  async request(method: string, uri: string, headers: Readonly<Record<string, string>> = {}, timeoutMs = RTSP_TIMEOUT_MS): Promise<RtspReply> {
    this.#sequence += 1;
    const lines = [`${method} ${uri} RTSP/1.0`, `CSeq: ${this.#sequence}`, 'User-Agent: Porchlight', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
    this.#socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    let late = false;
    const cancelLimit = this.#clock.after(timeoutMs, () => {
      late = true;
      this.#wake?.();
    });
    try {
      for (;;) {
        const parsed = parseRtspReply(this.#received, this.#host);
        if (parsed !== null) {
          this.#received = this.#received.subarray(parsed.sizeBytes);
          return parsed.reply;
        }
        if (this.#failure !== null) throw this.#failure;
        if (this.#ended) throw new PorchlightError('bad-answer', `The device at ${this.#host} closed the connection without an answer. Check the port; where it takes encrypted connections only, the address begins with rtsps://.`);
        if (late) throw new PorchlightError('timeout', `The device at ${this.#host} took the connection but did not answer in time.`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      cancelLimit();
      this.#wake = null;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
