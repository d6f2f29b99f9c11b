/** Turns a media stream's chunks into pictures and sound to decode, each with its wall time (shared/contract/media.ts). */
import type { MediaChunk } from '../../shared/contract/media.ts';
import { type Box, boxEnd, boxesIn, MalformedMediaError } from '../../shared/media/boxes.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { audioTrackOf, type InitSegment, type InitTrack, parseInit, videoTrackOf } from '../../shared/media/init.ts';
import type { DurationMs, EpochMs } from '../../shared/time.ts';

/** One encoded picture or packet of sound; `data` is a view into the chunk's payload. */
export interface EncodedUnit {
  readonly data: Uint8Array;
  readonly keyframe: boolean;
  /** When it is presented. */
  readonly wallMs: EpochMs;
  /** When it is decoded, on the same scale: the order of decoding. */
  readonly decodeMs: EpochMs;
  readonly durationMs: DurationMs;
}

export interface DemuxedChunk {
  /** In decoding order. */
  readonly video: readonly EncodedUnit[];
  readonly audio: readonly EncodedUnit[];
  /** The bytes were not the media they claim to be from some place on; what came before is here. */
  readonly damaged: boolean;
}

const NOTHING: DemuxedChunk = { video: [], audio: [], damaged: false };

/** Remembers the parameters of one media stream and cuts its chunks into units. */
export class Demuxer {
  #init: InitSegment | null = null;
  #initId = -1;
  video: InitTrack | null = null;
  audio: InitTrack | null = null;

  /** False where the bytes are no ftyp + moov with video: nothing can be read until other parameters come. */
  setInit(initId: number, bytes: Uint8Array): boolean {
    this.#initId = initId;
    try {
      this.#init = parseInit(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMediaError)) throw error;
      this.#init = null;
    }
    this.video = this.#init === null ? null : videoTrackOf(this.#init);
    this.audio = this.#init === null ? null : audioTrackOf(this.#init);
    return this.video !== null;
  }

  /** Nothing when the chunk belongs to parameters that have not come (C4: it is dropped). */
  read(chunk: MediaChunk, payload: Uint8Array): DemuxedChunk {
    const init = this.#init;
    if (init === null || chunk.initId !== this.#initId) return NOTHING;
    const video: EncodedUnit[] = [];
    const audio: EncodedUnit[] = [];
    try {
      for (const box of boxesIn(payload)) if (box.type === 'moof') this.#readFragment(init, chunk, payload, box, video, audio);
    } catch (error) {
      if (!(error instanceof MalformedMediaError)) throw error;
      return { video, audio, damaged: true };
    }
    return { video, audio, damaged: false };
  }

  #readFragment(init: InitSegment, chunk: MediaChunk, payload: Uint8Array, moof: Box, video: EncodedUnit[], audio: EncodedUnit[]): void {
    const fragment = payload.subarray(0, endOfMdat(payload, boxEnd(moof)));
    for (const { trackId, baseDecodeTime, samples } of parseFragment(fragment, init, moof.start)) {
      const track = init.tracks.find(({ id }) => id === trackId);
      if (track !== this.video && track !== this.audio) continue;
      if (track === undefined || track === null) continue;
      const wallMs = (ticks: number): EpochMs => chunk.baseWallMs + ((ticks / track.timescale) * 1000 - chunk.baseMediaMs);
      let decodeTicks = baseDecodeTime;
      for (const sample of samples) {
        (track === this.video ? video : audio).push({
          data: payload.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes),
          keyframe: track.kind === 'audio' || sample.keyframe,
          wallMs: wallMs(decodeTicks + sample.compositionOffsetTicks),
          decodeMs: wallMs(decodeTicks),
          durationMs: (sample.durationTicks / track.timescale) * 1000,
        });
        decodeTicks += sample.durationTicks;
      }
    }
  }
}

/** The end of the box that follows a moof: its mdat. */
function endOfMdat(payload: Uint8Array, moofEnd: number): number {
  for (const box of boxesIn(payload, moofEnd)) return boxEnd(box);
  return moofEnd;
}
