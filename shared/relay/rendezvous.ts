/** Which of the listed relays a home and its viewers meet at, computed alike at both ends (docs/design/relay.md, "Which relay"). */
import { ascii, concat, toHex } from './bytes.ts';
import type { CryptoSuite } from './suite.ts';

/** A home holds a control socket at this many of its relays. */
export const HOME_RELAYS = 2;

/** Whether two lists name the same relays; their order means nothing. */
export function sameRelays(one: readonly string[], other: readonly string[]): boolean {
  const [names, others] = [new Set(one), new Set(other)];
  return names.size === others.size && [...names].every((name) => others.has(name));
}

/** The relays in the order in which they are tried on the route's day: by SHA-256(URL ‖ route). URLs are ASCII, as `new URL` writes them. */
export async function orderRelays(suite: CryptoSuite, relayUrls: readonly string[], route: Uint8Array): Promise<readonly string[]> {
  const ranked = await Promise.all(relayUrls.map(async (url) => ({ url, rank: toHex(await suite.sha256(concat(ascii(url), route))) })));
  return ranked.toSorted((one, other) => (one.rank < other.rank ? -1 : Number(one.rank > other.rank))).map(({ url }) => url);
}
