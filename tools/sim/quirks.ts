/** Owns the list of a camera's misbehaviours, each a named switch, and their state on one camera. */

export type QuirkValue = boolean | number | string;
export type QuirkGroup = 'network' | 'video' | 'auth' | 'clock' | 'discovery' | 'soap' | 'events';

interface QuirkDescription {
  readonly group: QuirkGroup;
  /** What the value is; a flag is on or off, 0 and '' are off for the others. */
  readonly value: 'flag' | 'number' | 'text';
  readonly does: string;
}

function flag(group: QuirkGroup, does: string): QuirkDescription {
  return { group, value: 'flag', does };
}
function number(group: QuirkGroup, does: string): QuirkDescription {
  return { group, value: 'number', does };
}
function text(group: QuirkGroup, does: string): QuirkDescription {
  return { group, value: 'text', does };
}

/** Every switch. README.md's table is held against this one by a test. */
export const QUIRKS = {
  stall: flag('network', 'RTSP sockets stay open, nothing is sent or answered any more'),
  drop: flag('network', 'RTSP connections are closed, new ones are closed as they come'),
  reset: flag('network', 'RTSP connections are reset (RST), new ones too'),
  unplugged: flag('network', 'all ports closed, open connections fall silent without an end, no discovery'),
  'network-stall': number('network', 'once: nothing for this many ms, then all of it in a burst, as TCP delivers it'),
  jitter: number('network', 'each picture and sound leaves up to this many ms late, in order'),
  'burst-start': number('network', 'what belongs to this many ms after PLAY comes at once at their end, as from a camera that sends the group of pictures it has in memory'),
  'packet-loss': number('network', 'this share (0-100 %) of the RTP packets over UDP is not sent'),
  reboot: number('network', 'once: goes away for this many ms and comes back with new sessions, as after a power cut'),
  'new-address': text('network', 'once: leaves for this address, ports and identity stay'),
  'max-clients': number('network', 'SETUP is answered 453 when this many sessions are open'),
  'answer-503': flag('network', 'DESCRIBE is answered 503'),
  'answer-404': flag('network', 'DESCRIBE is answered 404'),
  'tcp-only': flag('network', 'SETUP over UDP is answered 461'),
  'udp-only': flag('network', 'SETUP over TCP is answered 461'),
  'stream-path': text('network', 'the streams are under this path now, as after a firmware update; at the old ones 404'),
  'describe-delay': number('network', 'DESCRIBE is answered this many ms late'),
  'session-timeout': number('network', 'session timeout in s instead of 60; silent clients are dropped'),

  'silent-audio': flag('video', 'the SDP announces G.711 but no sound packet ever comes'),
  'no-audio': flag('video', 'no sound in the SDP'),
  'no-video': flag('video', 'no picture in the SDP'),
  'bitrate-spike': number('video', 'each picture is padded to this many times its size'),
  'codec-change': text('video', "'size': other SPS and picture size in mid-stream; 'h265': H.265, sessions are closed"),
  'b-frames': flag('video', 'two B-frames between reference pictures; sessions are closed'),
  'long-gop': number('video', 'a keyframe only every so many s (rounded to what divides the loop); sessions are closed'),
  'mjpeg-only': flag('video', 'MJPEG instead of H.264; sessions are closed'),
  'timestamp-jump': number('video', 'once: RTP timestamps of the picture jump by this many s'),
  'clock-rate': number('video', 'RTP time of pictures and sound runs fast by this many parts per million; below 0: slow'),
  'no-rtcp': flag('video', 'no RTCP sender reports'),
  'no-rtp-info': flag('video', 'PLAY is answered without RTP-Info'),
  'no-sprop': flag('video', 'the SDP has no parameter sets; they come in-band only'),
  'no-inband-parameter-sets': flag('video', 'parameter sets stand in the SDP only'),
  'stop-video': flag('video', 'sound goes on, pictures stop'),
  'freeze-picture': flag('video', 'only keyframes are sent'),

  password: text('auth', 'the password is this one now; sessions are closed'),
  'rtsp-auth': text('auth', "'digest', 'sha256', 'both', 'basic', 'none'"),
  'onvif-auth': text('auth', "'any', 'wsse', 'digest', 'sha256', 'both', 'basic', 'none'"),
  lockout: number('auth', 'after this many wrong logins in a row all are refused for 30 minutes'),
  'attempts-left': flag('auth', 'the fault says how many attempts are left'),
  'connection-limit': flag('auth', '401 to everything, as cameras do whose connections are used up'),
  'digest-qop-space': flag('auth', 'the challenge says qop="auth, auth-int"'),
  'digest-lower-case': flag('auth', "the challenge's scheme is written digest"),
  'digest-odd-parameters': flag('auth', 'the challenge has parameters with dashes and without values'),
  'digest-stale': flag('auth', 'every nonce is stale once'),
  'auth-for-services': flag('auth', 'GetServices and GetCapabilities need a password'),
  'auth-for-time': flag('auth', 'GetSystemDateAndTime needs a password'),
  'must-understand': flag('auth', 'a Security header is answered with a mustUnderstand fault'),
  'replay-protection': flag('auth', 'a WSSE nonce is good once'),

  'clock-skew': number('clock', "the camera's clock is ahead by this many s (ONVIF, RTCP, events)"),
  'created-window': number('clock', 'WSSE Created must be within this many s of the camera clock; 0: any'),
  'local-as-utc': number('clock', 'UTC is reported this many minutes off, as when it holds local time'),
  'no-date-time': flag('clock', 'GetSystemDateAndTime has no time in it'),

  silent: flag('discovery', 'no probe is answered'),
  'reply-delay': number('discovery', 'probes are answered this many ms late'),
  'xaddrs-spaces': flag('discovery', 'XAddrs with a newline, indent, double and trailing spaces'),
  'xaddrs-empty': flag('discovery', 'XAddrs is empty'),
  'xaddrs-missing': flag('discovery', 'no XAddrs'),
  'xaddrs-relative': flag('discovery', 'XAddrs is a bare path'),
  'xaddrs-foreign-first': flag('discovery', 'an address of another network stands first'),
  'xaddrs-link-local-first': flag('discovery', '169.254.x.x stands first'),
  'xaddrs-ipv6-first': flag('discovery', 'a bracketed link-local IPv6 address stands first'),
  'xaddrs-https-only': flag('discovery', 'https only'),
  'many-matches': number('discovery', 'so many ProbeMatch in one reply, invented cameras behind ours'),
  'empty-matches': flag('discovery', 'ProbeMatches without a match'),
  'shared-urn': flag('discovery', 'the endpoint reference is the same on every camera that has this on'),
  'byte-order-mark': flag('discovery', 'a UTF-8 BOM in front'),
  'truncated-reply': flag('discovery', 'half of the reply'),
  'garbage-reply': flag('discovery', 'binary garbage before the reply'),
  'empty-datagram': flag('discovery', 'an empty datagram before the reply'),
  'entity-bomb': flag('discovery', 'a DTD with nested entities before the reply'),
  'hello-instead': flag('discovery', 'a Hello is sent in place of ProbeMatches'),
  'printer-types': flag('discovery', "a printer's Types and scopes"),
  'wrong-relates-to': flag('discovery', 'RelatesTo names another message'),
  'scopes-newlines': flag('discovery', 'newlines between the scopes'),
  'big-reply': flag('discovery', 'a reply over the MTU'),
  'answers-hello': flag('discovery', 'a Hello is answered like a Probe'),
  'nvt-only': flag('discovery', 'only probes for NetworkVideoTransmitter are answered'),
  'device-only': flag('discovery', 'only probes for tds:Device are answered'),
  'prefix-sensitive': flag('discovery', 'only dn:NetworkVideoTransmitter, spelled so, is answered'),
  'reply-burst': number('discovery', 'so many replies, each of another invented camera'),

  'single-service': flag('soap', 'GetServices names the device service only'),
  'wrong-ip-xaddr': flag('soap', 'service addresses carry the IP of another network'),
  'https-xaddr': flag('soap', 'service addresses say https'),
  'media2-at-device': flag('soap', 'Media2 points at the device service'),
  'media1-only': flag('soap', 'no Media2'),
  'media2-only': flag('soap', 'no Media1'),
  'media2-broken': flag('soap', 'Media2 is named but answers HTTP 500 HTML'),
  'media2-type-all-crash': flag('soap', 'Media2 GetProfiles with Type All is answered HTTP 500 HTML'),
  'no-encoder-configuration': flag('soap', 'the main profile has no VideoEncoderConfiguration'),
  'numeric-tokens': flag('soap', 'tokens 1 and 000, a long serial number, firmware 5.10'),
  'ampersand-token': flag('soap', '& in tokens and stream addresses'),
  'foreign-stream-host': flag('soap', 'the stream address has a host that does not exist'),
  'video-sources': number('soap', 'so many video sources, as a recorder or a camera with several lenses has'),
  'video-source-names': text('soap', 'what the video sources are called, with commas between'),
  'no-ptz': flag('soap', 'no PTZ service'),
  'no-snapshot': flag('soap', 'the snapshot address is answered 404'),
  hang: text('soap', 'the operation of this name never answers; * for all'),
  'empty-answer': text('soap', 'the operation of this name answers 200 with nothing; * for all'),
  'html-answer': text('soap', 'the operation of this name answers 200 with HTML; * for all'),
  'html-error': text('soap', 'the operation of this name answers 500 with HTML; * for all'),
  redirect: text('soap', 'the operation of this name answers 302; * for all'),
  'truncated-xml': text('soap', 'the operation of this name answers half; * for all'),
  'undefined-entity': text('soap', 'the operation of this name answers with &nbsp; in it; * for all'),
  'empty-body': text('soap', 'the operation of this name answers an empty Body; * for all'),
  'not-supported': text('soap', 'the operation of this name answers the fault ActionNotSupported; * for all'),
  'huge-answer': text('soap', 'the operation of this name answers 30 MB; * for all'),
  'single-quotes': flag('soap', 'answers quote attributes with single quotes'),
  'undeclared-prefix': flag('soap', 'answers use a prefix that is not declared'),
  'iso-8859-1': flag('soap', 'answers are ISO-8859-1 and say so, with letters beyond ASCII in the names'),
  'strange-prefixes': flag('soap', 'other prefixes than usual'),

  'no-events': flag('events', 'no events service'),
  'event-time-offset': flag('events', 'times end in +00:00'),
  'event-time-bare': flag('events', 'times have no zone'),
  'event-value': text('events', "how true is written: 'true', '1', 'True'"),
  'event-topic': text('events', 'the topic of motion, in place of tns1:RuleEngine/CellMotionDetector/Motion'),
  'event-extra-items': flag('events', 'more Source and Data items than needed'),
  'event-no-false': flag('events', 'the end of motion is never said'),
  'renew-unsupported': flag('events', 'Renew is answered with a fault'),
  'pull-at-once': flag('events', 'pulls are answered at once'),
  'pull-html-error': flag('events', 'pulls are answered HTTP 500 HTML'),
  'pull-drop': number('events', 'the connection is closed so many ms into a pull'),
  'create-refused': flag('events', 'CreatePullPointSubscription is refused: too many subscriptions'),
  'subscription-dead-port': flag('events', 'the subscription address has a port where nobody answers'),
  'subscription-other-port': flag('events', 'the subscription lives on another port'),
  'subscription-odd-path': flag('events', 'the subscription path holds %17 and a colon'),
  'subscription-id': flag('events', 'a SubscriptionId must come back in the header'),
  'addressing-required': flag('events', '400 unless Action, MessageID, To and ReplyTo are there'),
  'pull-forgets': flag('events', 'subscriptions are gone right after they were made'),
} as const satisfies Readonly<Record<string, QuirkDescription>>;

