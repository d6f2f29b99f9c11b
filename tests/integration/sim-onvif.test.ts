import { createSocket } from 'node:dgram';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forceUnwrap } from '../../shared/result.ts';
import { passwordDigest } from '../../tools/sim/onvif/wsse.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { run, until } from './sim-support.ts';

let simulator: Simulator;
let camera: SimCamera;
beforeAll(async () => {
  simulator = await startSimulator({ cameras: 2, main: { width: 640, height: 360, kbps: 500, seconds: 10 }, sub: { width: 320, height: 180, seconds: 10 } });
  camera = forceUnwrap('two were started', simulator.cameras[0]);
});
afterAll(() => simulator.stop());

function security(password: string, created = new Date().toISOString()): string {
  const nonce = randomBytes(16);
  return `<Security xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><UsernameToken><Username>viewer</Username><Password Type="#PasswordDigest">${passwordDigest(nonce, created, password)}</Password><Nonce>${nonce.toString('base64')}</Nonce><Created>${created}</Created></UsernameToken></Security>`;
}

async function ask(url: string, namespace: string, body: string, header = security('porchlight')): Promise<{ status: number; text: string }> {
  const envelope = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>${header}</s:Header><s:Body xmlns:q="${namespace}">${body}</s:Body></s:Envelope>`;
  const response = await fetch(url, { method: 'POST', body: envelope, headers: { 'Content-Type': 'application/soap+xml' } });
  return { status: response.status, text: await response.text() };
}

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';
const MEDIA2 = 'http://www.onvif.org/ver20/media/wsdl';
const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';

describe('logins', () => {
  test('the time is told to anybody, the rest to who knows the password', async () => {
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetSystemDateAndTime/>', '')).text).toContain('UTCDateTime');
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>', '')).status).toBe(401);
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>', security('wrong'))).text).toContain('ter:NotAuthorized');
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>')).text).toContain('<tds:Manufacturer>Lanternworks');
  });

  test('lockout: after so many wrong logins the right one is refused too', async () => {
    await camera.setQuirk('lockout', 2);
    for (let i = 0; i < 2; i += 1) await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>', security('wrong'));
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>')).status).toBe(400);
    await camera.setQuirk('lockout', 0);
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>')).status).toBe(200);
  });

  test('clock-skew with created-window: only who uses the camera’s clock gets in', async () => {
    await camera.setQuirk('clock-skew', 3600);
    await camera.setQuirk('created-window', 5);
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>')).text).toContain('time check failed');
    const theirs = new Date(Date.now() + 3_600_000).toISOString();
    expect((await ask(camera.onvifUrl, DEVICE, '<q:GetDeviceInformation/>', security('porchlight', theirs))).status).toBe(200);
    await camera.setQuirk('clock-skew', 0);
    await camera.setQuirk('created-window', 0);
  });
});

test('profiles and stream addresses of both streams, by Media2', async () => {
  const profiles = await ask(camera.onvifUrl.replace('device', 'media2'), MEDIA2, '<q:GetProfiles/>');
  expect([...profiles.text.matchAll(/<tt:Width>(\d+)/g)].map((match) => match[1])).toEqual(['640', '320']);
  const uri = await ask(camera.onvifUrl.replace('device', 'media2'), MEDIA2, '<q:GetStreamUri><q:Protocol>RTSP</q:Protocol><q:ProfileToken>profile_sub</q:ProfileToken></q:GetStreamUri>');
  expect(uri.text).toContain(`<tr2:Uri>${camera.rtspUrl('sub')}</tr2:Uri>`);
});

test('motion reaches a pull point at once, and the subscription ends when told', async () => {
  const created = await ask(camera.onvifUrl.replace('device', 'event'), EVENTS, '<q:CreatePullPointSubscription><q:InitialTerminationTime>PT60S</q:InitialTerminationTime></q:CreatePullPointSubscription>');
  const address = forceUnwrap('the answer names it', /<wsa:Address>([^<]+)/.exec(created.text)?.[1]);
  const pull = (): ReturnType<typeof ask> => ask(address, EVENTS, '<q:PullMessages><q:Timeout>PT5S</q:Timeout><q:MessageLimit>10</q:MessageLimit></q:PullMessages>');
  expect((await pull()).text).toContain('PropertyOperation="Initialized"');
  const waiting = pull();
  camera.setMotion(true);
  expect((await waiting).text).toMatch(/PropertyOperation="Changed".*Name="IsMotion" Value="true"/s);
  camera.setMotion(false);
  expect((await ask(address, 'http://docs.oasis-open.org/wsn/b-2', '<q:Unsubscribe/>')).status).toBe(200);
  expect((await pull()).text).toContain('ResourceUnknown');
});

async function probe(target: string): Promise<string[]> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.setMulticastInterface('127.0.0.1');
  const replies: string[] = [];
  socket.on('message', (data) => replies.push(data.toString('utf8')));
  const id = `urn:uuid:${randomUUID()}`;
  const message = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:MessageID>${id}</a:MessageID></s:Header><s:Body><d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>`;
  socket.send(message, simulator.discoveryPort, target);
  await until('a reply', () => replies.length >= (target.startsWith('239') ? 2 : 1), 3000).catch(() => undefined);
  socket.close();
  return replies.filter((reply) => reply.includes(`<a:RelatesTo>${id}</a:RelatesTo>`));
}

describe('discovery', () => {
  test('a probe to the group finds all cameras, one to an address that camera', async () => {
    const all = await probe('239.255.255.250');
    expect(all.map((reply) => /<d:XAddrs>([^<]+)/.exec(reply)?.[1] ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual(simulator.cameras.map((one) => one.onvifUrl).toSorted((a, b) => a.localeCompare(b)));
    expect(await probe(camera.host)).toHaveLength(1);
  });

  test('an unplugged camera is not there, a replugged one is', async () => {
    await camera.unplug();
    expect(await probe('239.255.255.250')).toHaveLength(1);
    await camera.replug();
    expect(await probe('239.255.255.250')).toHaveLength(2);
  });
});

test('onvif-util, which nobody here wrote, logs in and finds the streams', async (context) => {
  const script = 'ip link set lo up; ip route add default dev lo; exec node_modules/.bin/node tools/sim/main.ts --json --cameras 1 --source test --http-port 80';
  const tools = await run('sh', ['-c', 'command -v onvif-util unshare ip && unshare -n true']);
  if (tools.code !== 0) return context.skip('onvif-util, unshare or the right to use it is missing');
  const ask = `(${script}) < /dev/null > "$OUT" & P=$!; for i in $(seq 300); do [ -s "$OUT" ] && break; sleep 0.1; done; printf 'get rtsp\\nget profiles\\nquit\\n' | timeout 15 onvif-util -u viewer -p porchlight 127.0.0.2; kill $P; wait $P`;
  const { stdout } = await run('unshare', ['-n', 'sh', '-c', `OUT=$(mktemp); ${ask}; rm "$OUT"`], 55_000);
  expect(stdout.toString('utf8')).toMatch(/successfully connected to host[\s\S]*rtsp:\/\/127\.0\.0\.2:\d+\/main[\s\S]*profile_main[\s\S]*profile_sub/);
});
