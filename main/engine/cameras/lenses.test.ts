import { describe, expect, it } from 'vitest';
import { lensLabels, lensesOf } from './lenses.ts';
import type { MediaProfile } from './onvif-profiles.ts';

const profile = (token: string, sourceToken: string, name = '', sourceName = ''): MediaProfile => ({ token, name, sourceToken, sourceName, codec: 'h264', width: 640, height: 360, fps: 15, ptz: false });
const labels = (...profiles: readonly MediaProfile[]): string[] => lensLabels(lensesOf(profiles));

describe('the lenses of a device', () => {
  it('are its video sources, in its own order', () => {
    const lenses = lensesOf([profile('a', 'v2'), profile('b', 'v1'), profile('c', 'v2')]);
    expect(lenses.map((lens) => [lens.token, lens.profiles.map((one) => one.token)])).toEqual([['v2', ['a', 'c']], ['v1', ['b']]]);
  });
  it('are one where it names one or none, whatever some profiles leave out', () => {
    expect(lensesOf([profile('a', ''), profile('b', '')]).map((lens) => lens.profiles.length)).toEqual([2]);
    expect(lensesOf([profile('a', 'v'), profile('b', '')]).map((lens) => [lens.token, lens.profiles.length])).toEqual([['v', 2]]);
    expect(lensesOf([profile('a', 'v'), profile('b', ''), profile('c', 'w')]).map((lens) => lens.profiles.length)).toEqual([1, 1]);
    expect(lensesOf([])).toEqual([]);
  });
});

describe('a lens is called', () => {
  it('by the name of its source where that is one', () => {
    expect(labels(profile('a', '1', 'x', 'Front door'), profile('b', '2', 'x', 'Yard'))).toEqual(['Front door', 'Yard']);
  });
  it('by what its profiles have in common, without the words for streams', () => {
    expect(labels(profile('a', '1', 'Front door main', 'VideoSource_1'), profile('b', '1', 'Front door sub', 'VideoSource_1'), profile('c', '2', 'Yard_main', 'VideoSource_2'))).toEqual(['Front door', 'Yard']);
  });
  it('never by its token', () => {
    expect(labels(profile('a', 'VS_MAIN', 'main', 'VS_MAIN'), profile('b', 'VS_sub', 'sub', 'VS_sub'))).toEqual(['1', '2']);
  });
  it('by its number where all the names are makers\' words, or the same', () => {
    const dull = [['VideoSource_1', 'VideoSource_2'], ['VideoSourceConfig0', 'VideoSourceConfig1'], ['vsc 1', 'vsc 2'], ['Channel1', 'Channel2'], ['CH01', 'CH02'], ['V_SRC_CFG_000', 'V_SRC_CFG_001'], ['Camera 01', 'Camera 02'], ['Lens', 'lens'], ['', 'Yard']] as const;
    for (const [one, two] of dull) expect([one, labels(profile('a', '1', 'MediaProfile_Channel1_MainStream', one), profile('b', '2', 'MediaProfile_Channel2_MainStream', two))]).toEqual([one, ['1', '2']]);
  });
});
