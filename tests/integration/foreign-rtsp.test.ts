/** From an address to footage, with RTSP servers nobody here wrote: GStreamer's, alone and behind a proxy that does to it what routers and makers do. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Login } from '../../main/engine/cameras/http-auth.ts';
import { createCameraNetwork } from '../../main/engine/cameras/network.ts';
import { createProber, type ProbeOutcome } from '../../main/engine/cameras/prober.ts';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { type ForeignServer, Rig, startForeignServer } from './recorder-rig.ts';

const H264 = 'videotestsrc is-live=1 ! video/x-raw,width=320,height=240,framerate=10/1 ! x264enc tune=zerolatency key-int-max=10 speed-preset=ultrafast ! rtph264pay config-interval=-1 name=pay0 pt=96';
const H265 = 'videotestsrc is-live=1 ! video/x-raw,width=320,height=240,framerate=10/1 ! x265enc tune=zerolatency key-int-max=10 speed-preset=ultrafast ! rtph265pay config-interval=-1 name=pay0 pt=96';
const MJPEG = 'videotestsrc is-live=1 ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! jpegenc ! rtpjpegpay name=pay0 pt=26';
const MPEG4 = 'videotestsrc is-live=1 ! video/x-raw,width=320,height=240,framerate=10/1 ! avenc_mpeg4 ! rtpmp4vpay config-interval=1 name=pay0 pt=96';
const SOUND = 'audiotestsrc is-live=1 ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8';

let folder: string;
let rig: Rig;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-foreign-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.stop();
  for (const close of closers.splice(0).toReversed()) await close();
});

async function serve(mounts: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<ForeignServer> {
  const server = await startForeignServer(mounts, options);
  closers.push(() => server.stop());
  return server;
}

async function probe(address: string, login: Login | null = null): Promise<ProbeOutcome> {
  const prober = createProber({ network: createCameraNetwork(systemClock, silentLogger), grabFrame: () => Promise.reject(new Error('no frame is asked for here')) });
  return await prober.probe({ kind: 'address', address }, login);
}

/** A certificate of the camera's own making, and its key. */
function certificate(): readonly [string, string] {
  const [key, file] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=camera', '-days', '2', '-keyout', key, '-out', file]);
  return [file, key];
}

/** Adds by address and records as the engine does, until so much footage is there. */
async function take(address: string, login: Login | null = null, seconds = 1): Promise<ProbeOutcome> {
  const outcome = await probe(address, login);
  const stream = forceUnwrap('a probe without streams fails', outcome.probed.streams[0]);
  expect(stream.url).not.toContain('@');
  await rig.record(rig.stream({ url: stream.url, videoCodec: stream.videoCodec, transport: stream.transport, username: outcome.login?.username ?? null, password: outcome.login?.password ?? null }));
  await rig.footage(seconds);
  return outcome;
}

describe('a login is taken', () => {
  const odd: Login = { username: 'ö neil@home', password: "p@ss: w/o%41?#&é'\\\"€" };
  for (const way of ['digest', 'basic'] as const) {
    it(`by ${way}, with every kind of character typed on its own`, async () => {
      const { port } = await serve({ cam: H264 }, '--user', odd.username, '--password', odd.password, ...(way === 'basic' ? ['--basic'] : []));
      await take(`rtsp://127.0.0.1:${port}/cam`, odd);
    });
  }

  it('from a pasted address, percent-encoded or as it is', async () => {
    const login = { username: 'admin', password: 'a@b:c/d#e' };
    const { port } = await serve({ cam: H264 }, '--user', login.username, '--password', login.password);
    const { login: encoded } = await take(`rtsp://admin:${encodeURIComponent(login.password)}@127.0.0.1:${port}/cam`);
    expect(encoded).toEqual(login);
    expect((await probe(`rtsp://admin:${login.password}@127.0.0.1:${port}/cam`)).login).toEqual(login);
  });

  it('over TLS with a certificate of the camera’s own making', async () => {
    const { port } = await serve({ cam: H264 }, '--tls', ...certificate(), '--user', 'admin', '--password', 'pässword');
    await take(`rtsps://127.0.0.1:${port}/cam`, { username: 'admin', password: 'pässword' });
  });
});

