/** The pairing desk with honest devices, late ones, and everybody who should not get in. */
import { mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { describe, expect, test } from 'vitest';
import type { Grants, PairingKind } from '../../../shared/model/remote.ts';
import { deviceIdOf, pairingKeysOfWords } from '../../../shared/relay/derive.ts';
import { decodePairingCode } from '../../../shared/relay/pairing-code.ts';
import { hearDevice, type PairedHome, pairWithHome, type PairWithHomeOptions } from '../../../shared/relay/pairing-talk.ts';
import type { CryptoSuite, KeyPair } from '../../../shared/relay/suite.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import { silentLogger } from '../core/logger.ts';
import type { NewView, PairedDevice } from './home-parts.ts';
import { utf8 } from './line-text.ts';
import { PairingDesk } from './pairing.ts';
import { openOffer, shownName, wrongCode } from './pairing-offer.ts';
import { ProofWire, splice } from './prove-line.ts';
import { HandClock } from './testing/hand-clock.ts';
import { seededSuite } from './testing/seeded-suite.ts';

const GRANTS: Grants = { cameras: [], untilMs: null };
/** Simulated interceptions; the goal of 10,000 takes minutes: PORCHLIGHT_INTERCEPTIONS=10000. */
const INTERCEPTIONS = Number(process.env['PORCHLIGHT_INTERCEPTIONS'] ?? 120);
/** A relay that nobody listens at: the desk's sockets wait, and devices are brought to it by hand. */
const RELAY = 'ws://127.0.0.1:9';

interface Home {
  readonly suite: CryptoSuite;
  readonly clock: HandClock;
  readonly own: KeyPair;
  readonly desk: PairingDesk;
  readonly stored: PairedDevice[];
  readonly views: NewView[];
  readonly pairedTold: { count: number };
}

async function homeOf(seed: number, relays: readonly string[] = [RELAY]): Promise<Home> {
  const suite = seededSuite(seed);
  const clock = new HandClock();
  const own = await suite.generateKeyPair();
  const stored: PairedDevice[] = [];
  const views: NewView[] = [];
  const pairedTold = { count: 0 };
  const desk = new PairingDesk({
    clock, suite, own, log: silentLogger, tap: () => undefined, routeSeed: suite.random(32), homeName: () => 'Lake house', relays: () => relays, onChange: () => undefined,
    listen: (_address, _token, _onRing, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    devices: { list: () => stored, get: () => null, add: async (device) => void stored.push(device), acceptStamp: async () => true, seen: () => undefined },
    views: { append: async (view) => void views.push(view), head: () => ({ length: 0, head: new Uint8Array(32) }) },
    onPaired: async () => void (pairedTold.count += 1),
  });
  return { suite, clock, own, desk, stored, views, pairedTold };
}

interface Known {
  readonly token: Uint8Array;
  readonly offer: PairWithHomeOptions['offer'];
}

/** What the text of an offer tells whoever reads it. */
async function read(suite: CryptoSuite, kind: PairingKind, text: string): Promise<Known> {
  if (kind === 'code') {
    const code = forceUnwrap('the home made it', decodePairingCode(text));
    return { token: code.token, offer: { kind, homePublicKey: code.homePublicKey, secret: code.secret } };
  }
  const { token, psk } = await pairingKeysOfWords(suite, mnemonicToEntropy(text, wordlist));
  return { token, offer: { kind, psk } };
}

interface Device {
  readonly done: Promise<PairedHome>;
  readonly digits: Promise<string>;
  readonly kept: PairedHome[];
}

function deviceAt(suite: CryptoSuite, wire: ProofWire, { token, offer }: Known, sessionKey: Uint8Array, deviceName = 'Phone of Ada'): Device {
  const digits = Promise.withResolvers<string>();
  const kept: PairedHome[] = [];
  const done = pairWithHome({ suite, text: utf8, wire, token, sessionKey, offer, deviceName, onDigits: digits.resolve, keep: async (home) => void kept.push(home) });
  done.catch(digits.reject);
  digits.promise.catch(() => undefined);
  return { done, digits: digits.promise, kept };
}

/** A device and the home joined by an honest relay. */
function join(home: Home, known: Known, deviceName?: string, sessionKey = home.suite.random(32)): Device & { readonly wires: readonly [ProofWire, ProofWire] } {
  const wires = [new ProofWire(), new ProofWire()] as const;
  splice(...wires);
  const device = deviceAt(home.suite, wires[0], known, sessionKey, deviceName);
  void home.desk.meet(wires[1], { token: known.token, sessionKey });
  return { ...device, wires };
}

async function eventually(look: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !look(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(look()).toBe(true);
}

const offered = async (home: Home, kind: PairingKind): Promise<Known> => await read(home.suite, kind, (await home.desk.begin(kind)).text);
const candidate = (home: Home) => home.desk.offer()?.candidate ?? null;
const allowed = (home: Home, digits: string) => home.desk.allow({ digits, name: 'Phone', grants: GRANTS });

describe.each(['code', 'words'] as const)('pairing by %s', (kind) => {
  test('lets a device in whose digits the owner saw on both screens, once', async () => {
    const home = await homeOf(1);
    const known = await offered(home, kind);
    const device = join(home, known);
    await eventually(() => candidate(home) !== null);
    expect(candidate(home)).toMatchObject({ name: 'Phone of Ada', digits: await device.digits });
    const id = await allowed(home, await device.digits);
    const paired = await device.done;
    const [stored] = home.stored;
    expect(home.stored).toHaveLength(1);
    expect(paired).toMatchObject({ homeName: 'Lake house', relays: [RELAY], keys: { homePublicKey: Buffer.from(home.own.publicKey).toString('base64url'), psk: Buffer.from(stored?.psk ?? []).toString('base64url'), ringSeed: Buffer.from(stored?.ringSeed ?? []).toString('base64url') } });
    const key = await home.suite.importKeyPair(Buffer.from(paired.keys.devicePrivateKey, 'base64url'));
    expect(id).toBe(await deviceIdOf(home.suite, key.publicKey));
    expect(stored).toMatchObject({ id, name: 'Phone', grants: GRANTS });
    expect(home.views).toMatchObject([{ kind: 'paired', deviceId: id }]);
    expect([home.desk.offer(), home.desk.lastPairing(), home.pairedTold.count]).toEqual([null, 'Phone is paired.', 1]);
    const late = join(home, known);
    await expect(late.done).rejects.toThrow();
    expect(home.stored).toHaveLength(1);
    await home.desk.stop();
  });

  test('turns a second device away that has seen the same code, and says so', async () => {
    const home = await homeOf(2);
    const known = await offered(home, kind);
    const first = join(home, known);
    await eventually(() => candidate(home) !== null);
    const thief = join(home, known, 'Phone of Eve');
    await expect(thief.done).rejects.toMatchObject({ kind: 'refused' });
    expect(home.desk.offer()).toMatchObject({ candidate: { name: 'Phone of Ada' }, warning: expect.stringContaining('second device') });
    await allowed(home, await first.digits);
    await first.done;
    expect(home.stored).toHaveLength(1);
    await home.desk.stop();
  });

  test('is over after five minutes, whoever waits', async () => {
    const home = await homeOf(3);
    const known = await offered(home, kind);
    const device = join(home, known);
    await eventually(() => candidate(home) !== null);
    const digits = await device.digits;
    home.clock.go(300_000);
    await expect(device.done).rejects.toMatchObject({ kind: 'refused' });
    expect([home.desk.offer(), home.desk.lastPairing()]).toEqual([null, expect.stringContaining('five minutes')]);
    await expect(allowed(home, digits)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(join(home, known).done).rejects.toThrow();
    expect(home.stored).toHaveLength(0);
    await home.desk.stop();
  });

  test('is over after three that do not know the code', async () => {
    const home = await homeOf(4);
    const known = await offered(home, kind);
    const wrong: Known = { token: known.token, offer: known.offer.kind === 'code' ? { ...known.offer, secret: home.suite.random(32) } : { kind: 'words', psk: home.suite.random(32) } };
    for (const left of [2, 1, null]) {
      await expect(join(home, wrong).done).rejects.toThrow();
      await eventually(() => (home.desk.offer()?.triesLeft ?? null) === left);
    }
    expect(home.desk.lastPairing()).toContain('void');
    await expect(join(home, known).done).rejects.toThrow();
    await home.desk.stop();
  });

  test('is over after three that were refused', async () => {
    const home = await homeOf(5);
    const known = await offered(home, kind);
    for (const left of [2, 1, null]) {
      const device = join(home, known);
      await eventually(() => candidate(home) !== null);
      home.desk.refuse();
      await expect(device.done).rejects.toMatchObject({ kind: 'refused' });
      expect(home.desk.offer()?.triesLeft ?? null).toBe(left);
    }
    expect(home.stored).toHaveLength(0);
    await home.desk.stop();
  });

  test('stores nothing where the device could not keep its keys, or other digits were typed', async () => {
    const home = await homeOf(6);
    const known = await offered(home, kind);
    const device = join(home, known);
    await eventually(() => candidate(home) !== null);
    await expect(allowed(home, (await device.digits) === '000000' ? '000001' : '000000')).rejects.toMatchObject({ kind: 'conflict' });
    const allowing = allowed(home, await device.digits);
    device.wires[0].close('the battery is empty');
    await expect(allowing).rejects.toMatchObject({ kind: 'timeout' });
    expect([home.stored, home.views]).toEqual([[], []]);
    await home.desk.stop();
  });

  test(`lets none of ${INTERCEPTIONS} in who sit in between`, { timeout: 600_000 }, async () => {
    let tried = 0;
    let got = 0;
    for (; tried < INTERCEPTIONS; tried += 1) got += await intercept(kind, tried);
    expect([tried, got]).toEqual([INTERCEPTIONS, 0]);
  });
});

/**
 * One interception, of a kind that goes round; whether anything was got: a stranger's key stored, keys that the victim's device
 * kept of somebody else, or keys of the home in a stranger's hands. The owner presses Allow when the digits on both screens are the same.
 */
async function intercept(kind: PairingKind, seed: number): Promise<number> {
  const home = await homeOf(10_000 + seed);
  const known = await offered(home, kind);
  const { suite } = home;
  const thief = await suite.generateKeyPair();
  const sessionKey = suite.random(32);
  const [deviceWire, thiefHomeWire, thiefDeviceWire, homeWire] = [new ProofWire(), new ProofWire(), new ProofWire(), new ProofWire()];
  splice(deviceWire, thiefHomeWire);
  splice(thiefDeviceWire, homeWire);
  const device = deviceAt(suite, deviceWire, known, sessionKey);
  const attempts: Promise<unknown>[] = [device.done];
  const meet = (at: ProofWire, key = sessionKey): void => void attempts.push(home.desk.meet(at, { token: known.token, sessionKey: key }));
  const stolen: unknown[] = [];
  // Of words that were seen, everything is known; of a code that was not, its token only, as a relay knows it.
  const guessed: Known = { token: known.token, offer: known.offer.kind === 'code' ? { ...known.offer, secret: suite.random(32) } : { kind: 'words', psk: suite.random(32) } };
  const asHome = (secrets: Known): void => void attempts.push(
    hearDevice({ suite, text: utf8, wire: thiefHomeWire, token: known.token, sessionKey, own: thief, offer: { kind, psk: secrets.offer.kind === 'code' ? secrets.offer.secret : secrets.offer.psk } })
      .then((victim) => victim.allow({ homeName: 'Lake house', relays: [RELAY], psk: suite.random(32), ringSeed: suite.random(32), routeSeed: suite.random(32) })),
  );
  const asDevice = (secrets: Known): void => {
    const stranger = deviceAt(suite, thiefDeviceWire, secrets, sessionKey, 'Phone of Ada');
    attempts.push(stranger.done.then((got) => stolen.push(got)));
    meet(homeWire);
  };
  let homeIsHonest = false;
  switch (seed % 6) {
    case 0: // Own keys at both ends, without the secret.
      asHome(guessed);
      asDevice(guessed);
      break;
    case 1: // The secret was seen: own keys at both ends, the victim's device on the other side. (A home of a code cannot be played: its key is in the code.)
      if (kind === 'words') asHomeWaiting(attempts, suite, thiefHomeWire, known, sessionKey, thief);
      else asHome(known);
      asDevice(known);
      break;
    case 2: // What the device said is said again in another session.
      attempts.push(replay(deviceWire, thiefDeviceWire));
      meet(homeWire, suite.random(32));
      break;
    case 3: // Messages go through with one bit changed.
      splice(deviceWire, homeWire);
      alter(deviceWire, homeWire, seed);
      meet(homeWire);
      break;
    case 4: // Messages come in another order, or twice.
      splice(deviceWire, homeWire);
      repeat(seed % 12 < 6 ? deviceWire : homeWire, seed % 12 < 6 ? homeWire : deviceWire);
      meet(homeWire);
      homeIsHonest = true;
      break;
    default: { // The device is joined to another home's offer.
      const other = await homeOf(20_000 + seed);
      const theirs = await offered(other, kind);
      splice(deviceWire, homeWire);
      attempts.push(other.desk.meet(homeWire, { token: theirs.token, sessionKey }));
      await settle(attempts, other, device);
      await other.desk.stop();
    }
  }
  await settle(attempts, home, device);
  await home.desk.stop();
  const own = Buffer.from(home.own.publicKey).toString('base64url');
  const foreignKept = device.kept.filter(({ keys }) => keys.homePublicKey !== own).length;
  // A repeated message may come after everything that matters was said: then the right device is in, and nobody else.
  return stolen.length + foreignKept + (homeIsHonest ? 0 : home.stored.length);
}

/** In place of the home, with the words: shows the victim digits, and hopes they are those that the home shows. */
function asHomeWaiting(attempts: Promise<unknown>[], suite: CryptoSuite, wire: ProofWire, known: Known, sessionKey: Uint8Array, own: KeyPair): void {
  if (known.offer.kind !== 'words') return;
  attempts.push(hearDevice({ suite, text: utf8, wire, token: known.token, sessionKey, own, offer: { kind: 'words', psk: known.offer.psk } }));
}

/** The owner: allows when the digits at home are those on the device in hand, refuses otherwise. */
async function settle(attempts: Promise<unknown>[], home: Home, device: Device): Promise<void> {
  const shown = { digits: null as string | null };
  device.digits.then((digits) => (shown.digits = digits), () => undefined);
  let isOver = false;
  void Promise.allSettled(attempts).then(() => (isOver = true));
  for (let turn = 0; turn < 200 && !isOver; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = candidate(home);
    if (waiting === null || (shown.digits === null && turn < 60)) continue;
    if (waiting.digits === shown.digits) attempts.push(allowed(home, waiting.digits).catch(() => undefined));
    else home.desk.refuse();
  }
  // Whoever still waits for an answer that nobody gives.
  home.clock.go(30_000);
}

async function replay(from: ProofWire, to: ProofWire): Promise<void> {
  await eventually(() => from.sent.length > 0);
  for (const message of from.sent) to.send(message);
  from.close('enough was heard');
}

function alter(one: ProofWire, other: ProofWire, seed: number): void {
  let count = 0;
  const change = (to: ProofWire) => (bytes: Uint8Array) => {
    count += 1;
    to.receive(count === 1 + (seed % 4) ? bytes.map((byte, at) => (at === seed % bytes.length ? byte ^ (1 << seed % 8) : byte)) : bytes);
  };
  one.deliver = change(other);
  other.deliver = change(one);
}

function repeat(from: ProofWire, to: ProofWire): void {
  from.deliver = (bytes) => {
    to.receive(bytes);
    to.receive(bytes);
  };
}

describe('an offer', () => {
  test('counts down to its end', () => {
    let state = openOffer({ kind: 'code', text: '', relays: [] }, 0);
    for (const left of [2, 1]) {
      const step = wrongCode(state);
      state = forceUnwrap('it goes on', step.state);
      expect(state.triesLeft).toBe(left);
    }
    expect(wrongCode(state)).toMatchObject({ state: null, ended: expect.stringContaining('void') });
  });

  test('shows a name that somebody else chose as one plain line', () => {
    expect(shownName('  Phone\n\u202Eof \u0007Eve ')).toBe('Phone of Eve');
    expect(shownName('\u200B')).toBe('A device');
    expect(shownName('x'.repeat(500))).toHaveLength(60);
  });

  test('needs a relay', async () => {
    const home = await homeOf(7, []);
    await expect(home.desk.begin('code')).rejects.toMatchObject({ kind: 'conflict' });
  });
});
