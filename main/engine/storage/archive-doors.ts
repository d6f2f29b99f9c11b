/** The archive's two ports: questions and changes, each passed to the thread that answers it. */
import path from 'node:path';
import { packKeyframes } from '../../../shared/media/keyframe-index.ts';
import type { Segment } from '../../../shared/model/segment.ts';
import type { Clock } from '../core/clock.ts';
import type { ArchiveReader, ArchiveWriter, LocatedSegment } from '../ports/archive.ts';
import { writeCameraFile } from './camera-file.ts';
import type { PreviewTally } from './preview-usage.ts';
import type { RootList } from './root-list.ts';
import { encodeSegmentName } from './segment-name.ts';
import type { PackedSegment } from './segments.write.ts';
import type { ArchiveThreads } from './threads.ts';

/** Questions, and where on the disks that are here the answer lies. */
export function archiveReader(threads: () => ArchiveThreads, roots: RootList, previews: PreviewTally): ArchiveReader {
  const locate = (segment: Segment | null): LocatedSegment | null => {
    if (segment === null) return null;
    const rootPath = roots.pathOf(segment.rootId);
    return { segment, path: rootPath === null ? null : path.join(rootPath, encodeSegmentName({ ...segment, startMs: segment.nameMs })) };
  };
  return {
    timeline: (query) => threads().read((reader) => reader.timeline(query)),
    drawnTimeline: (query) => threads().read((reader) => reader.drawnTimeline(query)),
    bounds: (cameraIds) => threads().read((reader) => reader.bounds(cameraIds)),
    segmentAt: async (key, atMs) => locate(await threads().read((reader) => reader.segmentAt(key, atMs))),
    segmentAfter: async (key, previous) => locate(await threads().read((reader) => reader.segmentAfter(key, previous))),
    firstSegmentFrom: async (key, atMs) => locate(await threads().read((reader) => reader.firstSegmentFrom(key, atMs))),
    firstSegmentHere: async (key, atMs) => locate(await threads().read((reader) => reader.firstSegmentOn(key, atMs, roots.readable().map(({ rootId }) => rootId)))),
    gapAt: (key, atMs) => threads().read((reader) => reader.gapAt(key, atMs)),
    streamTails: (nowMs) => threads().readAtStart((maintenance) => maintenance.streamTails(nowMs)),
    dayCoverage: (query) => threads().read((reader) => reader.dayCoverage(query)),
    events: (query) => threads().read((reader) => reader.events(query)),
    usage: () => threads().read((reader) => reader.usage()),
    previewUsage: () => previews.usage(),
  };
}

/** Changes, each durable when its promise resolves. */
export function archiveWriter(threads: () => ArchiveThreads, roots: RootList, clock: Clock): ArchiveWriter {
  const journalBase = (): string | null => roots.forRecording()?.path ?? null;
  let described = Promise.resolve();
  const pack = ({ keyframes, ...rest }: Segment): PackedSegment => ({ ...rest, packed: packKeyframes(keyframes) });
  return {
    insertSegment: (segment) => threads().write((writer) => writer.apply({ segments: [pack(segment)] }, false, null)),
    insertGap: (gap) => threads().write((writer) => writer.apply({ happenings: [{ type: 'gap', gap }] }, true, journalBase())),
    insertEvent: (event) => threads().write((writer) => writer.apply({ happenings: [{ type: 'event', event }] }, true, journalBase())),
    describeCamera: (camera) => {
      // One after another: each replaces the file by way of the same draft.
      described = described.catch(() => undefined).then(async () => {
        for (const root of roots.writable()) await writeCameraFile(root.path, camera, clock.nowMs());
      });
      return described;
    },
  };
}
