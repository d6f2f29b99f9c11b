/** Our Noise against other people's, in both roles, and against the specification written out by hand where no vector exists. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { webSuite } from '../../renderer/relay/web-suite.ts';
import { ascii, toHex } from '../../shared/relay/bytes.ts';
import { Handshake } from '../../shared/relay/noise.ts';
import type { NoisePattern } from '../../shared/relay/noise.ts';
import { patternOf } from '../../shared/relay/noise-patterns.ts';
import { type Foreign, type ForeignParty, holepunch, noiseC } from '../noise/foreign.ts';
import { finish, makeSecrets, nth, partiesOf } from '../noise/exchange.ts';
import { type Inputs, seal, straightIKpsk2, straightXXpsk0 } from '../noise/straight-line.ts';

const known = (pattern: NoisePattern, party: 'initiator' | 'responder'): boolean => patternOf(pattern).known.includes(party);

/** Plays one handshake and some transport with a foreign side; the keys are drawn anew each time. */
async function meet(foreign: Foreign, pattern: NoisePattern, oursFirst: boolean): Promise<void> {
  const { suite, suiteName } = foreign;
  const [ourPrivate, theirPrivate] = [suite.random(32), suite.random(32)];
  const [ours, theirs] = [await suite.importKeyPair(ourPrivate), await suite.importKeyPair(theirPrivate)];
  const psk = patternOf(pattern).pskCount === 0 ? null : suite.random(32);
  const prologue = ascii('a prologue of both');
  const weKnow = known(pattern, oursFirst ? 'responder' : 'initiator');
  const theyKnow = known(pattern, oursFirst ? 'initiator' : 'responder');
  const own = pattern.startsWith('NN') ? null : ours;
  const we = new Handshake({ suite, suiteName, pattern, initiator: oursFirst, prologue, own, peerPublicKey: weKnow ? theirs.publicKey : null, psks: psk === null ? [] : [psk] });
  const they = foreign.begin({ pattern, initiator: !oursFirst, prologue, ownPrivate: theirPrivate, peerPublic: theyKnow ? ours.publicKey : null, psk });
  for (let at = 0; at < patternOf(pattern).messages.length; at += 1) {
    const payload = suite.random(at * 37);
    const read = (at % 2 === 0) === oursFirst ? they.read(await we.writeMessage(payload)) : await we.readMessage(they.write(payload));
    expect(toHex(read)).toBe(toHex(payload));
  }
  await compareTransport(we, they);
  if (!pattern.startsWith('NN')) expect(toHex(we.peerPublicKey ?? new Uint8Array(0))).toBe(toHex(theirs.publicKey));
}

async function compareTransport(we: Handshake, they: ForeignParty): Promise<void> {
  const foreign = they.finish();
  expect(toHex(foreign.hash)).toBe(toHex(we.hash()));
  const { send, receive } = await we.split();
  for (const size of [0, 1, 15, 16, 17, 16_368]) {
    const plain = new Uint8Array(randomBytes(size));
    expect(toHex(foreign.open(await send.seal(plain)))).toBe(toHex(plain));
    expect(toHex(await receive.open(foreign.seal(plain)))).toBe(toHex(plain));
  }
}

describe('with noise-handshake', () => {
  test.for((['IK', 'XX', 'XK', 'NN', 'NNpsk0', 'XXpsk0'] as const).flatMap((pattern) => [true, false].map((oursFirst) => ({ pattern, oursFirst }))))('$pattern, ours first: $oursFirst', async ({ pattern, oursFirst }) => {
    await meet(holepunch(), pattern, oursFirst);
  });
});

describe('with noise-c', () => {
  const library = noiseC();
  test.for((['IK', 'XX', 'XK', 'NN', 'KK', 'IX'] as const).flatMap((pattern) => [true, false].map((oursFirst) => ({ pattern, oursFirst }))))('$pattern, ours first: $oursFirst', async ({ pattern, oursFirst }) => {
    await meet(await library, pattern, oursFirst);
  });
});

