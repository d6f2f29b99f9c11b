/** One HTTP or HTTPS request to a camera, with a time limit and a cap on bytes. Redirects are the caller's business. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { PorchlightError } from '../../../shared/errors.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { CAMERA_TLS } from './camera-tls.ts';
import { networkError, unreachable } from './network.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: DurationMs;
  readonly maxBytes: number;
}

export interface HttpReply {
  readonly status: number;
  readonly location: string | null;
  readonly contentType: string;
  /** The server's Date header; null where it sent none. */
  readonly dateMs: EpochMs | null;
  /** Every WWW-Authenticate header. */
  readonly challenges: readonly string[];
  readonly bytes: Uint8Array;
}

/** Whoever is there takes a connection at once; it is the answer that small cameras need time for. */
const CONNECT_TIMEOUT_MS: DurationMs = 5000;

/** @throws PorchlightError unreachable, refused, timeout or bad-answer. */
export function fetchFromCamera(clock: Clock, request: HttpRequest): Promise<HttpReply> {
  const { url } = request;
  const host = url.hostname;
  const options: RequestOptions & typeof CAMERA_TLS = {
    hostname: host.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method: request.method,
    headers: { ...request.headers, 'Content-Length': String(request.body.byteLength), Connection: 'close' },
    agent: false,
    ...CAMERA_TLS,
    insecureHTTPParser: true,
  };
  return new Promise((resolve, reject) => {
    let connected = false;
    const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(options);
    const cancelConnecting = clock.after(Math.min(request.timeoutMs, CONNECT_TIMEOUT_MS), () => {
      if (!connected) fail(unreachable(host));
    });
    const cancelLimit = clock.after(request.timeoutMs, () => {
      fail(connected ? new PorchlightError('timeout', `The device at ${host} took the connection but did not answer in time.`) : unreachable(host));
    });
    const fail = (error: PorchlightError): void => {
      cancelConnecting();
      cancelLimit();
      reject(error);
      outgoing.destroy();
    };
    outgoing.on('socket', (socket) =>
      socket.once('connect', () => {
        connected = true;
        cancelConnecting();
      }),
    );
    outgoing.on('error', (error) => fail(networkError(error, host)));
    outgoing.on('response', (incoming) => {
      readBody(incoming, request.maxBytes).then(
        (bytes) => {
          cancelLimit();
          resolve({
            status: incoming.statusCode ?? 0,
            location: incoming.headers.location ?? null,
            contentType: incoming.headers['content-type'] ?? '',
            dateMs: parseDate(incoming.headers.date),
            challenges: incoming.rawHeaders.filter((_value, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === 'www-authenticate'),
            bytes,
          });
          outgoing.destroy();
        },
        (error: unknown) => fail(networkError(error, host)),
      );
    });
    outgoing.end(request.body);
  });
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > maxBytes) throw new PorchlightError('bad-answer', 'The device sent far more than a camera would. It was not read on.');
    parts.push(part);
  }
  return await unpacked(Buffer.concat(parts), incoming.headers['content-encoding'] ?? '', maxBytes);
}

/** Some cameras (Pelco) pack their answers though nobody asked, and the header that says so may be missing or wrong; gzip shows itself. */
async function unpacked(bytes: Buffer, encoding: string, maxBytes: number): Promise<Uint8Array> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip && !(encoding.toLowerCase() === 'deflate' && bytes[0] === 0x78)) return bytes;
  try {
    return await (isGzip ? promisify(gunzip) : promisify(inflate))(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw new PorchlightError('bad-answer', 'The device sent an answer that cannot be unpacked.', error);
  }
}

function parseDate(text: string | undefined): EpochMs | null {
  const atMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(atMs) ? null : atMs;
}
