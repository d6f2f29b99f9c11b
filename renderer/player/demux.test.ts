import { expect, it } from 'vitest';
import type { MediaChunk } from '../../shared/contract/media.ts';
import { concatBytes, makeBox, words } from '../../shared/media/boxes.ts';
import { Demuxer } from './demux.ts';
import { packFragment } from './mse-remux.ts';

const TIMESCALE = 90_000;
const avcC = Uint8Array.of(1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0);

/** ftyp + moov of one H.264 track, as small as a reader takes it. */
function init(trackId = 1): Uint8Array {
  const entry = makeBox('avc1', new Uint8Array(24), Uint8Array.of(1, 64, 0, 180), new Uint8Array(50), makeBox('avcC', avcC));
  const stbl = makeBox('stbl', makeBox('stsd', words(0, 1), entry));
  const hdlr = makeBox('hdlr', words(0, 0), new TextEncoder().encode('vide'), words(0, 0, 0));
  const mdia = makeBox('mdia', makeBox('mdhd', words(0, 0, 0, TIMESCALE, 0, 0)), hdlr, makeBox('minf', stbl));
  const trak = makeBox('trak', makeBox('tkhd', words(0, 0, 0, trackId, 0)), mdia);
  return concatBytes([makeBox('ftyp', words(0)), makeBox('moov', makeBox('mvhd', words(0)), trak, makeBox('mvex', makeBox('trex', words(0, trackId, 1, 0, 0, 0))))]);
}

const chunk: MediaChunk = { kind: 'media', initId: 1, seekId: 0, baseWallMs: 1_000_000, baseMediaMs: 0, keyframe: true, endMs: 1_000_160 };

/** I P B B: shown as I B B P, a picture each 40 ms, shown 40 ms after decoding at the earliest. */
function group(demuxer: Demuxer): Uint8Array {
  const track = demuxer.video;
  if (track === null) throw new Error('no track');
  const shown = [40, 160, 80, 120];
  return packFragment(
    track,
    1,
    shown.map((wallMs, index) => ({ unit: { data: Uint8Array.of(index), keyframe: index === 0, wallMs, decodeMs: index * 40, durationMs: 40 }, decodeMs: index * 40, durationMs: 40 })),
  );
}

it('gives pictures in decoding order with the wall time at which each is shown', () => {
  const demuxer = new Demuxer();
  expect(demuxer.setInit(1, init())).toBe(true);
  const { video, damaged } = demuxer.read(chunk, group(demuxer));
  expect(damaged).toBe(false);
  expect(video.map(({ wallMs }) => wallMs - chunk.baseWallMs)).toEqual([40, 160, 80, 120]);
  expect(video.map(({ decodeMs }) => decodeMs - chunk.baseWallMs)).toEqual([0, 40, 80, 120]);
  expect(video.map(({ keyframe }) => keyframe)).toEqual([true, false, false, false]);
  expect(video.map(({ data }) => [...data])).toEqual([[0], [1], [2], [3]]);
  expect(video.map(({ durationMs }) => durationMs)).toEqual([40, 40, 40, 40]);
});

it('counts wall time from the base the chunk names', () => {
  const demuxer = new Demuxer();
  demuxer.setInit(1, init());
  const { video } = demuxer.read({ ...chunk, baseMediaMs: 40 }, group(demuxer));
  expect(video[0]?.wallMs).toBe(1_000_000);
});

it('drops what belongs to parameters it does not have', () => {
  const demuxer = new Demuxer();
  demuxer.setInit(2, init());
  expect(demuxer.read(chunk, group(demuxer)).video).toEqual([]);
});

it('keeps what came before damaged bytes and says so', () => {
  const demuxer = new Demuxer();
  demuxer.setInit(1, init());
  const good = group(demuxer);
  const bad = new Uint8Array(good);
  // The run claims a sample far larger than its fragment.
  const trun = new TextDecoder('latin1').decode(bad).indexOf('trun');
  bad.fill(0x7f, trun + 20, trun + 24);
  const read = demuxer.read(chunk, concatBytes([good, bad]));
  expect(read.damaged).toBe(true);
  expect(read.video).toHaveLength(4);
});

it('takes parameters that are none for none, and goes on with the next', () => {
  const demuxer = new Demuxer();
  expect(demuxer.setInit(1, Uint8Array.of(1, 2, 3))).toBe(false);
  expect(demuxer.video).toBeNull();
  expect(demuxer.setInit(1, init())).toBe(true);
  expect(demuxer.video?.codec).toBe('avc1.42c01e');
});
