/** When a recording's pictures are shown, by ffprobe: never by Porchlight's own reading of the file. */
import { spawn } from 'node:child_process';

/** Presentation times of all pictures of a file in ms of its media time, in order of presentation. */
export async function presentationTimesMs(file: string): Promise<number[]> {
  const child = spawn('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const bytes of child.stdout as AsyncIterable<Buffer>) text += bytes.toString();
  return text.split('\n').filter((line) => /^-?\d/.test(line)).map((line) => Number.parseFloat(line) * 1_000).toSorted((a, b) => a - b);
}
