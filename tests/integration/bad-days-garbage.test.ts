/** Bad input from the network while recording goes on: garbage on the discovery port and in the answers to searches, and garbage in SOAP. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import { PorchlightError } from '../../shared/errors.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { QuirkName } from '../../tools/sim/quirks.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';
import { decodeErrors } from './recorder-rig.ts';

const DISCOVERY_PORT = 3702;
const DISCOVERY_GROUP = '239.255.255.250';

let simulator: Simulator;
let engine: TestEngine;
let cameraId: CameraId;
let pid: number;

const camera = (position: number): SimCamera => forceUnwrap('the simulator has as many', simulator.cameras[position]);

beforeAll(async () => {
  const size = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 10 };
  simulator = await startSimulator({ cameras: 2, hosts: ['127.0.66.2', '127.0.66.3'], password: 'no-garbage-here', source: 'test', main: size, sub: null, audio: 'none', discovery: { port: DISCOVERY_PORT } });
  engine = await TestEngine.started();
  await engine.ask('settings.set', { searchInterfaces: ['127.0.0.1'] });
  cameraId = (await engine.add(camera(0))).id;
  // It listens for announcements from its start on.
  engine = await engine.nextLife();
  await engine.start();
  await engine.footage(cameraId, 2);
  pid = engine.pid;
});
afterAll(async () => {
  await engine?.end();
  await simulator?.stop();
});

/** Nobody noticed anything: the same process, and no gap. */
async function expectUnmoved(): Promise<void> {
  const before = await engine.footage(cameraId, 1);
  await waitFor('recording to go on', async () => ((await engine.timeline(cameraId)).spans.at(-1)?.endMs ?? 0) > before.endMs + 500);
  expect(engine.pid).toBe(pid);
  expect((await engine.timeline(cameraId)).gaps.map((gap) => gap.cause)).toEqual([]);
  expect(await engine.log()).not.toMatch(/ERROR|uncaught/i);
}

const ENTITY_BOMB = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 12 }, (_, index) => `<!ENTITY a${index} "${`&a${index === 0 ? '' : index - 1};`.repeat(10)}">`).join('')}]><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>&a11;</s:Body></s:Envelope>`;
const HALF_A_HELLO = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header/><s:Body><d:Hello><d:XAddrs>http://';

test('garbage on the discovery port moves nothing', async () => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  const send = (bytes: Buffer, host: string): Promise<void> => new Promise((resolve) => socket.send(bytes, DISCOVERY_PORT, host, () => resolve()));
  const pieces = [Buffer.alloc(0), Buffer.from(ENTITY_BOMB), Buffer.from(HALF_A_HELLO), Buffer.from('<'.repeat(8_000)), Buffer.from('\uFEFF<a xmlns:b=""><b:/></a>'), Buffer.from('__proto__'), Buffer.from(`<s:Envelope>${'<a>'.repeat(5_000)}`)];
  try {
    for (let round = 0; round < 40; round += 1) {
      for (const piece of [...pieces, randomBytes(1 + round * 30)]) for (const host of [DISCOVERY_GROUP, '127.0.0.1']) await send(piece, host);
    }
  } finally {
    socket.close();
  }
  await expectUnmoved();
});

test('garbage in the answers to a search moves nothing, and the cameras among it are found', async () => {
  for (const quirk of ['garbage-reply', 'empty-datagram', 'entity-bomb', 'byte-order-mark'] as const) await camera(1).setQuirk(quirk, true);
  await camera(1).setQuirk('many-matches', 40);
  await engine.ask('discovery.search', {});
  await waitFor('the camera that is recorded to be found', async () => (await engine.ask('discovery.state', {})).found.some((found) => found.cameraId === cameraId));
  await waitFor('the other one', async () => (await engine.ask('discovery.state', {})).found.some((found) => found.host.startsWith('127.0.66.3')));
  await expectUnmoved();
});

describe('garbage in SOAP', () => {
  test.each<readonly [QuirkName, string]>([
    ['html-answer', '*'],
    ['truncated-xml', '*'],
    ['undefined-entity', 'GetDeviceInformation'],
    ['empty-body', 'GetProfiles'],
    ['huge-answer', 'GetDeviceInformation'],
  ])('%s (%s) is said in one sentence or overcome, and moves nothing', async (quirk, operation) => {
    const bad = camera(1);
    await bad.setQuirk(quirk, operation);
    try {
      const probe = engine.ask('cameras.probe', { target: { kind: 'address', address: bad.onvifUrl }, credentials: { username: bad.username, password: bad.password } });
      const outcome = await probe.catch((error: unknown) => error);
      if (outcome instanceof PorchlightError) {
        expect(['bad-answer', 'not-a-camera', 'no-video']).toContain(outcome.kind);
        expect(outcome.message).toMatch(/^\S[^<>]{20,250}\.$/);
      } else expect(outcome).toMatchObject({ streams: [expect.objectContaining({ kind: 'main' })] });
    } finally {
      await bad.setQuirk(quirk, '');
    }
    await expectUnmoved();
  });
});

test('what was recorded meanwhile is whole', async () => {
  await engine.stop();
  const files = await engine.files();
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(decodeErrors(file), file).toBe('');
});