export type QuirkName = keyof typeof QUIRKS;

export function isQuirkName(name: string): name is QuirkName {
  return Object.hasOwn(QUIRKS, name);
}

/** Turns a value from a command line or a request into the kind its quirk takes; throws with the reason. */
export function checkQuirkValue(name: QuirkName, value: unknown): QuirkValue {
  const kind = QUIRKS[name].value;
  if (value === false || value === null) return kind === 'flag' ? false : kind === 'number' ? 0 : '';
  if (kind === 'flag' && typeof value === 'boolean') return value;
  if (kind === 'number' && typeof value === 'number' && Number.isFinite(value)) return value;
  if (kind === 'text' && typeof value === 'string') return value;
  throw new Error(`the quirk ${name} takes a ${kind === 'flag' ? 'true or false' : kind}`);
}

/** The switches of one camera. */
export class QuirkSet {
  readonly #values = new Map<QuirkName, QuirkValue>();

  set(name: QuirkName, value: QuirkValue): void {
    if (value === false || value === 0 || value === '') this.#values.delete(name);
    else this.#values.set(name, value);
  }

  flag(name: QuirkName): boolean {
    return this.#values.has(name);
  }

  number(name: QuirkName): number {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : 0;
  }

  text(name: QuirkName): string {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : '';
  }

  /** What is on, by name. */
  all(): Readonly<Record<string, QuirkValue>> {
    return Object.fromEntries(this.#values);
  }
}
