/** Sound taken out of boxes, and noticed in them. The real recorder's are looked at in the integration test. */
import { describe, expect, test } from 'vitest';
import { concatBytes, makeBox, writeU32 } from '../../../shared/media/boxes.ts';
import { SoundFilter, SoundWatch } from './line-sound.ts';

const u32 = (...values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, at) => writeU32(bytes, at * 4, value));
  return bytes;
};
const text = (value: string): Uint8Array => Uint8Array.from(value, (sign) => sign.charCodeAt(0));
const PICTURE = 1;
const SOUND = 2;

function trak(id: number, handler: 'vide' | 'soun', entry: Uint8Array): Uint8Array {
  const tkhd = makeBox('tkhd', u32(0, 0, 0, id, 0, 0));
  const mdhd = makeBox('mdhd', u32(0, 0, 0, 1_000, 0, 0));
  const hdlr = makeBox('hdlr', u32(0, 0), text(handler), u32(0, 0, 0));
  return makeBox('trak', tkhd, makeBox('mdia', mdhd, hdlr, makeBox('minf', makeBox('stbl', makeBox('stsd', u32(0, 1), entry)))));
}

const trex = (id: number): Uint8Array => makeBox('trex', u32(0, id, 1, 40, 0, 0));
const init = (...tracks: readonly ('vide' | 'soun')[]): Uint8Array => {
  const traks = tracks.map((kind) => (kind === 'vide' ? trak(PICTURE, kind, makeBox('avc1', new Uint8Array(78), makeBox('avcC', new Uint8Array(8)))) : trak(SOUND, kind, makeBox('mp4a', new Uint8Array(28)))));
  return concatBytes([makeBox('ftyp', text('isom')), makeBox('moov', ...traks, makeBox('mvex', trex(PICTURE), trex(SOUND)))]);
};

/** One sample of each track, filled with its track's number. */
function fragment(...tracks: readonly number[]): Uint8Array {
  const build = (dataAt: number): Uint8Array =>
    makeBox('moof', makeBox('mfhd', u32(0, 1)), ...tracks.map((id, at) => makeBox('traf', makeBox('tfhd', u32(0x020000, id)), makeBox('tfdt', u32(0, 0)), makeBox('trun', u32(0x201, 1, dataAt + at * 16, 16)))));
  const moof = build(build(0).length + 8);
  return concatBytes([moof, makeBox('mdat', ...tracks.map((id) => new Uint8Array(16).fill(0xa0 + id)))]);
}

const has = (bytes: Uint8Array | null, id: number): boolean => bytes?.includes(0xa0 + id) ?? false;
const filterOf = (...tracks: readonly ('vide' | 'soun')[]): SoundFilter => {
  const filter = new SoundFilter();
  filter.init(init(...tracks));
  return filter;
};

describe('sound', () => {
  test('goes with its fragment, or out of the one it shares with a picture, which stays where it was', () => {
    const filter = filterOf('vide', 'soun');
    expect(filter.media(fragment(SOUND))).toBeNull();
    expect(filter.media(fragment(PICTURE))).toEqual(fragment(PICTURE));
    expect(filter.media(concatBytes([fragment(PICTURE), fragment(SOUND), fragment(PICTURE)]))).toEqual(concatBytes([fragment(PICTURE), fragment(PICTURE)]));
    const mixed = filter.media(fragment(PICTURE, SOUND));
    expect([has(mixed, PICTURE), has(mixed, SOUND), mixed?.length]).toEqual([true, false, fragment(PICTURE, SOUND).length]);
  });

  test('is not announced', () => {
    const bytes = new SoundFilter().init(init('vide', 'soun'));
    const watch = new SoundWatch();
    expect(watch.hears({ kind: 'init', initId: 1 }, bytes)).toBe(false);
    expect(String.fromCharCode(...bytes)).not.toContain('mp4a');
    expect(bytes).toHaveLength(init('vide', 'soun').length);
  });
});

describe('the watch for sound', () => {
  const media = { kind: 'media', initId: 1, seekId: 0, baseWallMs: 0, baseMediaMs: 0, keyframe: true, endMs: 0 } as const;

  test('hears it in parameters, in a fragment of its own, beside a picture', () => {
    const watch = new SoundWatch();
    expect(watch.hears({ kind: 'init', initId: 2 }, init('vide', 'soun'))).toBe(true);
    expect(watch.hears({ kind: 'init', initId: 1 }, init('vide'))).toBe(false);
    expect(watch.hears(media, fragment(PICTURE))).toBe(false);
    expect(watch.hears(media, fragment(SOUND))).toBe(true);
    expect(watch.hears(media, fragment(PICTURE, SOUND))).toBe(true);
  });

  test('takes what it cannot read or does not know for sound', () => {
    const watch = new SoundWatch();
    expect(watch.hears(media, fragment(PICTURE))).toBe(true);
    watch.hears({ kind: 'init', initId: 1 }, init('vide'));
    expect(watch.hears(media, fragment(PICTURE).subarray(0, 60))).toBe(true);
    expect(watch.hears(media, concatBytes([fragment(PICTURE), makeBox('emsg', text('hello'))]))).toBe(true);
    expect(watch.hears({ kind: 'init', initId: 3 }, new Uint8Array(4))).toBe(true);
  });
});
