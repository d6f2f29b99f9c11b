/** ffmpeg's argument lists and input scripts as pure functions of what is wanted (docs/design/recording.md, "ffmpeg"). */
import { PorchlightError } from '../../../shared/errors.ts';
import type { RtspTransport } from '../../../shared/model/camera.ts';

/** An RTSP address and how to enter. */
export interface RtspInput {
  /** rtsp:// or rtsps:// without user information. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly transport: RtspTransport;
}

/** How long ffmpeg looks at a stream before it starts: `quick` starts at the first pictures, `thorough` waits for late parameter sets. */
export type ProbeDepth = 'quick' | 'thorough';
/** Whose clock says when a picture is: the camera's, or ours as it arrives, where the camera's is of no use. */
export type Times = 'camera' | 'arrival';
export type Sound = 'none' | 'copy' | 'transcode';

/** Microseconds without a byte from the camera after which ffmpeg gives up by itself: the last resort where a child cannot be tied to its parent's life. */
const SOCKET_TIMEOUT_US = 8_000_000;
/** 64 ms of sound at 16 kHz AAC: a fragment per packet of slow sound, and no more than 16 a second of any. */
const AUDIO_FRAGMENT_US = 60_000;
const PROTOCOLS = 'pipe,file,rtsp,rtsps,rtp,srtp,tcp,tls,udp,crypto,data';

/** Percent-encodes everything but unreserved characters (RFC 3986 section 2.3): encodeURIComponent leaves some that scripts and shells read. */
function encodeCredential(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The URL with its user information, for ffmpeg's stdin only (R7). Throws `invalid-input` for what is no RTSP URL. */
export function rtspUrlWithCredentials(input: Pick<RtspInput, 'url' | 'username' | 'password'>): string {
  const match = /^(rtsps?:\/\/)(?:[^/?#]*@)?([^/?#\s'\\]+)((?:[/?#]\S*)?)$/i.exec(input.url);
  const [, scheme, host, rest] = match ?? [];
  if (scheme === undefined || host === undefined || rest === undefined || hasControl(input.url)) throw new PorchlightError('invalid-input', 'This is not an RTSP address. It should look like rtsp://192.168.1.20/stream.');
  if (input.username === null) return `${scheme}${host}${rest}`;
  return `${scheme}${encodeCredential(input.username)}:${encodeCredential(input.password ?? '')}@${host}${rest}`;
}

/** Control characters would end a line of the script. */
function hasControl(text: string): boolean {
  return Array.from(text).some((char) => char.charCodeAt(0) < 32 || char.charCodeAt(0) === 127);
}

/** Single quotes as ffmpeg's scripts want them (ffmpeg-utils, "Quoting and escaping"). */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A concat script that opens the camera: goes to stdin, so that the password is in no argument (R7). The options are
 * given to the RTSP demuxer by the script; `nobuffer` is not among them, because it throws away the first group of pictures.
 */
export function inputScript(input: RtspInput, depth: ProbeDepth, media: 'video' | 'audio' | 'video+audio', times: Times = 'camera'): string {
  const options: readonly (readonly [string, string])[] = [
    // TCP first, and UDP from cameras that refuse it (461): ffmpeg asks for the lowest bit of the two first unless told otherwise.
    ...(input.transport === 'tcp' ? ([['rtsp_transport', 'tcp+udp'], ['rtsp_flags', 'prefer_tcp']] as const) : ([['rtsp_transport', 'udp']] as const)),
    ['allowed_media_types', media],
    ['timeout', String(SOCKET_TIMEOUT_US)],
    // Of the UDP sockets; TCP takes no notice.
    ['buffer_size', '4194304'],
    ...(times === 'arrival' ? ([['use_wallclock_as_timestamps', '1']] as const) : []),
    ...(depth === 'quick' ? ([['probesize', '32768'], ['analyzeduration', '0']] as const) : ([['probesize', '5000000'], ['analyzeduration', '5000000']] as const)),
  ];
  return ['ffconcat version 1.0', `file ${quoted(rtspUrlWithCredentials(input))}`, ...options.map(([name, value]) => `option ${name} ${value}`), ''].join('\n');
}

/** What a script needs to be allowed, of the concat demuxer. */
export const SCRIPT_OPTIONS: readonly string[] = ['-safe', '0', '-protocol_whitelist', PROTOCOLS];
/**
 * By how much known times come later than those ffmpeg makes up for a session's first packets, which so are told apart and
 * collide with none (recorder/first-times.ts).
 */
export const TIME_LEAD_S = 1;
/**
 * How long ffmpeg waits for sound that was announced before it gives pictures, in microseconds of their time; all that it wants
 * to know of the pictures takes seven of them (H.264's reordering). Its own patience is 5 s.
 */
const SOUND_PATIENCE_US = 1_500_000;
/** Arguments that take the script from stdin. */
const SCRIPT_INPUT: readonly string[] = ['-itsoffset', String(TIME_LEAD_S), '-f', 'concat', ...SCRIPT_OPTIONS, '-i', 'pipe:0'];
const QUIET: readonly string[] = ['-hide_banner', '-nostats', '-loglevel', 'warning'];
export const OUTPUT_OFFSET_S = 10;
/**
 * Times as they are (frag_discont, no edit list, no shift below zero), so that picture and sound of two outputs stay
 * together; the constant offset keeps the first ones above zero. With an edit list, a first packet without a
 * presentation time (B-frames) would put every later one 2^63 ticks away.
 */
const TIMES: readonly string[] = ['-avoid_negative_ts', 'disabled', '-output_ts_offset', String(OUTPUT_OFFSET_S), '-use_editlist', '0', '-flush_packets', '1'];

/**
 * One stream: video copied to stdout, a fragment per frame; sound to descriptor 3. Two outputs, because one muxer holds each
 * picture back until sound of the same moment came, and for ever when none comes (R6).
 */
export function recordArgs(sound: Sound): string[] {
  const video = ['-map', '0:v:0', '-c:v', 'copy', ...TIMES, '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof+frag_discont+skip_trailer', 'pipe:1'];
  if (sound === 'none') return [...QUIET, ...SCRIPT_INPUT, ...video];
  const input = ['-analyzeduration', String(SOUND_PATIENCE_US), ...SCRIPT_INPUT];
  const codec = sound === 'copy' ? ['-c:a', 'copy'] : ['-c:a', 'aac', '-b:a', '48k'];
  const audio = ['-map', '0:a:0', ...codec, ...TIMES, '-f', 'mp4', '-movflags', 'empty_moov+default_base_moof+frag_discont+skip_trailer', '-frag_duration', String(AUDIO_FRAGMENT_US), 'pipe:3'];
  return [...QUIET, ...input, ...video, ...audio];
}

/** The sound alone, packets as they are on stdout: whether a camera that announces some sends any. The script asks for `audio`. */
export function listenArgs(): string[] {
  return [...QUIET, ...SCRIPT_INPUT, '-map', '0:a:0', '-c', 'copy', '-flush_packets', '1', '-f', 'data', 'pipe:1'];
}
