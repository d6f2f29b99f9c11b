/** Owns the reading of live H.265 from a pipe: FLV of ffmpeg before 6.1 cannot hold it, fragmented MP4 can, a fragment per picture. */
import { FragmentSplitter, type SplitUnit } from '../../../shared/media/fragment-splitter.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { findBox, parseHvcC, splitLengthPrefixed } from './clip.ts';
import type { LiveTag } from './flv.ts';

/** Takes bytes as they come, gives the parameter sets and then each picture (ISO/IEC 14496-12 and -15), one picture late: its length in time is known with the next. */
export class FragmentReader {
  #tags: LiveTag[] = [];
  readonly #splitter = new FragmentSplitter((unit) => this.#take(unit));

  push(chunk: Buffer): LiveTag[] {
    this.#splitter.push(chunk);
    const tags = this.#tags;
    this.#tags = [];
    return tags;
  }

  #take(unit: SplitUnit): void {
    const bytes = Buffer.from(unit.bytes);
    if (unit.kind === 'init') {
      const config = forceUnwrap('MP4 with H.265 has an hvcC box', findBox(bytes, 'hvcC'));
      this.#tags.push({ parameterSets: parseHvcC(config), keyframe: false, sample: Buffer.alloc(0) });
      return;
    }
    // moof, then mdat with one sample and nothing else.
    const sample = bytes.subarray(bytes.readUInt32BE(0) + 8);
    const keyframe = splitLengthPrefixed(sample).some((nal) => isIntraRandomAccess(nal[0] ?? 0));
    this.#tags.push({ parameterSets: null, keyframe, sample });
  }
}

/** NAL unit types 16 to 21 (Rec. ITU-T H.265 table 7-1). */
function isIntraRandomAccess(firstByte: number): boolean {
  const type = (firstByte >> 1) & 0x3f;
  return type >= 16 && type <= 21;
}
