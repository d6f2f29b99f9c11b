/** The month files of the log of views as lines, first to last or last to first, with bounded memory. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { EpochMs } from '../../../../shared/time.ts';
import { MAX_LINE_BYTES } from './view-chain.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
const IS_MONTH = /^views-\d{4}-\d{2}\.jsonl$/;

/** In the order of their months, which is that of their lines. */
export async function monthFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => IS_MONTH.test(name)).sort().map((name) => path.join(folder, name));
}

/** The file a line of that moment belongs to. UTC. */
export function monthFile(folder: string, atMs: EpochMs): string {
  return path.join(folder, `views-${new Date(atMs).toISOString().slice(0, 'yyyy-mm'.length)}.jsonl`);
}

export interface PlacedLine {
  /** Without its end; of one that is too long, its beginning. */
  readonly line: Buffer;
  /** Where the next line begins. */
  readonly endOffset: number;
  /** False for what follows the last line end. */
  readonly isEnded: boolean;
}

/** The lines of the first `sizeBytes` of a file. */
export async function* linesForward(file: string, sizeBytes: number): AsyncGenerator<PlacedLine> {
  const handle = await open(file, 'r');
  try {
    let held = Buffer.alloc(0);
    let at = 0;
    while (at < sizeBytes) {
      const chunk = await readAt(handle, at, Math.min(CHUNK_BYTES, sizeBytes - at));
      if (chunk.length === 0) break;
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        yield { line: Buffer.concat([held, chunk.subarray(from, end)]), endOffset: at + end + 1, isEnded: true };
        held = Buffer.alloc(0);
        from = end + 1;
      }
      // One byte too many is enough to be no line.
      held = Buffer.concat([held, chunk.subarray(from)]).subarray(0, MAX_LINE_BYTES + 1);
      at += chunk.length;
    }
    if (held.length > 0) yield { line: held, endOffset: at, isEnded: false };
  } finally {
    await handle.close();
  }
}

/** The ended lines of the first `sizeBytes` of a file, last first. */
export async function* linesBackward(file: string, sizeBytes: number): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r');
  try {
    let held = Buffer.alloc(0);
    let at = sizeBytes;
    let isEnded = false;
    while (at > 0) {
      const size = Math.min(CHUNK_BYTES, at);
      const chunk = await readAt(handle, at - size, size);
      if (chunk.length < size) return;
      let to = chunk.length;
      for (let end = chunk.lastIndexOf(NEWLINE, to - 1); end >= 0; end = to === 0 ? -1 : chunk.lastIndexOf(NEWLINE, to - 1)) {
        const line = Buffer.concat([chunk.subarray(end + 1, to), held]);
        if (isEnded && line.length > 0) yield line;
        isEnded = true;
        held = Buffer.alloc(0);
        to = end;
      }
      held = Buffer.concat([chunk.subarray(0, to), held]).subarray(0, MAX_LINE_BYTES + 1);
      at -= size;
    }
    if (isEnded && held.length > 0) yield held;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
