import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forceUnwrap } from '../../shared/result.ts';
import { QUIRKS } from '../../tools/sim/quirks.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import type { SimVideo } from '../../tools/sim/sources.ts';
import { BareRtspClient, probeStreams, run, until } from './sim-support.ts';

const SMALL: Partial<SimVideo> = { width: 640, height: 360, kbps: 500, seconds: 10 };

describe('a camera misbehaves as told', () => {
  let simulator: Simulator;
  let camera: SimCamera;
  let client: BareRtspClient;
  beforeEach(async () => {
    simulator = await startSimulator({ main: SMALL, sub: null, discovery: false, auth: 'none' });
    camera = forceUnwrap('one was started', simulator.cameras[0]);
    client = new BareRtspClient(camera.host, camera.rtspPort);
  });
  afterEach(async () => {
    client.close();
    await simulator.stop();
  });

  const video = (): Buffer[] => client.packets.filter((packet) => packet.channel === 0).map((packet) => packet.data);

  test('stall: the connection stays open and says nothing; then it goes on', async () => {
    await client.play(camera.rtspUrl());
    await until('pictures', () => video().length > 10);
    await camera.setQuirk('stall', true);
    const before = camera.sendLog().length;
    await expect(client.request('OPTIONS', camera.rtspUrl())).rejects.toThrow('waited');
    expect(camera.sendLog().length).toBe(before);
    expect(client.closed).toBe(false);
    await camera.setQuirk('stall', false);
    const held = video().length;
    await until('pictures again', () => video().length > held + 10);
  });

  test.each(['drop', 'reset'] as const)('%s: the session ends and no new one begins, until it is switched off', async (quirk) => {
    await client.play(camera.rtspUrl());
    await camera.setQuirk(quirk, true);
    await until('the end of the connection', () => client.closed);
    const second = new BareRtspClient(camera.host, camera.rtspPort);
    await until('the end of the second', () => second.closed);
    expect(second.responses).toEqual([]);
    await camera.setQuirk(quirk, false);
    expect(await new BareRtspClient(camera.host, camera.rtspPort).request('OPTIONS', camera.rtspUrl())).toContain('200 OK');
  });

  test('unplugged: ports refuse, the open session falls silent without an end; replug brings the same ports back', async () => {
    await client.play(camera.rtspUrl());
    await until('pictures', () => video().length > 10);
    const port = camera.rtspPort;
    await camera.unplug();
    const silentFrom = video().length;
    const refused = connect(port, camera.host);
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(client.closed).toBe(false);
    expect(video().length).toBeLessThanOrEqual(silentFrom + 1);
    await camera.replug();
    expect(camera.rtspPort).toBe(port);
    expect((await probeStreams(camera.rtspUrl()))[0]?.codec_name).toBe('h264');
  });

  test('network-stall: what was held arrives in a burst with its own timestamps, and the log tells taken from sent', async () => {
    await client.play(camera.rtspUrl());
    await until('pictures', () => camera.sendLog().length > 5);
    const from = camera.sendLog().length;
    await camera.setQuirk('network-stall', 1000);
    await until('the burst', () => camera.sendLog().length > from + 10);
    const late = camera.sendLog().slice(from).map((entry) => entry.sentMs - entry.capturedMs);
    expect(Math.max(...late)).toBeGreaterThan(800);
    const stamps = camera.sendLog().map((entry) => entry.rtpTimestamp);
    for (let i = 1; i < stamps.length; i += 1) expect(((stamps[i] ?? 0) - (stamps[i - 1] ?? 0)) >>> 0).toBe(6000);
  });

  test('clock-rate: RTP time goes by so much faster than the pictures, without a jump', async () => {
    await client.play(camera.rtspUrl());
    await until('pictures', () => camera.sendLog().length > 3);
    await camera.setQuirk('clock-rate', 500_000);
    const from = camera.sendLog().length;
    await until('more pictures', () => camera.sendLog().length > from + 5);
    const stamps = camera.sendLog().slice(from - 3).map((entry) => entry.rtpTimestamp);
    const steps = stamps.slice(1).map((stamp, index) => (stamp - (stamps[index] ?? 0)) >>> 0);
    expect([steps[0], steps.at(-1)]).toEqual([6_000, 9_000]);
    expect(steps.every((step) => step === 6_000 || step === 9_000)).toBe(true);
  });

  test('timestamp-jump: the next picture is that much later on the RTP clock', async () => {
    await client.play(camera.rtspUrl());
    await until('pictures', () => camera.sendLog().length > 3);
    await camera.setQuirk('timestamp-jump', 100);
    const from = camera.sendLog().length;
    await until('more pictures', () => camera.sendLog().length > from + 3);
    const stamps = camera.sendLog().map((entry) => entry.rtpTimestamp);
    expect(stamps.some((stamp, i) => i > 0 && (stamp - (stamps[i - 1] ?? 0)) >>> 0 === 9_006_000)).toBe(true);
  });

  test('silent-audio: G.711 is announced and never comes', async () => {
    await camera.setQuirk('silent-audio', true);
    const fresh = new BareRtspClient(camera.host, camera.rtspPort);
    expect(await fresh.request('DESCRIBE', camera.rtspUrl())).toContain('PCMA/8000');
    await fresh.play(camera.rtspUrl(), true);
    await until('pictures', () => fresh.packets.filter((packet) => packet.channel === 0).length > 60);
    expect(fresh.packets.filter((packet) => packet.channel === 2)).toEqual([]);
    fresh.close();
  });

  test('bitrate-spike: pictures grow and still decode', async () => {
    await camera.setQuirk('bitrate-spike', 8);
    const { code, stdout } = await run('ffmpeg', ['-nostdin', '-v', 'error', '-rtsp_transport', 'tcp', '-i', camera.rtspUrl(), '-t', '2', '-map', '0:v', '-c', 'copy', '-f', 'h264', 'pipe:1']);
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(4 * 500_000 * 0.125);
  });

  test('codec-change: another size in mid-stream, H.265 after a new connection', async () => {
    await client.play(camera.rtspUrl());
    await camera.setQuirk('codec-change', 'size');
    expect(client.closed).toBe(false);
    expect((await probeStreams(camera.rtspUrl()))[0]).toMatchObject({ codec_name: 'h264', width: 960, height: 540 });
    await camera.setQuirk('codec-change', 'h265');
    await until('the end of the session', () => client.closed);
    expect((await probeStreams(camera.rtspUrl()))[0]).toMatchObject({ codec_name: 'hevc', width: 640 });
  });

  test('max-clients, answer-503, tcp-only: the status codes of real cameras', async () => {
    await camera.setQuirk('max-clients', 1);
    await client.play(camera.rtspUrl());
    const second = new BareRtspClient(camera.host, camera.rtspPort);
    expect(await second.play(camera.rtspUrl())).toContain('453');
    await camera.setQuirk('answer-503', true);
    expect(await second.request('DESCRIBE', camera.rtspUrl())).toContain('503');
    await camera.setQuirk('max-clients', 0);
    await camera.setQuirk('tcp-only', true);
    expect(await second.request('SETUP', `${camera.rtspUrl()}/trackID=0`, { Transport: 'RTP/AVP;unicast;client_port=40000-40001' })).toContain('461');
    second.close();
  });

  test('session-timeout: a client that says nothing is dropped', async () => {
    await camera.setQuirk('session-timeout', 1);
    expect(await client.play(camera.rtspUrl())).toContain('timeout=1');
    await until('the end of the connection', () => client.closed);
  });

  test('reboot: gone, then back on the same ports', async () => {
    await client.play(camera.rtspUrl());
    const back = camera.setQuirk('reboot', 300);
    await until('the end of the connection', () => client.closed);
    await back;
    expect((await probeStreams(camera.rtspUrl()))[0]?.codec_name).toBe('h264');
  });

  test('new-address: the same ports and identity elsewhere, nothing at the old place', async () => {
    const old = camera.onvifUrl;
    await camera.setQuirk('new-address', '127.0.0.77');
    expect(camera.onvifUrl).toBe(old.replace(/127\.0\.0\.\d+/, '127.0.0.77'));
    expect((await probeStreams(camera.rtspUrl()))[0]?.codec_name).toBe('h264');
    await expect(fetch(old, { method: 'POST' })).rejects.toThrow('fetch failed');
  });

  test('the control port switches quirks and gives the send log', async () => {
    const set = await fetch(`${simulator.controlUrl}/cameras/1/quirks/stall`, { method: 'POST', body: '{"value":true}' });
    expect(((await set.json()) as { quirks: unknown }).quirks).toEqual({ stall: true });
    expect(camera.quirks()).toEqual({ stall: true });
    expect((await fetch(`${simulator.controlUrl}/cameras/1/quirks/nonsense`, { method: 'POST', body: '{"value":true}' })).status).toBe(400);
    await camera.setQuirk('stall', false);
    await client.play(camera.rtspUrl());
    await until('pictures', () => camera.sendLog().length > 3);
    const log = (await (await fetch(`${simulator.controlUrl}/cameras/1/sendlog?stream=main`)).json()) as unknown[];
    expect(log.slice(0, 3)).toEqual(camera.sendLog().slice(0, 3));
  });
});

