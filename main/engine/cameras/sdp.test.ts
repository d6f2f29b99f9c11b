import { describe, expect, it } from 'vitest';
import { parseSdp } from './sdp.ts';

const sdp = (...lines: readonly string[]): ReturnType<typeof parseSdp> => parseSdp(['v=0', 'o=- 0 0 IN IP4 0.0.0.0', 's=-', 't=0 0', ...lines].join('\r\n'));
const VIDEO = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000'] as const;

describe('an SDP', () => {
  it('names codec, size from the SPS and rate', () => {
    expect(sdp(...VIDEO, 'a=fmtp:96 profile-level-id=42C01E; packetization-mode=1; sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==', 'a=framerate:12.5')).toEqual({ videoCodec: 'h264', audioCodec: null, width: 240, height: 160, fps: 12.5 });
  });

  it('takes a stated size where the parameter sets are missing or broken', () => {
    expect(sdp(...VIDEO, 'a=fmtp:96 sprop-parameter-sets=!!,AAAA', 'a=x-dimensions: 1920,1080')).toMatchObject({ width: 1920, height: 1080 });
    expect(sdp(...VIDEO, 'a=framesize:96 704-576')).toMatchObject({ width: 704, height: 576 });
    expect(sdp(...VIDEO, 'a=cliprect:0,0,720,1280')).toMatchObject({ width: 1280, height: 720 });
  });

  const audio: [readonly string[], string | null][] = [
    [['m=audio 0 RTP/AVP 0'], 'pcmu'],
    [['m=audio 0 RTP/AVP 8'], 'pcma'],
    [['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 mpeg4-generic/16000/1'], 'aac'],
    [['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 G726-16/8000'], 'g726'],
    [['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 opus/48000/2'], 'opus'],
    [['m=audio 0 RTP/AVP 97', 'a=rtpmap:97 vnd.odd/8000'], 'other'],
    [['m=audio 0 RTP/AVP 0', 'a=sendonly'], null],
  ];
  for (const [lines, codec] of audio) {
    it(`sound ${lines.join(' ')} is ${codec}`, () => {
      expect(sdp(...VIDEO, ...lines)?.audioCodec).toBe(codec);
    });
  }

  it('knows what is not recorded, and what is no video', () => {
    expect(sdp('m=video 0 RTP/AVP 26')?.videoCodec).toBe('mjpeg');
    expect(sdp('m=video 0 RTP/AVP 98', 'a=rtpmap:98 H265/90000')?.videoCodec).toBe('h265');
    expect(sdp('m=video 0 RTP/AVP 98', 'a=rtpmap:98 MP4V-ES/90000')?.videoCodec).toBe('other');
    expect(sdp('m=application 0 RTP/AVP 107')?.videoCodec).toBeNull();
  });

  it('is told from anything else', () => {
    expect(parseSdp('<html></html>')).toBeNull();
    expect(parseSdp('v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000')?.videoCodec).toBe('h264');
  });
});
