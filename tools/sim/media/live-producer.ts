/** Owns live encoding: each picture carries the wall clock of the moment it was drawn, for glass-to-glass measurements. */
import { spawn, type ChildProcess } from 'node:child_process';
import { drawFrameCode } from '../frame-code.ts';
import { isParameterOrDelimiter, splitLengthPrefixed } from './clip.ts';
import { blankPicture } from './encode.ts';
import { toolPath, waitForEnd } from './ffmpeg.ts';
import { FlvReader, type LiveTag } from './flv.ts';
import { FragmentReader } from './fmp4.ts';
import { monotonicMs, startPacing, stopPacing, type Paced } from './pacer.ts';
import type { PictureProducer, ProducedPicture, VideoFormat } from './stream-feed.ts';
import { createTestPainter } from './test-pictures.ts';

interface LiveOptions {
  readonly codec: 'h264' | 'h265';
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly kbps: number;
  readonly gopFrames: number;
  readonly seed: number;
}

interface Taken {
  readonly frameNumber: number;
  readonly capturedMs: number;
  readonly media90k: number;
}

/** Pictures given to the encoder and not seen again; more means it does not keep up, and some are left out. */
const MAX_PENDING = 8;

function encoderArguments({ codec, width, height, fps, kbps, gopFrames }: LiveOptions): string[] {
  // Without `nobuffer`: it throws away the picture that was probed, and every later one would be taken for the one before it.
  const input = ['-v', 'error', '-probesize', '32', '-analyzeduration', '0', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', String(fps), '-i', 'pipe:0', '-fps_mode', 'passthrough'];
  const rate = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-b:v', `${kbps}k`, '-maxrate', `${kbps * 2}k`, '-bufsize', `${kbps}k`];
  const group = `keyint=${gopFrames}:min-keyint=${gopFrames}:scenecut=0`;
  if (codec === 'h265') {
    return [...input, '-c:v', 'libx265', ...rate, '-x265-params', `${group}:open-gop=0:bframes=0:pools=1:frame-threads=1:log-level=error`, '-tag:v', 'hvc1', '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', '-flush_packets', '1', 'pipe:1'];
  }
  return [...input, '-c:v', 'libx264', ...rate, '-threads', '1', '-g', String(gopFrames), '-x264-params', group, '-f', 'flv', '-flvflags', 'no_duration_filesize', '-flush_packets', '1', 'pipe:1'];
}

export class LiveProducer implements PictureProducer {
  readonly #options: LiveOptions;
  readonly #epochMs = monotonicMs();
  #child: ChildProcess | null = null;
  #paced: Paced | null = null;
  #parameterSets: Buffer[] = [];
  #frameNumber = 0;
  #onPicture: ((picture: ProducedPicture) => void) | null = null;
  #waitingForFormat: (() => void)[] = [];

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  /** The encoder runs for a moment to learn its parameter sets, once. */
  async format(): Promise<VideoFormat> {
    if (this.#parameterSets.length === 0) {
      this.#run();
      await new Promise<void>((resolve) => this.#waitingForFormat.push(resolve));
      if (this.#onPicture === null) this.#halt();
    }
    const { codec, width, height, fps } = this.#options;
    return { codec, width, height, fps, parameterSets: this.#parameterSets };
  }

  start(onPicture: (picture: ProducedPicture) => void): void {
    this.#onPicture = onPicture;
    this.#run();
  }

  stop(): void {
    this.#onPicture = null;
    this.#halt();
  }

  nextKeyframe90k(): number | null {
    return null;
  }

  #halt(): void {
    if (this.#paced !== null) stopPacing(this.#paced);
    this.#paced = null;
    this.#child?.stdin?.destroy();
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #run(): void {
    if (this.#child !== null) return;
    const child = spawn(toolPath('ffmpeg'), encoderArguments(this.#options), { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child = child;
    const ended = (): void => {
      if (this.#child === child) this.#halt();
      for (const wake of this.#waitingForFormat.splice(0)) wake();
    };
    waitForEnd(child).then(ended, ended);
    const taken: Taken[] = [];
    const reader = this.#options.codec === 'h265' ? new FragmentReader() : new FlvReader();
    child.stdout.on('data', (chunk: Buffer) => {
      for (const tag of reader.push(chunk)) this.#onTag(tag, taken);
    });
    this.#feed(child, taken);
  }

  #feed(child: ChildProcess, taken: Taken[]): void {
    const { width, height, fps, seed } = this.#options;
    const paint = createTestPainter({ width, height, seed });
    const picture = blankPicture(width, height);
    const frameMs = 1000 / fps;
    child.stdin?.on('error', () => undefined);
    const paced: Paced = {
      dueMs: monotonicMs(),
      fire: (nowMs) => {
        paced.dueMs = Math.max(paced.dueMs + frameMs, nowMs);
        if (taken.length > MAX_PENDING || child.stdin?.writable !== true) return;
        const capturedMs = Date.now();
        paint(this.#frameNumber, picture);
        drawFrameCode(picture, { frameNumber: this.#frameNumber, clockMs: capturedMs });
        taken.push({ frameNumber: this.#frameNumber, capturedMs, media90k: Math.round((nowMs - this.#epochMs) * 90) });
        this.#frameNumber += 1;
        child.stdin.write(Buffer.from(picture.whole));
      },
    };
    this.#paced = paced;
    startPacing(paced);
  }

  #onTag(tag: LiveTag, taken: Taken[]): void {
    if (tag.parameterSets !== null) {
      this.#parameterSets = tag.parameterSets;
      for (const wake of this.#waitingForFormat.splice(0)) wake();
      return;
    }
    const facts = taken.shift();
    if (facts === undefined || this.#onPicture === null) return;
    const { codec } = this.#options;
    const own = splitLengthPrefixed(tag.sample).filter((nal) => !isParameterOrDelimiter(codec, nal));
    const nals = tag.keyframe ? [...this.#parameterSets, ...own] : own;
    this.#onPicture({ codec, nals, keyframe: tag.keyframe, pass: 0, ...facts });
  }
}