test('the simulator in a process of its own says where it is and ends with its parent', async () => {
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['tools/sim/main.ts', '--json', '--cameras', '2', '--source', 'test', '--discovery-port', '0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  await until('the ready line', () => text.includes('\n'), 45_000);
  const ready = JSON.parse(text) as { cameras: { onvifUrl: string; rtspMain: string }[]; controlUrl: string };
  expect(ready.cameras).toHaveLength(2);
  expect((await fetch(`${ready.controlUrl}/cameras`)).status).toBe(200);
  const ended = once(child, 'exit');
  child.stdin.end();
  expect(await ended).toEqual([0, null]);
});

test('a simulator whose parent goes while it still paints ends too, and leaves nothing half done', async () => {
  const { spawn } = await import('node:child_process');
  const cache = await mkdtemp(join(tmpdir(), 'porchlight-sim-test-'));
  const child = spawn(process.execPath, ['tools/sim/main.ts', '--json', '--cameras', '1', '--discovery-port', '0'], { stdio: ['pipe', 'ignore', 'inherit'], env: { ...process.env, PORCHLIGHT_SIM_CACHE: cache } });
  const ended = once(child, 'exit');
  await until('the scene to be painted', async () => (await readdir(cache)).some((name) => name.includes(`.${child.pid}-`)), 30_000);
  child.stdin.end();
  expect(await ended).toEqual([0, null]);
  expect((await readdir(cache)).filter((name) => name.includes('.'))).toEqual([]);
  await rm(cache, { recursive: true, force: true, maxRetries: 3 });
});

test('the simulator shows a clip of one’s own, with quirks from the command line', async () => {
  const { spawn } = await import('node:child_process');
  const folder = await mkdtemp(join(tmpdir(), 'porchlight-sim-test-'));
  const clip = join(folder, 'my clip.mp4');
  expect((await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=15', '-t', '2', clip])).code).toBe(0);
  const child = spawn(process.execPath, ['tools/sim/main.ts', '--json', '--cameras', '2', '--file', clip, '--discovery-port', '0', '--quirk', '2:answer-404', '--quirk', 'session-timeout=20'], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, PORCHLIGHT_SIM_CACHE: folder } });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  await until('the ready line', () => text.includes('\n'), 45_000);
  const { cameras } = JSON.parse(text) as { cameras: { rtspMain: string; username: string; password: string; quirks: unknown }[] };
  expect(cameras.map((one) => one.quirks)).toEqual([{ 'session-timeout': 20 }, { 'answer-404': true, 'session-timeout': 20 }]);
  const [first] = cameras;
  const url = first?.rtspMain.replace('rtsp://', `rtsp://${first.username}:${first.password}@`) ?? '';
  expect((await probeStreams(url))[0]).toMatchObject({ codec_name: 'h264', width: 1280, height: 720 });
  const ended = once(child, 'exit');
  child.stdin.end();
  expect(await ended).toEqual([0, null]);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

test('every quirk is in the reader’s table', async () => {
  const readme = await readFile(new URL('../../tools/sim/README.md', import.meta.url), 'utf8');
  expect(Object.keys(QUIRKS).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
