/** Owns the clip: a piece of encoded video and sound held in memory as access units, ready to be sent in a loop. */
import { readFile } from 'node:fs/promises';
import { forceUnwrap } from '../../../shared/result.ts';
import { runTool } from './ffmpeg.ts';

export type SimVideoCodec = 'h264' | 'h265' | 'mjpeg';
export type SimAudioCodec = 'aac' | 'pcma' | 'pcmu';

/** One encoded picture, in decode order. */
export interface AccessUnit {
  /** H.264/H.265: NAL units without start codes or lengths; keyframes begin with the parameter sets. MJPEG: the JPEG. */
  readonly nals: readonly Buffer[];
  readonly keyframe: boolean;
  /** The picture's place in presentation order, as burnt into it: 0 for the first of the loop. */
  readonly frameNumber: number;
  /** Presentation minus decode time in 1/90000 s, never negative; not 0 only with B-frames. */
  readonly offset90k: number;
  readonly sizeBytes: number;
}

export interface VideoClip {
  readonly codec: SimVideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** H.264: SPS, PPS; H.265: VPS, SPS, PPS; MJPEG: empty. */
  readonly parameterSets: readonly Buffer[];
  readonly units: readonly AccessUnit[];
}

export interface AudioClip {
  readonly codec: SimAudioCodec;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly samplesPerFrame: number;
  readonly frames: readonly Buffer[];
}

interface Packet {
  readonly pts: number;
  readonly dts: number;
  readonly keyframe: boolean;
  readonly position: number;
  readonly size: number;
}

interface ProbeStream {
  readonly codec_name: string;
  readonly width: number;
  readonly height: number;
  readonly r_frame_rate: string;
  readonly time_base: string;
}

/** The payload of the first box of this type anywhere in the file; avcC and hvcC occur once in what we encode. */
export function findBox(file: Buffer, type: string): Buffer | null {
  const at = file.indexOf(Buffer.from(type, 'latin1'));
  if (at < 4) return null;
  return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
}

