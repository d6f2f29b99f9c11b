/** Who may know this home by which relays: nobody is forgotten who was away while the list changed, and nothing is waited at for ever. */
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../../shared/time.ts';
import { earlierRelays, isUntold, type KnownRelays, knownAfterChange, knownAfterTelling, readReach, REACH_KEPT_MS } from './reach.ts';

const A = ['wss://a.example'];
const B = ['wss://b.example'];
const AB = [...A, ...B];

describe('a list of relays that changes', () => {
  it('leaves each device with what it knew, from then on for thirty days', () => {
    const known = knownAfterChange([{ relays: A, leftMs: null }], A, B, 1_000);
    expect(known).toEqual([{ relays: A, leftMs: 1_000 }]);
    const waits = (nowMs: number) => earlierRelays([{ reach: known }], B, nowMs);
    expect(waits(1_000)).toEqual([{ urls: A, untilMs: 1_000 + REACH_KEPT_MS }]);
    expect([waits(1_000 + REACH_KEPT_MS - 1).length, waits(1_000 + REACH_KEPT_MS)]).toEqual([1, []]);
    expect(REACH_KEPT_MS).toBe(30 * DAY_MS);
    // Another change begins no new thirty days; coming back to the list ends them.
    expect(knownAfterChange(known, B, AB, 9_000)).toEqual([{ relays: A, leftMs: 1_000 }]);
    expect(knownAfterChange(known, B, [...A].reverse(), 9_000)).toEqual([{ relays: A, leftMs: null }]);
    // One of which nothing is known was paired under the list before.
    expect(knownAfterChange([], A, B, 7)).toEqual([{ relays: A, leftMs: 7 }]);
    expect(knownAfterChange([], [], B, 7)).toEqual([]);
  });

  it('is known by both lists from the answer until the device says that it keeps the new one', () => {
    const left: readonly KnownRelays[] = [{ relays: A, leftMs: 5 }];
    const answered = knownAfterTelling(left, A, B);
    expect(answered).toEqual([...left, { relays: B, leftMs: null }]);
    expect([isUntold(answered, B, 6), isUntold(knownAfterTelling(answered, B, B), B, 6)]).toEqual([true, false]);
    // The answer was lost or was not, and the list changes again: both are waited at.
    const again = knownAfterChange(answered, B, ['wss://c.example'], 8);
    expect(earlierRelays([{ reach: again }], ['wss://c.example'], 9).map(({ urls }) => urls)).toEqual([B, A]);
    expect(knownAfterTelling(again, B, ['wss://c.example'])).toEqual([{ relays: B, leftMs: 8 }, { relays: ['wss://c.example'], leftMs: null }]);
  });

  it('takes no address from a device that it did not get here', () => {
    const left: readonly KnownRelays[] = [{ relays: A, leftMs: 5 }];
    for (const says of [['wss://192.168.1.1'], [...A, 'wss://evil.example'], []]) {
      const known = knownAfterTelling(left, says, B);
      expect(known.flatMap(({ relays }) => relays)).toEqual([...A, ...B]);
      expect(knownAfterTelling(known, says, B)).toEqual(known);
    }
  });

  it('is waited at once for all devices that know it, and only the newest few lists', () => {
    const devices = Array.from({ length: 20 }, (_, at): { readonly reach: readonly KnownRelays[] } => ({ reach: [{ relays: [`wss://r${at % 10}.example`], leftMs: at }] }));
    expect(earlierRelays(devices, B, 100).map(({ urls }) => urls[0])).toEqual(['wss://r9.example', 'wss://r8.example', 'wss://r7.example', 'wss://r6.example']);
    expect(earlierRelays([{ reach: [{ relays: A, leftMs: 5 }] }], [...A], 6)).toEqual([]);
  });

  it('is read from a file entry by entry', () => {
    const good = { relays: A, leftMs: 4 };
    expect(readReach([good, { relays: A, leftMs: null }, {}, null, { relays: 'x' }, { relays: [] }, { relays: [7] }])).toEqual([good, { relays: A, leftMs: null }]);
    for (const bad of [null, undefined, {}, 'x']) expect(readReach(bad)).toEqual([]);
  });
});
