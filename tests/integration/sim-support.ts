/** Owns what the simulator's tests share: ffmpeg as a foreign client whose pictures are read back, and a bare RTSP client. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { readFrameCode, type FrameCode } from '../../tools/sim/frame-code.ts';

/** Gives up when the condition does not come true in time. */
export async function until<T>(what: string, ask: () => T | null | undefined | false | Promise<T | null | undefined | false>, timeoutMs = 10_000): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > endMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface ToolResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export function run(program: string, args: readonly string[], timeoutMs = 20_000): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr }));
  });
}

/** Decodes this many pictures of a stream and reads their codes; a picture whose code is unreadable is null. */
export async function decodeCodes(url: string, options: { transport: 'tcp' | 'udp'; frames: number; width?: number; height?: number; before?: readonly string[] }): Promise<(FrameCode | null)[]> {
  const { transport, frames, width = 640, height = 360 } = options;
  const args = ['-nostdin', '-v', 'error', '-analyzeduration', '1000000', ...(options.before ?? []), '-rtsp_transport', transport, '-i', url, '-map', '0:v', '-vsync', 'passthrough', '-frames:v', String(frames)];
  const { stdout, stderr } = await run('ffmpeg', [...args, '-vf', `scale=${width}:${height}`, '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1']);
  const codes: (FrameCode | null)[] = [];
  for (let at = 0; at + width * height <= stdout.length; at += width * height) codes.push(readFrameCode(stdout.subarray(at, at + width * height), width, height));
  if (codes.length === 0) throw new Error(`no picture: ${stderr}`);
  return codes;
}

export interface ProbedStream {
  readonly codec_name: string;
  readonly codec_type: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
}

export async function probeStreams(url: string, transport: 'tcp' | 'udp' = 'tcp'): Promise<ProbedStream[]> {
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', '-rtsp_transport', transport, '-show_streams', '-of', 'json', url]);
  const parsed = JSON.parse(stdout.toString('utf8')) as { streams?: ProbedStream[] };
  if (parsed.streams === undefined) throw new Error(`not probed: ${stderr}`);
  return parsed.streams;
}

/** An RTSP client with nothing clever in it, for cameras that ask for no password. */
export class BareRtspClient {
  readonly #socket;
  #buffer: Buffer = Buffer.alloc(0);
  readonly responses: string[] = [];
  readonly packets: { readonly channel: number; readonly data: Buffer; readonly atMs: number }[] = [];
  closed = false;
  #cseq = 0;

  constructor(host: string, port: number) {
    this.#socket = connect(port, host);
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => (this.closed = true));
  }

  async request(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    this.#cseq += 1;
    const known = this.responses.length;
    const lines = [`${method} ${url} RTSP/1.0`, `CSeq: ${this.#cseq}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return until(`the answer to ${method}`, () => this.responses[known], 10_000);
  }

  /** SETUP of the video over TCP and PLAY; gives the answer to PLAY. */
  async play(url: string, audio = false): Promise<string> {
    const setup = await this.request('SETUP', `${url}/trackID=0`, { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' });
    const session = /Session: (\w+)/.exec(setup)?.[1];
    if (session === undefined) return setup;
    if (audio) await this.request('SETUP', `${url}/trackID=1`, { Transport: 'RTP/AVP/TCP;unicast;interleaved=2-3', Session: session });
    return this.request('PLAY', url, { Session: session, Range: 'npt=0.000-' });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      if (this.#buffer[0] === 0x24) {
        if (this.#buffer.length < 4 || this.#buffer.length < 4 + this.#buffer.readUInt16BE(2)) return;
        const length = this.#buffer.readUInt16BE(2);
        this.packets.push({ channel: this.#buffer[1] ?? 0, data: this.#buffer.subarray(4, 4 + length), atMs: Date.now() });
        this.#buffer = this.#buffer.subarray(4 + length);
        continue;
      }
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#buffer.subarray(0, end).toString('utf8');
      const body = Number(/Content-Length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (this.#buffer.length < end + 4 + body) return;
      this.responses.push(head + this.#buffer.subarray(end, end + 4 + body).toString('utf8'));
      this.#buffer = this.#buffer.subarray(end + 4 + body);
    }
  }
}
