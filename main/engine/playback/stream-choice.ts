/** Which stream of a camera a viewer is served from: what was asked for, where there is such a thing at that time. */
import type { MediaName } from '../../../shared/contract/media.ts';
import type { Camera, StreamKind } from '../../../shared/model/camera.ts';
import { type DurationMs, type EpochMs, rangeContains, SECOND_MS } from '../../../shared/time.ts';
import type { StreamFootage } from './footage.ts';

export type WantedStream = StreamKind | 'best';

/** The streams of one camera come back from an outage within this of each other: no reason to change between them. */
const TOGETHER_MS: DurationMs = 2 * SECOND_MS;

/**
 * The stream for live or playback; null where there is no such camera. Live serves what the camera has, playback what is recorded of it;
 * where that has no sub stream, main. `removed`: cameras off the list, whose footage stays playable.
 */
export function streamToServe(name: MediaName, wanted: WantedStream, camera: Camera | undefined, removed: Camera | undefined): StreamKind | null {
  const from = camera ?? (name === 'playback' ? removed : undefined);
  if (from === undefined) return null;
  const has = name === 'live' ? from.streams.map((stream) => stream.kind) : from.recorded;
  return wanted === 'sub' && has.includes('sub') ? 'sub' : 'main';
}

/**
 * The footage to play from a moment on. The owner may record sub streams since yesterday only: where there is none at that time,
 * main stands in until the next seek.
 */
export async function footageToPlay(atMs: EpochMs, wanted: StreamFootage, standIn: StreamFootage | null): Promise<StreamFootage> {
  if (standIn === null) return wanted;
  const found = await wanted.find(atMs);
  if (found.kind === 'footage' && rangeContains(found.footage, atMs)) return wanted;
  const other = await standIn.find(atMs);
  if (other.kind === 'newest') return wanted;
  return found.kind === 'newest' || Math.max(atMs, other.footage.startMs) + TOGETHER_MS < found.footage.startMs ? standIn : wanted;
}
