/** The ONVIF device client against cameras that are odd in every way seen in the field; one test per oddity. */
import { afterEach, describe, expect, it } from 'vitest';
import { generate } from 'selfsigned';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createCameraNetwork, type CameraNetwork } from '../../main/engine/cameras/network.ts';
import { OnvifDevice } from '../../main/engine/cameras/onvif-device.ts';
import { fault, profile, service, soap, startSoapCamera, timeAnswer, type SoapCamera, type SoapCameraOptions } from './cameras-soap-camera.ts';

const open: SoapCamera[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((camera) => camera.close()));
});

async function camera(options: SoapCameraOptions = {}): Promise<SoapCamera> {
  const started = await startSoapCamera(options);
  open.push(started);
  return started;
}

function client(server: SoapCamera, login: { username: string; password: string } | null = { username: 'admin', password: 'secret' }, allowBasic = false, network: CameraNetwork = createCameraNetwork(systemClock, silentLogger)): OnvifDevice {
  return new OnvifDevice(network, { url: new URL(server.url), login, allowBasic });
}

const HOUR = 3_600_000;

describe('a right password logs in with', () => {
  const cases: { name: string; options: SoapCameraOptions; login?: { username: string; password: string }; basic?: boolean; attempts: number }[] = [
    { name: 'WSSE', options: { auth: 'wsse' }, attempts: 1 },
    { name: 'WSSE on a camera three days behind with a window of 5 s', options: { auth: 'wsse', clockSkewMs: -72 * HOUR, createdWindowMs: 5000 }, attempts: 1 },
    { name: 'WSSE where local time is told as UTC and the true time is checked', options: { auth: 'wsse', clockSkewMs: 2 * HOUR, checkedSkewMs: 0, createdWindowMs: 5000 }, attempts: 2 },
    { name: 'WSSE where the time wants a login too', options: { auth: 'wsse', guardTime: true, createdWindowMs: 60_000 }, attempts: 1 },
    { name: 'WSSE where the camera has no DateTime', options: { auth: 'wsse', answers: { GetSystemDateAndTime: () => soap('<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime/></tds:GetSystemDateAndTimeResponse>') } }, attempts: 1 },
    { name: 'WSSE and a password beyond ASCII', options: { auth: 'wsse', password: 'pässwörd€' }, login: { username: 'admin', password: 'pässwörd€' }, attempts: 1 },
    { name: 'WSSE and & and < in the user name', options: { auth: 'wsse', username: 'a&b<c' }, login: { username: 'a&b<c', password: 'secret' }, attempts: 1 },
    { name: 'digest only, refused with a web page', options: { auth: 'digest' }, attempts: 1 },
    { name: 'digest and a password beyond ASCII', options: { auth: 'digest', password: 'pässwörd' }, login: { username: 'admin', password: 'pässwörd' }, attempts: 1 },
    { name: 'digest without qop', options: { auth: 'digest', challenges: ['Digest realm="camera", nonce="%N"'] }, attempts: 1 },
    { name: 'digest with qop "auth, auth-int"', options: { auth: 'digest', challenges: ['Digest realm="camera", qop="auth, auth-int", nonce="%N"'] }, attempts: 1 },
    { name: 'digest in lower case', options: { auth: 'digest', challenges: ['digest realm="camera",qop="auth",nonce="%N"'] }, attempts: 1 },
    { name: 'digest with odd parameters', options: { auth: 'digest', challenges: ['Digest realm="camera", x-odd=, domain="/", junk, qop="auth", nonce="%N", stale="FALSE"'] }, attempts: 1 },
    { name: 'SHA-256 digest', options: { auth: 'digest', challenges: ['Digest realm="camera", qop="auth", nonce="%N", algorithm=SHA-256'] }, attempts: 1 },
    { name: 'MD5 and SHA-256 challenges', options: { auth: 'digest', challenges: ['Digest realm="camera", qop="auth", nonce="%N"', 'Digest realm="camera", qop="auth", nonce="%N", algorithm="SHA-256"'] }, attempts: 1 },
    { name: 'both challenges in one header', options: { auth: 'digest', challenges: ['Basic realm="camera", Digest realm="camera", qop="auth", nonce="%N"'] }, attempts: 1 },
    { name: 'Basic only, where the owner gave the address', options: { auth: 'basic' }, basic: true, attempts: 2 },
    { name: 'no login at all, where Security is not understood', options: { auth: 'must-understand' }, attempts: 0 },
  ];
  for (const { name, options, login, basic, attempts } of cases) {
    it(name, async () => {
      const server = await camera(options);
      const device = client(server, login ?? { username: 'admin', password: 'secret' }, basic ?? false);
      const information = await device.deviceInformation();
      expect(information).toEqual({ maker: 'ACME', model: 'Eye 5', firmware: '5.10', serial: '12345678901234567890' });
      if (options.auth !== 'must-understand') expect(server.attempts).toBe(attempts);
      expect((await device.profiles()).map((one) => one.token)).toEqual(['000', '001']);
    });
  }
});

