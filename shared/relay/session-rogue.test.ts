/** Ends that hold the right keys and say what no honest end says: the other ends the session, and takes nothing of it in. */
import { describe, expect, it } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { FakeClock, Line } from '../../main/engine/relay/testing/session-line.ts';
import { homeOptions, household, type Household, Stamps, viewerOptions } from '../../main/engine/relay/testing/session-pair.ts';
import { utf8 } from '../../main/engine/rpc/channels/text-codec.ts';
import { encodeFrame } from '../contract/frame.ts';
import { encodeRecord, MAX_PAYLOAD_BYTES, plainRecord, type SessionRecord, wholeNumbers } from './record.ts';
import { rekeyPayload } from './rekey.ts';
import { answerHandshake, startHandshake } from './session-handshake.ts';
import { acceptSession } from './session-home.ts';
import { openSession } from './session-viewer.ts';
import type { HomeSession, ViewerSession } from './session-types.ts';

interface Rogue {
  readonly clock: FakeClock;
  /** What the honest end delivered to its user. */
  readonly delivered: unknown[];
  closedReason(): string | null;
  say(plain: Uint8Array): Promise<void>;
}

const beat = plainRecord('heartbeat', wholeNumbers(1, 0));
const question = (more: Partial<SessionRecord> = {}): SessionRecord => ({ type: 'message', isFirst: true, isLast: true, stream: 0, camera: 0, frame: 0, ptsMs: 0, payload: encodeFrame({ head: { type: 'event' }, payload: null }, utf8), ...more });
const small = (record: SessionRecord): Uint8Array => encodeRecord(record, 256);

async function begun<T>(clock: FakeClock, what: Promise<T>): Promise<T> {
  const done: { value?: T; error?: unknown } = {};
  what.then(
    (value) => (done.value = value),
    (error: unknown) => (done.error = error),
  );
  await clock.until('it began', () => done.value !== undefined || done.error !== undefined);
  if (done.value === undefined) throw done.error;
  return done.value;
}

function setUp(): { clock: FakeClock; line: Line } {
  const clock = new FakeClock();
  return { clock, line: new Line(clock) };
}

/** A viewer with a paired device's keys that says what it likes. */
async function rogueViewer(house: Household): Promise<Rogue> {
  const { clock, line } = setUp();
  const options = { clock, home: line.home, viewer: line.viewer, stamps: new Stamps() };
  const accepting = acceptSession(homeOptions(house, options));
  const { keys } = await begun(clock, startHandshake(viewerOptions(house, options)));
  const delivered: unknown[] = [];
  const state: { session?: HomeSession; reason?: string } = {};
  accepting.then(
    (home) => {
      state.session = home;
      home.onMessage((frame) => delivered.push(frame));
      home.onClose((reason) => (state.reason = reason));
    },
    (error: Error) => (state.reason = error.message),
  );
  return { clock, delivered, closedReason: () => state.reason ?? null, say: async (plain) => line.viewer.send(await keys.send.seal(plain)) };
}

/** A home with the home's keys that says what it likes. */
async function rogueHome(house: Household): Promise<Rogue> {
  const { clock, line } = setUp();
  const options = { clock, home: line.home, viewer: line.viewer, stamps: new Stamps() };
  const opening = openSession(viewerOptions(house, options));
  const { keys } = await begun(clock, answerHandshake(homeOptions(house, options)));
  const viewer: ViewerSession = await begun(clock, opening);
  const delivered: unknown[] = [];
  const state: { reason?: string } = {};
  viewer.onMessage((message) => delivered.push(message));
  viewer.onClose((reason) => (state.reason = reason));
  return { clock, delivered, closedReason: () => state.reason ?? null, say: async (plain) => line.home.send(await keys.send.seal(plain)) };
}

type Bad = readonly [name: string, ...plains: readonly Uint8Array[]];

