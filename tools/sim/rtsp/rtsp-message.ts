/** Owns the wire form of RTSP 1.0 requests and responses (RFC 2326) and of interleaved frames (section 10.12). */

export interface RtspRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface InterleavedFrame {
  readonly kind: 'interleaved';
  readonly channel: number;
  readonly data: Buffer;
}

const MAX_HEADER_BYTES = 16_384;

/** Takes bytes as they come and gives whole messages; throws on what is no RTSP. */
export class RtspParser {
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): (RtspRequest | InterleavedFrame)[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const messages: (RtspRequest | InterleavedFrame)[] = [];
    for (;;) {
      const message = this.#next();
      if (message === null) return messages;
      messages.push(message);
    }
  }

  #next(): RtspRequest | InterleavedFrame | null {
    while (this.#buffer[0] === 13 || this.#buffer[0] === 10) this.#buffer = this.#buffer.subarray(1);
    if (this.#buffer[0] === 0x24) return this.#nextInterleaved();
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#buffer.length > MAX_HEADER_BYTES) throw new Error('the header has no end');
      return null;
    }
    const [first = '', ...lines] = this.#buffer.subarray(0, end).toString('utf8').split('\r\n');
    const [method = '', uri = '', version = ''] = first.split(' ');
    if (!version.startsWith('RTSP/')) throw new Error('not an RTSP request');
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    const bodyBytes = Number(headers.get('content-length') ?? 0);
    if (this.#buffer.length < end + 4 + bodyBytes) return null;
    const body = this.#buffer.subarray(end + 4, end + 4 + bodyBytes);
    this.#buffer = this.#buffer.subarray(end + 4 + bodyBytes);
    return { kind: 'request', method, uri, headers, body };
  }

  #nextInterleaved(): InterleavedFrame | null {
    if (this.#buffer.length < 4) return null;
    const length = this.#buffer.readUInt16BE(2);
    if (this.#buffer.length < 4 + length) return null;
    const frame: InterleavedFrame = { kind: 'interleaved', channel: this.#buffer[1] ?? 0, data: this.#buffer.subarray(4, 4 + length) };
    this.#buffer = this.#buffer.subarray(4 + length);
    return frame;
  }
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  551: 'Option not supported',
};

/** A response as bytes. A header's value may be a list: then the header is sent several times. */
export function formatResponse(status: number, cseq: string, headers: Readonly<Record<string, string | readonly string[]>>, body = ''): Buffer {
  const lines = [`RTSP/1.0 ${status} ${REASONS[status] ?? 'Unknown'}`, `CSeq: ${cseq}`, 'Server: Lanternworks RTSP'];
  for (const [name, value] of Object.entries(headers)) for (const one of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${one}`);
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