describe('a wrong password', () => {
  for (const auth of ['wsse', 'digest', 'basic'] as const) {
    it(`is sent at most twice (${auth}), then not at all`, async () => {
      const server = await camera({ auth });
      const network = createCameraNetwork(systemClock, silentLogger);
      const wrong = { username: 'admin', password: 'guess' };
      await expect(client(server, wrong, true, network).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
      expect(server.refusals).toBeLessThanOrEqual(2);
      await expect(client(server, wrong, true, network).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
      await expect(client(server, wrong, true, network).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
      expect(server.refusals).toBeLessThanOrEqual(2);
      await client(server, { username: 'admin', password: 'secret' }, true, network).deviceInformation();
    });
  }

  it('may be tried again when the owner asks for it', async () => {
    const server = await camera({ auth: 'digest' });
    const network = createCameraNetwork(systemClock, silentLogger);
    const wrong = { username: 'admin', password: 'guess' };
    for (let attempt = 0; attempt < 3; attempt += 1) await expect(client(server, wrong, true, network).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
    const before = server.refusals;
    expect(before).toBe(2);
    network.ledger.forget('127.0.0.1');
    await expect(client(server, wrong, true, network).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
    expect(server.refusals).toBe(before + 1);
  });

  it('is told even where the services are open to everybody', async () => {
    const server = await camera({ auth: 'wsse', open: ['GetServices', 'GetCapabilities'] });
    await expect(client(server, { username: 'admin', password: 'no' }).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
  });

  it('is asked for when none was given, without trying any', async () => {
    const server = await camera({ auth: 'digest' });
    await expect(client(server, null).deviceInformation()).rejects.toMatchObject({ kind: 'wrong-password' });
    expect(server.attempts).toBe(0);
  });

  it('never goes out readable to an address by hearsay', async () => {
    const server = await camera({ auth: 'basic' });
    await expect(client(server).deviceInformation()).rejects.toThrow(/add it by its address/);
    expect(server.calls.every((call) => !(call.headers.authorization ?? '').startsWith('Basic'))).toBe(true);
  });
});

describe('the login lives on when', () => {
  it('the clock of the camera jumps while connected', async () => {
    const options: SoapCameraOptions = { auth: 'wsse', createdWindowMs: 5000, clockSkewMs: -24 * HOUR };
    const server = await camera(options);
    const device = client(server);
    await device.deviceInformation();
    options.clockSkewMs = 0;
    await device.deviceInformation();
    expect(server.refusals).toBe(1);
  });

  it('a nonce grows stale', async () => {
    let used = 0;
    const server = await camera({
      auth: 'digest',
      before: (call) => {
        if (!(call.headers.authorization ?? '').startsWith('Digest')) return undefined;
        used += 1;
        return used === 2 ? { status: 401, body: '', headers: { 'WWW-Authenticate': ['Digest realm="camera", qop="auth", nonce="cfcd208495d565ef66e7dff9f98764da", stale=true'] } } : undefined;
      },
    });
    const device = client(server);
    await device.deviceInformation();
    await device.deviceInformation();
    expect(server.refusals).toBe(0);
    expect(used).toBe(3);
  });

  it('the camera answers 401 because its connections are used up: a pause, not "wrong password"', async () => {
    let full = false;
    const server = await camera({ auth: 'wsse', before: () => (full ? { status: 401, body: '' } : undefined) });
    const device = client(server);
    await device.deviceInformation();
    full = true;
    await expect(device.deviceInformation()).rejects.toMatchObject({ kind: 'refused' });
    const before = server.calls.length;
    await expect(device.deviceInformation()).rejects.toMatchObject({ kind: 'refused' });
    expect(server.calls.length).toBe(before);
  });

  it('one thing is not allowed to this user', async () => {
    const server = await camera({ auth: 'wsse', answers: { SystemReboot: () => fault('ter:NotAuthorized', 'Operation not authorized') } });
    const device = client(server);
    await device.deviceInformation();
    await expect(device.reboot()).rejects.toMatchObject({ kind: 'not-allowed' });
    await device.deviceInformation();
  });
});

it('a camera is asked one thing at a time, whoever asks', async () => {
  const server = await camera({ delayMs: 20 });
  const network = createCameraNetwork(systemClock, silentLogger);
  await Promise.all([1, 2, 3, 4].map(() => client(server, null, false, network).deviceInformation()));
  expect(server.calls).toHaveLength(8);
  expect(server.mostAtOnce).toBe(1);
});

describe('answers that are no answers', () => {
  const odd: { name: string; answer: () => { status?: number; type?: string; body: string | Uint8Array; headers?: Record<string, string> } | null; kind: string }[] = [
    { name: 'an empty 200', answer: () => ({ body: '' }), kind: 'bad-answer' },
    { name: 'a web page', answer: () => ({ type: 'text/html', body: '<!DOCTYPE html><html><body>Hello</body></html>' }), kind: 'bad-answer' },
    { name: 'a web page of an error', answer: () => ({ status: 500, type: 'text/html', body: '<html>oops</html>' }), kind: 'bad-answer' },
    { name: 'a redirect elsewhere', answer: () => ({ status: 302, body: '', headers: { Location: 'http://203.0.113.9/login' } }), kind: 'bad-answer' },
    { name: 'a missing page', answer: () => ({ status: 404, body: 'no' }), kind: 'not-a-camera' },
    { name: 'a cut-off document', answer: () => ({ body: '<s:Envelope xmlns:s="x"><s:Body><GetDeviceInformationResponse><Manufacturer>AC' }), kind: 'bad-answer' },
    { name: 'an empty body', answer: () => soap('') as { body: string }, kind: 'bad-answer' },
    { name: 'nested entities', answer: () => ({ body: '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><s:Envelope xmlns:s="x"><s:Body>&b;</s:Body></s:Envelope>' }), kind: 'bad-answer' },
    { name: '30 MB', answer: () => ({ body: Buffer.alloc(30 * 1_048_576, 0x20) }), kind: 'bad-answer' },
  ];
  for (const { name, answer, kind } of odd) {
    it(`${name} is one error`, async () => {
      const server = await camera({ answers: { GetDeviceInformation: answer } });
      await expect(client(server).deviceInformation()).rejects.toMatchObject({ kind });
    });
  }

  it('an operation that never answers ends after the time limit', async () => {
    const server = await camera({ answers: { GetDeviceInformation: () => null } });
    const startMs = performance.now();
    await expect(client(server).deviceInformation()).rejects.toMatchObject({ kind: 'timeout' });
    expect(performance.now() - startMs).toBeLessThan(12_000);
  });

  it('an undefined entity, an undeclared prefix and single quotes are read all the same', async () => {
    const server = await camera({ answers: { GetDeviceInformation: () => ({ body: "<e:Envelope xmlns:e='x'><wsa:H/><e:Body><zz:GetDeviceInformationResponse><zz:Manufacturer>A &nosuch; B</zz:Manufacturer><Model>M</Model></zz:GetDeviceInformationResponse></e:Body></e:Envelope>" }) } });
    expect((await client(server).deviceInformation()).maker).toBe('A &nosuch; B');
  });

  it('Latin-1 is read as Latin-1', async () => {
    const body = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><s:Envelope xmlns:s="x"><s:Body><GetDeviceInformationResponse><Manufacturer>Türkis</Manufacturer></GetDeviceInformationResponse></s:Body></s:Envelope>', 'latin1');
    const server = await camera({ answers: { GetDeviceInformation: () => ({ body }) } });
    expect((await client(server).deviceInformation()).maker).toBe('Türkis');
  });
});

describe('services and profiles', () => {
  it('one single service, and profiles through it', async () => {
    const server = await camera({ answers: { GetServices: (call) => soap(`<tds:GetServicesResponse>${service('ver10/media', `${call.origin}/onvif/m`)}</tds:GetServicesResponse>`) } });
    expect(await client(server).profiles()).toHaveLength(2);
    expect(server.calls.at(-1)?.path).toBe('/onvif/m');
  });

  it('GetServices unknown: GetCapabilities', async () => {
    const server = await camera({
      answers: {
        GetServices: () => fault('ter:ActionNotSupported', 'no'),
        GetCapabilities: (call) => soap(`<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>${call.origin}/cap/media</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`),
      },
    });
    expect(await client(server).profiles()).toHaveLength(2);
    expect(server.calls.at(-1)?.path).toBe('/cap/media');
  });

  it('a service at a foreign address is asked where the camera is', async () => {
    const server = await camera({ answers: { GetServices: () => soap(`<tds:GetServicesResponse>${service('ver10/media', 'http://169.254.7.7:8999/onvif/far')}</tds:GetServicesResponse>`) } });
    expect(await client(server).profiles()).toHaveLength(2);
    expect(server.calls.at(-1)?.path).toBe('/onvif/far');
  });

  it('addresses of 0.0.0.0 mean the camera itself', async () => {
    const server = await camera({
      answers: {
        GetServices: () => soap(`<tds:GetServicesResponse>${service('ver10/media', 'http://0.0.0.0/onvif/media')}</tds:GetServicesResponse>`),
        GetStreamUri: () => soap('<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://0.0.0.0:8554/ch0?x=1</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>'),
      },
    });
    const device = client(server);
    expect(await device.profiles()).toHaveLength(2);
    expect(await device.streamUri('000')).toBe('rtsp://127.0.0.1:8554/ch0?x=1');
  });

  it('answers in chunks that trickle in are read whole', async () => {
    const server = await camera({ auth: 'digest', chunkBytes: 16, delayMs: 300 });
    const device = client(server);
    expect(await device.deviceInformation()).toMatchObject({ model: 'Eye 5' });
    expect(await device.profiles()).toHaveLength(2);
  });

  it('a service on another port is asked there', async () => {
    const other = await camera();
    const server = await camera({ answers: { GetServices: () => soap(`<tds:GetServicesResponse>${service('ver10/media', `http://127.0.0.1:${other.port}/onvif/media`)}</tds:GetServicesResponse>`) } });
    expect(await client(server).profiles()).toHaveLength(2);
    expect(other.calls.map((call) => call.operation)).toEqual(['GetProfiles']);
  });

  it('https announced by an http device is asked over http', async () => {
    const server = await camera({ answers: { GetServices: () => soap(`<tds:GetServicesResponse>${service('ver10/media', 'https://127.0.0.1:9/onvif/media')}</tds:GetServicesResponse>`) } });
    expect(await client(server).profiles()).toHaveLength(2);
  });

  const media2 = (call: { origin: string }): ReturnType<typeof soap> => soap(`<tds:GetServicesResponse>${service('ver10/media', `${call.origin}/onvif/media`)}${service('ver20/media', `${call.origin}/onvif/media2`)}</tds:GetServicesResponse>`);

  it('Media2 is read where it works', async () => {
    const server = await camera({
      answers: {
        GetServices: media2,
        GetProfiles: (call) =>
          call.path === '/onvif/media2' && !/<Type>All</.test(call.xml)
            ? soap('<tr2:GetProfilesResponse><tr2:Profiles token="1"><tr2:Name>Main</tr2:Name><tr2:Configurations><tr2:VideoSource token="s"><tt:SourceToken>V</tt:SourceToken></tr2:VideoSource><tr2:VideoEncoder token="e"><tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>3840</tt:Width><tt:Height>2160</tt:Height></tt:Resolution></tr2:VideoEncoder></tr2:Configurations></tr2:Profiles></tr2:GetProfilesResponse>')
            : { status: 500, type: 'text/html', body: 'crash' },
        GetStreamUri: (call) => (call.path === '/onvif/media2' ? soap('<tr2:GetStreamUriResponse><tr2:Uri>rtsp://10.9.8.7:8554/live?a=1&amp;b=2</tr2:Uri></tr2:GetStreamUriResponse>') : fault('ter:InvalidArgVal', 'no')),
      },
    });
    const device = client(server);
    expect(await device.profiles()).toMatchObject([{ token: '1', codec: 'h265', width: 3840, sourceToken: 'V' }]);
    expect(await device.streamUri('1')).toBe('rtsp://127.0.0.1:8554/live?a=1&b=2');
  });

  for (const [name, answer] of [['a crash', { status: 500, type: 'text/html', body: '<html>' }], ['a fault', fault('ter:ActionNotSupported', 'no')], ['an empty list', soap('<tr2:GetProfilesResponse/>')]] as const) {
    it(`Media2 that answers with ${name} gives way to Media1`, async () => {
      const server = await camera({ answers: { GetServices: media2, GetProfiles: (call) => (call.path === '/onvif/media2' ? answer : undefined) } });
      expect((await client(server).profiles()).map((one) => one.token)).toEqual(['000', '001']);
    });
  }

  it('a profile without encoder is kept, one without video is not', async () => {
    const server = await camera({ answers: { GetProfiles: () => soap(`<trt:GetProfilesResponse>${profile('1', '', 0, 0)}<trt:Profiles token="meta"><tt:Name>m</tt:Name></trt:Profiles>${profile('a&amp;b', 'JPEG', 640, 480)}</trt:GetProfilesResponse>`) } });
    expect(await client(server).profiles()).toMatchObject([{ token: '1', codec: null, width: 0 }, { token: 'a&b', codec: 'mjpeg' }]);
  });

  it('a token with & goes back as the camera sent it', async () => {
    const server = await camera();
    const device = client(server);
    await device.profiles();
    await device.streamUri('a&b');
    expect(server.calls.at(-1)?.xml).toContain('<ProfileToken>a&amp;b</ProfileToken>');
  });

  it('self-signed https works', async () => {
    const made = await generate([{ name: 'commonName', value: 'camera' }], { keySize: 2048 });
    const server = await camera({ tls: { key: made.private, cert: made.cert }, auth: 'digest' });
    expect((await client(server).deviceInformation()).maker).toBe('ACME');
  });

  it('tells the clock offset to a second', async () => {
    const server = await camera({ clockSkewMs: 5 * HOUR });
    const device = client(server);
    await device.readClock();
    expect(Math.abs((device.clockOffsetMs ?? 0) - 5 * HOUR)).toBeLessThan(1000);
    expect(timeAnswer(0).body).toContain('1970');
  });
});
