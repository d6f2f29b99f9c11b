/** Owns the reading of FLV from a pipe: it says how long each picture is, so none has to wait for the next. */
import { parseAvcC } from './clip.ts';

/** What comes out of a live encoder's pipe. */
export interface LiveTag {
  /** Set on the tag that carries them instead of a picture. */
  readonly parameterSets: Buffer[] | null;
  readonly keyframe: boolean;
  /** Length-prefixed NAL units. */
  readonly sample: Buffer;
}

const FILE_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;

/** Takes bytes as they come, gives the H.264 video tags (Adobe FLV 10.1, E.4). */
export class FlvReader {
  #buffer: Buffer = Buffer.alloc(0);
  #headerSeen = false;

  push(chunk: Buffer): LiveTag[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const tags: LiveTag[] = [];
    if (!this.#headerSeen) {
      if (this.#buffer.length < FILE_HEADER_BYTES) return tags;
      this.#headerSeen = true;
      this.#buffer = this.#buffer.subarray(FILE_HEADER_BYTES);
    }
    while (this.#buffer.length >= TAG_HEADER_BYTES) {
      const length = this.#buffer.readUIntBE(1, 3);
      if (this.#buffer.length < TAG_HEADER_BYTES + length + 4) break;
      const type = (this.#buffer[0] ?? 0) & 0x1f;
      const body = this.#buffer.subarray(TAG_HEADER_BYTES, TAG_HEADER_BYTES + length);
      this.#buffer = this.#buffer.subarray(TAG_HEADER_BYTES + length + 4);
      if (type !== 9 || ((body[0] ?? 0) & 0x0f) !== 7) continue;
      const keyframe = (body[0] ?? 0) >> 4 === 1;
      if (body[1] === 0) tags.push({ parameterSets: parseAvcC(body.subarray(5)), keyframe: false, sample: Buffer.alloc(0) });
      if (body[1] === 1) tags.push({ parameterSets: null, keyframe, sample: body.subarray(5) });
    }
    return tags;
  }
}
