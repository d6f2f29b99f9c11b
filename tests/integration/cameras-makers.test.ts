/** What cameras of real makers were reported to do, and foreign ONVIF servers were seen to do; the answers here are our own. */
import { createSocket } from 'node:dgram';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { generate } from 'selfsigned';
import { findEndpoints } from '../../main/engine/cameras/endpoints.ts';
import type { Login } from '../../main/engine/cameras/http-auth.ts';
import { createCameraNetwork } from '../../main/engine/cameras/network.ts';
import { OnvifDevice } from '../../main/engine/cameras/onvif-device.ts';
import { createProber, type Prober, type ProbeTarget } from '../../main/engine/cameras/prober.ts';
import { askHost } from '../../main/engine/discovery/ask-host.ts';
import { systemClock, type Clock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import type { ProbedCamera } from '../../shared/model/discovery.ts';
import { fault, soap, startSoapCamera, type SoapAnswer, type SoapCall, type SoapCamera, type SoapCameraOptions } from './cameras-soap-camera.ts';

const LOGIN: Login = { username: 'admin', password: 'secret' };
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Answers every DESCRIBE with one H.264 track. */
async function startStream(host = '127.0.0.1', port = 0): Promise<number> {
  const sdp = 'v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n';
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const sequence = /CSeq:\s*(\d+)/i.exec(bytes.toString('latin1'))?.[1] ?? '1';
      const body = bytes.toString('latin1').startsWith('DESCRIBE') ? sdp : '';
      socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\nPublic: OPTIONS, DESCRIBE\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

async function camera(options: SoapCameraOptions = {}): Promise<SoapCamera> {
  const started = await startSoapCamera({ rtspPort: await startStream(), ...options });
  closers.push(() => started.close());
  return started;
}

const makeProber = (): Prober => createProber({ network: createCameraNetwork(systemClock, silentLogger), grabFrame: () => Promise.resolve(new Uint8Array([1])) });
const at = (server: SoapCamera): ProbeTarget => ({ kind: 'address', address: server.url });

async function probe(server: SoapCamera, login: Login | null = LOGIN): Promise<ProbedCamera> {
  return (await makeProber().probe(at(server), login)).probed;
}

/** Time limits run ten times as fast. */
const hasty: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 10, run), sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };

const kinds = (probed: ProbedCamera): readonly string[] => probed.streams.map((stream) => stream.kind);

describe('a login', () => {
  it('is never made with the nonce of another service (Hikvision counts that as a wrong one)', async () => {
    let wrong = 0;
    const nonceOf = (path: string): string => Buffer.from(path).toString('hex');
    const server = await camera({
      before: (call) => {
        if (call.operation === 'GetSystemDateAndTime') return undefined;
        const nonce = /nonce="(\w+)"/.exec(call.headers.authorization ?? '')?.[1];
        if (nonce === nonceOf(call.path)) return undefined;
        if (nonce !== undefined) wrong += 1;
        return { status: 401, type: 'text/html', body: '<h2>Access Error: 401 -- Unauthorized</h2>', headers: { 'WWW-Authenticate': [`Digest realm="camera", qop="auth", nonce="${nonceOf(call.path)}", algorithm=MD5`] } };
      },
    });
    expect(kinds(await probe(server))).toEqual(['main', 'sub']);
    expect(wrong).toBe(0);
  });

  it('is asked for by a fault that names nothing but "Authority failure" (Tapo)', async () => {
    const server = await camera({ before: (call) => (call.operation === 'GetSystemDateAndTime' || call.xml.includes('UsernameToken') ? undefined : fault('ter:Failure', 'Authority failure', 500)) });
    expect(kinds(await probe(server))).toEqual(['main', 'sub']);
  });

  for (const operation of ['GetEndpointReference', 'GetScopes', 'GetHostname', 'GetServices']) {
    it(`that may not ask for ${operation} (401) still adds the camera`, async () => {
      const refusal: SoapAnswer = { status: 401, type: 'text/html', body: '', headers: { 'WWW-Authenticate': ['Digest realm="camera", qop="auth", nonce="cfcd208495d565ef66e7dff9f98764da", algorithm=MD5'] } };
      const capabilities = (call: SoapCall): SoapAnswer => soap(`<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>${call.origin}/onvif/media</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`);
      const server = await camera({ auth: 'digest', answers: { [operation]: () => refusal, GetCapabilities: capabilities } });
      expect(kinds(await probe(server))).toEqual(['main', 'sub']);
      // Once, and once more with a nonce that cannot be too old.
      expect(server.calls.filter((call) => call.operation === operation).length).toBeLessThanOrEqual(2);
    });
  }

  it('that the picture’s own users do not know is sent there twice, and ONVIF’s goes on', async () => {
    let asked = 0;
    const server = await camera({
      auth: 'digest',
      answers: { GetSnapshotUri: (call) => soap(`<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>${call.origin}/snapshot.cgi</tt:Uri></trt:MediaUri></trt:GetSnapshotUriResponse>`) },
      before: (call) => {
        if (call.path !== '/snapshot.cgi') return undefined;
        if (call.headers.authorization !== undefined) asked += 1;
        return { status: 401, body: '', headers: { 'WWW-Authenticate': ['Digest realm="web", qop="auth", nonce="1f"'] } };
      },
    });
    const prober = makeProber();
    for (let time = 0; time < 5; time += 1) expect(await prober.snapshot(at(server), LOGIN)).toEqual(new Uint8Array([1]));
    expect(asked).toBe(2);
    expect(server.refusals).toBe(0);
  });
});

