/** Makes a segment's row anew from its file, and its tail where it has lost it: what a repair does about rows and files that do not fit. */
import type { RootPlace } from './root-list.ts';
import { decodeSegmentName } from './segment-name.ts';
import type { SegmentRef } from './segment-ref.ts';
import { recoverFile } from './segment-recovery.ts';
import type { PackedSegment } from './segments.write.ts';

/**
 * What is to change in the index for the file at `path` (relative to `root`); null where it stays as it is: no segment any more, or
 * another's. The file must be closed; it gets a new tail where it has none.
 */
export async function rereadFile(root: RootPlace, path: string): Promise<{ readonly remove: readonly SegmentRef[]; readonly segments: readonly PackedSegment[] } | null> {
  const name = decodeSegmentName(path);
  if (name === null) return null;
  const found = await recoverFile(root.path, root.rootId, name, true);
  if (found.kind === 'foreign') return null;
  const { cameraId, stream, session, sequence } = name;
  return { remove: [{ cameraId, stream, session, sequence }], segments: found.kind === 'empty' ? [] : [found.segment] };
}
