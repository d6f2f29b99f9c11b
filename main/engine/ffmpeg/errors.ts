/** What ffmpeg's last words mean: mapped once, here, to the closed set of errors and causes. */
import type { ErrorKind } from '../../../shared/errors.ts';
import type { GapCause } from '../../../shared/model/gap.ts';

export interface FfmpegFailure {
  readonly kind: ErrorKind;
  readonly cause: GapCause;
  /** A few words for the day report; no secrets. */
  readonly detail: string;
  /** One sentence for a person. */
  readonly sentence: string;
  /** ffmpeg did not see enough of the stream before it started: a longer look may help. */
  readonly lookLonger: boolean;
  /** The address has no sound, although some was asked for. */
  readonly noSound: boolean;
  /** The output of the sound could not be begun: it is not what it was when the camera was added. */
  readonly soundNotKept: boolean;
  /** The camera refused what was asked of it, and may take the same over the other transport: not every one that takes UDP alone says so (461). */
  readonly otherTransport: boolean;
}

type Rule = readonly [RegExp, ErrorKind, GapCause, string, string];

/** The first rule that matches any line wins; the more certain ones come first. */
const RULES: readonly Rule[] = [
  [/(?:failed:|returned) 401\b|unauthorized/i, 'wrong-password', 'camera-refused', 'camera answered 401', 'The camera does not accept this user name or password. Check them under Cameras.'],
  [/(?:failed:|returned) 403\b|forbidden/i, 'refused', 'camera-refused', 'camera answered 403', 'The camera refuses this user. Give the user the right to watch video in the camera’s own settings.'],
  [/(?:failed:|returned) 453\b|not enough bandwidth/i, 'refused', 'camera-refused', 'camera answered 453', 'The camera serves no further viewers. Close other programs that watch it.'],
  [/(?:failed:|returned) 503\b|service unavailable/i, 'refused', 'camera-refused', 'camera answered 503', 'The camera is busy. Porchlight tries again by itself.'],
  [/(?:failed:|returned) 461\b|unsupported transport/i, 'refused', 'camera-refused', 'camera answered 461', 'The camera refuses this kind of transport. Choose the other one (TCP or UDP) under Cameras.'],
  [/(?:failed:|returned) 404\b|stream not found/i, 'not-found', 'camera-refused', 'camera answered 404', 'The camera has no stream at this address. Check the path, or let Porchlight find the camera again.'],
  [/(?:failed:|returned) 4(?:\d\d|xx)\b/i, 'refused', 'camera-refused', 'camera refused the request', 'The camera refused the request. Check its address and its settings.'],
  [/(?:failed:|returned) 5(?:\d\d|xx)\b/i, 'refused', 'camera-refused', 'camera answered with an error', 'The camera reported an error of its own. Porchlight tries again by itself.'],
  [/connection refused/i, 'unreachable', 'camera-unreachable', 'connection refused', 'Nothing answers at the camera’s address and port. Check that the camera is on and RTSP is switched on in its settings.'],
  [/no route to host|network is unreachable|host is down/i, 'unreachable', 'camera-unreachable', 'no route to the camera', 'The camera cannot be reached over the network. Check its cable or Wi-Fi.'],
  [/failed to resolve|name or service not known|name resolution|nodename nor servname/i, 'unreachable', 'camera-unreachable', 'name not found', 'The camera’s name is not known on this network. Use its IP address instead.'],
  [/connection to \S+ failed: .*timed out/i, 'timeout', 'camera-unreachable', 'no answer in time', 'The camera did not answer in time. Check that it is on and connected.'],
  [/connection to \S+ failed/i, 'unreachable', 'camera-unreachable', 'connection failed', 'The camera cannot be reached over the network. Check its cable or Wi-Fi.'],
  // From here on the connection stood: the camera is there, whatever it does.
  [/timed out/i, 'timeout', 'stream-stalled', 'connected, but no answer came', 'The camera takes connections but does not answer. Switch it off and on if this lasts.'],
  [/unrecognized option|error splitting the argument list|unknown (?:en|de)coder|cannot allocate memory|error while loading shared libraries|protocol not found/i, 'ffmpeg-failed', 'porchlight-failed', 'ffmpeg failed', 'ffmpeg, which Porchlight records with, does not work. Install it again, or name another under Settings.'],
  [/could not find tag for codec|codec not currently supported|tag .* incompatible/i, 'codec-not-supported', 'camera-refused', 'codec cannot be kept', 'The camera sends a kind of video that Porchlight cannot keep. Set it to H.264 or H.265.'],
  [/connection reset|broken pipe|end of file|i\/o error|input\/output error/i, 'connection-lost', 'camera-unreachable', 'connection lost', 'The camera closed the connection. Porchlight tries again by itself.'],
  [/invalid data found|not a valid|nonmatching/i, 'bad-answer', 'stream-stalled', 'connected, but no answer was understood', 'What answers at this address does not speak RTSP as a camera should.'],
];

const LOOK_LONGER = /could not find codec parameters|unspecified size|dimensions not set|could not write header/i;
/** What no longer look changes. */
const NO_TAG = /could not find tag for codec/i;
/** The second output is the sound's, and nothing else is decoded; ffmpeg 6 began to name outputs at the beginning of a line. */
const SOUND_NOT_KEPT = /(?:could not write header|error initializing|error while opening).*output (?:file|stream) #?1\b|\[(?:out|aost)#1\b.*(?:could not write header|error initializing|error while opening)|decoder\b.* not found for input stream/i;
const NO_SOUND = /matches no streams|does not contain any stream/i;
/** ffmpeg says this too of a camera that refuses TCP, and goes on over UDP: the last word only where it did not open the stream after all. */
const REFUSED_TRANSPORT = /SETUP failed: 461\b/i;
const NOT_OPENED = /impossible to open/i;
/** ffmpeg does not tell which request was answered with 400. */
const OTHER_TRANSPORT = /setup failed: (?:4(?!01|03|04|53)\d\d|5(?!03)\d\d)\b|returned 400\b/i;

/** The camera sends video that nothing here can show. */
export const CODEC_NOT_KEPT: FfmpegFailure = { kind: 'codec-not-supported', cause: 'camera-refused', detail: 'codec cannot be kept', sentence: 'The camera sends a kind of video that Porchlight cannot keep. Set it to H.264 or H.265.', lookLonger: false, noSound: false, soundNotKept: false, otherTransport: false };

/** Reads ffmpeg's last lines, newest last. */
export function readFailure(lines: readonly string[]): FfmpegFailure {
  const opened = !lines.some((line) => NOT_OPENED.test(line));
  const text = lines.filter((line) => !opened || !REFUSED_TRANSPORT.test(line)).join('\n');
  const hints = { lookLonger: LOOK_LONGER.test(text) && !NO_TAG.test(text), noSound: NO_SOUND.test(text), soundNotKept: SOUND_NOT_KEPT.test(text), otherTransport: !opened && OTHER_TRANSPORT.test(text) };
  if (hints.noSound && !/0:a/.test(text)) return { kind: 'no-video', cause: 'camera-refused', detail: 'no video at the address', sentence: 'There is no video at this address. Check the path of the stream.', ...hints, noSound: false };
  for (const [pattern, kind, cause, detail, sentence] of RULES) if (pattern.test(text)) return { kind, cause, detail, sentence, ...hints };
  return { kind: 'ffmpeg-failed', cause: 'camera-unreachable', detail: 'stream ended', sentence: 'The camera’s stream could not be opened. Porchlight tries again by itself.', ...hints };
}
