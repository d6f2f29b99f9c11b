/** What Porchlight says of an RTSP address: scripted servers for what goes wrong, GStreamer's server for what goes right. */
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createCameraNetwork, type CameraNetwork } from '../../main/engine/cameras/network.ts';
import { createProber, type Prober } from '../../main/engine/cameras/prober.ts';
import { describeStream, requireRecordable } from '../../main/engine/cameras/rtsp-describe.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface RtspAsk {
  readonly method: string;
  readonly uri: string;
  readonly path: string;
  readonly authorization: string;
  readonly cseq: string;
}
/** Null never answers, the text `close` ends the connection. */
type Script = (ask: RtspAsk) => string | null;

const H264 = 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==\r\na=framerate:25.0\r\nm=audio 0 RTP/AVP 0\r\n';
const reply = (ask: RtspAsk, status: string, headers: readonly string[] = [], body = ''): string => [`RTSP/1.0 ${status}`, `CSeq: ${ask.cseq}`, ...headers, ...(body === '' ? [] : [`Content-Length: ${body.length}`, 'Content-Type: application/sdp']), '', body].join('\r\n');
const options = (ask: RtspAsk): string => reply(ask, '200 OK', ['Public: OPTIONS, DESCRIBE']);

async function rtsp(script: Script): Promise<{ port: number; asks: RtspAsk[] }> {
  const asks: RtspAsk[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        const [method = '', uri = ''] = head.split(' ');
        const header = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';
        const ask = { method, uri, path: uri.replace(/^rtsps?:\/\/[^/]*/, ''), authorization: Buffer.from(header('Authorization'), 'latin1').toString('utf8'), cseq: header('CSeq') };
        asks.push(ask);
        const answer = script(ask);
        if (answer === 'close') socket.destroy();
        else if (answer !== null) socket.write(answer);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const open = new Set<import('node:net').Socket>();
  server.on('connection', (socket) => void open.add(socket));
  closers.push(async () => {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { port: (server.address() as AddressInfo).port, asks };
}

const network = (): CameraNetwork => createCameraNetwork(systemClock, silentLogger);
const prober = (): Prober => createProber({ network: network(), grabFrame: () => Promise.resolve(new Uint8Array()) });
const right = { username: 'admin', password: 'p@ß' };

/** Accepts the right login only; written from RFC 2617, not from the client. */
function guarded(challenge: readonly string[], body = H264): Script {
  const md5 = (text: string): string => createHash(/sha-256/i.test(challenge[0] ?? '') ? 'sha256' : 'md5').update(text, 'utf8').digest('hex');
  return (ask) => {
    if (ask.method === 'OPTIONS') return options(ask);
    const field = (name: string): string => new RegExp(`\\b${name}="?([^",]*)"?`).exec(ask.authorization)?.[1] ?? '';
    const ha1 = md5(`${right.username}:cam:${right.password}`);
    const ha2 = md5(`DESCRIBE:${ask.uri}`);
    const expected = field('qop') === '' ? md5(`${ha1}:n1:${ha2}`) : md5(`${ha1}:n1:${field('nc')}:${field('cnonce')}:auth:${ha2}`);
    const basic = ask.authorization === `Basic ${Buffer.from(`${right.username}:${right.password}`).toString('base64')}`;
    return basic || (ask.authorization.startsWith('Digest') && field('response') === expected) ? reply(ask, '200 OK', [], body) : reply(ask, '401 Unauthorized', challenge.map((one) => `WWW-Authenticate: ${one}`));
  };
}

describe('a stream is described', () => {
  const ways: [string, readonly string[]][] = [
    ['digest without qop', ['Digest realm="cam", nonce="n1"']],
    ['digest with qop', ['Digest realm="cam", nonce="n1", qop="auth"']],
    ['SHA-256 digest before MD5, which the recorder takes', ['Digest realm="cam", nonce="n1", qop="auth", algorithm=SHA-256', 'Digest realm="cam", nonce="n1", qop="auth", algorithm=MD5']],
    ['digest before Basic', ['Basic realm="cam"', 'Digest realm="cam", nonce="n1"']],
    ['Basic alone', ['Basic realm="cam"']],
  ];
  for (const [name, challenge] of ways) {
    it(`with ${name}`, async () => {
      const { port, asks } = await rtsp(guarded(challenge));
      const described = await describeStream(network(), { url: `rtsp://127.0.0.1:${port}/live?a=1`, login: right, allowBasic: true });
      expect(described).toEqual({ videoCodec: 'h264', audioCodec: 'pcmu', width: 240, height: 160, fps: 25 });
      expect(asks.filter((ask) => ask.authorization !== '')).toHaveLength(1);
      if (challenge.length === 2) expect(asks.at(-1)?.authorization).toMatch(/^Digest/);
    });
  }

  it('never with Basic at an address by hearsay', async () => {
    const { port, asks } = await rtsp(guarded(['Basic realm="cam"']));
    await expect(describeStream(network(), { url: `rtsp://127.0.0.1:${port}/`, login: right, allowBasic: false })).rejects.toMatchObject({ kind: 'wrong-password' });
    expect(asks.every((ask) => ask.authorization === '')).toBe(true);
  });

  it('when the camera closes the connection after OPTIONS and after its 401', async () => {
    const check = guarded(['Digest realm="cam", nonce="n1"']);
    const { port } = await rtsp((ask) => (ask.method === 'OPTIONS' ? 'close' : ask.authorization === '' ? (check(ask) as string).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') : check(ask)));
    expect((await describeStream(network(), { url: `rtsp://127.0.0.1:${port}/`, login: right, allowBasic: false })).videoCodec).toBe('h264');
  });

  it('behind a redirect, without taking the login to another host', async () => {
    const inner = await rtsp(guarded(['Digest realm="cam", nonce="n1"']));
    const outer = await rtsp((ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '302 Moved', [`Location: rtsp://127.0.0.1:${inner.port}/inner`])));
    expect((await describeStream(network(), { url: `rtsp://127.0.0.1:${outer.port}/`, login: right, allowBasic: false })).videoCodec).toBe('h264');
    const away = await rtsp((ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '302 Moved', [`Location: rtsp://localhost:${inner.port}/inner`])));
    const before = inner.asks.length;
    await expect(describeStream(network(), { url: `rtsp://127.0.0.1:${away.port}/`, login: right, allowBasic: true })).rejects.toMatchObject({ kind: 'wrong-password' });
    expect(inner.asks.slice(before).every((ask) => ask.authorization === '')).toBe(true);
  });
});

describe('add by address says', () => {
  const says: { name: string; script: Script; kind: string; sentence?: RegExp; path?: string; login?: typeof right }[] = [
    { name: 'the path is wrong', script: (ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '404 Not Found')), kind: 'not-a-camera', sentence: /part of the address after the host is wrong/ },
    { name: 'MJPEG is not recorded', script: (ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '200 OK', [], 'v=0\r\nm=video 0 RTP/AVP 26\r\n')), kind: 'codec-not-supported' },
    { name: 'MPEG-4 is not recorded', script: (ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '200 OK', [], 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\n')), kind: 'codec-not-supported' },
    { name: 'there is no video', script: (ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '200 OK', [], 'v=0\r\nm=audio 0 RTP/AVP 0\r\n')), kind: 'no-video' },
    { name: 'a password is needed', script: guarded(['Digest realm="cam", nonce="n1"']), kind: 'wrong-password', sentence: /wants a user name and a password/ },
    { name: 'the login is one that ffmpeg does not know', script: guarded(['Digest realm="cam", nonce="n1", qop="auth", algorithm=SHA-256']), kind: 'refused', sentence: /takes this password.*\(SHA-256\).*MD5/, login: right },
    { name: 'the login that ffmpeg picks of two is one it does not know', script: guarded(['Digest realm="cam", nonce="n1", qop="auth", algorithm=SHA-256', 'Digest realm="cam", nonce="n1", algorithm=MD5', 'Digest realm="cam", nonce="n1", qop="auth", algorithm=SHA-256']), kind: 'refused', sentence: /SHA-256/, login: right },
    { name: 'there are too many viewers', script: (ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '453 Not Enough Bandwidth')), kind: 'refused', sentence: /no room for another viewer/ },
    { name: 'something else lives on this port', script: () => 'SSH-2.0-OpenSSH_9.2\r\n', kind: 'not-a-camera' },
    { name: 'the answer is no description', script: (ask) => (ask.method === 'OPTIONS' ? options(ask) : reply(ask, '200 OK', [], '<html>')), kind: 'bad-answer' },
    { name: 'nothing is ever answered', script: () => null, kind: 'timeout' },
    { name: 'a flood is cut off', script: (ask) => `RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\nCSeq: ${ask.cseq}\r\n\r\n`, kind: 'bad-answer' },
  ];
  for (const { name, script, kind, sentence, path, login } of says) {
    it(name, async () => {
      const { port } = await rtsp(script);
      const outcome = prober().probe({ kind: 'address', address: `rtsp://127.0.0.1:${port}${path ?? '/live'}` }, login ?? null);
      await expect(outcome).rejects.toMatchObject({ kind });
      if (sentence !== undefined) await expect(outcome).rejects.toThrow(sentence);
    });
  }

  it('a web server is no camera', async () => {
    const server = createHttpServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    await expect(prober().probe({ kind: 'address', address: `rtsp://127.0.0.1:${port}/live` }, null)).rejects.toMatchObject({ kind: 'not-a-camera' });
    await expect(prober().probe({ kind: 'address', address: `127.0.0.1:${port}` }, null)).rejects.toMatchObject({ kind: 'not-a-camera' });
  });

  it('a closed port refuses', async () => {
    await expect(prober().probe({ kind: 'address', address: 'rtsp://127.0.0.1:9/live' }, null)).rejects.toMatchObject({ kind: 'refused' });
    await expect(prober().probe({ kind: 'address', address: '127.0.0.1:9' }, null)).rejects.toMatchObject({ kind: 'refused' });
  });

  it('a name nobody has is unreachable', async () => {
    await expect(prober().probe({ kind: 'address', address: 'no-such-camera.invalid' }, null)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('wrong password, having sent it once, and no secret in the sentence', async () => {
    const { port, asks } = await rtsp(guarded(['Digest realm="cam", nonce="n1"']));
    const outcome = prober().probe({ kind: 'address', address: `rtsp://admin:wr@ng/pw@127.0.0.1:${port}/live` }, null);
    await expect(outcome).rejects.toMatchObject({ kind: 'wrong-password' });
    await expect(outcome).rejects.not.toThrow(/wr@ng/);
    expect(asks.filter((ask) => ask.authorization !== '')).toHaveLength(1);
    expect(asks.every((ask) => !ask.uri.includes('@'))).toBe(true);
  });
});

describe('a host with RTSP alone', () => {
  it('is tried by the makers\' paths, and its sub stream is found', async () => {
    const check = guarded(['Digest realm="cam", nonce="n1"']);
    const { port, asks } = await rtsp((ask) => (ask.method === 'DESCRIBE' && ask.authorization !== '' && !/^\/cam\/realmonitor\?channel=1&subtype=[01]$/.test(ask.path) ? reply(ask, '404 Not Found') : check(ask)));
    const { probed, login } = await prober().probe({ kind: 'address', address: `admin:p%40%C3%9F@127.0.0.1:${port}` }, null);
    expect(login).toEqual(right);
    expect(probed.streams.map((stream) => [stream.kind, stream.url])).toEqual([
      ['main', `rtsp://127.0.0.1:${port}/cam/realmonitor?channel=1&subtype=0`],
      ['sub', `rtsp://127.0.0.1:${port}/cam/realmonitor?channel=1&subtype=1`],
    ]);
    expect(asks.length).toBeLessThan(40);
  });

  it('stops at the first refusal of the password', async () => {
    const { port, asks } = await rtsp(guarded(['Digest realm="cam", nonce="n1"']));
    await expect(prober().probe({ kind: 'address', address: `127.0.0.1:${port}` }, { username: 'admin', password: 'no' })).rejects.toMatchObject({ kind: 'wrong-password' });
    expect(asks.filter((ask) => ask.authorization !== '')).toHaveLength(1);
  });
});

const GST = `
import gi, sys
gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')
from gi.repository import Gst, GstRtspServer, GLib
Gst.init(None)
server = GstRtspServer.RTSPServer(); server.set_address('127.0.0.1'); server.set_service('0')
auth = GstRtspServer.RTSPAuth()
auth.set_supported_methods(GstRtspServer.RTSPAuth.set_supported_methods and __import__('gi').repository.GstRtsp.RTSPAuthMethod.DIGEST)
token = GstRtspServer.RTSPToken(); token.set_string('media.factory.role', 'user')
auth.add_digest('admin', 'geheim', token); server.set_auth(auth)
f = GstRtspServer.RTSPMediaFactory()
f.set_launch('( videotestsrc is-live=1 ! video/x-raw,width=640,height=360,framerate=10/1 ! x264enc tune=zerolatency ! rtph264pay name=pay0 pt=96 )')
perm = GstRtspServer.RTSPPermissions()
perm.add_permission_for_role('user', 'media.factory.access', True); perm.add_permission_for_role('user', 'media.factory.construct', True)
f.set_permissions(perm)
server.get_mount_points().add_factory('/cam', f); server.attach(None)
print(server.get_bound_port(), flush=True); GLib.MainLoop().run()
`;

describe('GStreamer\'s RTSP server', () => {
  it('is described with a digest login, refused with a wrong one', async (context) => {
    const child = spawn('/usr/bin/python3', ['-c', GST], { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
    const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
    closers.push(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const port = await new Promise<number>((resolve) => {
      child.stdout.once('data', (bytes: Buffer) => resolve(Number(bytes.toString())));
      child.on('error', () => resolve(0));
      void ended.then(() => resolve(0));
    });
    if (port === 0) context.skip(`GStreamer's RTSP server is not installed: ${errors.trim().split('\n').at(-1) ?? ''}`);
    const shared = network();
    const url = `rtsp://127.0.0.1:${port}/cam`;
    const described = await describeStream(shared, { url, login: { username: 'admin', password: 'geheim' }, allowBasic: false });
    expect(requireRecordable(described, 'x')).toMatchObject({ videoCodec: 'h264', width: 640, height: 360 });
    await expect(describeStream(shared, { url, login: { username: 'admin', password: 'falsch' }, allowBasic: false })).rejects.toMatchObject({ kind: 'wrong-password' });
    await expect(describeStream(shared, { url: `${url}2`, login: { username: 'admin', password: 'geheim' }, allowBasic: false })).rejects.toMatchObject({ kind: 'not-found' });
  });
});
