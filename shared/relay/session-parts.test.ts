/** The smaller parts of a session by themselves: putting messages together, counting, the sign of life, the order of relays. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { Flight, Opened } from './credits.ts';
import { BLANK_AFTER_MS, freshnessLevel, GREY_AFTER_MS, receiveEcho, sendBeat, startBeats } from './freshness.ts';
import { MAX_PAYLOAD_BYTES, type SessionRecord } from './record.ts';
import { orderRelays } from './rendezvous.ts';
import { BadRecord } from './session-ciphers.ts';
import { Parts } from './session-parts.ts';

const part = (more: Partial<SessionRecord>): SessionRecord => ({ type: 'message', isFirst: true, isLast: true, stream: 1, camera: 7, frame: 0, ptsMs: 0, payload: new Uint8Array(MAX_PAYLOAD_BYTES), ...more });

describe('a message in parts', () => {
  const begun = (): Parts => {
    const parts = new Parts(100_000);
    expect(parts.take(part({ isLast: false }))).toBeNull();
    return parts;
  };

  it('is put together on its lane while others go on', () => {
    const parts = begun();
    expect(parts.take(part({ stream: 2, payload: Uint8Array.of(1) }))).toEqual({ lane: 2, camera: 7, bytes: Uint8Array.of(1) });
    expect(parts.take(part({ isFirst: false, payload: Uint8Array.of(2, 3) }))?.bytes).toHaveLength(MAX_PAYLOAD_BYTES + 2);
    expect(parts.take(part({ frame: 1, payload: new Uint8Array() }))?.bytes).toHaveLength(0);
  });

  it.each<readonly [string, Partial<SessionRecord>]>([
    ['a second beginning', {}],
    ['another number', { isFirst: false, frame: 1 }],
    ['another camera', { isFirst: false, camera: 8 }],
    ['another moment', { isFirst: false, ptsMs: 1 }],
    ['an end of nothing', { stream: 2, isFirst: false }],
    ['a number too early', { stream: 2, frame: 1 }],
    ['a short part in the middle', { isFirst: false, isLast: false, payload: new Uint8Array(5) }],
  ])('takes no %s', (_, wrong) => {
    expect(() => begun().take(part(wrong))).toThrow(BadRecord);
  });

  it('has a bound, over all lanes', () => {
    const parts = new Parts(100_000);
    expect(() => {
      for (let lane = 0; lane < 7; lane += 1) parts.take(part({ stream: lane, isLast: false }));
    }).toThrow(BadRecord);
  });
});

describe('the sign of life', () => {
  it('goes by when the echoed nonce was sent, not by when the echo came', () => {
    let state = startBeats(100);
    const first = sendBeat(state, 1_000);
    const second = sendBeat(first.state, 1_500);
    state = second.state;
    const echoed = receiveEcho(state, first.nonce, 9_000);
    expect(echoed).toMatchObject({ freshMs: 1_000, roundTripMs: 8_000, leastRoundTripMs: 8_000 });
    if (echoed === null) throw new Error('not echoed');
    expect(receiveEcho(echoed, first.nonce, 9_001)).toBeNull();
    expect(receiveEcho(echoed, 99, 9_001)).toBeNull();
    expect(receiveEcho(echoed, second.nonce, 9_500)).toMatchObject({ freshMs: 1_500, leastRoundTripMs: 8_000 });
  });

  it('keeps a bounded number of nonces that nobody echoes', () => {
    let state = startBeats(0);
    for (let beat = 0; beat < 1_000; beat += 1) ({ state } = sendBeat(state, beat));
    expect(state.waiting).toHaveLength(256);
    expect(receiveEcho(state, 1, 2_000)).toBeNull();
    expect(receiveEcho(state, 1_000, 2_000)).not.toBeNull();
  });

  it('is fresh to 1.5 s, grey to 3 s, blank beyond', () => {
    expect([0, GREY_AFTER_MS, GREY_AFTER_MS + 1, BLANK_AFTER_MS, BLANK_AFTER_MS + 1, Number.POSITIVE_INFINITY].map(freshnessLevel)).toEqual(['fresh', 'fresh', 'grey', 'grey', 'blank', 'blank']);
  });
});

describe('what is under way', () => {
  const flight = (): Flight => new Flight({ leastWindowBytes: 96 * 1024, mostWindowBytes: 8 * 1024 * 1024 });

  it('never exceeds the window, and counts what was opened only', () => {
    const record = fc.record({ laneClass: fc.constantFrom('control' as const, 'live' as const, 'rest' as const), sizeBytes: fc.integer({ min: 1, max: 64 }).map((count) => count * 256), waitMs: fc.integer({ min: 0, max: 40 }), acks: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 300 }), (records) => {
        const held = flight();
        const ends: number[] = [];
        let [nowMs, sent, opened] = [0, 0, 0];
        for (const { laneClass, sizeBytes, waitMs, acks } of records) {
          nowMs += waitMs;
          if (held.mayGo(laneClass, sizeBytes, nowMs, true)) {
            held.sent(laneClass, sizeBytes, nowMs, true);
            sent += sizeBytes;
            ends.push(sent);
          }
          expect(held.inFlightBytes).toBe(sent - opened);
          expect(held.inFlightBytes).toBeLessThanOrEqual(held.windowBytes);
          if (acks > 0 && ends.length > 0) {
            opened = ends.splice(0, acks).at(-1) ?? opened;
            expect(held.opened(opened, nowMs)).toBe(true);
          }
        }
      }),
    );
  });

  it('is not credited beyond what was sent, backwards, or within a record', () => {
    const held = flight();
    held.sent('live', 1_024, 0, false);
    held.sent('live', 2_048, 0, false);
    expect([held.opened(3_073, 5), held.opened(1_025, 5), held.opened(1, 5)]).toEqual([false, false, false]);
    expect([held.opened(1_024, 5), held.opened(1_024, 6), held.opened(0, 6), held.opened(3_072, 7)]).toEqual([true, true, false, true]);
    expect(held.inFlightBytes).toBe(0);
  });

  it('is said by the viewer as a sum: at 16 KiB, or at 48 KiB where it comes fast', () => {
    const opened = new Opened();
    expect([opened.add(10_000, 100), opened.add(7_000, 100), opened.unsaidBytes, opened.say(100), opened.unsaidBytes]).toEqual([false, true, 17_000, 17_000, 0]);
    expect([opened.add(40_000, 101), opened.add(10_000, 101), opened.say(101)]).toEqual([false, true, 67_000]);
    expect([opened.add(16_384, 102), opened.add(0, 103), opened.say(103)]).toEqual([false, true, 83_384]);
  });
});

describe('relays', () => {
  const urls = ['wss://one.example', 'wss://two.example', 'wss://three.example:8443', 'wss://four.example', 'wss://five.example'];

  it('are tried in one order at both ends, whatever order they are listed in, and another on most days', async () => {
    const orders = new Set<string>();
    const first = new Set<string>();
    for (let day = 0; day < 40; day += 1) {
      const route = nodeSuite.random(16);
      const order = await orderRelays(nodeSuite, urls, route);
      expect(order.toSorted()).toEqual(urls.toSorted());
      expect(await orderRelays(webSuite, urls.toReversed(), route)).toEqual(order);
      // Without one of them the others keep their order: what dies moves nobody else.
      expect(await orderRelays(nodeSuite, urls.slice(1), route)).toEqual(order.filter((url) => url !== urls[0]));
      orders.add(order.join(' '));
      first.add(order[0] ?? '');
    }
    expect(orders.size).toBeGreaterThan(20);
    expect(first.size).toBe(urls.length);
  });
});
