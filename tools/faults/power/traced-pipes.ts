/** Owns when each picture came out of its ffmpeg, from the children's own writes in the trace: what was received by a moment. */
import { readU32 } from '../../../shared/media/boxes.ts';
import { fragmentDigestsOf } from './fragment-digests.ts';
import { callBytes, callFd, callVector, type SystemCall } from './strace-lines.ts';

/** Bytes of one output of one ffmpeg, with the moments at which they had been written. */
interface Output {
  readonly pieces: Buffer[];
  readonly ends: { readonly endBytes: number; readonly timeMs: number }[];
  sizeBytes: number;
}

/** A picture that was handed to the engine. */
export interface Arrival {
  readonly digest: string;
  readonly arrivedMs: number;
}

const VIDEO_DESCRIPTOR = 1;
/** What the first box of a muxed stream says. */
const FTYP = 0x66747970;

export class TracedPipes {
  #outputs = new Map<number, Output>();
  readonly #all: Output[] = [];

  /** Process ids may be used again by another life's children. */
  beginLife(): void {
    this.#outputs = new Map();
  }

  /** Every call; what is no write of a child's picture output is passed over. */
  take(call: SystemCall): void {
    if ((call.name !== 'write' && call.name !== 'writev') || !(call.result > 0)) return;
    const { fd, path } = callFd(call.args[0] ?? '');
    if (fd !== VIDEO_DESCRIPTOR || path === null) return;
    const bytes = (call.name === 'write' ? callBytes : callVector)(call.args[1] ?? '').subarray(0, call.result);
    let output = this.#outputs.get(call.tid);
    // A new stream begins with its own ftyp; texts that a process prints are no media.
    if (bytes.length >= 8 && readU32(bytes, 4) === FTYP) {
      output = { pieces: [], ends: [], sizeBytes: 0 };
      this.#outputs.set(call.tid, output);
      this.#all.push(output);
    }
    if (output === undefined) return;
    output.pieces.push(bytes);
    output.sizeBytes += bytes.length;
    output.ends.push({ endBytes: output.sizeBytes, timeMs: call.timeMs });
  }

  /** What came out of each ffmpeg, in order, with the moment at which the last byte of the picture's fragment had been written. */
  arrivals(): readonly (readonly Arrival[])[] {
    return this.#all.map((output) => {
      let next = 0;
      return fragmentDigestsOf(Buffer.concat(output.pieces)).map(({ digest, endBytes }) => {
        while (next < output.ends.length - 1 && (output.ends[next]?.endBytes ?? 0) < endBytes) next += 1;
        return { digest, arrivedMs: output.ends[next]?.timeMs ?? 0 };
      });
    });
  }
}
