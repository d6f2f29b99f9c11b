/** From answers to a list a person can read: one entry per endpoint and host, the best address first. Pure. */
import type { FoundCamera } from '../../../shared/model/discovery.ts';
import { ipv4Number, sameSubnet } from './interfaces.ts';
import type { DiscoveryAnswer } from './ws-discovery.ts';

/** A home has dozens of cameras; more than this is somebody flooding the network. */
const MAX_FOUND = 1024;
const DEVICE_PATH = '/onvif/device_service';

/** Found cameras in a stable order (by address). The same endpoint at two hosts is two entries: which of them is real is not known here. */
export function mergeAnswers(answers: readonly DiscoveryAnswer[]): FoundCamera[] {
  const byKey = new Map<string, FoundCamera>();
  for (const answer of answers) {
    const found = foundCamera(answer);
    const known = byKey.get(found.key);
    if (known === undefined) {
      if (byKey.size < MAX_FOUND) byKey.set(found.key, found);
      continue;
    }
    byKey.set(found.key, {
      ...known,
      deviceUrls: [...new Set([...known.deviceUrls, ...found.deviceUrls])].slice(0, 16),
      maker: known.maker === '' ? found.maker : known.maker,
      model: known.model === '' ? found.model : known.model,
    });
  }
  return [...byKey.values()].sort((a, b) => (ipv4Number(a.host) ?? Infinity) - (ipv4Number(b.host) ?? Infinity) || a.key.localeCompare(b.key));
}

function foundCamera(answer: DiscoveryAnswer): FoundCamera {
  const deviceUrls = orderAddresses(answer.device.addresses, answer.senderHost, answer.via.address, answer.via.netmask);
  const host = hostOf(deviceUrls[0] ?? '') ?? answer.senderHost;
  const { maker, model } = describeScopes(answer.device.scopes);
  return { key: `${answer.device.endpoint}|${answer.senderHost}`, identity: answer.device.endpoint, deviceUrls, host, maker, model, cameraId: null };
}

/**
 * Device service URLs, best first: the sender itself, its subnet, the sender's address put into a URL that names a
 * foreign one (cameras that announce 169.254.x.x or a factory address), other IPv4, names, IPv6. Nonsense is dropped;
 * with nothing left, the standard path at the sender.
 */
export function orderAddresses(addresses: readonly string[], senderHost: string, ownAddress: string, netmask: string): string[] {
  const urls = addresses.map((text) => parseDeviceUrl(text, senderHost)).filter((url) => url !== null);
  const rank = (url: URL): number => {
    const host = url.hostname;
    if (host === senderHost) return 0;
    if (host.startsWith('169.254.')) return 6;
    if (ipv4Number(host) !== null) return sameSubnet(host, ownAddress, netmask) ? 1 : 3;
    return host.startsWith('[') ? 5 : 4;
  };
  const ranked = urls.map((url) => ({ url, rank: rank(url) }));
  if (!ranked.some((entry) => entry.rank === 0)) {
    for (const { url } of [...ranked]) {
      const reached = new URL(url);
      reached.hostname = senderHost;
      ranked.push({ url: reached, rank: 2 });
    }
    if (ranked.length === 0) ranked.push({ url: new URL(`http://${senderHost}${DEVICE_PATH}`), rank: 0 });
  }
  return [...new Set(ranked.sort((a, b) => a.rank - b.rank).map((entry) => entry.url.href))].slice(0, 16);
}

function parseDeviceUrl(text: string, senderHost: string): URL | null {
  if (text.length > 512) return null;
  try {
    const url = new URL(whole(text, senderHost));
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    // Set up before the camera knew its address; port and path are right all the same.
    if (NOWHERE.test(url.hostname) && !LOOPBACK.test(senderHost)) url.hostname = senderHost;
    if (url.hostname === '' || url.hostname === '0.0.0.0') return null;
    url.username = '';
    url.password = '';
    return url;
  } catch {
    return null;
  }
}

const LOOPBACK = /^(?:127\.|localhost$|\[::1\]$)/i;
const NOWHERE = /^(?:127\.|localhost$|0\.0\.0\.0$|\[::1?\]$)/i;

/** A relative address, one without a host, and one without a scheme mean "at me", "at me" and http. */
function whole(text: string, senderHost: string): string {
  if (text.startsWith('/') && !text.startsWith('//')) return `http://${senderHost}${text}`;
  const hostless = /^(https?:\/\/)(:\d{1,5}\/.*|\/.*)$/i.exec(text);
  if (hostless !== null) return `${hostless[1]}${senderHost}${hostless[2]}`;
  return /^(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?:\/|$)/.test(text) ? `http://${text}` : text;
}

function hostOf(url: string): string | null {
  try {
    return new URL(url).hostname;
  } catch {
    return null;
  }
}

/** Maker and model from ONVIF scopes (`onvif://www.onvif.org/name/…`, `/hardware/…`, ONVIF Core section 7.3.2.2). */
export function describeScopes(scopes: readonly string[]): { readonly maker: string; readonly model: string } {
  const values = new Map<string, string>();
  for (const scope of scopes) {
    const match = /^onvif:\/\/www\.onvif\.org\/([^/]+)\/(.+)$/i.exec(scope);
    const name = match?.[1]?.toLowerCase();
    if (name !== undefined && !values.has(name)) values.set(name, readable(match?.[2] ?? ''));
  }
  const name = values.get('name') ?? '';
  const model = values.get('hardware') ?? values.get('model') ?? '';
  const stated = values.get('manufacturer') ?? values.get('mfr') ?? '';
  // Many put "MAKER MODEL" into the name; what is left without the model is the maker.
  const rest = model !== '' && name.toLowerCase().endsWith(model.toLowerCase()) ? name.slice(0, -model.length).trim() : name;
  return { maker: stated !== '' ? stated : rest, model: model !== '' ? model : '' };
}

function readable(text: string): string {
  let decoded = text;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    decoded = text;
  }
  // Shown to people and to the log: no control signs, no direction marks, no essay.
  return decoded.replace(/[\p{Cc}\p{Cf}]/gu, ' ').replace(/_/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 64);
}
