/** Stream paths by maker, for cameras whose ONVIF is off (makers' guides; none of it is a promise), and addresses put right. Pure. */
import { parseAddress } from './address.ts';

export interface PathPair {
  readonly main: string;
  readonly sub: string | null;
}

/** Most common first: each path that is wrong costs a question. */
export const KNOWN_PATHS: readonly PathPair[] = [
  { main: '/Streaming/Channels/101', sub: '/Streaming/Channels/102' },
  { main: '/cam/realmonitor?channel=1&subtype=0', sub: '/cam/realmonitor?channel=1&subtype=1' },
  { main: '/h264Preview_01_main', sub: '/h264Preview_01_sub' },
  { main: '/Preview_01_main', sub: '/Preview_01_sub' },
  { main: '/h265Preview_01_main', sub: '/h264Preview_01_sub' },
  { main: '/stream1', sub: '/stream2' },
  { main: '/axis-media/media.amp', sub: '/axis-media/media.amp?videocodec=h264&resolution=640x360' },
  { main: '/unicast/c1/s0/live', sub: '/unicast/c1/s1/live' },
  { main: '/videoMain', sub: '/videoSub' },
  { main: '/live', sub: null },
  { main: '/live0', sub: null },
  { main: '/ch0_0.h264', sub: '/ch0_1.h264' },
  { main: '/11', sub: '/12' },
  { main: '/onvif1', sub: '/onvif2' },
];

/** The sub stream's address that belongs to a main stream's, by the makers' patterns; null where none is known. */
export function subAddressOf(mainUrl: string): string | null {
  const url = new URL(mainUrl);
  const path = `${url.pathname}${url.search}`;
  const channel = /^\/Streaming\/Channels\/(\d+)01\/?$/i.exec(path)?.[1];
  if (channel !== undefined) return withPath(url, `/Streaming/Channels/${channel}02`);
  if (/^\/cam\/realmonitor\?.*\bsubtype=0/i.test(path)) return withPath(url, path.replace(/\bsubtype=0/i, 'subtype=1'));
  if (/^\/(h26[45])?Preview_\d+_main$/i.test(path)) return withPath(url, path.replace(/_main$/i, '_sub').replace(/^\/h265/i, '/h264'));
  const pair = KNOWN_PATHS.find((known) => known.main === path);
  return pair?.sub === undefined || pair.sub === null ? null : withPath(url, pair.sub);
}

/** The same address at another host (in URL form), without user information. `URL` cannot change the host of every scheme, so this is text. */
export function atHost(address: string, host: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)(.*)$/is.exec(address);
  return match === null ? address : `${match[1]}${host}${match[3]}`;
}

/**
 * An address as a camera tells it, or null where it is none. Some leave out the scheme, or all before the path (then it is at
 * `base`), or put a login in front whose signs are not escaped.
 */
export function toldUrl(told: string, base: string): URL | null {
  const text = told.trim();
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(base)?.[0] ?? '';
  if (text === '') return null;
  if (text.includes('@') && /^rtsps?:/i.test(text)) return withoutLogin(text);
  for (const whole of text.startsWith('//') ? [`${scheme}${text}`] : text.startsWith('/') ? [`${base}${text}`] : [text, `${scheme}//${text}`]) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(whole) && URL.canParse(whole)) return new URL(whole);
  }
  return null;
}

function withoutLogin(address: string): URL | null {
  try {
    const { target } = parseAddress(address);
    return target.kind === 'rtsp' ? new URL(target.url) : null;
  } catch {
    return null;
  }
}

/** The same host and port with another path and query. */
export function withPath(url: URL, path: string): string {
  return `${url.protocol}//${url.host}${path}`;
}
