/** Which lists of relays each paired device may still know this home by, so that nobody is lost who was away while the list changed (docs/design/relay.md, "A list that changes"). Pure. */
import { sameRelays } from '../../../../shared/relay/rendezvous.ts';
import { DAY_MS, type DurationMs, type EpochMs } from '../../../../shared/time.ts';

/** How long the home waits at the relays of a list it left, for devices that were not told. */
export const REACH_KEPT_MS: DurationMs = 30 * DAY_MS;
/** Lists left that are waited at at once: the newest. Each costs two control sockets. */
const MOST_LISTS = 4;

/** A list of this home's relays that a device may know; never one that a device made up. */
export interface KnownRelays {
  readonly relays: readonly string[];
  /** When the home went over to another list; null while it is the current one. */
  readonly leftMs: EpochMs | null;
}

/** A list the home left and waits at until then. */
export interface EarlierRelays {
  readonly urls: readonly string[];
  readonly untilMs: EpochMs;
}

/** What a device knows once the home's list is `now`; one of which nothing is known knows the list `before`. */
export function knownAfterChange(known: readonly KnownRelays[], before: readonly string[], now: readonly string[], atMs: EpochMs): readonly KnownRelays[] {
  const lists = known.length > 0 || before.length === 0 ? known : [{ relays: before, leftMs: null }];
  return lists.map(({ relays, leftMs }) => ({ relays, leftMs: sameRelays(relays, now) ? null : (leftMs ?? atMs) }));
}

/**
 * What a device knows once it was told the list `now`, having said that it keeps `says`. Both, until it says that it keeps the new one:
 * the answer may not arrive. What it says counts only where it is a list it was given, so that no device makes the home call at addresses of its choice.
 */
export function knownAfterTelling(known: readonly KnownRelays[], says: readonly string[], now: readonly string[]): readonly KnownRelays[] {
  const current: KnownRelays = { relays: now, leftMs: null };
  if (sameRelays(says, now)) return [current];
  const others = known.filter(({ relays }) => !sameRelays(relays, now));
  const said = others.filter(({ relays }) => sameRelays(relays, says));
  return [...(said.length > 0 ? said : others), current];
}

/** The lists that are waited at besides the current one, the newest first. */
export function earlierRelays(devices: readonly { readonly reach: readonly KnownRelays[] }[], now: readonly string[], nowMs: EpochMs): readonly EarlierRelays[] {
  const lists: EarlierRelays[] = [];
  for (const { relays, leftMs } of devices.flatMap(({ reach }) => reach)) {
    if (leftMs === null || sameRelays(relays, now)) continue;
    const untilMs = leftMs + REACH_KEPT_MS;
    const at = lists.findIndex(({ urls }) => sameRelays(urls, relays));
    if (untilMs <= nowMs) continue;
    if (at < 0) lists.push({ urls: relays, untilMs });
    else lists[at] = { urls: relays, untilMs: Math.max(untilMs, lists[at]?.untilMs ?? 0) };
  }
  return lists.toSorted((one, other) => other.untilMs - one.untilMs).slice(0, MOST_LISTS);
}

/** Whether a device may know this home by a list that is not the current one only. */
export function isUntold(reach: readonly KnownRelays[], now: readonly string[], nowMs: EpochMs): boolean {
  return earlierRelays([{ reach }], now, nowMs).length > 0;
}

/** Of a file; what is no such entry is left out. */
export function readReach(value: unknown): readonly KnownRelays[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).flatMap((one): KnownRelays[] => {
    if (typeof one !== 'object' || one === null || !('relays' in one) || !Array.isArray(one.relays)) return [];
    const relays = (one.relays as readonly unknown[]).filter((url): url is string => typeof url === 'string');
    const leftMs = 'leftMs' in one && typeof one.leftMs === 'number' ? one.leftMs : null;
    return relays.length === 0 ? [] : [{ relays, leftMs }];
  });
}
