/** What a relay can do to a session: whatever it does, the session ends and shows nothing more (relay.md, "The Wyze drill", row D). */
import { describe, expect, it } from 'vitest';
import { FakeClock, Line, type Direction } from '../../main/engine/relay/testing/session-line.ts';
import { homeOptions, household, type Household, type Pair, send, Stamps, startPair, viewerOptions } from '../../main/engine/relay/testing/session-pair.ts';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { ascii, concat } from './bytes.ts';
import { cameraNumber } from './derive.ts';
import { Handshake } from './noise.ts';
import { acceptSession } from './session-home.ts';
import { openSession } from './session-viewer.ts';
import type { SessionRefusal } from './session-handshake.ts';

interface Stage {
  readonly clock: FakeClock;
  readonly line: Line;
  readonly pair: Pair;
  /** A record of the same household's session before this one. */
  readonly old: { readonly toViewer: Uint8Array; readonly toHome: Uint8Array };
  /** A record of another household's session that runs at the same time. */
  readonly foreign: { readonly toViewer: Uint8Array; readonly toHome: Uint8Array };
}

const live = { kind: 'live', stream: 1 } as const;

async function running(house: Household, sessionKey: number, stampMs: number): Promise<{ clock: FakeClock; line: Line; pair: Pair }> {
  const clock = new FakeClock();
  const line = new Line(clock);
  line.toHome.isKeeping = line.toViewer.isKeeping = true;
  const stamps = new Stamps();
  stamps.highest = stampMs - 1;
  const pair = await startPair(house, line, clock, { stamps, sessionKey: new Uint8Array(32).fill(sessionKey), stampMs });
  pair.viewer.send({ head: { type: 'open', stream: 1, name: 'live', input: { cameraId: 'gate' }, credits: 8 }, payload: null });
  await clock.until('the stream is open', () => pair.asked.length === 1);
  return { clock, line, pair };
}

async function show({ clock, pair }: Pick<Stage, 'clock' | 'pair'>, from: number, count: number): Promise<void> {
  const gate = await cameraNumber(nodeSuite, 'gate');
  for (let number = from; number < from + count; number += 1) {
    send(pair.home, live, gate, { type: 'chunk', stream: 1, number }, new Uint8Array(5_000).fill(number));
    pair.viewer.send({ head: { type: 'credit', stream: 1, credits: 1 }, payload: null });
    await clock.advance(20);
  }
}

async function stage(): Promise<Stage> {
  const ours = await household();
  const before = await running(ours, 1, 1);
  await show(before, 0, 3);
  const theirs = await running(await household(), 2, 1);
  await show(theirs, 0, 3);
  const last = (direction: Direction): Uint8Array => direction.seen.at(-2)?.bytes ?? new Uint8Array();
  const now = await running(ours, 3, 2);
  await show(now, 0, 3);
  return {
    ...now,
    old: { toViewer: last(before.line.toViewer), toHome: last(before.line.toHome) },
    foreign: { toViewer: last(theirs.line.toViewer), toHome: last(theirs.line.toHome) },
  };
}

type Side = 'toViewer' | 'toHome';

/** Meddles with the next message of that direction. */
const ATTACKS: Readonly<Record<string, (stage: Stage, side: Side) => void>> = {
  replay: ({ line }, side) => next(line[side], (bytes) => [bytes, bytes]),
  'replay of an earlier record': ({ line }, side) => next(line[side], (bytes) => [bytes, line[side].seen.at(-4)?.bytes ?? bytes]),
  reorder: ({ line }, side) => {
    let held: Uint8Array | null = null;
    line[side].meddle = (bytes) => {
      if (held === null) {
        held = bytes;
        return [];
      }
      line[side].meddle = (each) => [each];
      return [bytes, held];
    };
  },
  drop: ({ line }, side) => next(line[side], () => []),
  reflect: ({ line }, side) => next(line[side], () => [line[side === 'toHome' ? 'toViewer' : 'toHome'].seen.at(-1)?.bytes ?? new Uint8Array()]),
  'a bit flipped': ({ line }, side) => next(line[side], (bytes) => [bytes.map((byte, at) => (at === 40 ? byte ^ 1 : byte))]),
  'a bit of the tag flipped': ({ line }, side) => next(line[side], (bytes) => [bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 128 : byte))]),
  truncated: ({ line }, side) => next(line[side], (bytes) => [bytes.slice(0, -1)]),
  lengthened: ({ line }, side) => next(line[side], (bytes) => [Uint8Array.of(...bytes, 0)]),
  'an old session': ({ line, old }, side) => next(line[side], () => [old[side]]),
  empty: ({ line }, side) => next(line[side], (bytes) => [new Uint8Array(), bytes]),
  'another household': ({ line, foreign }, side) => next(line[side], () => [foreign[side]]),
  invented: ({ line }, side) => next(line[side], (bytes) => [crypto.getRandomValues(new Uint8Array(bytes.length)), bytes]),
  'a handshake in the middle': ({ line }, side) => next(line[side], (bytes) => [line[side].seen[0]?.bytes ?? bytes]),
};

function next(direction: Direction, change: (bytes: Uint8Array) => readonly Uint8Array[]): void {
  direction.meddle = (bytes) => {
    direction.meddle = (each) => [each];
    return change(bytes);
  };
}