describe('an answer', () => {
  it('that is packed though nobody asked for it is read (Pelco)', async () => {
    const packed = (headers: Record<string, string>): SoapAnswer => ({ body: gzipSync(soap('<tds:GetDeviceInformationResponse><tds:Manufacturer>Pelco</tds:Manufacturer><tds:Model>IMP</tds:Model></tds:GetDeviceInformationResponse>').body), headers });
    for (const headers of [{ 'Content-Encoding': 'gzip' }, {}] as Record<string, string>[]) {
      const server = await camera({ answers: { GetDeviceInformation: () => packed(headers) } });
      expect((await probe(server)).device).toMatchObject({ maker: 'Pelco', model: 'IMP' });
    }
  });

  it('that unpacks into far more than a camera would say is not read on', async () => {
    const server = await camera({ answers: { GetProfiles: () => ({ body: gzipSync(Buffer.alloc(30 * 1_048_576, 0x20)) }) } });
    await expect(probe(server)).rejects.toMatchObject({ kind: 'bad-answer' });
  });

  it('that is missing because the camera dropped the connection is asked for once more', async () => {
    const server = await camera({ auth: 'digest' });
    let connections = 0;
    const dropping = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      if (connections % 3 === 2) socket.once('data', () => socket.resetAndDestroy());
      else socket.pipe(connect(server.port, '127.0.0.1').on('error', () => socket.destroy())).pipe(socket);
    });
    await new Promise<void>((resolve) => dropping.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => dropping.close(() => resolve())));
    const { probed } = await makeProber().probe({ kind: 'address', address: server.url.replace(String(server.port), String((dropping.address() as AddressInfo).port)) }, LOGIN);
    expect(kinds(probed)).toEqual(['main', 'sub']);
    expect(server.refusals).toBe(0);
  });

  it('that takes 6 s is waited for', async () => {
    const server = await camera({ delayMs: 600 });
    const device = new OnvifDevice(createCameraNetwork(hasty, silentLogger), { url: new URL(server.url), login: null, allowBasic: false });
    expect(await device.deviceInformation()).toMatchObject({ maker: 'ACME' });
  });

  it('of a device that says nothing of itself is no reason not to record it', async () => {
    const server = await camera({ auth: 'wsse', answers: { GetDeviceInformation: () => ({ status: 500, type: 'text/html', body: '<html>oops</html>' }) } });
    const probed = await probe(server);
    expect(probed).toMatchObject({ device: { maker: '', model: '' }, suggestedName: 'Camera at 127.0.0.1' });
    expect(kinds(probed)).toEqual(['main', 'sub']);
  });

  it('comes from firmware that only knows SOAP 1.1', async () => {
    const old = (refusal: SoapAnswer): Promise<SoapCamera> => camera({ auth: 'wsse', before: (call) => (call.xml.includes('http://schemas.xmlsoap.org/soap/envelope/') && String(call.headers['content-type']).startsWith('text/xml') && call.headers['soapaction'] !== undefined ? undefined : refusal) });
    for (const refusal of [{ status: 500, body: '<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body><E:Fault><faultcode>E:VersionMismatch</faultcode><faultstring>wrong version</faultstring></E:Fault></E:Body></E:Envelope>' }, { status: 415, body: '' }, { body: '' }]) {
      const server = await old(refusal);
      expect(kinds(await probe(server))).toEqual(['main', 'sub']);
      expect(server.refusals).toBe(0);
    }
  });

  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
    it(`comes over https from a camera that speaks no more than ${version}`, async () => {
      const made = await generate([{ name: 'commonName', value: 'camera' }], { keySize: 2048 });
      const server = await camera({ auth: 'digest', tls: { key: made.private, cert: made.cert, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } });
      expect(kinds(await probe(server))).toEqual(['main', 'sub']);
    });
  }
});

