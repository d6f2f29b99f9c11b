/** Whole command lines, whole scripts, and what last words mean. */
import { describe, expect, it } from 'vitest';
import { inputScript, recordArgs, rtspUrlWithCredentials } from './args.ts';
import { isTooOld } from './binary.ts';
import { readFailure } from './errors.ts';
import { redact } from './process.ts';

const INPUT = { url: 'rtsp://192.168.1.20:554/h264Preview_01_main', username: 'admin', password: 'geheim', transport: 'tcp' } as const;
const QUIET = '-hide_banner -nostats -loglevel warning';
const HEAD = '-itsoffset 1 -f concat -safe 0 -protocol_whitelist pipe,file,rtsp,rtsps,rtp,srtp,tcp,tls,udp,crypto,data -i pipe:0';
const VIDEO = '-map 0:v:0 -c:v copy -avoid_negative_ts disabled -output_ts_offset 10 -use_editlist 0 -flush_packets 1 -f mp4 -movflags frag_every_frame+empty_moov+default_base_moof+frag_discont+skip_trailer pipe:1';
const SOUND_TIMES = '-avoid_negative_ts disabled -output_ts_offset 10 -use_editlist 0 -flush_packets 1 -f mp4 -movflags empty_moov+default_base_moof+frag_discont+skip_trailer -frag_duration 60000 pipe:3';

describe('the arguments of a recorder', () => {
  it.each([
    ['no sound', 'none', `${QUIET} ${HEAD} ${VIDEO}`],
    ['sound that MP4 holds', 'copy', `${QUIET} -analyzeduration 1500000 ${HEAD} ${VIDEO} -map 0:a:0 -c:a copy ${SOUND_TIMES}`],
    ['G.711 and its like', 'transcode', `${QUIET} -analyzeduration 1500000 ${HEAD} ${VIDEO} -map 0:a:0 -c:a aac -b:a 48k ${SOUND_TIMES}`],
  ] as const)('with %s', (_name, sound, line) => {
    expect(recordArgs(sound).join(' ')).toBe(line);
  });
});

describe('the script', () => {
  it('opens a camera quickly', () => {
    expect(inputScript(INPUT, 'quick', 'video+audio')).toBe(
      "ffconcat version 1.0\nfile 'rtsp://admin:geheim@192.168.1.20:554/h264Preview_01_main'\noption rtsp_transport tcp+udp\noption rtsp_flags prefer_tcp\noption allowed_media_types video+audio\noption timeout 8000000\noption buffer_size 4194304\noption probesize 32768\noption analyzeduration 0\n",
    );
  });

  it('looks longer, over UDP, without sound', () => {
    expect(inputScript({ ...INPUT, username: null, password: null, transport: 'udp' }, 'thorough', 'video')).toBe(
      "ffconcat version 1.0\nfile 'rtsp://192.168.1.20:554/h264Preview_01_main'\noption rtsp_transport udp\noption allowed_media_types video\noption timeout 8000000\noption buffer_size 4194304\noption probesize 5000000\noption analyzeduration 5000000\n",
    );
  });

  it('holds any password, and no line of an attacker', () => {
    expect(rtspUrlWithCredentials({ ...INPUT, username: "o'neil@home", password: "a'b\\c:/?#[]@!$&()*+,;= %\nü" })).toBe(
      'rtsp://o%27neil%40home:a%27b%5Cc%3A%2F%3F%23%5B%5D%40%21%24%26%28%29%2A%2B%2C%3B%3D%20%25%0A%C3%BC@192.168.1.20:554/h264Preview_01_main',
    );
    expect(inputScript({ ...INPUT, url: "rtsp://h/it's?a=b&c='x'" }, 'quick', 'video').split('\n')[1]).toBe("file 'rtsp://admin:geheim@h/it'\\''s?a=b&c='\\''x'\\'''");
    for (const url of ['http://h/x', 'rtsp://h/a\noption x y', 'file:///etc/passwd', 'rtsp://', "rtsp://h'x/y"]) expect(() => rtspUrlWithCredentials({ ...INPUT, url })).toThrow(/RTSP address/);
    expect(rtspUrlWithCredentials({ url: 'rtsp://old:pw@h:8554/x', username: 'u', password: 'p' })).toBe('rtsp://u:p@h:8554/x');
  });
});

