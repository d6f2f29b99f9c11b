/** Names one segment across threads: its stream and its place in the stream's order. */
import type { StreamKey } from '../ports/ingest.ts';

export interface SegmentRef extends StreamKey {
  readonly session: number;
  readonly sequence: number;
}
