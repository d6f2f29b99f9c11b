/** Owns the session description a camera gives in answer to DESCRIBE (RFC 4566, RFC 2326 appendix C). */
import type { AudioClip } from '../media/clip.ts';
import type { StreamFormat, VideoFormat } from '../media/stream-feed.ts';
import { aacConfig } from './rtp-audio.ts';

export const VIDEO_PAYLOAD_TYPE = 96;
const AAC_PAYLOAD_TYPE = 97;

/** RTP payload type of the video: 26 is JPEG by RFC 3551, the others are dynamic. */
export function videoPayloadType(format: VideoFormat): number {
  return format.codec === 'mjpeg' ? 26 : VIDEO_PAYLOAD_TYPE;
}

export function audioPayloadType(audio: AudioClip): number {
  return audio.codec === 'aac' ? AAC_PAYLOAD_TYPE : audio.codec === 'pcma' ? 8 : 0;
}

function h264Parameters(sets: readonly Buffer[], sprop: boolean): string {
  const profile = sets[0]?.subarray(1, 4).toString('hex').toUpperCase() ?? '42001F';
  const spropPart = sprop ? `;sprop-parameter-sets=${sets.map((set) => set.toString('base64')).join(',')}` : '';
  return `packetization-mode=1;profile-level-id=${profile}${spropPart}`;
}

function h265Parameters(sets: readonly Buffer[]): string {
  const [vps, sps, pps] = sets.map((set) => set.toString('base64'));
  return `sprop-vps=${vps};sprop-sps=${sps};sprop-pps=${pps}`;
}

function videoLines(format: VideoFormat, sprop: boolean): string[] {
  const type = videoPayloadType(format);
  const lines = [`m=video 0 RTP/AVP ${type}`, 'c=IN IP4 0.0.0.0', 'b=AS:4096'];
  if (format.codec === 'h264') {
    lines.push(`a=rtpmap:${type} H264/90000`, `a=fmtp:${type} ${h264Parameters(format.parameterSets, sprop)}`);
  } else if (format.codec === 'h265') {
    lines.push(`a=rtpmap:${type} H265/90000`);
    if (sprop) lines.push(`a=fmtp:${type} ${h265Parameters(format.parameterSets)}`);
  } else {
    lines.push(`a=rtpmap:${type} JPEG/90000`);
  }
  lines.push(`a=framerate:${format.fps}`, `a=x-dimensions:${format.width},${format.height}`, 'a=recvonly', 'a=control:trackID=0');
  return lines;
}

function audioLines(audio: AudioClip): string[] {
  const type = audioPayloadType(audio);
  const lines = [`m=audio 0 RTP/AVP ${type}`, 'c=IN IP4 0.0.0.0', 'b=AS:64'];
  if (audio.codec === 'aac') {
    const config = aacConfig(audio.sampleRateHz, audio.channels).toString('hex').toUpperCase();
    lines.push(
      `a=rtpmap:${type} mpeg4-generic/${audio.sampleRateHz}/${audio.channels}`,
      `a=fmtp:${type} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=${config}`,
    );
  } else {
    lines.push(`a=rtpmap:${type} ${audio.codec === 'pcma' ? 'PCMA' : 'PCMU'}/8000`);
  }
  lines.push('a=recvonly', 'a=control:trackID=1');
  return lines;
}

/** The description of a stream; `sprop` says whether it carries the video's parameter sets, `video` whether it has any. */
export function formatSdp(format: StreamFormat, host: string, sprop: boolean, video = true): string {
  const lines = [
    'v=0',
    `o=- ${Math.floor(Date.now() / 1000)} 1 IN IP4 ${host}`,
    's=Media Presentation',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    ...(video ? videoLines(format.video, sprop) : []),
    ...(format.audio === null ? [] : audioLines(format.audio)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}
