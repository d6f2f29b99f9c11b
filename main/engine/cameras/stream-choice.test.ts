import { describe, expect, it } from 'vitest';
import type { MediaProfile } from './onvif-profiles.ts';
import { candidateProfiles, chooseStreams, type CandidateStream } from './stream-choice.ts';

const profile = (token: string, width: number, height: number, more: Partial<MediaProfile> = {}): MediaProfile => ({ token, name: token, sourceToken: 'v', sourceName: '', codec: 'h264', width, height, fps: 15, ptz: false, ...more });
const stream = (url: string, width: number, height: number): CandidateStream => ({ url, videoCodec: 'h264', audioCodec: null, width, height, fps: 15, transport: 'tcp', profileToken: url });
const chosen = (...streams: readonly CandidateStream[]): string[] => chooseStreams(streams).map((one) => `${one.kind} ${one.url}`);

describe('main and sub', () => {
  it('are the largest and the smallest useful one, whatever their order', () => {
    expect(chosen(stream('tiny', 320, 240), stream('mid', 1280, 720), stream('small', 640, 360), stream('big', 2560, 1440))).toEqual(['main big', 'sub small']);
  });
  it('sub is left out where all others are too small or the same', () => {
    expect(chosen(stream('a', 1920, 1080), stream('b', 320, 240))).toEqual(['main a']);
    expect(chosen(stream('a', 1920, 1080), stream('a', 1920, 1080))).toEqual(['main a']);
    expect(chosen(stream('a', 1920, 1080), stream('b', 1920, 1080))).toEqual(['main a']);
  });
  it('the camera\'s order counts where no size is known', () => {
    expect(chosen(stream('a', 0, 0), stream('b', 0, 0))).toEqual(['main a', 'sub b']);
    expect(chosen()).toEqual([]);
  });
});

describe('profiles worth describing', () => {
  it('leave out what cannot be recorded', () => {
    expect(candidateProfiles([profile('j', 1920, 1080, { codec: 'mjpeg' }), profile('o', 1920, 1080, { codec: 'other' }), profile('h', 640, 360)]).map((one) => one.token)).toEqual(['h']);
  });
  it('put one of unknown size first, for it may be the largest', () => {
    expect(candidateProfiles([profile('a', 1280, 720), profile('x', 0, 0, { codec: null })]).map((one) => one.token)).toEqual(['x', 'a']);
  });
  it('are few, of both ends', () => {
    const tokens = candidateProfiles(Array.from({ length: 20 }, (_unused, index) => profile(`p${index}`, 400 + index * 100, 300))).map((one) => one.token);
    expect(tokens).toEqual(['p19', 'p18', 'p17', 'p2', 'p1', 'p0']);
  });
});
