import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { InitTrack } from '../../shared/media/init.ts';
import type { EncodedUnit } from './demux.ts';
import { type DecodedPicture, PictureDecoder } from './video-decoder.ts';

/** A browser's decoder as the test wants it: it does nothing by itself. */
class FakeDecoder {
  static made: FakeDecoder[] = [];
  state: 'unconfigured' | 'configured' | 'closed' = 'unconfigured';
  decodeQueueSize = 0;
  resets = 0;
  config: VideoDecoderConfig | null = null;
  readonly decoded: { type: string; timestamp: number }[] = [];
  readonly init: VideoDecoderInit;

  constructor(init: VideoDecoderInit) {
    this.init = init;
    FakeDecoder.made.push(this);
  }

  configure(config: VideoDecoderConfig): void {
    this.config = config;
    this.state = 'configured';
  }

  decode(chunk: { type: string; timestamp: number }): void {
    this.decoded.push(chunk);
    this.decodeQueueSize += 1;
  }

  reset(): void {
    this.resets += 1;
    this.decodeQueueSize = 0;
    this.state = 'unconfigured';
  }

  close(): void {
    this.state = 'closed';
  }

  fail(): void {
    this.state = 'closed';
    this.init.error(new DOMException('decoding failed', 'EncodingError'));
  }

  give(timestamp: number): { close: () => void } {
    const frame = { timestamp, duration: 40_000, close: vi.fn() };
    this.decodeQueueSize -= 1;
    this.init.output(frame as unknown as VideoFrame);
    return frame;
  }
}

const track: InitTrack = { id: 1, kind: 'video', timescale: 90_000, codec: 'avc1.42c01e', description: Uint8Array.of(1), width: 64, height: 36, channels: 0, sampleRate: 0, defaults: { durationTicks: 0, sizeBytes: 0, flags: 0 } };
const unit = (index: number, keyframe = false): EncodedUnit => ({ data: Uint8Array.of(index), keyframe, wallMs: index * 40, decodeMs: index * 40, durationMs: 40 });

function setUp(live: boolean): { decoder: PictureDecoder; pictures: DecodedPicture[]; unsupported: () => number } {
  const pictures: DecodedPicture[] = [];
  let unsupported = 0;
  const decoder = new PictureDecoder({ live, onPicture: (picture) => pictures.push(picture), onUnsupported: () => (unsupported += 1) });
  decoder.configure(track);
  return { decoder, pictures, unsupported: () => unsupported };
}

const current = (): FakeDecoder => {
  const newest = FakeDecoder.made.at(-1);
  if (newest === undefined) throw new Error('no decoder was made');
  return newest;
};

beforeEach(() => {
  FakeDecoder.made = [];
  vi.stubGlobal('VideoDecoder', FakeDecoder);
  vi.stubGlobal('EncodedVideoChunk', class {
    readonly type: string;
    readonly timestamp: number;
    constructor(init: EncodedVideoChunkInit) {
      this.type = init.type;
      this.timestamp = init.timestamp;
    }
  });
});
afterEach(() => vi.unstubAllGlobals());

it('begins with a keyframe and gives pictures their wall time and length', () => {
  const { decoder, pictures } = setUp(false);
  decoder.decode(unit(1));
  decoder.decode(unit(2, true));
  decoder.decode(unit(3));
  expect(current().decoded.map(({ type }) => type)).toEqual(['key', 'delta']);
  current().give(80_000);
  expect(pictures).toMatchObject([{ wallMs: 80, durationMs: 40 }]);
});

it('goes on at the next keyframe after an error, however often, once it has decoded anything', () => {
  const { decoder, unsupported } = setUp(false);
  decoder.decode(unit(0, true));
  current().give(0);
  for (let group = 1; group < 30; group += 1) {
    current().fail();
    decoder.decode(unit(group * 10 + 1));
    decoder.decode(unit(group * 10 + 2, true));
    expect(current().decoded).toHaveLength(1);
  }
  expect(unsupported()).toBe(0);
});

it('says unsupported only when neither the system’s nor the browser’s own decoder ever gave a picture', () => {
  const { decoder, unsupported } = setUp(false);
  for (let tries = 0; tries < 4; tries += 1) {
    decoder.decode(unit(tries, true));
    current().fail();
  }
  expect(unsupported()).toBe(0);
  decoder.decode(unit(9, true));
  expect(current().config?.hardwareAcceleration).toBe('prefer-software');
  current().fail();
  for (let tries = 0; tries < 3; tries += 1) {
    decoder.decode(unit(tries, true));
    current().fail();
  }
  expect(unsupported()).toBe(1);
});

it('works off the group of pictures a live stream begins with, whole', () => {
  const { decoder } = setUp(true);
  for (let index = 0; index < 60; index += 1) decoder.decode(unit(index, index === 0));
  expect(current().decoded).toHaveLength(60);
});

it('live behind a newer keyframe gives up what waits', () => {
  const { decoder } = setUp(true);
  for (let index = 0; index < 20; index += 1) decoder.decode(unit(index, index === 0));
  decoder.decode(unit(20, true));
  expect(current().resets).toBe(1);
  expect(current().decodeQueueSize).toBe(1);
});

it('live that cannot keep up for seconds leaves out the rest of the group', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { decoder } = setUp(true);
  for (let index = 0; index < 400; index += 1) {
    decoder.decode(unit(index, index === 0));
    vi.advanceTimersByTime(40);
  }
  expect(current().decodeQueueSize).toBeLessThan(100);
  decoder.decode(unit(400, true));
  expect(current().decodeQueueSize).toBe(1);
  vi.useRealTimers();
});

it('closes pictures of a decoder that was left', () => {
  const { decoder, pictures } = setUp(false);
  decoder.decode(unit(0, true));
  const left = current();
  decoder.configure(track);
  const frame = left.give(0);
  expect(frame.close).toHaveBeenCalledOnce();
  expect(pictures).toEqual([]);
});

it('lets what is nearly decoded at a seek come, throws it away, and knows the same picture when it is asked for again', () => {
  const { decoder, pictures } = setUp(false);
  decoder.decode(unit(0, true));
  decoder.decode(unit(1));
  decoder.restart();
  decoder.decode(unit(0, true));
  decoder.decode(unit(1));
  expect(current().resets).toBe(0);
  const [first, second, again] = current().decoded.map(({ timestamp }) => timestamp);
  const late = current().give(first ?? -1);
  const later = current().give(second ?? -1);
  expect(late.close).toHaveBeenCalledOnce();
  expect(later.close).toHaveBeenCalledOnce();
  expect(pictures).toEqual([]);
  current().give(again ?? -1);
  expect(pictures.map(({ wallMs }) => wallMs)).toEqual([0]);
});

it('forgets what waits at a seek where that is much', () => {
  const { decoder } = setUp(false);
  for (let index = 0; index < 20; index += 1) decoder.decode(unit(index, index === 0));
  decoder.restart();
  expect(current().resets).toBe(1);
  expect(current().state).toBe('configured');
});