describe.each([
  ['XXpsk0', straightXXpsk0],
  ['IKpsk2', straightIKpsk2],
] as const)('%s, as the specification has it step by step', (pattern, straight) => {
  test.each([
    ['node:crypto', nodeSuite],
    ['WebCrypto', webSuite],
  ] as const)('%s', async (_name, suite) => {
    const inputs: Inputs = {
      initiatorStatic: randomBytes(32),
      initiatorEphemeral: randomBytes(32),
      responderStatic: randomBytes(32),
      responderEphemeral: randomBytes(32),
      psk: randomBytes(32),
      prologue: randomBytes(80),
      payloads: [randomBytes(9), randomBytes(41), randomBytes(3)],
    };
    const wanted = straight(inputs);
    const [is, rs] = [await suite.importKeyPair(inputs.initiatorStatic), await suite.importKeyPair(inputs.responderStatic)];
    const common = { suite, pattern, prologue: inputs.prologue, psks: [inputs.psk] };
    const initiator = new Handshake({ ...common, initiator: true, own: is, peerPublicKey: known(pattern, 'responder') ? rs.publicKey : null, ephemeral: await suite.importKeyPair(inputs.initiatorEphemeral) });
    const responder = new Handshake({ ...common, initiator: false, own: rs, peerPublicKey: null, ephemeral: await suite.importKeyPair(inputs.responderEphemeral) });
    for (const [at, message] of wanted.messages.entries()) {
      const [writer, reader] = at % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const written = await writer.writeMessage(nth(inputs.payloads, at));
      expect(toHex(written)).toBe(message.toString('hex'));
      expect(toHex(await reader.readMessage(message))).toBe(nth(inputs.payloads, at).toString('hex'));
    }
    expect(toHex(initiator.hash())).toBe(wanted.hash.toString('hex'));
    expect(toHex(responder.hash())).toBe(wanted.hash.toString('hex'));
    const [ofInitiator, ofResponder] = [await initiator.split(), await responder.split()];
    const none = Buffer.alloc(0);
    for (const counter of [0, 1, 2]) {
      const plain = randomBytes(100);
      expect(toHex(await ofInitiator.send.seal(plain))).toBe(seal(wanted.keys[0], counter, none, plain).toString('hex'));
      expect(toHex(await ofResponder.send.seal(plain))).toBe(seal(wanted.keys[1], counter, none, plain).toString('hex'));
    }
  });
});

test('both suites meet in one handshake', async () => {
  const [home, viewer] = [await nodeSuite.generateKeyPair(), await webSuite.generateKeyPair()];
  const psk = nodeSuite.random(32);
  const common = { pattern: 'IKpsk2', prologue: ascii('both') } as const;
  const initiator = new Handshake({ ...common, suite: webSuite, initiator: true, own: viewer, peerPublicKey: home.publicKey, psks: [psk] });
  const responder = new Handshake({ ...common, suite: nodeSuite, initiator: false, own: home, peerPublicKey: null, psks: [] });
  await responder.readMessage(await initiator.writeMessage(new Uint8Array(9)));
  expect(toHex(responder.peerPublicKey ?? new Uint8Array(0))).toBe(toHex(viewer.publicKey));
  responder.setPsk(psk);
  await initiator.readMessage(await responder.writeMessage(new Uint8Array(41)));
  const [ofViewer, ofHome] = [await initiator.split(), await responder.split()];
  // As they come from a socket: many at once, opened before the one before has answered.
  const plains = Array.from({ length: 50 }, (_, at) => new Uint8Array(at * 300).fill(at));
  const sealed = await Promise.all(plains.map(async (plain) => ofHome.send.seal(plain)));
  const opened = await Promise.all(sealed.map(async (one) => ofViewer.receive.open(one)));
  expect(opened).toEqual(plains);
});

test('every pattern with every one psk place runs', async () => {
  const secrets = await makeSecrets(nodeSuite);
  for (const base of ['NN', 'NK', 'NX', 'KN', 'KK', 'KX', 'XN', 'XK', 'XX', 'IN', 'IK', 'IX'] as const) {
    for (const place of patternOf(base).messages.keys()) {
      const pattern: NoisePattern = `${base}psk${place}`;
      const { ofInitiator, ofResponder } = await finish(partiesOf(nodeSuite, pattern, secrets), pattern);
      expect(await ofResponder.receive.open(await ofInitiator.send.seal(ascii(pattern)))).toEqual(ascii(pattern));
    }
  }
});