describe('last words', () => {
  it.each([
    ['[rtsp @ 0x1] method DESCRIBE failed: 401 Unauthorized', 'wrong-password', 'camera-refused'],
    ['[rtsp @ 0x1] method DESCRIBE failed: 404 Not Found', 'not-found', 'camera-refused'],
    ['[rtsp @ 0x1] method SETUP failed: 453 Not Enough Bandwidth', 'refused', 'camera-refused'],
    ['[rtsp @ 0x1] method DESCRIBE failed: 503 Service Unavailable', 'refused', 'camera-refused'],
    ["[rtsp @ 0x1] method SETUP failed: 461 Unsupported transport\n[concat @ 0x1] Impossible to open 'rtsp://10.0.0.9/x'", 'refused', 'camera-refused'],
    // It went on over UDP: what it said of TCP is not why the stream ended.
    ['[rtsp @ 0x1] method SETUP failed: 461 Unsupported transport', 'ffmpeg-failed', 'camera-unreachable'],
    ['[tcp @ 0x1] Connection to tcp://10.0.0.9:554?timeout=8000000 failed: Connection refused', 'unreachable', 'camera-unreachable'],
    ['[tcp @ 0x1] Connection to tcp://10.0.0.9:554 failed: No route to host', 'unreachable', 'camera-unreachable'],
    ['[tcp @ 0x1] Failed to resolve hostname cam.local: Name or service not known', 'unreachable', 'camera-unreachable'],
    ['[tcp @ 0x1] Connection to tcp://10.0.0.9:554?timeout=8000000 failed: Connection timed out', 'timeout', 'camera-unreachable'],
    ['[tcp @ 0x1] Connection to tcp://10.0.0.9:554?timeout=8000000 failed: Permission denied', 'unreachable', 'camera-unreachable'],
    ['pipe:0: Connection timed out', 'timeout', 'stream-stalled'],
    ["Unrecognized option 'use_editlist'.", 'ffmpeg-failed', 'porchlight-failed'],
    ['[mp4 @ 0x1] Could not find tag for codec mjpeg in stream #0, codec not currently supported in container', 'codec-not-supported', 'camera-refused'],
    ["Stream map '0:v:0' matches no streams.", 'no-video', 'camera-refused'],
    ['pipe:0: Invalid data found when processing input', 'bad-answer', 'stream-stalled'],
    ['what is this', 'ffmpeg-failed', 'camera-unreachable'],
  ])('%s', (line, kind, cause) => {
    expect(readFailure(['Input #0', ...line.split('\n')])).toMatchObject({ kind, cause, noSound: false });
  });

  it('tell a missing sound from a missing picture, and when to look longer', () => {
    expect(readFailure(["Stream map '0:a:0' matches no streams."])).toMatchObject({ noSound: true });
    expect(readFailure(['[rtsp @ 0x1] Could not find codec parameters for stream 0 (Video: h264, none): unspecified size', '[mp4 @ 0x1] dimensions not set'])).toMatchObject({ lookLonger: true });
  });

  it('hold no secret, however it is written', () => {
    expect(redact("Impossible to open 'rtsp://admin:pa ss@10.0.0.9/x' pa%20ss pa ss", ['pa ss'])).not.toMatch(/pa(%20| )ss/);
  });
});

describe('the version', () => {
  it.each([['4.4.2-0ubuntu0.22.04.1', true], ['5.1.9-0+deb12u1', false], ['n7.1', false], ['N-109000-gabc', false], ['2024-05-02-git', false], ['n4.3.1', true]])('%s', (version, old) => {
    expect(isTooOld(version)).toBe(old);
  });
});
