/** Footage of one small picture every half minute, so that a month of it is written in minutes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SessionInit } from '../../main/engine/recorder/media.ts';
import { type FragmentHead, readFragmentHead } from '../../shared/media/fragment-head.ts';
import { FragmentSplitter } from '../../shared/media/fragment-splitter.ts';
import { parseInit, videoTrackOf } from '../../shared/media/init.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { runTool } from '../sim/media/ffmpeg.ts';

export const STEP_MS = 30_000;

export interface TinyFragment {
  readonly bytes: Uint8Array;
  readonly head: FragmentHead;
}

export interface TinyFootage {
  readonly init: SessionInit;
  readonly fragments: readonly [TinyFragment, ...TinyFragment[]];
  /** A preview of about the size that one of such a picture has. */
  readonly jpeg: Uint8Array;
}

/** Rejects where ffmpeg is missing. */
export async function tinyFootage(): Promise<TinyFootage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'porchlight-tiny-'));
  try {
    const [clip, picture] = [path.join(folder, 'clip.mp4'), path.join(folder, 'picture.jpg')];
    const source = ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=64x36:r=1/${STEP_MS / 1000}`, '-frames:v', '4'];
    await runTool('ffmpeg', [...source, '-c:v', 'libx264', '-g', '1', '-video_track_timescale', '90000', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', clip]);
    await runTool('ffmpeg', [...source.slice(0, -1), '1', picture]);
    let initBytes: Uint8Array | null = null;
    const units: Uint8Array[] = [];
    new FragmentSplitter((unit) => {
      if (unit.kind === 'init') initBytes = unit.bytes.slice();
      else units.push(unit.bytes.slice());
    }).push(new Uint8Array(await readFile(clip)));
    const bytes = forceUnwrap('a clip begins with its init', initBytes as Uint8Array | null);
    const video = forceUnwrap('the clip is video', videoTrackOf(parseInit(bytes)));
    const [first, ...rest] = units.map((unit) => ({ bytes: unit, head: readFragmentHead(unit, video.defaults) }));
    return { init: { initId: 1, bytes, video, audio: null }, fragments: [forceUnwrap('the clip has pictures', first), ...rest], jpeg: new Uint8Array(await readFile(picture)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
