/**
 * Media over a Channel: one stream per picture, live and playback in the same words. A viewer opens a stream,
 * grants credits, steers it; the engine answers with chunks. A live stream without credit drops whole groups of
 * pictures and goes on at a keyframe; a playback stream waits.
 */
import { z } from 'zod';
import type { StreamKind } from '../model/camera.ts';
import type { GapCause } from '../model/gap.ts';
import type { DurationMs, EpochMs } from '../time.ts';
import { cameraIdSchema, epochMsSchema, streamKindSchema } from './schemas.ts';

/** `main` or `sub`; `best` falls to what the camera has. */
const wantedStream = z.enum([...streamKindSchema.options, 'best']);

export const MEDIA_OPEN = {
  live: z.object({ cameraId: cameraIdSchema, stream: wantedStream }),
  /** Starts with the group of pictures that covers `fromMs`. */
  playback: z.object({ cameraId: cameraIdSchema, stream: wantedStream, fromMs: epochMsSchema, seekId: z.number().int().min(0) }),
} as const;

export type MediaName = keyof typeof MEDIA_OPEN;
export type MediaOpenInput<Name extends MediaName> = z.input<(typeof MEDIA_OPEN)[Name]>;
export type MediaOpenParsed<Name extends MediaName> = z.output<(typeof MEDIA_OPEN)[Name]>;

/** Steering of an open playback stream. */
export const mediaControlSchema = z.discriminatedUnion('kind', [
  /** Forget what is queued and go on from here; every chunk names the seek it answers. `one` sends only the group that covers the moment (scrubbing). */
  z.object({ kind: z.literal('seek'), toMs: epochMsSchema, seekId: z.number().int().min(0), one: z.boolean().default(false) }),
  /** `all` pictures, or only keyframes for fast forward, no two of them closer than `stepMs` of footage: what the viewer can show at its `speed` (footage shown in a second, in seconds; 1 where it is not told), which a line from away is measured by. */
  z.object({ kind: z.literal('pictures'), which: z.enum(['all', 'keyframes']), stepMs: z.number().min(0).max(86_400_000).default(0), speed: z.number().min(0.01).max(1_000).optional() }),
]);
export type MediaControl = z.input<typeof mediaControlSchema>;
export type MediaControlParsed = z.output<typeof mediaControlSchema>;

/** Before the first media chunk, and again whenever the parameters change. Payload: ftyp + moov. */
export interface InitChunk {
  readonly kind: 'init';
  readonly initId: number;
  /** Which stream of the camera follows; absent where that is what was asked for. Set on a line from away always, else where a recorded main stream stands in. */
  readonly stream?: StreamKind;
  /** Why it is a smaller picture than was asked for: the line is slow; the larger one is tried again by itself. */
  readonly because?: 'slow-line';
}

/** One live fragment, or one group of pictures of a recording (a part of one where it is long, or leads to the picture that was sought). Payload: whole moof + mdat boxes, video first. */
export interface MediaChunk {
  readonly kind: 'media';
  readonly initId: number;
  /** 0 for live. */
  readonly seekId: number;
  /** Wall time of media time `baseMediaMs`: a frame's wall time is `baseWallMs + (its pts in ms - baseMediaMs)`. */
  readonly baseWallMs: EpochMs;
  readonly baseMediaMs: DurationMs;
  /** It starts with a keyframe. */
  readonly keyframe: boolean;
  /** Wall time at which the chunk's video ends; where the next one should go on. */
  readonly endMs: EpochMs;
}

/** Playback jumped over missing footage. */
export interface GapChunk {
  readonly kind: 'gap';
  readonly seekId: number;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly cause: GapCause | null;
  /** It was recorded, and lies on a disk that is not here. */
  readonly away?: true;
}

/** Playback reached the newest footage; live goes on from here. */
export interface EndChunk {
  readonly kind: 'end';
  readonly seekId: number;
  readonly atMs: EpochMs;
}

/** A live stream has nothing to show at the moment (camera offline); it stays open and goes on by itself. */
export interface WaitChunk {
  readonly kind: 'wait';
  readonly sinceMs: EpochMs;
}

export type ChunkHead = InitChunk | MediaChunk | GapChunk | EndChunk | WaitChunk;