/** SPS and PPS of an avcC box (ISO/IEC 14496-15, 5.3.3.1). */
export function parseAvcC(box: Buffer): Buffer[] {
  const sets: Buffer[] = [];
  let at = 5;
  for (let round = 0; round < 2; round += 1) {
    const count = (box[at] ?? 0) & (round === 0 ? 0x1f : 0xff);
    at += 1;
    for (let i = 0; i < count; i += 1) {
      const length = box.readUInt16BE(at);
      sets.push(box.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return sets;
}

/** VPS, SPS and PPS of an hvcC box (ISO/IEC 14496-15, 8.3.3.1); SEI arrays are left out. */
export function parseHvcC(box: Buffer): Buffer[] {
  const sets: Buffer[] = [];
  const arrays = box[22] ?? 0;
  let at = 23;
  for (let i = 0; i < arrays; i += 1) {
    const type = (box[at] ?? 0) & 0x3f;
    const count = box.readUInt16BE(at + 1);
    at += 3;
    for (let n = 0; n < count; n += 1) {
      const length = box.readUInt16BE(at);
      if (type >= 32 && type <= 34) sets.push(box.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return sets;
}

/** Splits a sample of 4-byte length-prefixed NAL units. */
export function splitLengthPrefixed(sample: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let at = 0;
  while (at + 4 <= sample.length) {
    const length = sample.readUInt32BE(at);
    nals.push(sample.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return nals;
}

/** True for NAL units that a keyframe carries anyway in front of it, or that only delimit: they are put in anew. */
export function isParameterOrDelimiter(codec: SimVideoCodec, nal: Buffer): boolean {
  const first = nal[0] ?? 0;
  if (codec === 'h264') return [7, 8, 9].includes(first & 0x1f);
  return [32, 33, 34, 35].includes((first >> 1) & 0x3f);
}

async function probePackets(path: string, selector: string): Promise<{ stream: ProbeStream; packets: Packet[] } | null> {
  const args = ['-v', 'error', '-select_streams', selector, '-show_streams', '-show_packets', '-of', 'json', path];
  const parsed = JSON.parse((await runTool('ffprobe', args)).toString('utf8')) as { streams: ProbeStream[]; packets: Record<string, string | number>[] };
  const stream = parsed.streams[0];
  if (stream === undefined) return null;
  const packets = parsed.packets.map((packet) => ({
    pts: Number(packet['pts']),
    dts: Number(packet['dts']),
    keyframe: String(packet['flags']).includes('K'),
    position: Number(packet['pos']),
    size: Number(packet['size']),
  }));
  return { stream, packets };
}

function ratio(text: string): number {
  const [over = '1', under = '1'] = text.split('/');
  return Number(over) / Number(under);
}

function toUnits(file: Buffer, codec: SimVideoCodec, sets: readonly Buffer[], packets: readonly Packet[], tickSeconds: number): AccessUnit[] {
  const order = packets.map((packet) => packet.pts).toSorted((a, b) => a - b);
  const place = new Map(order.map((pts, index) => [pts, index]));
  const minOffset = Math.min(...packets.map((packet) => packet.pts - packet.dts));
  return packets.map((packet) => {
    const sample = file.subarray(packet.position, packet.position + packet.size);
    const own = codec === 'mjpeg' ? [sample] : splitLengthPrefixed(sample).filter((nal) => !isParameterOrDelimiter(codec, nal));
    return {
      nals: packet.keyframe ? [...sets, ...own] : own,
      keyframe: packet.keyframe,
      frameNumber: forceUnwrap('every packet was sorted', place.get(packet.pts)),
      offset90k: Math.round((packet.pts - packet.dts - minOffset) * tickSeconds * 90_000),
      sizeBytes: own.reduce((sum, nal) => sum + nal.length, 0),
    };
  });
}

/** Reads the video of an MP4 file we encoded (H.264, H.265 or MJPEG) into memory. */
export async function loadVideoClip(path: string): Promise<VideoClip> {
  const [file, probed] = await Promise.all([readFile(path), probePackets(path, 'v:0')]);
  const { stream, packets } = forceUnwrap('the clip was encoded with video', probed);
  const codec: SimVideoCodec = stream.codec_name === 'hevc' ? 'h265' : stream.codec_name === 'mjpeg' ? 'mjpeg' : 'h264';
  let sets: Buffer[] = [];
  if (codec === 'h264') sets = parseAvcC(forceUnwrap('MP4 with H.264 has an avcC box', findBox(file, 'avcC')));
  if (codec === 'h265') sets = parseHvcC(forceUnwrap('MP4 with H.265 has an hvcC box', findBox(file, 'hvcC')));
  const units = toUnits(file, codec, sets, packets, ratio(stream.time_base));
  return { codec, width: stream.width, height: stream.height, fps: Math.round(ratio(stream.r_frame_rate) * 1000) / 1000, parameterSets: sets, units };
}

/** Reads the AAC sound of an MP4 file into memory: raw data blocks of 1024 samples, mono. */
export async function loadAacClip(path: string, sampleRateHz: number): Promise<AudioClip> {
  const [file, probed] = await Promise.all([readFile(path), probePackets(path, 'a:0')]);
  const { packets } = forceUnwrap('the clip was encoded with sound', probed);
  const frames = packets.map((packet) => file.subarray(packet.position, packet.position + packet.size));
  return { codec: 'aac', sampleRateHz, channels: 1, samplesPerFrame: 1024, frames };
}

/** Cuts raw G.711 of 8 kHz mono into frames of 20 ms, as RFC 3551 section 4.2 asks for by default. */
export async function loadG711Clip(path: string, codec: 'pcma' | 'pcmu'): Promise<AudioClip> {
  const file = await readFile(path);
  const frames: Buffer[] = [];
  for (let at = 0; at + 160 <= file.length; at += 160) frames.push(file.subarray(at, at + 160));
  return { codec, sampleRateHz: 8000, channels: 1, samplesPerFrame: 160, frames };
}
