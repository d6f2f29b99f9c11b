import { expect, test } from 'vitest';
import { concatBytes, makeBox, words } from '../../../shared/media/boxes.ts';
import type { InitSegment } from '../../../shared/media/init.ts';
import { cutFragments, type CutFragment, fragmentsToShow, joinFragments } from './group-cut.ts';

const init: InitSegment = {
  tracks: [{ id: 1, kind: 'video', timescale: 1_000, codec: 'avc1.64001f', description: new Uint8Array(0), width: 16, height: 16, channels: 0, sampleRate: 0, defaults: { durationTicks: 100, sizeBytes: 4, flags: 0 } }],
};

/** A fragment of one sample of four bytes: `fill`. */
function fragment(trackId: number, decodeMs: number, fill: number): Uint8Array {
  const moof = (dataAt: number): Uint8Array => makeBox('moof', makeBox('mfhd', words(0, 1)), makeBox('traf', makeBox('tfhd', words(0x020000, trackId)), makeBox('tfdt', words(0, decodeMs)), makeBox('trun', words(0x000001, 1, dataAt))));
  return concatBytes([moof(moof(0).length + 8), makeBox('mdat', new Uint8Array(4).fill(fill))]);
}

const prft = makeBox('prft', new Uint8Array(24));
const first = fragment(1, 0, 1);
const sound = fragment(2, 0, 2);
const second = fragment(1, 100, 3);

test('whole fragments are cut, what stands between them is passed over', () => {
  const bytes = concatBytes([prft, first, sound, prft, second]);
  const cut = cutFragments(bytes, init);
  expect(cut).toMatchObject({ rest: 'none', end: bytes.length });
  expect(cut.fragments.map(({ video }) => video)).toEqual([{ decodeMs: 0, endMs: 100, frames: 1 }, null, { decodeMs: 100, endMs: 200, frames: 1 }]);
  expect(joinFragments(bytes, cut.fragments)).toEqual(concatBytes([first, sound, second]));
});

test('bytes cut anywhere give the whole fragments before the cut, and enough to ask for to go on', () => {
  const bytes = concatBytes([first, prft, second]);
  for (let length = 0; length <= bytes.length; length += 1) {
    const cut = cutFragments(bytes.subarray(0, length), init);
    expect(cut.fragments, `${length} bytes`).toHaveLength(length < first.length ? 0 : length < bytes.length ? 1 : 2);
    expect(cut.end).toBeLessThanOrEqual(length);
    expect(['none', 'more']).toContain(cut.rest);
    if (cut.rest === 'more') expect(cut.end + cut.needBytes, `${length} bytes`).toBeGreaterThan(length);
  }
});

test('the boxes that close a segment end its media; anything else is damage, and nothing throws', () => {
  expect(cutFragments(concatBytes([first, makeBox('uuid', new Uint8Array(20))]), init)).toMatchObject({ rest: 'over', end: first.length });
  expect(cutFragments(concatBytes([first, makeBox('mfra')]), init).rest).toBe('over');
  expect(cutFragments(concatBytes([first, new Uint8Array(64)]), init).rest).toBe('damaged');
  expect(cutFragments(concatBytes([first.subarray(0, first.length - 12), prft, second]), init).fragments).toEqual([]);
  for (let at = 0; at < first.length; at += 1) {
    const spoiled = new Uint8Array(concatBytes([first, second]));
    spoiled[at] = 0xff;
    expect(() => cutFragments(spoiled, init)).not.toThrow();
  }
});

test('to show a picture, the fragments up to it and a few past it are needed, sound in between included', () => {
  const video = (decodeMs: number): CutFragment => ({ start: 0, end: 0, video: { decodeMs, endMs: decodeMs + 100, frames: 1 } });
  const fragments = [video(0), { start: 0, end: 0, video: null }, video(100), video(200), video(300), video(400)];
  expect(fragmentsToShow(fragments, 100, 2)).toEqual({ count: 5, covered: true });
  expect(fragmentsToShow(fragments, 99, 1)).toEqual({ count: 3, covered: true });
  expect(fragmentsToShow(fragments, 300, 2)).toEqual({ count: 6, covered: false });
});