describe('a stream is recorded', () => {
  for (const transport of ['tcp', 'multicast'] as const) {
    it(`from a server that takes ${transport === 'tcp' ? 'TCP alone' : 'multicast and TCP'}`, async () => {
      const { port } = await serve({ cam: H264 }, '--transport', transport);
      await take(`rtsp://127.0.0.1:${port}/cam`);
    });
  }

  it('from a server that takes UDP alone', async () => {
    const { port } = await serve({ cam: H264 }, '--transport', 'udp');
    await take(`rtsp://127.0.0.1:${port}/cam`);
  });

  it('from a server that takes UDP alone and says so in other words', async () => {
    const { port } = await serve({ cam: H264 }, '--transport', 'udp');
    await take(`rtsp://127.0.0.1:${await proxy(port, { down: (text) => text.replace(/^RTSP\/1\.0 461 .*$/m, 'RTSP/1.0 400 Bad Request') })}/cam`);
  });

  it('from a server that takes UDP alone, which is not why its stream ended later', async () => {
    const { port } = await serve({ cam: H264.replace('is-live=1', 'is-live=1 num-buffers=60') }, '--transport', 'udp');
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${port}/cam` }));
    const outage = await rig.until('the end of the stream', () => rig.all('outage-began')[0]);
    expect(outage).toMatchObject({ cause: 'camera-unreachable', detail: 'the camera ended the stream' });
  });

  it('from an IPv6 address', async () => {
    const { port } = await serve({ cam: H264 }, '--address', '::1', '--user', 'admin', '--password', 'pw');
    await take(`rtsp://[::1]:${port}/cam`, { username: 'admin', password: 'pw' });
  });

  it('from a path with a query, signs and letters beyond ASCII', async () => {
    const { port } = await serve({ cam: H264 });
    await take(`rtsp://127.0.0.1:${port}/cam?channel=1&subtype=0&name=%C3%A9`);
  });

  it('in H.265', async () => {
    const { port } = await serve({ cam: H265 });
    expect((await take(`rtsp://127.0.0.1:${port}/cam`)).probed.streams[0]?.videoCodec).toBe('h265');
  });

  for (const transport of ['tcp', 'udp'] as const) {
    it(`for longer than its session lives unless it is kept alive (${transport})`, async () => {
      const { port } = await serve({ cam: H264 }, '--timeout', '4', '--transport', transport);
      await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${port}/cam`, transport }));
      await rig.footage(10);
      expect(rig.all('outage-began').filter((notice) => notice.detail !== '')).toEqual([]);
    });
  }
});

/** Rewrites what client and server say to each other in text; media between them is left alone. */
async function proxy(to: number, rewrite: { readonly up?: (text: string) => string; readonly down?: (text: string) => string }): Promise<number> {
  const sockets = new Set<Socket>();
  const pass = (from: Socket, into: Socket, change: (text: string) => string): void => {
    from.on('data', (bytes: Buffer) => {
      const isText = /^[A-Z_]+ |^RTSP\//.test(bytes.subarray(0, 24).toString('latin1'));
      into.write(isText ? Buffer.from(change(bytes.toString('latin1')), 'latin1') : bytes);
    });
    from.on('error', () => undefined);
    from.on('close', () => into.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    sockets.add(client).add(upstream);
    pass(client, upstream, rewrite.up ?? ((text) => text));
    pass(upstream, client, (text) => withLength((rewrite.down ?? ((same: string) => same))(text)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function withLength(text: string): string {
  const at = text.indexOf('\r\n\r\n');
  return at < 0 ? text : text.replace(/^(Content-Length: )\d+/im, `$1${text.length - at - 4}`);
}

describe('a session is kept alive', () => {
  it('with OPTIONS where the server knows no GET_PARAMETER', async () => {
    const { port } = await serve({ cam: H264 }, '--timeout', '4', '--transport', 'udp');
    const asked: string[] = [];
    const at = await proxy(port, {
      down: (text) => text.replace(/GET_PARAMETER, ?/, ''),
      up: (text) => (asked.push(/^\w+/.exec(text)?.[0] ?? ''), text),
    });
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${at}/cam`, transport: 'udp' }));
    await rig.footage(1);
    const played = asked.lastIndexOf('PLAY');
    await rig.until('two signs of life', () => asked.slice(played).filter((method) => method === 'OPTIONS').length >= 2);
    const startMs = Date.now();
    await rig.until('footage beyond the time limit', () => Date.now() - startMs > 5_000);
    expect(rig.all('outage-began').filter((notice) => notice.detail !== '')).toEqual([]);
    expect(asked).not.toContain('GET_PARAMETER');
  });
});

