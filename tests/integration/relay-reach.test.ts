/** A home that changes its relays keeps its paired devices, and loses one it revokes at once: two engines in processes of their own, real relays, and the page's own code as the viewer. */
import { execFileSync } from 'node:child_process';
import { link, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPcapng } from '../../main/engine/relay/testing/read-pcapng.ts';
import { isOwnDownload } from '../../main/shell/security.ts';
import { type RunningRelay, startRelay } from '../../relay/server.ts';
import { EngineClient } from '../../renderer/api/engine-client.ts';
import { connectToHome } from '../../renderer/relay/connect-to-home.ts';
import { followReach } from '../../renderer/relay/follow-reach.ts';
import { HomeLine } from '../../renderer/relay/home-line.ts';
import { pairOver } from '../../renderer/relay/pair.ts';
import { readCode } from '../../renderer/relay/read-offer.ts';
import { PAGE_ORIGIN } from '../../shared/contract/shell-channels.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { RemoteHome, RemoteState } from '../../shared/model/remote.ts';
import { toHex } from '../../shared/relay/bytes.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { DAY_MS } from '../../shared/time.ts';
import { TestEngine } from '../support/engine.ts';
import { waitFor } from '../support/wait.ts';

const LONG_MS = 60_000;
const GRANTS = { cameras: [{ cameraId: 'cam-aaaaaaaaaaaa' as CameraId, rights: ['live' as const] }], untilMs: null };

let first: RunningRelay;
let second: RunningRelay;
let home: TestEngine;
let laptop: TestEngine;
let phone: TestEngine;

beforeAll(async () => {
  [first, second] = await Promise.all([startRelay(), startRelay()]);
  [home, laptop, phone] = await Promise.all([TestEngine.started(), TestEngine.started(), TestEngine.started()]);
}, LONG_MS);
afterAll(async () => {
  await Promise.all([home?.end(), laptop?.end(), phone?.end()]);
  await Promise.all([first?.stop(0), second?.stop(0)]);
}, LONG_MS);

const state = (): Promise<RemoteState> => home.ask('remote.state', {});
const kept = async (engine: TestEngine): Promise<readonly string[] | undefined> => (await engine.ask('homes.list', {}))[0]?.relays;

async function pair(engine: TestEngine, name: string): Promise<RemoteHome> {
  const code = readCode((await home.ask('remote.beginPairing', { kind: 'code' })).text);
  if ('problem' in code) throw new Error(code.problem);
  const pairing = pairOver({ offer: code.offer, deviceName: name, signal: AbortSignal.timeout(LONG_MS), onDigits: () => undefined, keep: (found) => engine.ask('homes.add', found) });
  const { digits } = await waitFor(`${name} to come`, async () => (await state()).offer?.candidate);
  await home.ask('remote.allowPairing', { digits, name, grants: GRANTS });
  return await pairing;
}

/** The window of that computer, open on this home. */
function lookIn(engine: TestEngine, { id }: RemoteHome): { readonly guest: EngineClient; readonly line: HomeLine; close(): void } {
  const line = new HomeLine();
  const guest = new EngineClient({ connect: () => connectToHome(id, engine.client, line), retryMs: () => 300 });
  const stop = followReach({ homeId: id, guest, own: engine.client });
  return {
    guest,
    line,
    close: () => {
      stop();
      guest.close();
      line.close();
    },
  };
}

test('a device that was away while all relays changed still finds home, and learns the new ones', async () => {
  await home.ask('remote.setRelays', { enabled: true, relays: [first.url] });
  await waitFor('the home to be at the first relay', async () => (await state()).relays[0]?.phase === 'connected');
  const ofLaptop = await pair(laptop, 'Laptop');
  await pair(phone, 'Phone');
  // Both are away. One relay comes, the other goes; the home is restarted.
  await home.ask('remote.setRelays', { enabled: true, relays: [first.url, second.url] });
  await home.ask('remote.setRelays', { enabled: true, relays: [second.url] });
  home = await home.nextLife();
  await home.start();
  const left = await state();
  expect(left.relays.map(({ url }) => url)).toEqual([second.url]);
  expect(left.leaving).toMatchObject({ relays: [first.url], deviceNames: ['Laptop', 'Phone'] });
  expect((left.leaving?.untilMs ?? 0) - Date.now()).toBeGreaterThan(29 * DAY_MS);

  expect(await kept(laptop)).toEqual([first.url]);
  const window = lookIn(laptop, ofLaptop);
  await waitFor('the laptop to learn the new relay', async () => (await kept(laptop))?.join() === second.url, LONG_MS);
  await waitFor('the home to know that it did', async () => (await state()).leaving?.deviceNames.join() === 'Phone');
  // The phone may still come over the first, until it is taken off the list: then the home leaves it, and the laptop with it.
  const { devices } = await state();
  const gone = devices.find(({ name }) => name === 'Phone')?.id ?? '';
  expect((await home.ask('remote.revoke', { deviceId: gone })).leaving).toBeNull();
  await waitFor('the home to be gone from the first relay', () => (first.counters.controlSockets === 0 ? true : null), LONG_MS);
  await first.stop(0);
  expect(await waitFor('the laptop to come back over the second', () => window.guest.ask('app.info', {}).catch(() => null), LONG_MS)).toMatchObject({ version: '0.0.0-test' });
  expect(await kept(laptop)).toEqual([second.url]);

  // While it looks in, it hears of a change at once.
  const third = 'wss://relay.example.org';
  await home.ask('remote.setRelays', { enabled: true, relays: [second.url, third] });
  await waitFor('the laptop to hear of the third relay', async () => (await kept(laptop))?.includes(third), LONG_MS);
  await waitFor('the home to know', async () => (await state()).leaving === null);
  window.close();
}, 3 * LONG_MS);

