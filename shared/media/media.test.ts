/** Real bytes from ffmpeg through every reader of shared/media, and hostile ones. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CameraId } from '../model/ids.ts';
import { boxesIn, concatBytes, MalformedMediaError, readBox, topBox } from './boxes.ts';
import { FragmentSplitter, type SplitUnit } from './fragment-splitter.ts';
import { readFragmentHead, writeDecodeTime } from './fragment-head.ts';
import { endDecodeTime, parseFragment, rebaseFragment } from './fragment.ts';
import { audioTrackOf, parseInit, retagHevc, videoTrackOf } from './init.ts';
import { packKeyframes, ticksToMs, unpackKeyframes } from './keyframe-index.ts';
import { parameterSetsChanged, parameterSetsOfConfig, parameterSetsOfSample, sizeOfSps } from './parameter-sets.ts';
import { makePrft, parsePrft, PRFT_BYTES } from './prft.ts';
import { presentationEnd, scanSegment } from './scan.ts';
import { makeSegmentTail, parseSegmentTail, type SegmentTail } from './segment-tail.ts';

const FRAGMENTED = ['-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof+frag_discont+skip_trailer', 'pipe:1'];

function encode(...options: readonly string[]): Uint8Array {
  const run = spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=318x180:rate=10', '-f', 'lavfi', '-i', 'sine', '-t', '3', '-pix_fmt', 'yuv420p', ...options, ...FRAGMENTED], { maxBuffer: 64e6 });
  if (run.status !== 0) throw new Error(String(run.stderr));
  return new Uint8Array(run.stdout);
}

function split(bytes: Uint8Array, chunkBytes: number): SplitUnit[] {
  const units: SplitUnit[] = [];
  const splitter = new FragmentSplitter((unit) => units.push(unit));
  for (let at = 0; at < bytes.length; at += chunkBytes) splitter.push(bytes.slice(at, at + chunkBytes));
  expect(splitter.pendingBytes).toBe(0);
  return units;
}

let h264: Uint8Array;
let h264B: Uint8Array;
let h265: Uint8Array;
let opus: Uint8Array;

beforeAll(() => {
  h264 = encode('-map', '0', '-map', '1', '-c:v', 'libx264', '-g', '10', '-bf', '0', '-profile:v', 'high', '-level', '3.1', '-c:a', 'aac', '-ac', '2', '-ar', '48000');
  h264B = encode('-map', '0', '-c:v', 'libx264', '-g', '10', '-bf', '2');
  h265 = encode('-map', '0', '-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=10', '-tag:v', 'hev1');
  opus = encode('-map', '0', '-map', '1', '-c:v', 'libx264', '-c:a', 'libopus', '-strict', '-2');
}, 60_000);

describe('the splitter', () => {
  it('gives the same units however the bytes are cut, and loses none', () => {
    const whole = split(h264, h264.length);
    expect(whole[0]?.kind).toBe('init');
    expect(whole.filter((unit) => unit.kind === 'fragment').length).toBeGreaterThanOrEqual(30);
    for (const chunkBytes of [1, 7, 100, 1_000, 65_536]) {
      expect(Buffer.concat(split(h264, chunkBytes).map((unit) => unit.bytes)).equals(h264)).toBe(true);
      expect(split(h264, chunkBytes).map((unit) => unit.bytes.length)).toEqual(whole.map((unit) => unit.bytes.length));
    }
  });

  it('lends the same units out of one buffer that is filled again and again', () => {
    for (const chunkBytes of [7, 1_000, 65_536]) {
      const copies: Uint8Array[] = [];
      const splitter = new FragmentSplitter((unit) => copies.push(unit.bytes.slice()), undefined, true);
      const buffer = new Uint8Array(chunkBytes);
      for (let at = 0; at < h264.length; at += chunkBytes) {
        const part = h264.subarray(at, at + chunkBytes);
        buffer.set(part);
        splitter.push(buffer.subarray(0, part.length));
        buffer.fill(0xee);
      }
      expect(Buffer.concat(copies).equals(h264)).toBe(true);
    }
  });

  it('refuses boxes without end, too large or too small', () => {
    const push = (...bytes: readonly number[]) => new FragmentSplitter(() => undefined, 1_000).push(Uint8Array.from(bytes));
    expect(() => push(0, 0, 0, 0, 0x6d, 0x6f, 0x6f, 0x66)).toThrow(MalformedMediaError);
    expect(() => push(0, 0, 0, 7, 0x6d, 0x6f, 0x6f, 0x66)).toThrow(MalformedMediaError);
    expect(() => push(0, 0, 8, 0, 0x6d, 0x64, 0x61, 0x74)).toThrow(MalformedMediaError);
    expect(() => push(0, 0, 0, 1, 0x6d, 0x64, 0x61, 0x74, 1, 0, 0, 0, 0, 0, 0, 0)).toThrow(MalformedMediaError);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
        const splitter = new FragmentSplitter(() => undefined, 10_000);
        try {
          for (const chunk of chunks) splitter.push(chunk);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMediaError);
        }
      }),
    );
  });
});

describe('the init', () => {
  it('names H.264 and AAC', () => {
    const init = parseInit(split(h264, 65_536)[0]?.bytes ?? new Uint8Array());
    expect(videoTrackOf(init)).toMatchObject({ id: 1, codec: 'avc1.64001f', width: 318, height: 180 });
    expect(videoTrackOf(init)?.description[0]).toBe(1);
    expect(audioTrackOf(init)).toMatchObject({ id: 2, codec: 'mp4a.40.2', channels: 2, sampleRate: 48_000, timescale: 48_000 });
    expect(Array.from(audioTrackOf(init)?.description.subarray(0, 2) ?? [])).toEqual([0x11, 0x90]);
  });

  it('names H.265 by the standard and retags it', () => {
    const bytes = split(h265, 65_536)[0]?.bytes.slice() ?? new Uint8Array();
    expect(videoTrackOf(parseInit(bytes))?.codec).toMatch(/^hev1\.1\.6\.L\d+\.90$/);
    expect(retagHevc(bytes)).toBe(true);
    expect(videoTrackOf(parseInit(bytes))?.codec).toMatch(/^hvc1\.1\.6\.L\d+\.90$/);
    expect(retagHevc(bytes)).toBe(false);
  });

  it('names Opus', () => {
    expect(audioTrackOf(parseInit(opus))?.codec).toBe('Opus');
  });

  it('throws its own error on damaged bytes', () => {
    const init = split(h264, 65_536)[0]?.bytes ?? new Uint8Array();
    fc.assert(
      fc.property(fc.nat(init.length - 1), fc.nat(255), fc.nat(init.length), (at, value, length) => {
        const bytes = init.slice(0, length);
        bytes[at] = value;
        try {
          parseInit(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMediaError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('fragments', () => {
  it('hold every sample where ffprobe says it is', () => {
    const units = split(h264, 65_536);
    const init = parseInit(units[0]?.bytes ?? new Uint8Array());
    const video = units.slice(1).flatMap((unit) => parseFragment(unit.bytes, init)).filter((track) => track.trackId === 1);
    const samples = video.flatMap((track) => track.samples);
    expect(samples.length).toBe(30);
    expect(samples.map((sample, index) => (sample.keyframe ? index : -1)).filter((index) => index >= 0)).toEqual([0, 10, 20]);
    const probed = spawnSync('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=size', '-of', 'csv=p=0', '-i', 'pipe:0'], { input: h264 }).stdout.toString();
    expect(samples.map((sample) => sample.sizeBytes)).toEqual(probed.trim().split('\n').map((line) => Number.parseInt(line, 10)));
  });

  it('carry composition offsets of B-frames', () => {
    const units = split(h264B, 65_536);
    const init = parseInit(units[0]?.bytes ?? new Uint8Array());
    const timescale = videoTrackOf(init)?.timescale ?? 1;
    const times = units.slice(1).flatMap((unit) => parseFragment(unit.bytes, init).map((track) => ticksToMs(track.baseDecodeTime + (track.samples[0]?.compositionOffsetTicks ?? 0), timescale)));
    expect([...times].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => (times[0] ?? 0) + index * 100));
    expect(times).not.toEqual([...times].sort((a, b) => a - b));
  });

  it('have heads that say the same as all their samples', () => {
    for (const bytes of [h264, h264B, h265, opus]) {
      const units = split(bytes, 65_536);
      const init = parseInit(units[0]?.bytes ?? new Uint8Array());
      for (const unit of units.slice(1)) {
        const [track, ...others] = parseFragment(unit.bytes, init);
        const defaults = init.tracks.find(({ id }) => id === track?.trackId)?.defaults;
        if (track === undefined || defaults === undefined || others.length > 0) continue;
        const [first] = track.samples;
        const head = readFragmentHead(unit.bytes, defaults);
        expect(head).toMatchObject({ frames: track.samples.length, keyframe: first?.keyframe, firstOffsetBytes: first?.offsetBytes, firstSizeBytes: first?.sizeBytes, baseTicks: track.baseDecodeTime });
        expect(head.startTicks).toBe(track.baseDecodeTime + (first?.compositionOffsetTicks ?? 0));
        expect(head.endTicks).toBe(presentationEnd(track));
        const moved = unit.bytes.slice();
        writeDecodeTime(moved, head, 77);
        expect(parseFragment(moved, init)[0]?.baseDecodeTime).toBe(77);
      }
    }
  });

  it('have heads of damaged bytes that throw their own error', () => {
    const units = split(h264B, 65_536);
    const fragment = units.at(-1)?.bytes ?? new Uint8Array();
    const defaults = parseInit(units[0]?.bytes ?? new Uint8Array()).tracks[0]?.defaults ?? { durationTicks: 0, sizeBytes: 0, flags: 0 };
    fc.assert(
      fc.property(fc.nat(200), fc.nat(255), (at, value) => {
        const bytes = fragment.slice();
        bytes[at] = value;
        try {
          const head = readFragmentHead(bytes, defaults);
          expect(head.firstOffsetBytes + head.firstSizeBytes).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMediaError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('move in time, and not before zero', () => {
    const units = split(h264, 65_536);
    const last = units.at(-1)?.bytes.slice() ?? new Uint8Array();
    const before = parseFragment(last);
    rebaseFragment(last, new Map(before.map((track) => [track.trackId, 500])));
    expect(parseFragment(last).map((track) => track.baseDecodeTime)).toEqual(before.map((track) => track.baseDecodeTime - 500));
    expect(parseFragment(last).map(endDecodeTime)).toEqual(before.map((track) => endDecodeTime(track) - 500));
    expect(() => rebaseFragment(last, new Map(before.map((track) => [track.trackId, 1e12])))).toThrow(MalformedMediaError);
  });

  it('throw their own error on damaged bytes', () => {
    const fragment = split(h264, 65_536)[1]?.bytes.slice(0, 400) ?? new Uint8Array();
    fc.assert(
      fc.property(fc.nat(200), fc.nat(255), fc.nat(400), (at, value, length) => {
        const bytes = fragment.slice(0, length);
        bytes[at] = value;
        try {
          for (const track of parseFragment(bytes)) for (const sample of track.samples) expect(sample.offsetBytes + sample.sizeBytes).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMediaError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('parameter sets', () => {
  it.each([
    ['h264', () => h264],
    ['h265', () => h265],
  ] as const)('of %s give the picture size', (codec, source) => {
    const track = videoTrackOf(parseInit(source()));
    const sets = parameterSetsOfConfig(track?.description ?? new Uint8Array(), codec);
    expect(sets.length).toBe(codec === 'h264' ? 2 : 3);
    expect(sets.map((set) => sizeOfSps(set, codec)).find((size) => size !== null)).toEqual({ width: 318, height: 180 });
    expect(parameterSetsChanged(sets, sets)).toBe(false);
    expect(parameterSetsChanged(sets, [Uint8Array.of(0x67, 1)])).toBe(true);
  });

  it('are found in a keyframe and end at the picture', () => {
    const unit = (...bytes: readonly number[]) => [0, 0, 0, bytes.length, ...bytes];
    const sample = Uint8Array.from([...unit(9, 240), ...unit(0x67, 1, 2), ...unit(0x68, 3), ...unit(0x65, 9, 9), ...unit(0x68, 7)]);
    expect(parameterSetsOfSample(sample, 'h264').map((set) => Array.from(set))).toEqual([[0x67, 1, 2], [0x68, 3]]);
    expect(parameterSetsOfSample(Uint8Array.of(255, 255, 255, 255, 0x67, 1), 'h264')).toEqual([]);
  });

  it('of hostile bytes are nothing', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('h264' as const, 'h265' as const), (bytes, codec) => {
      sizeOfSps(Uint8Array.from([codec === 'h264' ? 0x67 : 0x42, ...bytes]), codec);
      parameterSetsOfSample(bytes, codec);
    }));
  });
});

const keyframesArbitrary = fc.array(fc.record({ skip: fc.nat(1e6), sizeBytes: fc.nat(1e6), us: fc.nat(1e7) }), { maxLength: 80 }).map((steps) => {
  let at = 0;
  let us = 0;
  return steps.map((step) => {
    const offsetBytes = at + step.skip;
    at = offsetBytes + step.sizeBytes;
    us += step.us;
    return { offsetBytes, sizeBytes: step.sizeBytes, mediaMs: us / 1_000 };
  });
});

describe('the keyframe index', () => {
  it('comes back as it was packed', () => {
    fc.assert(fc.property(keyframesArbitrary, (keyframes) => {
      expect(unpackKeyframes(packKeyframes(keyframes))).toEqual(keyframes);
    }));
  });

  it('refuses bytes it did not write', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expect(Buffer.from(packKeyframes(unpackKeyframes(bytes))).length).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMediaError);
      }
    }));
    expect(() => packKeyframes([{ offsetBytes: 10, sizeBytes: 5, mediaMs: 5 }, { offsetBytes: 12, sizeBytes: 5, mediaMs: 6 }])).toThrow(MalformedMediaError);
  });
});

describe('prft', () => {
  it('keeps wall time to the microsecond, before and after 2036', () => {
    for (const wallMs of [1_763_734_500_123.457, Date.UTC(2037, 5, 1) + 0.5, Date.UTC(2030, 0, 1)]) {
      const bytes = makePrft({ trackId: 3, wallMs, mediaTicks: 2 ** 33 + 7 });
      expect(bytes.length).toBe(PRFT_BYTES);
      const box = readBox(bytes, 0);
      expect(box?.type).toBe('prft');
      const back = box === null ? null : parsePrft(bytes, box);
      expect(back).toMatchObject({ trackId: 3, mediaTicks: 2 ** 33 + 7 });
      expect(Math.abs((back?.wallMs ?? 0) - wallMs)).toBeLessThan(0.001);
    }
  });
});

const TAIL: SegmentTail = {
  cameraId: 'cam-abcdefghijkl' as CameraId,
  stream: 'main',
  session: 1_763_734_500_000,
  sequence: 3,
  startMs: 1_763_734_500_250.125,
  endMs: 1_763_734_560_000.5,
  initBytes: 800,
  videoFrames: 1_800,
  keyframes: [{ offsetBytes: 832, sizeBytes: 90_000, mediaMs: 0 }, { offsetBytes: 500_000, sizeBytes: 90_000, mediaMs: 1_000.011 }],
};

describe('the segment tail', () => {
  it('is read back from the end of a file', () => {
    const bytes = makeSegmentTail(TAIL, { id: 1, timescale: 90_000 });
    expect([...boxesIn(bytes)].map((box) => box.type)).toEqual(['uuid', 'mfra']);
    expect(parseSegmentTail(concatBytes([new Uint8Array(500).fill(9), bytes]))).toEqual({ kind: 'tail', tail: TAIL, tailBytes: bytes.length });
  });

  it('says how much more to read, and recognises a file cut short', () => {
    const bytes = makeSegmentTail(TAIL, { id: 1, timescale: 90_000 });
    expect(parseSegmentTail(bytes.subarray(bytes.length - 20)).kind).toBe('more');
    const uuidMissing = parseSegmentTail(bytes.subarray(bytes.length - 100));
    expect(uuidMissing).toEqual({ kind: 'more', bytes: bytes.length });
    expect(parseSegmentTail(bytes.subarray(0, bytes.length - 1)).kind).toBe('none');
    expect(parseSegmentTail(new Uint8Array(0)).kind).toBe('none');
  });

  it('never throws on damaged bytes', () => {
    const bytes = makeSegmentTail(TAIL, { id: 1, timescale: 90_000 });
    fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, from) => {
      const damaged = bytes.slice();
      damaged[at] = value;
      expect(['tail', 'more', 'none']).toContain(parseSegmentTail(damaged.subarray(from)).kind);
    }), { numRuns: 500 });
  });
});

describe('the scan', () => {
  const reader = (bytes: Uint8Array) => (start: number, end: number) => Promise.resolve(bytes.slice(start, end));

  function segmentFile(): { file: Uint8Array; ends: number[] } {
    const [init, ...fragments] = split(h264, 65_536);
    const ends: number[] = [];
    let at = init?.bytes.length ?? 0;
    const parts = [init?.bytes ?? new Uint8Array()];
    for (const { bytes } of fragments) {
      const first = parseFragment(bytes).find((track) => track.trackId === 1);
      if (first?.samples[0]?.keyframe === true) parts.push(makePrft({ trackId: 1, wallMs: 1_763_734_500_000 + first.baseDecodeTime / 10.24, mediaTicks: first.baseDecodeTime }));
      parts.push(bytes);
      at = parts.reduce((sum, part) => sum + part.length, 0);
      ends.push(at);
    }
    return { file: concatBytes(parts), ends };
  }

  it('finds everything in a whole file, before its tail', async () => {
    const { file } = segmentFile();
    const closed = concatBytes([file, makeSegmentTail(TAIL, { id: 1, timescale: 10_240 })]);
    const scan = await scanSegment(reader(closed), closed.length);
    expect(scan).toMatchObject({ videoFrames: 30, wholeBytes: file.length, startMs: 1_763_734_500_000 });
    // The muxer guesses how long the very last frame lasts.
    expect(Math.abs((scan?.videoEndMs ?? 0) - 3_000)).toBeLessThan(100);
    // The muxer makes room for the encoder's 21 ms of priming.
    expect(scan?.keyframes.map((keyframe) => Math.round(keyframe.mediaMs / 100))).toEqual([0, 10, 20]);
    for (const { offsetBytes, sizeBytes } of scan?.keyframes ?? []) {
      expect(topBox(file.subarray(offsetBytes), 'moof')?.start).toBe(0);
      expect([...boxesIn(file.subarray(offsetBytes, offsetBytes + sizeBytes))].map((box) => box.type)).toEqual(['moof', 'mdat']);
    }
  });

  it('keeps every whole fragment of a file cut anywhere', async () => {
    const { file, ends } = segmentFile();
    for (let cut = ends[0] ?? 0; cut < file.length; cut += 997) {
      const scan = await scanSegment(reader(file.slice(0, cut)), cut);
      expect(scan?.wholeBytes).toBe(ends.findLast((end) => end <= cut));
    }
    expect(await scanSegment(reader(file.slice(0, 100)), 100)).toBeNull();
  });

  it('stops where the disk never got the bytes', async () => {
    const { file } = segmentFile();
    const second = (await scanSegment(reader(file), file.length))?.keyframes[1];
    const torn = file.slice();
    torn.fill(0, (second?.offsetBytes ?? 0) + 300);
    expect((await scanSegment(reader(torn), torn.length))?.wholeBytes).toBe((second?.offsetBytes ?? 0) - PRFT_BYTES);
  });

  it('stops at a picture whose last block the disk never got, though the next one is there', async () => {
    const { file } = segmentFile();
    const closed = await scanSegment(reader(file), file.length);
    const keyframe = closed?.keyframes[1] ?? { offsetBytes: 0, sizeBytes: 0 };
    const end = keyframe.offsetBytes + keyframe.sizeBytes;
    // Moved so that a block of the disk begins 40 bytes before the end of the picture, behind the last probe of its inside.
    const free = new Uint8Array(512 + ((512 - ((end - 40) % 512)) % 512));
    new DataView(free.buffer).setUint32(0, free.length);
    free.set([0x66, 0x72, 0x65, 0x65], 4);
    const initBytes = closed?.initBytes ?? 0;
    const moved = concatBytes([file.subarray(0, initBytes), free, file.subarray(initBytes)]);
    expect((await scanSegment(reader(moved), moved.length))?.keyframes.length).toBe(closed?.keyframes.length);
    moved.fill(0, end + free.length - 40, end + free.length);
    expect((await scanSegment(reader(moved), moved.length))?.wholeBytes).toBe(keyframe.offsetBytes + free.length - PRFT_BYTES);
  });
});