describe('services that are not where the camera says (YooSee)', () => {
  for (const real of ['/onvif/media_service', '/onvif/device_service']) {
    it(`are found at ${real}`, async () => {
      const server = await camera({ auth: 'wsse', before: (call) => (call.path === real || call.path === '/onvif/device_service' ? undefined : { status: 404, body: 'no' }) });
      expect(kinds(await probe(server))).toEqual(['main', 'sub']);
      expect(server.calls.filter((call) => call.operation === 'GetStreamUri').every((call) => call.path === real)).toBe(true);
      expect(server.refusals).toBe(0);
    });
  }
});

describe('a stream’s address', () => {
  const forms: readonly (readonly [string, (port: number) => string, string])[] = [
    ['without scheme and host', () => '/live/ch0', 'rtsp://127.0.0.1/live/ch0'],
    ['without a scheme', (port) => `10.0.0.9:${port}/live`, 'rtsp://127.0.0.1:PORT/live'],
    ['with a scheme in capitals and blanks around', (port) => `\n RTSP://10.0.0.9:${port}/Live \n`, 'rtsp://127.0.0.1:PORT/Live'],
    ['with a login whose signs are not escaped', (port) => `rtsp://admin:p/a#s?s@w@192.168.1.10:${port}/x?a=b@c`, 'rtsp://127.0.0.1:PORT/x?a=b@c'],
    ['with a login in its path (Xiongmai)', (port) => `rtsp://192.168.1.10:${port}/user=admin_password=x_channel=1_stream=0.sdp?real_stream`, 'rtsp://127.0.0.1:PORT/user=admin_password=x_channel=1_stream=0.sdp?real_stream'],
    ['at 127.0.1.1, where a name was looked up', (port) => `rtsp://127.0.1.1:${port}/cam`, 'rtsp://127.0.0.1:PORT/cam'],
  ];
  for (const [name, told, expected] of forms) {
    it(`${name} is understood`, async () => {
      const rtspPort = await startStream();
      const server = await camera({ rtspPort, answers: { GetStreamUri: () => soap(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${told(rtspPort).replace(/&/g, '&amp;')}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`) } });
      const device = new OnvifDevice(createCameraNetwork(systemClock, silentLogger), { url: new URL(server.url), login: null, allowBasic: false });
      await device.profiles();
      expect(await device.streamUri('000')).toBe(expected.replace('PORT', String(rtspPort)));
    });
  }
});

it('a camera at a port and path of its own is found by its host alone', async () => {
  const server = await camera({ auth: 'wsse' });
  const address = server.url.replace('device_service', 'odd');
  const socket = createSocket('udp4');
  closers.push(() => new Promise((resolve) => socket.close(() => resolve())));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('message', (bytes, sender) => {
    const id = /MessageID>([^<]*)</.exec(bytes.toString())?.[1] ?? '';
    socket.send(`<e:Envelope xmlns:e="x"><e:Header><w:RelatesTo xmlns:w="y">${id}</w:RelatesTo></e:Header><e:Body><d:ProbeMatches xmlns:d="z"><d:ProbeMatch><w:EndpointReference xmlns:w="y"><w:Address>urn:uuid:AB-1</w:Address></w:EndpointReference><d:Types xmlns:n="http://www.onvif.org/ver10/network/wsdl">n:NetworkVideoTransmitter</d:Types><d:XAddrs>http://127.0.0.9/far ${address}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>`, sender.port, sender.address);
  });
  const prober = createProber({ network: createCameraNetwork(systemClock, silentLogger), grabFrame: () => Promise.reject(new Error('none is asked for')), askHost: (host, wanted) => askHost(systemClock, host, wanted, socket.address().port) });
  const { probed } = await prober.probe({ kind: 'address', address: '127.0.0.1' }, LOGIN);
  expect(probed.deviceUrl).toBe(address);
  // It does not answer GetEndpointReference.
  expect(probed.identity).toBe('ab-1');
  expect(kinds(probed)).toEqual(['main', 'sub']);
});

it('a camera that says that it has ONVIF is waited for there, though its stream answers at once', async () => {
  const server = await camera({ delayMs: 500 });
  await startStream('127.0.7.1', 8554);
  const found = await findEndpoints(createCameraNetwork(hasty, silentLogger), '127.0.7.1', null, () => Promise.resolve({ endpoint: '', urls: ['http://127.0.0.1:1/nobody', server.url] }));
  expect(found.onvif.map((url) => url.href)).toEqual([server.url]);
});

it('a found camera whose first address is no good is asked at its next', async () => {
  const server = await camera({ auth: 'digest' });
  const page = await camera({ before: () => ({ type: 'text/html', body: '<html><body>Welcome</body></html>' }) });
  const dead = await startStream();
  const deviceUrls = [`https://127.0.0.1:${dead}/onvif/device_service`, page.url, server.url];
  const { probed } = await makeProber().probe({ kind: 'found', found: { key: 'a', identity: 'a', deviceUrls, host: '127.0.0.1', maker: '', model: '', cameraId: null } }, LOGIN);
  expect(probed.deviceUrl).toBe(server.url);
});