const BY_BOTH: readonly Bad[] = [
  ['a record of no type', new Uint8Array(240)],
  ['a record that is not filled up', new Uint8Array(100).fill(0, 1).fill(2, 0, 1)],
  ['bytes behind the payload', small(beat).fill(1, 239)],
  ['a heartbeat that says nothing', small(plainRecord('heartbeat', wholeNumbers(0, 0)))],
  ['a heartbeat that is short', small(plainRecord('heartbeat', wholeNumbers(2)))],
  ['a nonce a second time', small(beat), small(beat)],
  ['an echo of what was never sent', small(plainRecord('heartbeat', wholeNumbers(0, 77)))],
  ['the end of new keys that were not asked for', small(plainRecord('rekey', rekeyPayload('done')))],
  ['an answer to new keys that were not asked for', small(plainRecord('rekey', rekeyPayload('answer', new Uint8Array(48))))],
  ['new keys that do not open', small(plainRecord('rekey', rekeyPayload('ask', new Uint8Array(96))))],
  ['new keys of no step', small(plainRecord('rekey', Uint8Array.of(9)))],
  ['a goodbye that cannot be read', small(plainRecord('bye', Uint8Array.of(0xff, 0xfe)))],
  ['a message that is not begun', small(question({ isFirst: false }))],
  ['a message out of turn', small(question({ frame: 1 }))],
  ['a part that is not full', small(question({ isLast: false }))],
  ['a filling with something in it', small(plainRecord('fill', new Uint8Array(1)))],
  ['a filling that was not asked for', small(plainRecord('fill', new Uint8Array(0)))],
];

const BY_VIEWERS: readonly Bad[] = [
  ...BY_BOTH,
  ['a credit for what was never sent', small(plainRecord('credit', wholeNumbers(1)))],
  ['a credit that is long', small(plainRecord('credit', wholeNumbers(0, 0)))],
  ['a message on another lane', small(question({ stream: 5 }))],
  ['a message of a camera', small(question({ camera: 5 }))],
  ['a message of a moment', small(question({ ptsMs: 5 }))],
  ['a question without an end', ...Array.from({ length: 20 }, (_, at) => encodeRecord(question({ isFirst: at === 0, isLast: false, payload: new Uint8Array(MAX_PAYLOAD_BYTES) }), 256))],
  ['a rate of nothing', small(plainRecord('pace', wholeNumbers(0)))],
  ['a rate twice', small(plainRecord('pace', wholeNumbers(100_000))), small(plainRecord('pace', wholeNumbers(100_000)))],
];

const BY_HOMES: readonly Bad[] = [
  ...BY_BOTH,
  ['a credit', small(plainRecord('credit', wholeNumbers(0)))],
  ['a rate', small(plainRecord('pace', wholeNumbers(100_000)))],
  ['a frame that is none', small(question({ payload: Uint8Array.of(0, 0, 0, 1) }))],
  ['a head that is not JSON', small(question({ payload: Uint8Array.of(0, 0, 0, 1, 0x7b) }))],
];

async function expectEnd(rogue: Rogue, plains: readonly Uint8Array[]): Promise<void> {
  for (const plain of plains) await rogue.say(plain);
  await rogue.clock.until('the honest end ended it', () => rogue.closedReason() !== null, 2_000);
  expect(rogue.closedReason()).toMatch(/^[A-Z].*\.$/);
  await rogue.say(small(question())).catch(() => undefined);
  await rogue.clock.advance(2_000);
  expect(rogue.delivered).toEqual([]);
  expect(rogue.clock.pendingTimers).toBe(0);
}

describe('a home ends a session in which a paired device says', { timeout: 30_000 }, () => {
  it.each(BY_VIEWERS.map(([name, ...plains]) => ({ name, plains })))('$name', async ({ plains }) => {
    await expectEnd(await rogueViewer(await household(nodeSuite)), plains);
  });
});

describe('a viewer ends a session in which its home says', { timeout: 30_000 }, () => {
  it.each(BY_HOMES.map(([name, ...plains]) => ({ name, plains })))('$name', async ({ plains }) => {
    await expectEnd(await rogueHome(await household(nodeSuite)), plains);
  });
});

describe('the same rogues', { timeout: 30_000 }, () => {
  it('are taken at their word where they say what is right', async () => {
    const viewer = await rogueViewer(await household(nodeSuite));
    await viewer.say(small(beat));
    await viewer.say(small(question()));
    await viewer.clock.advance(100);
    const home = await rogueHome(await household(nodeSuite));
    await home.say(small(beat));
    await home.say(small(question({ payload: encodeFrame({ head: { type: 'event', name: 'x', value: 1 }, payload: null }, utf8) })));
    await home.clock.advance(100);
    expect([viewer.delivered.length, viewer.closedReason(), home.delivered.length, home.closedReason()]).toEqual([1, null, 1, null]);
  });
});
