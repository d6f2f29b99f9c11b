/** Turns a media stream's chunks into pictures and sound to decode, each with its wall time (shared/contract/media.ts). */
import type { MediaChunk } from '../../shared/contract/media.ts';
import { boxEnd, boxesIn } from '../../shared/media/boxes.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { audioTrackOf, type InitSegment, type InitTrack, parseInit, videoTrackOf } from '../../shared/media/init.ts';
import type { DurationMs, EpochMs } from '../../shared/time.ts';

/** One encoded picture or packet of sound; `data` is a view into the chunk's payload. */
export interface EncodedUnit {
  readonly data: Uint8Array;
  readonly keyframe: boolean;
  /** When it is presented. */
  readonly wallMs: EpochMs;
  readonly durationMs: DurationMs;
}

export interface DemuxedChunk {
  /** In decoding order. */
  readonly video: readonly EncodedUnit[];
  readonly audio: readonly EncodedUnit[];
}

/** Remembers the parameters of one media stream and cuts its chunks into units. */
export class Demuxer {
  #init: InitSegment | null = null;
  #initId = -1;
  video: InitTrack | null = null;
  audio: InitTrack | null = null;

  /** Throws MalformedMediaError on bytes that are no ftyp + moov. */
  setInit(initId: number, bytes: Uint8Array): void {
    this.#init = parseInit(bytes);
    this.#initId = initId;
    this.video = videoTrackOf(this.#init);
    this.audio = audioTrackOf(this.#init);
  }

  /** Null when the chunk belongs to parameters that have not come (C4: it is dropped). Throws MalformedMediaError. */
  read(chunk: MediaChunk, payload: Uint8Array): DemuxedChunk | null {
    if (this.#init === null || chunk.initId !== this.#initId) return null;
    const video: EncodedUnit[] = [];
    const audio: EncodedUnit[] = [];
    for (const box of boxesIn(payload)) {
      if (box.type !== 'moof') continue;
      for (const { trackId, baseDecodeTime, samples } of parseFragment(payload.subarray(0, boxEndOfMdat(payload, boxEnd(box))), this.#init, box.start)) {
        const track = this.#init.tracks.find(({ id }) => id === trackId);
        if (track === undefined) continue;
        const out = track === this.video ? video : audio;
        let decodeTicks = baseDecodeTime;
        for (const sample of samples) {
          const mediaMs = ((decodeTicks + sample.compositionOffsetTicks) / track.timescale) * 1000;
          out.push({
            data: payload.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes),
            keyframe: track.kind === 'audio' || sample.keyframe,
            wallMs: chunk.baseWallMs + (mediaMs - chunk.baseMediaMs),
            durationMs: (sample.durationTicks / track.timescale) * 1000,
          });
          decodeTicks += sample.durationTicks;
        }
      }
    }
    return { video, audio };
  }
}

/** The end of the box that follows a moof: its mdat. */
function boxEndOfMdat(payload: Uint8Array, moofEnd: number): number {
  for (const box of boxesIn(payload, moofEnd)) return boxEnd(box);
  return moofEnd;
}
