/** The search for cameras over real sockets: multicast on the loopback interface, unicast targets, and responders that are odd in every way seen. */
import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { mergeAnswers } from '../../main/engine/discovery/merge.ts';
import type { FoundCamera } from '../../shared/model/discovery.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createSearcher } from '../../main/engine/discovery/searcher.ts';
import { DISCOVERY_GROUP, listenForAnnouncements, probeNetwork, type DiscoveryAnswer, type SearchOptions } from '../../main/engine/discovery/ws-discovery.ts';

const sockets: Socket[] = [];
afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
});

interface Probe {
  readonly id: string;
  readonly type: string;
  readonly text: string;
}

type Respond = (probe: Probe) => readonly (string | Uint8Array)[];

const envelope = (id: string, body: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"><e:Header><w:RelatesTo>${id}</w:RelatesTo></e:Header><e:Body>${body}</e:Body></e:Envelope>`;

interface Device {
  readonly epr: string;
  readonly xaddrs?: string | null;
  readonly types?: string;
  readonly scopes?: string;
}

const match = ({ epr, xaddrs = 'http://127.0.0.1/onvif/device_service', types = 'dn:NetworkVideoTransmitter', scopes = 'onvif://www.onvif.org/name/ACME%20Eye onvif://www.onvif.org/hardware/Eye' }: Device, name = 'ProbeMatch'): string =>
  `<d:${name}><w:EndpointReference><w:Address>${epr}</w:Address></w:EndpointReference><d:Types>${types}</d:Types><d:Scopes>${scopes}</d:Scopes>${xaddrs === null ? '' : `<d:XAddrs>${xaddrs}</d:XAddrs>`}<d:MetadataVersion>1</d:MetadataVersion></d:${name}>`;

const matches = (id: string, ...devices: readonly Device[]): string => envelope(id, `<d:ProbeMatches>${devices.map((device) => match(device)).join('')}</d:ProbeMatches>`);

/** A responder in the group on the loopback interface; on a port of its own, so that jobs do not meet. */
async function responder(respond: Respond, port = 0): Promise<number> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  sockets.push(socket);
  await new Promise<void>((resolve) => socket.bind(port, '0.0.0.0', resolve));
  socket.addMembership(DISCOVERY_GROUP, '127.0.0.1');
  socket.on('message', (bytes, sender) => {
    const text = bytes.toString();
    const probe = { id: /MessageID>([^<]*)</.exec(text)?.[1] ?? '', type: /:?Types[^>]*>([^<]*)</.exec(text)?.[1] ?? '', text };
    for (const reply of respond(probe)) socket.send(reply, sender.port, sender.address);
  });
  return (socket.address() as AddressInfo).port;
}

async function searchUntilFirst(options: SearchOptions): Promise<{ answers: DiscoveryAnswer[]; failures: (string | null)[] }> {
  const answers: DiscoveryAnswer[] = [];
  const enough = new AbortController();
  const reports = await probeNetwork(systemClock, { timeoutMs: 5000, ...options }, (answer) => (answers.push(answer), enough.abort()), enough.signal);
  return { answers, failures: reports.map((report) => report.failure) };
}

/** What the window would list once `wanted` devices were heard, or when nothing more came within the limit. */
async function listed(respond: Respond, wanted: number): Promise<FoundCamera[]> {
  const port = await responder(respond);
  const answers: DiscoveryAnswer[] = [];
  const enough = new AbortController();
  const hear = (answer: DiscoveryAnswer): void => {
    answers.push(answer);
    if (mergeAnswers(answers).length >= wanted) enough.abort();
  };
  await probeNetwork(systemClock, { interfaces: ['127.0.0.1'], port, timeoutMs: 5000 }, hear, enough.signal);
  return mergeAnswers(answers);
}

const URL_OK = 'http://127.0.0.1/onvif/device_service';

