/** Three relays behind Debian's HAProxy with the sample configuration: homes and viewers meet, and meet again when a process dies, returns or leaves in order. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, expect, it } from 'vitest';
import { EchoHome, EchoViewer } from '../../relay/testing/redialing.ts';
import { dialViewer, newToken } from '../../relay/testing/relay-client.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { type RunningChild, startChild } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';
import { type RelayProgram, startRelayProgram } from './relay-program.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const HOUSEHOLDS = 12;
const RELAY_OPTIONS = ['--behind-proxy', '--max-connects-per-address', '1000', '--drain-seconds', '4'];
/** What the guide promises. */
const MEET_MS = 30_000;

const folder = mkdtempSync(path.join(tmpdir(), 'porchlight-haproxy-'));
const relays: RelayProgram[] = [];
const parties: { stop(): void }[] = [];
let balancer: RunningChild | null = null;

afterAll(async () => {
  for (const party of parties) party.stop();
  await balancer?.stop();
  await Promise.all(relays.map((relay) => relay.child.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await waitFor('a free port', () => server.listening);
  const { port } = forceUnwrap('it listens', server.address()) as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The sample with this test's certificate and ports in place of its own, and nothing else changed. */
async function startBalancer(ports: readonly number[]): Promise<string> {
  const pems = await generate([{ name: 'commonName', value: 'relay' }], { keyType: 'ec', curve: 'P-256' });
  const pem = path.join(folder, 'relay.pem');
  writeFileSync(pem, `${pems.cert.trim()}\n${pems.private}`, { mode: 0o644 });
  const port = await freePort();
  let config = readFileSync(path.join(ROOT, 'relay/haproxy.cfg'), 'utf8');
  const replace = (from: string, to: string): void => {
    expect(config, 'the sample has the line this test replaces').toContain(from);
    config = config.replace(from, to);
  };
  replace('bind :443 ssl crt /etc/haproxy/relay.pem', `bind 127.0.0.1:${port} ssl crt ${pem}`);
  ports.forEach((relayPort, at) => replace(`127.0.0.1:746${at + 1}\n`, `127.0.0.1:${relayPort}\n`));
  // So many files are not allowed everywhere a test runs.
  replace('maxconn 60000', 'maxconn 2000');
  // Only root may become another user.
  if (process.getuid?.() !== 0) for (const line of ['    user haproxy\n', '    group haproxy\n']) replace(line, '');
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  const check = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
  expect(`${check.stdout}${check.stderr}`).not.toMatch(/WARNING|ALERT/);
  balancer = startChild('haproxy', ['-db', '-f', file]);
  return `wss://127.0.0.1:${port}`;
}

it('every home and viewer meet again within 30 s, whichever process goes or comes', { timeout: 240_000 }, async (context) => {
  if (spawnSync('haproxy', ['-v']).status !== 0) {
    if (process.env['PORCHLIGHT_REQUIRE_DATA'] === '1') throw new Error('haproxy is not installed');
    context.skip('haproxy is not installed');
  }
  for (let at = 0; at < 3; at += 1) relays.push(await startRelayProgram(RELAY_OPTIONS));
  const url = await startBalancer(relays.map((relay) => relay.port));
  const households = Array.from({ length: HOUSEHOLDS }, () => {
    const party = { url, route: randomBytes(16).toString('base64url'), token: newToken() };
    return { home: new EchoHome(party), viewer: new EchoViewer(party) };
  });
  for (const { home, viewer } of households) {
    parties.push(home, viewer);
    void home.run();
    void viewer.run();
  }
  const allWatch = async (why: string): Promise<number> => {
    const startMs = performance.now();
    await waitFor(why, () => households.every(({ viewer }) => viewer.isWatching), MEET_MS, 50);
    return performance.now() - startMs;
  };
  const sessionsOf = (): Promise<number[]> => Promise.all(relays.map((relay) => relay.counter('sessions').catch(() => -1)));

  await allWatch('everybody to meet at first');
  const spread = await sessionsOf();
  expect(spread.reduce((sum, sessions) => sum + sessions, 0)).toBe(HOUSEHOLDS);
  expect(spread.filter((sessions) => sessions > 0).length, 'the ring spreads routes over processes').toBeGreaterThan(1);

  // One is killed without a word: its own come back elsewhere, the others' sessions go on.
  const victim = spread.indexOf(Math.max(...spread));
  const killed = forceUnwrap('there are three', relays[victim]);
  const before = households.map(({ viewer }) => viewer.sessions);
  killed.child.process.kill('SIGKILL');
  await killed.child.ended;
  await waitFor('its viewers to be gone', () => households.filter(({ viewer }) => viewer.heardMs === 0).length === spread[victim], 5_000, 5);
  const afterKill = await allWatch('everybody to meet after the kill');
  const again = households.filter(({ viewer }, at) => viewer.sessions !== before[at]).length;
  expect(again, 'only those of the dead process dialled again').toBe(spread[victim]);

  // It returns, and takes its routes back: whoever looks in now is led there, and finds nobody before the home has followed.
  const returned = await startRelayProgram([...RELAY_OPTIONS, '--port', String(killed.port)]);
  relays[victim] = returned;
  await waitFor('the balancer to lead there again', async () => {
    const probe = await dialViewer(url, newToken(), { route: randomBytes(16).toString('base64url') });
    await probe.closed;
    return (await returned.counter('refusals_total{reason="nobody"}')) > 0;
  });
  for (const { viewer } of households) viewer.hangUp();
  await waitFor('the viewers to be gone', () => households.every(({ viewer }) => viewer.heardMs === 0), 5_000, 5);
  const afterReturn = await allWatch('everybody to meet after the return');
  expect(await sessionsOf(), 'everybody is where the ring leads').toEqual(spread);
  const redials = households.reduce((sum, { home }) => sum + home.redials, 0);
  expect(redials, 'homes dialled anew without having lost anything').toBeGreaterThanOrEqual(forceUnwrap('it had sessions', spread[victim]));

  // One leaves in order.
  const leaver = forceUnwrap('there are three', relays[(victim + 1) % 3]);
  leaver.child.process.kill('SIGTERM');
  await leaver.child.ended;
  const afterLeaving = await allWatch('everybody to meet after one left');
  console.log(`all met again ${seconds(afterKill)} after a kill, ${seconds(afterReturn)} after the return, ${seconds(afterLeaving)} after one left in order`);
});

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
