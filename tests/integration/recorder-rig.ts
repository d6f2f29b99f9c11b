/** What the recorder's integration tests share: an ingest thread with a disk of its own, what it said, and looks into files. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../main/engine/core/clock.ts';
import { createLogger } from '../../main/engine/core/logger.ts';
import type { Ingest, IngestNotice, IngestStream } from '../../main/engine/ports/ingest.ts';
import { createIngest } from '../../main/engine/recorder/ingest-host.ts';
import { createRoot, type OpenRoot } from '../../main/engine/storage/root.ts';
import { encodeSegmentName } from '../../main/engine/storage/segment-name.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Segment } from '../../shared/model/segment.ts';

export const CAMERA_ID = 'cam-abcdefghijkl' as CameraId;
export const KEY = { cameraId: CAMERA_ID, stream: 'main' } as const;

/** Resolves with the first value `look` finds; throws, with what `say` tells, after `withinMs`. */
export async function until<T>(what: string, look: () => T | Promise<T>, withinMs = 20_000, say: () => string = () => ''): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>;
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}\n${say()}`);
    await systemClock.sleep(50);
  }
}

export class Rig {
  readonly folder: string;
  readonly root: OpenRoot;
  ingest: Ingest;
  readonly notices: { readonly atMs: number; readonly notice: IngestNotice }[] = [];
  readonly log: string[] = [];

  private constructor(folder: string, root: OpenRoot) {
    this.folder = folder;
    this.root = root;
    this.ingest = this.#begin();
  }

  #begin(): Ingest {
    const ingest = createIngest({ clock: systemClock, logger: createLogger((entry) => this.log.push(entry.message)) });
    ingest.onNotice((notice) => this.notices.push({ atMs: Date.now(), notice }));
    return ingest;
  }

  /** Stops in order and begins anew over the same folders; what was said before is forgotten. */
  async nextLife(): Promise<void> {
    await this.ingest.stop();
    this.notices.length = 0;
    this.ingest = this.#begin();
  }

  static async start(): Promise<Rig> {
    const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-recorder-'));
    return new Rig(folder, await createRoot(path.join(folder, 'media'), Date.now()));
  }

  stream(change: Partial<IngestStream> & { readonly url: string }): IngestStream {
    return { ...KEY, kind: 'main', username: null, password: null, transport: 'tcp', videoCodec: 'h264', sound: 'none', record: { rootId: this.root.rootId, rootPath: this.root.path }, rotationOffsetMs: 0, ...change };
  }

  async record(...streams: readonly IngestStream[]): Promise<void> {
    await this.ingest.configure(streams, { ffmpegPath: 'ffmpeg', dataDir: this.folder });
  }

  all<Type extends IngestNotice['type']>(type: Type): Extract<IngestNotice, { type: Type }>[] {
    return this.notices.flatMap(({ notice }) => (notice.type === type ? [notice as Extract<IngestNotice, { type: Type }>] : []));
  }

  get segments(): Segment[] {
    return this.all('segment-closed').map((notice) => notice.segment);
  }

  async until<T>(what: string, look: () => T | Promise<T>, withinMs?: number): Promise<NonNullable<Exclude<T, false>>> {
    return await until(what, look, withinMs, () => [...this.log, ...this.notices.map(({ notice }) => JSON.stringify(notice).slice(0, 300))].join('\n'));
  }

  /** Until so many seconds of footage are in the open segment. */
  async footage(seconds: number): Promise<void> {
    await this.until(`${seconds} s of footage`, async () => {
      const open = await this.ingest.openSegment(KEY);
      return open !== null && open.endMs - open.startMs >= seconds * 1_000;
    }, 15_000 + seconds * 2_000);
  }

  /** Where a closed segment's file is. */
  closedPath(segment: Segment): string {
    return path.join(this.root.path, ...encodeSegmentName({ ...segment, startMs: segment.nameMs }).split('/'));
  }

  async files(): Promise<string[]> {
    const names = await readdir(this.root.path, { recursive: true });
    return names.filter((name) => name.endsWith('.mp4')).map((name) => path.join(this.root.path, name)).sort();
  }

  async stop(): Promise<void> {
    await this.ingest.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): { readonly out: Buffer; readonly errors: string } {
  const result = spawnSync(command, args, { maxBuffer: 512 * 1024 * 1024 });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${String(result.stderr)}`);
  return { out: result.stdout, errors: String(result.stderr).trim() };
}

/** What ffmpeg complains about when it decodes the whole file; empty when nothing. */
export function decodeErrors(file: string): string {
  return run('ffmpeg', ['-nostdin', '-v', 'warning', '-i', file, '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'null', '-']).errors;
}

/** MD5 of each picture as decoded, in order of presentation: equal lists are equal pictures. */
export function pictureSums(file: string): string[] {
  const { out } = run('ffmpeg', ['-nostdin', '-v', 'error', '-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', '-']);
  return out.toString().split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(',').at(-1)?.trim() ?? '');
}

/** MD5 of each access unit's slices (no parameter sets, delimiters or SEI, which servers add and take away), in decode order. */
export function sliceSums(file: string, codec: 'h264' | 'h265'): string[] {
  const filter = codec === 'h264' ? 'h264_mp4toannexb,filter_units=pass_types=1-5' : 'hevc_mp4toannexb,filter_units=pass_types=0-31';
  const { out } = run('ffmpeg', ['-nostdin', '-v', 'error', '-i', file, '-map', '0:v:0', '-c', 'copy', '-bsf:v', filter, '-f', 'framemd5', '-']);
  return out.toString().split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(',').at(-1)?.trim() ?? '');
}

/** Presentation time in ms and grey pixels of each picture, in order of presentation. */
export function pictures(file: string, width: number, height: number): { readonly mediaMs: number; readonly pixels: Uint8Array }[] {
  const times = run('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', file]).out.toString();
  const { out } = run('ffmpeg', ['-nostdin', '-v', 'error', '-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', '-']);
  const size = width * height;
  return times.split('\n').filter((line) => /^\d/.test(line)).map((line, index) => ({ mediaMs: Number.parseFloat(line) * 1_000, pixels: out.subarray(index * size, (index + 1) * size) }));
}

export function streamFacts(file: string): { readonly codec_name: string; readonly codec_type: string; readonly codec_tag_string: string; readonly width?: number; readonly height?: number }[] {
  const { out } = run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', file]);
  return (JSON.parse(out.toString()) as { streams: ReturnType<typeof streamFacts> }).streams;
}

/** Processes whose command line holds all `words`. */
export async function processesWith(...words: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (words.every((word) => line.includes(word))) found.push(Number(name));
  }
  return found;
}

/** Children of a process, by /proc. */
export async function childrenOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const [state, parentText] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(parentText) === parent && state !== 'Z') found.push(Number(name));
  }
  return found;
}

export interface ForeignServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** GStreamer's RTSP server with one mount per entry. */
export async function startForeignServer(mounts: Readonly<Record<string, string>>, options: readonly string[] = []): Promise<ForeignServer> {
  const script = new URL('../fixtures/gst-rtsp-server.py', import.meta.url).pathname;
  const child = spawn('/usr/bin/python3', [script, ...options, ...Object.entries(mounts).map(([name, launch]) => `${name}=${launch}`)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), exited.then(() => null)]);
  if (first === null) throw new Error('GStreamer’s RTSP server did not start: install gir1.2-gst-rtsp-server-1.0 and the GStreamer plugins');
  const { port } = JSON.parse(String(first[0])) as { port: number };
  return {
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