describe('a camera is found when', () => {
  const found: { name: string; respond: Respond; urls?: readonly string[]; count?: number }[] = [
    { name: 'it answers as the standard says', respond: ({ id }) => [matches(id, { epr: 'urn:uuid:A' })], urls: [URL_OK] },
    { name: 'its addresses end in a space', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: `${URL_OK} https://127.0.0.1/onvif/device_service ` })], urls: [URL_OK, 'https://127.0.0.1/onvif/device_service'] },
    { name: 'its addresses stand on lines of their own, apart by two spaces', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: `\n      ${URL_OK}  http://10.9.9.9/onvif\n  ` })], urls: [URL_OK, 'http://10.9.9.9/onvif'] },
    { name: 'it gives no address', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: '' })], urls: [URL_OK] },
    { name: 'the address element is missing', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: null })], urls: [URL_OK] },
    { name: 'its address is relative', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: '/onvif/dev' })], urls: ['http://127.0.0.1/onvif/dev'] },
    { name: 'one of its addresses is nonsense', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: `http:// :: ${URL_OK}` })], urls: [URL_OK] },
    { name: 'a foreign address and IPv6 come first', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: `http://[fe80::1]/onvif http://10.1.2.3/onvif ${URL_OK}` })], urls: [URL_OK, 'http://10.1.2.3/onvif', 'http://[fe80::1]/onvif'] },
    { name: 'it only knows a link-local address', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: 'http://169.254.3.4:8899/onvif' })], urls: ['http://127.0.0.1:8899/onvif', 'http://169.254.3.4:8899/onvif'] },
    { name: 'it speaks https only', respond: ({ id }) => [matches(id, { epr: 'a', xaddrs: 'https://127.0.0.1/onvif' })], urls: ['https://127.0.0.1/onvif'] },
    { name: 'two are in one reply', respond: ({ id }) => [matches(id, { epr: 'a' }, { epr: 'b', xaddrs: 'http://127.0.0.2/onvif' })], count: 2 },
    { name: 'a byte order mark comes first', respond: ({ id }) => [`\uFEFF${matches(id, { epr: 'a' })}`], urls: [URL_OK] },
    { name: 'only its scopes say what it is', respond: ({ id }) => [matches(id, { epr: 'a', types: '' })], urls: [URL_OK] },
    { name: 'scopes hold newlines', respond: ({ id }) => [matches(id, { epr: 'a', scopes: '\n onvif://www.onvif.org/hardware/Eye\n  onvif://www.onvif.org/name/ACME \n' })], urls: [URL_OK] },
    { name: 'it answers only NetworkVideoTransmitter', respond: ({ id, type }) => (type.endsWith('NetworkVideoTransmitter') ? [matches(id, { epr: 'a' })] : []), urls: [URL_OK] },
    { name: 'it answers only Device, and compares the prefix', respond: ({ id, type }) => (type === 'tds:Device' ? [matches(id, { epr: 'a', types: 'tds:Device' })] : []), urls: [URL_OK] },
    { name: 'the id it answers lost its prefix', respond: ({ id }) => [matches(`urn:uuid:${id.replace(/^uuid:/, '').toUpperCase()}`, { epr: 'a' })], urls: [URL_OK] },
    { name: 'its reply is longer than a packet', respond: ({ id }) => [matches(id, { epr: 'a', scopes: `onvif://www.onvif.org/hardware/Eye ${'onvif://www.onvif.org/location/x '.repeat(120)}` })], urls: [URL_OK] },
    { name: 'it answers the repeat only', respond: (() => { let asked = 0; return ({ id }) => ((asked += 1) > 2 ? [matches(id, { epr: 'a' })] : []); })(), urls: [URL_OK] },
    { name: 'garbage comes with it', respond: ({ id }) => ['', Buffer.from([0, 255, 128, 3]), '<a><b>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', matches(id, { epr: 'a' })], urls: [URL_OK] },
  ];
  for (const { name, respond, urls, count } of found) {
    it(name, async () => {
      const list = await listed(respond, count ?? 1);
      expect(list).toHaveLength(count ?? 1);
      if (urls !== undefined) expect(list[0]?.deviceUrls).toEqual(urls);
    });
  }

  it('maker and model come from the scopes', async () => {
    expect(await listed(({ id }) => [matches(id, { epr: 'urn:uuid:AB-1' })], 1)).toMatchObject([{ identity: 'ab-1', maker: 'ACME', model: 'Eye' }]);
  });

  it('it answers 0.43 s late', async () => {
    const port = await responder(() => []);
    const late = createSocket('udp4');
    sockets.push(late);
    let isOver = false;
    sockets[0]?.on('message', (bytes, sender) => void systemClock.sleep(430).then(() => isOver || late.send(matches(/MessageID>([^<]*)</.exec(bytes.toString())?.[1] ?? '', { epr: 'a' }), sender.port, sender.address)));
    const { answers } = await searchUntilFirst({ interfaces: ['127.0.0.1'], port });
    // The answer to the repeat comes when nobody asks any more.
    isOver = true;
    expect(answers.length).toBeGreaterThan(0);
  });
});

