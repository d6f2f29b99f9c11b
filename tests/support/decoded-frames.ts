/** What recordings really show: files decoded by ffmpeg, and the number and clock that the simulator burnt into each picture. */
import { spawn } from 'node:child_process';
import { type FrameCode, readFrameCode } from '../../tools/sim/frame-code.ts';

/** Decodes a whole file to grey pictures of a size and reads their codes; pictures without a readable code are left out. Throws when ffmpeg complains. Times are made anew (setpts): the raw format's clock is too coarse for cameras'. */
export async function decodeFrames(file: string, width: number, height: number): Promise<FrameCode[]> {
  const child = spawn('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v', '-vf', `scale=${width}:${height},setpts=N/25/TB`, '-r', '25', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const frames: FrameCode[] = [];
  const size = width * height;
  let rest: Buffer = Buffer.alloc(0);
  let complaints = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= size) {
      const code = readFrameCode(rest.subarray(0, size), width, height);
      if (code !== null) frames.push(code);
      rest = rest.subarray(size);
    }
  }
  const status = await closed;
  if (status !== 0 || complaints !== '') throw new Error(`${file}: ffmpeg ended with ${status}: ${complaints}`);
  return frames;
}