describe('behind a router or with a maker’s habits', () => {
  it('controls that name another host are asked where the camera was reached', async () => {
    const { port } = await serve({ cam: H264 });
    const inside = 'rtsp://10.99.0.5:554/cam';
    const at = await proxy(port, {
      down: (text) => text.replace(/a=control:stream=0/, `a=control:${inside}/stream=0`).replace(/^Content-Base: .*$/im, `Content-Base: ${inside}/`),
      up: (text) => text.replace(/rtsp:\/\/10\.99\.0\.5(:554)?\/cam/g, `rtsp://127.0.0.1:${port}/cam`),
    });
    await take(`rtsp://127.0.0.1:${at}/cam`);
  });

  it('a control that is relative to the Content-Base is asked there', async () => {
    const { port } = await serve({ cam: H264 });
    const at = await proxy(port, {
      down: (text) => text.replace(/^Content-Base: .*$/im, `Content-Base: rtsp://127.0.0.1:${port}/other/base/`),
      up: (text) => text.replace(/\/other\/base\//g, '/cam/'),
    });
    await take(`rtsp://127.0.0.1:${at}/cam`);
  });

  it('without a Content-Base the address itself is the base', async () => {
    const { port } = await serve({ cam: H264 });
    await take(`rtsp://127.0.0.1:${await proxy(port, { down: (text) => text.replace(/^Content-Base: .*\r\n/im, '') })}/cam`);
  });

  for (const status of ['301 Moved Permanently', '302 Found']) {
    it(`a redirect (${status.slice(0, 3)}) is followed`, async () => {
      const { port } = await serve({ cam: H264 });
      const door = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (bytes: Buffer) => {
          const text = bytes.toString('latin1');
          const head = /^OPTIONS/.test(text) ? '200 OK\r\nPublic: OPTIONS, DESCRIBE' : `${status}\r\nLocation: rtsp://127.0.0.1:${port}/cam`;
          socket.write(`RTSP/1.0 ${head}\r\nCSeq: ${/CSeq: (\d+)/i.exec(text)?.[1]}\r\n\r\n`);
        });
      });
      await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
      closers.push(() => new Promise((resolve) => door.close(resolve)));
      await take(`rtsp://127.0.0.1:${(door.address() as AddressInfo).port}/cam`);
    });
  }

  it('a redirect to a door that wants the login is followed with it, on the same host', async () => {
    const { port } = await serve({ cam: H264 }, '--user', 'admin', '--password', 'pw');
    const door = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        const text = bytes.toString('latin1');
        const head = /^OPTIONS/.test(text) ? '200 OK\r\nPublic: OPTIONS, DESCRIBE' : `302 Found\r\nLocation: rtsp://127.0.0.1:${port}/cam`;
        socket.write(`RTSP/1.0 ${head}\r\nCSeq: ${/CSeq: (\d+)/i.exec(text)?.[1]}\r\n\r\n`);
      });
    });
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => door.close(resolve)));
    await take(`rtsp://127.0.0.1:${(door.address() as AddressInfo).port}/cam`, { username: 'admin', password: 'pw' });
  });

  it('a server that connects to its camera first is waited for', async () => {
    const { port } = await serve({ cam: H264 });
    const slow = createServer((client) => {
      const upstream = connect(port, '127.0.0.1');
      client.on('error', () => undefined);
      upstream.on('error', () => undefined);
      client.on('data', (bytes: Buffer) => void systemClock.sleep(bytes.toString('latin1').startsWith('DESCRIBE') ? 6_000 : 0).then(() => upstream.write(bytes)));
      upstream.pipe(client);
      client.on('close', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => slow.close(resolve)));
    expect((await probe(`rtsp://127.0.0.1:${(slow.address() as AddressInfo).port}/cam`)).probed.streams).toHaveLength(1);
  });

  it('a server that closes the connection after each answer without media is described', async () => {
    const { port } = await serve({ cam: H264 });
    const once = createServer((client) => {
      const upstream = connect(port, '127.0.0.1');
      client.on('error', () => undefined);
      upstream.on('error', () => undefined);
      client.on('data', (bytes: Buffer) => upstream.write(bytes));
      upstream.on('data', (bytes: Buffer) => client.end(bytes));
      client.on('close', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => once.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => once.close(resolve)));
    expect((await probe(`rtsp://127.0.0.1:${(once.address() as AddressInfo).port}/cam`)).probed.streams).toHaveLength(1);
  });
});

describe('what cannot be recorded is refused with a sentence', () => {
  const says: readonly (readonly [string, string, string, RegExp])[] = [
    ['MJPEG', MJPEG, 'codec-not-supported', /MJPEG.*H\.264 or H\.265/],
    ['MPEG-4 part 2', MPEG4, 'codec-not-supported', /H\.264 or H\.265/],
    ['sound alone', SOUND, 'no-video', /no video/],
  ];
  for (const [name, launch, kind, sentence] of says) {
    it(name, async () => {
      const { port } = await serve({ cam: launch });
      const outcome = probe(`rtsp://127.0.0.1:${port}/cam`);
      await expect(outcome).rejects.toMatchObject({ kind });
      await expect(outcome).rejects.toThrow(sentence);
    });
  }

  it('encryption where there is none, and none where it is asked for', async () => {
    const { port } = await serve({ cam: H264 });
    const plain = probe(`rtsps://127.0.0.1:${port}/cam`);
    await expect(plain).rejects.toMatchObject({ kind: 'not-a-camera' });
    await expect(plain).rejects.toThrow(/rtsp:\/\/ in place of rtsps:\/\//);
    const secure = await serve({ cam: H264 }, '--tls', ...certificate());
    await expect(probe(`rtsp://127.0.0.1:${secure.port}/cam`)).rejects.toThrow(/rtsps:\/\//);
  });

  it('a wrong password, a wrong path', async () => {
    const { port } = await serve({ cam: H264 }, '--user', 'admin', '--password', 'pw');
    await expect(probe(`rtsp://127.0.0.1:${port}/cam`, { username: 'admin', password: 'no' })).rejects.toMatchObject({ kind: 'wrong-password' });
    await expect(probe(`rtsp://127.0.0.1:${port}/cam`)).rejects.toMatchObject({ kind: 'wrong-password' });
    await expect(probe(`rtsp://127.0.0.1:${port}/other`, { username: 'admin', password: 'pw' })).rejects.toMatchObject({ kind: 'not-a-camera' });
  });
});