describe.each(Object.entries(ATTACKS))('%s', { timeout: 30_000 }, (_, attack) => {
  it.each(['toViewer', 'toHome'] as const)('%s ends the session, and nothing of it is taken in', async (side) => {
    const all = await stage();
    const { clock, pair } = all;
    const receiver = side === 'toViewer' ? pair.delivered : pair.asked;
    const before = receiver.length;
    attack(all, side);
    await show(all, 3, 4);
    await clock.advance(600);
    // What came before it in order was ours; nothing that is not, and nothing behind it.
    const numbers = pair.delivered.map(({ head }) => (head as { number: number }).number);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (__, at) => at));
    expect(receiver.length).toBeLessThanOrEqual(before + 1);
    expect(side === 'toViewer' ? pair.viewerClosed : pair.homeClosed).toMatch(/not sealed by the other end/);
    expect([pair.homeClosed, pair.viewerClosed]).not.toContain(null);
    const after = receiver.length;
    await show(all, 7, 3);
    expect(receiver).toHaveLength(after);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the greeting', { timeout: 30_000 }, () => {
  const begun = async (): Promise<{ house: Household; first: Uint8Array; stamps: Stamps }> => {
    const house = await household();
    const clock = new FakeClock();
    const line = new Line(clock);
    line.toHome.isKeeping = true;
    const stamps = new Stamps();
    await startPair(house, line, clock, { stamps });
    return { house, stamps, first: line.toHome.seen[0]?.bytes ?? new Uint8Array() };
  };

  /** What a home makes of messages somebody sends it, and what it sent back. */
  const meet = async (house: Household, stamps: Stamps, messages: readonly Uint8Array[], homeSessionKey = 5): Promise<{ readonly refusal: SessionRefusal | null; readonly answers: number }> => {
    const clock = new FakeClock();
    const line = new Line(clock);
    line.toViewer.isKeeping = true;
    const outcome: { refusal?: SessionRefusal | null } = {};
    acceptSession(homeOptions(house, { clock, home: line.home, viewer: line.viewer, stamps, sessionKey: new Uint8Array(32).fill(homeSessionKey) })).then(
      () => (outcome.refusal = null),
      (error: SessionRefusal) => (outcome.refusal = error),
    );
    for (const message of messages) line.toHome.inject(message);
    await clock.until('the home decided', () => outcome.refusal !== undefined, 30_000);
    expect(line.home.closedReason).not.toBeNull();
    return { refusal: outcome.refusal ?? null, answers: line.toViewer.seen.length };
  };

  it('is refused when it is repeated, also with its session key, and gets no answer', async () => {
    const { house, first, stamps } = await begun();
    const { refusal, answers } = await meet(house, stamps, [first]);
    expect([refusal?.why, answers]).toEqual(['stale-stamp', 0]);
  });

  it('gets nothing but the answer where a home forgot its stamps: no record before one of the viewer opened', async () => {
    const { house, first } = await begun();
    const { refusal, answers } = await meet(house, new Stamps(), [first, first]);
    expect([refusal?.why, answers]).toEqual(['unreadable', 1]);
    const silent = await meet(house, new Stamps(), [first]);
    expect([silent.refusal?.message, silent.answers]).toEqual(['Nothing came behind the greeting.', 1]);
  });

  it('is refused under another session key, by another home and of a device that is not paired', async () => {
    const { house, first } = await begun();
    expect((await meet(house, new Stamps(), [first], 6)).refusal?.why).toBe('unreadable');
    expect((await meet(await household(), new Stamps(), [first])).refusal?.why).toBe('unreadable');
    const revoked = { ...house, device: await nodeSuite.generateKeyPair() };
    expect((await meet(revoked, new Stamps(), [first])).refusal?.why).toBe('unknown-device');
  });

  it('of another version is refused, and not fallen back from', async () => {
    const house = await household();
    for (const [version, length] of [[0, 9], [2, 9], [255, 9], [1, 8], [1, 10]] as const) {
      const prologue = concat(ascii('nvr-relay/1'), await nodeSuite.sha256(house.token), new Uint8Array(32).fill(5));
      const handshake = new Handshake({ suite: nodeSuite, pattern: 'IKpsk2', initiator: true, prologue, own: house.device, peerPublicKey: house.home.publicKey, psks: [house.psk] });
      const payload = new Uint8Array(length);
      payload[0] = version;
      const { refusal, answers } = await meet(house, new Stamps(), [await handshake.writeMessage(payload)]);
      expect([refusal?.why, answers]).toEqual([version === 1 ? 'unreadable' : 'version', 0]);
    }
  });

  it('is refused when it is no greeting at all, or none comes', async () => {
    const house = await household();
    for (const junk of [new Uint8Array(), new Uint8Array(105), nodeSuite.random(105), nodeSuite.random(16_384)]) expect((await meet(house, new Stamps(), [junk])).refusal?.why).toBe('unreadable');
    expect((await meet(house, new Stamps(), [])).refusal?.why).toBe('silent');
  });

  it('is refused at the viewer when the answer is not of the pinned home, or with another pre-shared key', async () => {
    const house = await household();
    const other = await household();
    for (const answering of [{ ...house, home: other.home }, { ...house, psk: other.psk }]) {
      const clock = new FakeClock();
      const line = new Line(clock);
      const options = { clock, home: line.home, viewer: line.viewer };
      const outcomes: { home?: unknown; viewer?: unknown } = {};
      acceptSession(homeOptions(answering, options)).catch((error: unknown) => (outcomes.home = error));
      openSession(viewerOptions(house, options)).catch((error: unknown) => (outcomes.viewer = error));
      await clock.until('the viewer gave up', () => outcomes.viewer !== undefined && outcomes.home !== undefined, 30_000);
      expect(line.viewer.closedReason).not.toBeNull();
    }
  });
});
