/** What a stream's SDP announces (RFC 8866, RFC 6184, RFC 7798, RFC 3640), read leniently. Pure. */
import { sizeOfSps } from '../../../shared/media/parameter-sets.ts';
import type { AudioCodec } from '../../../shared/model/camera.ts';
import type { DescribedStream } from '../../../shared/model/discovery.ts';

interface Track {
  readonly kind: string;
  /** First payload type of the m= line. */
  readonly payload: string;
  readonly lines: string[];
}

/** RFC 3551 table 4 and 5: payload types that need no rtpmap. */
const STATIC_NAMES: Readonly<Record<string, string>> = { '0': 'PCMU', '8': 'PCMA', '9': 'G722', '14': 'MPA', '26': 'JPEG', '32': 'MPV', '33': 'MP2T' };

const AUDIO_NAMES: readonly (readonly [RegExp, AudioCodec])[] = [
  [/^(MPEG4-GENERIC|MP4A-LATM|AAC)/, 'aac'],
  [/^PCMU$/, 'pcmu'],
  [/^PCMA$/, 'pcma'],
  [/^(AAL2-)?G726/, 'g726'],
  [/^G722$/, 'g722'],
  [/^OPUS$/, 'opus'],
  [/^(MPA|MP3|MPA-ROBUST)$/, 'mp3'],
];

/** The first video and the first audio track; sizes and rates are 0 where the SDP does not say. Null when it is no SDP. */
export function parseSdp(text: string): DescribedStream | null {
  if (!/^v=/m.test(text)) return null;
  const session: string[] = [];
  const tracks: Track[] = [];
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    const media = /^m=(\w+)\s+\S+\s+\S+\s*(\d*)/.exec(line);
    if (media !== null) tracks.push({ kind: (media[1] ?? '').toLowerCase(), payload: media[2] ?? '', lines: [] });
    else (tracks.at(-1)?.lines ?? session).push(line);
  }
  const video = tracks.find((track) => track.kind === 'video');
  // A track we would send into is the camera's loudspeaker, not its microphone.
  const audio = tracks.find((track) => track.kind === 'audio' && !track.lines.includes('a=sendonly'));
  const codec = video === undefined ? null : videoCodec(encodingName(video));
  const size = video === undefined ? { width: 0, height: 0 } : pictureSize(video, codec);
  return { videoCodec: codec, audioCodec: audio === undefined ? null : audioCodec(encodingName(audio)), ...size, fps: video === undefined ? 0 : frameRate(video, session) };
}

function encodingName(track: Track): string {
  const map = new RegExp(`^a=rtpmap:\\s*${track.payload}\\s+([^/\\s]+)`, 'i');
  for (const line of track.lines) {
    const name = map.exec(line)?.[1];
    if (name !== undefined) return name.toUpperCase();
  }
  return STATIC_NAMES[track.payload] ?? '';
}

function videoCodec(name: string): DescribedStream['videoCodec'] {
  if (name === 'H264') return 'h264';
  if (name === 'H265' || name === 'HEVC') return 'h265';
  return name === 'JPEG' ? 'mjpeg' : 'other';
}

function audioCodec(name: string): AudioCodec {
  return AUDIO_NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}

function formatParameter(track: Track, name: string): string {
  const pattern = new RegExp(`(?:^a=fmtp:\\s*\\d+\\s+|;)\\s*${name}\\s*=\\s*([^;\\s]+)`, 'i');
  for (const line of track.lines) {
    const value = pattern.exec(line)?.[1];
    if (value !== undefined) return value;
  }
  return '';
}

function pictureSize(track: Track, codec: DescribedStream['videoCodec']): { readonly width: number; readonly height: number } {
  if (codec === 'h264' || codec === 'h265') {
    const sets = formatParameter(track, codec === 'h264' ? 'sprop-parameter-sets' : 'sprop-sps');
    for (const set of sets.split(',')) {
      const size = set === '' ? null : sizeOfSps(Buffer.from(set, 'base64'), codec);
      if (size !== null) return size;
    }
  }
  for (const line of track.lines) {
    const stated = /^a=(?:x-dimensions:\s*(\d+)\s*,\s*(\d+)|framesize:\s*\d+\s+(\d+)-(\d+)|cliprect:\s*\d+\s*,\s*\d+\s*,\s*(\d+)\s*,\s*(\d+))/i.exec(line);
    if (stated === null) continue;
    // cliprect is top, left, bottom, right: height before width.
    if (stated[5] !== undefined) return { width: Number(stated[6]), height: Number(stated[5]) };
    return { width: Number(stated[1] ?? stated[3]), height: Number(stated[2] ?? stated[4]) };
  }
  return { width: 0, height: 0 };
}

function frameRate(track: Track, session: readonly string[]): number {
  for (const line of [...track.lines, ...session]) {
    const rate = Number.parseFloat(/^a=(?:x-)?framerate:\s*([\d.]+)/i.exec(line)?.[1] ?? '');
    if (rate > 0 && rate <= 240) return rate;
  }
  return 0;
}
