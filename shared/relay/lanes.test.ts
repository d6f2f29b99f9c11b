/** Lanes: order within each, and who goes first between them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAnswerLane, laneNumber, Lanes, mediaLane, type LaneClass } from './lanes.ts';
import { decodeRecord, type SessionRecord } from './record.ts';
import { Parts } from './session-parts.ts';
import type { Lane, Outgoing } from './session-types.ts';

const message = (lane: Lane, sizeBytes: number, fill = 0, camera = 1): Outgoing => ({ lane, camera, ptsMs: 5, frame: new Uint8Array(sizeBytes).fill(fill) });
const always = (): boolean => true;

function drain(lanes: Lanes, count = Number.POSITIVE_INFINITY): SessionRecord[] {
  const records: SessionRecord[] = [];
  while (records.length < count) {
    const next = lanes.take(always);
    const record = next === null ? null : decodeRecord(next.plain);
    if (next === null || record === null) return records;
    expect(next.sealedBytes).toBe(next.plain.length + 16);
    records.push(record);
  }
  return records;
}

const live = (stream: number): Lane => ({ kind: 'live', stream });
const playback = (stream: number): Lane => ({ kind: 'playback', stream });

describe('numbers of lanes', () => {
  it('keep control, media and answers apart', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (id) => {
        expect(mediaLane(id)).toBeGreaterThan(0);
        expect(mediaLane(id)).toBeLessThan(0xff00);
        expect(laneNumber({ kind: 'previews', id })).toBeGreaterThanOrEqual(0xff00);
        expect(laneNumber({ kind: 'bulk', id })).toBeLessThan(0x10000);
        expect(isAnswerLane(laneNumber({ kind: 'bulk', id }), id)).toBe(true);
        expect(isAnswerLane(laneNumber({ kind: 'bulk', id }), id + 1)).toBe(false);
      }),
    );
  });
});

describe('what waits', () => {
  it('goes control first, then live, then the rest', () => {
    const lanes = new Lanes();
    lanes.push(message(playback(1), 100));
    lanes.push(message(live(2), 100));
    lanes.push(message({ kind: 'control' }, 100));
    lanes.push(message({ kind: 'previews', id: 9 }, 100));
    expect(drain(lanes).map(({ stream }) => stream)).toEqual([0, mediaLane(2), mediaLane(1), laneNumber({ kind: 'previews', id: 9 })]);
    expect(lanes.queuedBytes).toBe(0);
  });

  it('shares live by bytes, whatever the sizes of its chunks', () => {
    const lanes = new Lanes();
    for (let number = 0; number < 400; number += 1) lanes.push(message(live(1), 2_000));
    for (let number = 0; number < 10; number += 1) lanes.push(message(live(2), 80_000));
    const sent = { [mediaLane(1)]: 0, [mediaLane(2)]: 0 };
    for (const { stream, payload } of drain(lanes, 120)) sent[stream] = (sent[stream] ?? 0) + payload.length;
    const [one, other] = [sent[mediaLane(1)] ?? 0, sent[mediaLane(2)] ?? 0];
    // Small chunks pay for their padding.
    expect(one / other).toBeGreaterThan(0.75);
    expect(one / other).toBeLessThan(1.25);
  });

  it('gives previews four times the turn of playback', () => {
    const lanes = new Lanes();
    lanes.push(message(playback(1), 3_000_000));
    for (let id = 0; id < 300; id += 128) for (let piece = 0; piece < 30; piece += 1) lanes.push(message({ kind: 'previews', id }, 15_000));
    const records = drain(lanes, 100);
    const previews = records.filter(({ stream }) => stream >= 0xff00).length;
    expect(previews).toBeGreaterThan(75);
    expect(previews).toBeLessThan(85);
  });

  it('stops at the first class that has something and may not go, only where that class says so', () => {
    const lanes = new Lanes();
    lanes.push(message(live(1), 100));
    lanes.push(message(playback(2), 100));
    const only = (allowed: LaneClass) => (laneClass: LaneClass) => laneClass === allowed;
    expect(lanes.take(only('control'))).toBeNull();
    expect(lanes.take(only('rest'))?.laneClass).toBe('rest');
    expect(lanes.take(only('live'))?.laneClass).toBe('live');
  });

  it('is forgotten when its stream closes, but for a message that has begun', () => {
    const lanes = new Lanes();
    for (let number = 0; number < 3; number += 1) lanes.push(message(playback(1), 20_000, number));
    const [begun] = drain(lanes, 1);
    lanes.drop(playback(1));
    lanes.drop(playback(7));
    expect(lanes.queuedBytes).toBeGreaterThan(0);
    const rest = drain(lanes);
    expect([begun?.isLast, rest.length, rest[0]?.isLast]).toEqual([false, 1, true]);
    expect(lanes.queuedBytes).toBe(0);
    lanes.push(message(playback(1), 10));
    expect(drain(lanes)[0]?.frame).toBe(1);
    lanes.push(message(playback(1), 10));
    lanes.drop(playback(1));
    expect(drain(lanes)).toEqual([]);
  });

  it('arrives whole and in the order of its lane, in any mix', () => {
    const lane = fc.oneof(
      fc.constant<Lane>({ kind: 'control' }),
      fc.integer({ min: 1, max: 3 }).map(live),
      fc.integer({ min: 4, max: 6 }).map(playback),
      fc.integer({ min: 0, max: 300 }).map<Lane>((id) => ({ kind: 'previews', id })),
      fc.integer({ min: 0, max: 300 }).map<Lane>((id) => ({ kind: 'bulk', id })),
    );
    const step = fc.record({ lane, sizeBytes: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 60_000 })), takes: fc.integer({ min: 0, max: 4 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const lanes = new Lanes();
        const parts = new Parts(10_000_000);
        const pushed = new Map<number, string[]>();
        const came = new Map<number, string[]>();
        const note = (into: Map<number, string[]>, number: number, what: string): void => {
          into.set(number, [...(into.get(number) ?? []), what]);
        };
        const take = (count?: number): void => {
          for (const record of drain(lanes, count)) {
            const whole = parts.take(record);
            if (whole !== null) note(came, whole.lane, `${whole.bytes.length}:${whole.bytes[0] ?? ''}:${whole.camera}`);
          }
        };
        steps.forEach(({ lane: on, sizeBytes, takes }, at) => {
          lanes.push(message(on, sizeBytes, at, at));
          note(pushed, laneNumber(on), `${sizeBytes}:${sizeBytes === 0 ? '' : at}:${at}`);
          if (takes > 0) take(takes);
        });
        take();
        expect(came).toEqual(pushed);
        expect(lanes.queuedBytes).toBe(0);
      }),
    );
  });
});