test('what was handed to relays is saved as a file, message by message, for the owner only', async () => {
  const window = lookIn(laptop, forceUnwrap('it is paired', (await laptop.ask('homes.list', {}))[0]));
  await window.guest.ask('app.info', {});
  await expect(window.guest.ask('remote.captureFile', {})).rejects.toMatchObject({ kind: 'not-allowed' });
  window.close();
  await waitFor('nobody to look in', async () => (await state()).watching.length === 0);
  const { fileName, bytes } = await home.ask('remote.captureFile', {});
  expect(isOwnDownload(`blob:${PAGE_ORIGIN}/1`, fileName)).toBe(true);
  const packets = readPcapng(bytes);
  const capture = await home.ask('remote.capture', {});
  // Signs of life to the relays may have gone on.
  expect(packets.length).toBeGreaterThan(20);
  expect(packets.length).toBeLessThanOrEqual(capture.messages);
  const shown = capture.newest.map(({ atMs, sizeBytes, startHex }) => `${Math.round(atMs)} ${sizeBytes} ${startHex}`);
  const saved = packets.map(({ atUs, bytes: of }) => `${atUs / 1_000n} ${of.length} ${toHex(of.subarray(0, 16))}`);
  expect(saved.filter((line) => shown.includes(line)).length).toBeGreaterThan(15);
  expect(new Set(packets.map(({ flags }) => flags))).toEqual(new Set([1, 2]));
  if (packets.length === capture.messages) expect(packets.reduce((sum, { bytes: of }) => sum + of.length, 0)).toBe(capture.bytes);
}, LONG_MS);

test('what a home tells of its relays is taken by the rules of any other address', async () => {
  const [known] = await laptop.ask('homes.list', {});
  const homeId = known?.id ?? '';
  for (const bad of [[], ['https://relay.example.org'], ['ws://relay.example.org'], Array.from({ length: 6 }, (_, at) => `wss://r${at}.example`)]) {
    await expect(laptop.ask('homes.setRelays', { homeId, relays: bad })).rejects.toMatchObject({ kind: 'invalid-input' });
  }
  await expect(laptop.ask('homes.setRelays', { homeId: '0'.repeat(16), relays: ['wss://a.example'] })).rejects.toMatchObject({ kind: 'not-found' });
  expect(await kept(laptop)).toEqual(known?.relays);
});

test('a revoked device is cut off within a second while the disk takes nothing', async () => {
  const [known] = await laptop.ask('homes.list', {});
  const window = lookIn(laptop, forceUnwrap('it is paired', known));
  await window.guest.ask('app.info', {});
  await waitFor('a clear sight', () => (window.line.sight.kind === 'clear' ? true : null));
  const { id } = forceUnwrap('one is left', (await state()).devices[0]);
  const config = path.join(home.init.dataDir, 'config');
  const onDisk = (): Promise<string> => readFile(path.join(config, 'remote.json'), 'utf8');
  // Whoever opens a pipe for writing waits until somebody reads.
  const [pipe, stuck] = [path.join(home.folder, 'pipe'), path.join(config, 'remote.json.new')];
  execFileSync('mkfifo', [pipe]);
  await link(pipe, stuck);
  const startMs = performance.now();
  const answers: string[] = [];
  const revoking = home.ask('remote.revoke', { deviceId: id }).then(() => answers.push('revoked'), () => answers.push('failed'));
  await waitFor('the laptop to be cut off', () => (window.line.sight.kind === 'blank' ? true : null));
  expect(performance.now() - startMs).toBeLessThan(1_000);
  expect([answers, (await onDisk()).includes(id), (await state()).devices]).toEqual([[], true, []]);
  await rm(stuck);
  const reader = await open(pipe, 'r');
  await revoking;
  await reader.close();
  expect(answers).toEqual(['failed']);
  // The next write takes it along, and it does not come back.
  await home.ask('remote.setRelays', { enabled: true, relays: [second.url] });
  expect(await onDisk()).not.toContain(id);
  window.close();
  await expect(connectToHome(known?.id ?? '', laptop.client, new HomeLine())).rejects.toThrow();
}, LONG_MS);