describe('nothing is listed for', () => {
  const nothing: { name: string; respond: Respond }[] = [
    { name: 'a reply to somebody else', respond: () => [matches('uuid:0000', { epr: 'a' })] },
    { name: 'a printer', respond: ({ id }) => [matches(id, { epr: 'a', types: 'wsdp:Device wprt:PrintDeviceType', scopes: '' })] },
    { name: 'an empty reply', respond: ({ id }) => [envelope(id, '<d:ProbeMatches/>')] },
    { name: 'a Hello instead of a reply', respond: ({ id }) => [envelope(id, match({ epr: 'a' }, 'Hello'))] },
    { name: 'a Bye instead of a reply', respond: ({ id }) => [envelope(id, match({ epr: 'a' }, 'Bye'))] },
    { name: 'a cut-off reply', respond: ({ id }) => [matches(id, { epr: 'a' }).slice(0, 300)] },
    { name: 'entity bombs', respond: ({ id }) => [`<!DOCTYPE lolz [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;&l;&l;&l;&l;">]>${matches(id, { epr: '&m;' })}`] },
    { name: 'ten thousand elements deep', respond: () => ['<a>'.repeat(10_000)] },
  ];
  for (const { name, respond } of nothing) {
    it(name, async () => {
      // A proper answer behind it shows that it was read, and that it did no harm.
      const list = await listed((probe) => [...respond(probe), matches(probe.id, { epr: 'proper' })], 1);
      expect(list.map((one) => one.identity)).toEqual(['proper']);
    });
  }
});

describe('bursts', () => {
  for (const count of [64, 256, 1000]) {
    it(`${count} answers at once: no fewer than a home has are seen`, async () => {
      const list = await listed(({ id }) => Array.from({ length: count }, (_unused, index) => matches(id, { epr: `urn:uuid:${index}`, scopes: `onvif://www.onvif.org/hardware/Eye ${'x'.repeat(1300)}` })), Math.min(count, 64));
      // The system's own limit on buffers decides how much of a thousand arrives; what a home has must be whole.
      expect(list.length).toBeGreaterThanOrEqual(Math.min(count, 64));
    });
  }
});

describe('where multicast does not help', () => {
  it('a unicast target is asked directly', async () => {
    const port = await responder(({ id }) => [matches(id, { epr: 'a' })]);
    expect((await searchUntilFirst({ targets: [{ host: '127.0.0.1', port }] })).answers.length).toBeGreaterThan(0);
  });

  it('an unknown interface is reported, the others are searched', async () => {
    const port = await responder(({ id }) => [matches(id, { epr: 'a' })]);
    const { answers, failures } = await searchUntilFirst({ interfaces: ['203.0.113.77', '127.0.0.1'], port });
    expect(failures).toEqual(['EADDRNOTAVAIL', null]);
    expect(answers.length).toBeGreaterThan(0);
  });

  it('the state names the interface that could not be searched', async () => {
    const searcher = createSearcher({ clock: systemClock, log: silentLogger, options: () => ({ interfaces: ['203.0.113.77'], timeoutMs: 50 }), configuredAs: () => null });
    const state = await searcher.search();
    await searcher.stop();
    expect(state).toMatchObject({ searching: false, found: [], interfaces: [{ address: '203.0.113.77', problem: 'Could not search on 203.0.113.77 (EADDRNOTAVAIL).' }] });
    expect(state.hint).toContain('could not be sent');
  });
});

describe('announcements', () => {
  it('a Hello is heard, garbage on the port is not, and a taken port is no error', async () => {
    const heard: string[] = [];
    const first = await listenForAnnouncements({ interfaces: ['127.0.0.1'], port: 0 }, (message) => heard.push(`${message.kind} ${message.devices[0]?.endpoint}`));
    const sender = createSocket('udp4');
    sockets.push(sender);
    await new Promise<void>((resolve) => sender.bind(0, '127.0.0.1', resolve));
    sender.setMulticastInterface('127.0.0.1');
    for (const message of ['', '<x', envelope('', match({ epr: 'urn:uuid:H' }, 'Hello')), envelope('', match({ epr: 'urn:uuid:H' }, 'Bye'))]) sender.send(message, first.port, DISCOVERY_GROUP);
    await expect.poll(() => heard).toEqual(['hello h', 'bye h']);
    const taken = createSocket('udp4');
    sockets.push(taken);
    await new Promise<void>((resolve) => taken.bind(0, '0.0.0.0', resolve));
    const second = await listenForAnnouncements({ interfaces: ['127.0.0.1'], port: (taken.address() as AddressInfo).port }, () => undefined);
    expect(second.failure).toBe('EADDRINUSE');
    await second.close();
    await first.close();
  });

  it('a camera that says Hello is on the list without a search', async () => {
    const searcher = createSearcher({ clock: systemClock, log: silentLogger, options: () => ({ interfaces: ['127.0.0.1'], port: helloPort }), configuredAs: () => null, listen: true });
    const helper = createSocket('udp4');
    sockets.push(helper);
    await new Promise<void>((resolve) => helper.bind(0, '127.0.0.1', resolve));
    const helloPort = (helper.address() as AddressInfo).port + 1;
    await searcher.start();
    helper.setMulticastInterface('127.0.0.1');
    helper.send(envelope('', match({ epr: 'urn:uuid:new' }, 'Hello')), helloPort, DISCOVERY_GROUP);
    await expect.poll(() => searcher.state().found.map((one) => one.identity)).toEqual(['new']);
    await searcher.stop();
  });
});
