/** Answers `footage.locate`: the file and keyframe that the index names for a moment; for tests, tools and the curious. */
import type { LocatedFrame } from '../../../shared/contract/engine-api.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { StreamKey } from '../ports/ingest.ts';
import { type FootageParts, keyframeAt, StreamFootage } from './footage.ts';

/** Null where no footage covers the moment or its disk is not here. */
export async function locateFrame(parts: FootageParts, key: StreamKey, atMs: EpochMs): Promise<LocatedFrame | null> {
  const found = await new StreamFootage(parts, key).find(atMs);
  if (found.kind !== 'footage' || found.footage.path === null) return null;
  const { footage, footage: { path } } = found;
  const keyframe = footage.keyframes[keyframeAt(footage, atMs)];
  if (keyframe === undefined || atMs < footage.startMs || atMs >= footage.endMs) return null;
  return { path, segmentStartMs: footage.startMs, keyframeOffsetBytes: keyframe.offsetBytes, keyframeMs: footage.startMs + keyframe.mediaMs };
}
