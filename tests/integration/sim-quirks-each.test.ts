/** One test for each of the simulator's switches of video, network and events: what it does is seen from outside, and the recorder gets along with the harmless ones. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forceUnwrap } from '../../shared/result.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { SimCamera } from '../../tools/sim/camera.ts';
import type { QuirkName, QuirkValue } from '../../tools/sim/quirks.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';
import { Rig } from './recorder-rig.ts';
import { BareRtspClient, until } from './sim-support.ts';

const SMALL = { width: 480, height: 270, fps: 10, kbps: 250, gopFrames: 10, seconds: 6 };
let simulator: Simulator;
const camera = (): SimCamera => forceUnwrap('one was started', simulator.cameras[0]);

beforeAll(async () => {
  simulator = await startSimulator({ cameras: 1, main: SMALL, sub: null, audio: 'pcma', auth: 'none', discovery: false, controlPort: false });
}, 60_000);
afterAll(async () => {
  await simulator.stop();
});

async function withQuirk<T>(name: QuirkName, value: QuirkValue, use: () => Promise<T>): Promise<T> {
  await camera().setQuirk(name, value);
  try {
    return await use();
  } finally {
    await camera().setQuirk(name, typeof value === 'boolean' ? false : typeof value === 'number' ? 0 : '');
  }
}

async function withClient<T>(use: (client: BareRtspClient) => Promise<T>): Promise<T> {
  const client = new BareRtspClient(camera().host, camera().rtspPort);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

const describeText = (): Promise<string> => withClient((client) => client.request('DESCRIBE', camera().rtspUrl(), { Accept: 'application/sdp' }));
const channels = (client: BareRtspClient): Set<number> => new Set(client.packets.map((packet) => packet.channel));

/** H.264 NAL unit types by packet (RFC 6184): of whole ones, of fragments, of all in an aggregate. */
const nalTypes = (client: BareRtspClient): number[] =>
  client.packets.filter((packet) => packet.channel === 0).flatMap(({ data }) => {
    const type = (data[12] ?? 0) & 31;
    if (type === 28) return [(data[13] ?? 0) & 31];
    if (type !== 24) return [type];
    const inside: number[] = [];
    for (let at = 13; at + 2 < data.length; at += 2 + data.readUInt16BE(at)) inside.push((data[at + 2] ?? 0) & 31);
    return inside;
  });

describe('seen by a client that is not clever:', () => {
  it('no-audio and no-video leave their track out', async () => {
    expect(await describeText()).toMatch(/m=video[\s\S]*m=audio/);
    expect(await withQuirk('no-audio', true, describeText)).not.toContain('m=audio');
    expect(await withQuirk('no-video', true, describeText)).not.toContain('m=video');
  });

  it('no-sprop leaves the parameter sets to the stream, no-inband-parameter-sets to the SDP', async () => {
    expect(await describeText()).toContain('sprop-parameter-sets=');
    expect(await withQuirk('no-sprop', true, describeText)).not.toContain('sprop-parameter-sets=');
    const seen = (): Promise<number[]> =>
      withClient(async (client) => {
        await client.play(camera().rtspUrl());
        await until('two keyframes', () => nalTypes(client).filter((type) => type === 5).length >= 2);
        return nalTypes(client);
      });
    expect(await seen()).toContain(7);
    const bare = await withQuirk('no-inband-parameter-sets', true, seen);
    expect(bare).not.toContain(7);
    expect(bare).not.toContain(8);
  });

  it('no-rtcp and no-rtp-info leave the clock unknown', async () => {
    await withClient(async (client) => {
      expect(await client.play(camera().rtspUrl())).toContain('RTP-Info');
      await until('a sender report', () => channels(client).has(1));
    });
    await withQuirk('no-rtp-info', true, () => withClient(async (client) => expect(await client.play(camera().rtspUrl())).not.toContain('RTP-Info')));
    await withQuirk('no-rtcp', true, () =>
      withClient(async (client) => {
        await client.play(camera().rtspUrl());
        await until('forty packets', () => client.packets.length > 40);
        expect(channels(client).has(1)).toBe(false);
      }),
    );
  });

  it('stop-video lets the sound go on, freeze-picture the keyframes', async () => {
    await withClient(async (client) => {
      await client.play(camera().rtspUrl(), true);
      await until('pictures', () => channels(client).has(0));
      await withQuirk('stop-video', true, async () => {
        client.packets.length = 0;
        await until('sound', () => client.packets.filter((packet) => packet.channel === 2).length > 20);
        expect(client.packets.slice(10).some((packet) => packet.channel === 0)).toBe(false);
      });
    });
    const sinceMs = Date.now();
    await withQuirk('freeze-picture', true, () =>
      withClient(async (client) => {
        await client.play(camera().rtspUrl());
        await until('three pictures', () => camera().sendLog('main', sinceMs).length >= 3);
      }),
    );
    expect(camera().sendLog('main', sinceMs).every((entry) => entry.keyframe)).toBe(true);
  });

  it('long-gop puts keyframes farther apart, b-frames pictures out of order', async () => {
    const log = async (): Promise<ReturnType<SimCamera['sendLog']>> => {
      const sinceMs = Date.now();
      await withClient(async (client) => {
        await client.play(camera().rtspUrl());
        await until('forty pictures', () => camera().sendLog('main', sinceMs).length >= 40);
      });
      return camera().sendLog('main', sinceMs);
    };
    const long = await withQuirk('long-gop', 3, log);
    const keys = long.flatMap((entry, index) => (entry.keyframe ? [index] : []));
    expect(keys.length).toBeGreaterThanOrEqual(1);
    expect(keys.slice(1).map((at, index) => at - (keys[index] ?? 0)).every((distance) => distance === 30)).toBe(true);
    const mixed = (await withQuirk('b-frames', true, log)).map((entry) => entry.capturedMs);
    expect(mixed).not.toEqual(mixed.toSorted((a, b) => a - b));
  });

  it('describe-delay, udp-only and packet-loss', async () => {
    const startMs = performance.now();
    await withQuirk('describe-delay', 700, describeText);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(690);
    await withQuirk('udp-only', true, () => withClient(async (client) => expect(await client.play(camera().rtspUrl())).toContain('461')));
    await withQuirk('packet-loss', 100, async () => {
      const { createSocket } = await import('node:dgram');
      const socket = createSocket('udp4');
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      let heard = 0;
      socket.on('message', () => (heard += 1));
      await withClient(async (client) => {
        const setup = await client.request('SETUP', `${camera().rtspUrl()}/trackID=0`, { Transport: `RTP/AVP;unicast;client_port=${socket.address().port}-${socket.address().port + 1}` });
        const sinceMs = Date.now();
        await client.request('PLAY', camera().rtspUrl(), { Session: forceUnwrap('SETUP was answered', /Session: (\w+)/.exec(setup)?.[1]) });
        await until('pictures to be due', () => camera().sendLog('main').some((entry) => entry.sentMs > sinceMs + 1_000));
      });
      expect(heard).toBe(0);
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    });
  });
});

describe('the recorder gets along with', () => {
  const harmless: readonly (readonly [QuirkName, QuirkValue])[] = [
    ['no-audio', true], ['b-frames', true], ['long-gop', 2], ['no-rtcp', true], ['no-rtp-info', true], ['no-sprop', true], ['no-inband-parameter-sets', true],
    ['udp-only', true], ['tcp-only', true], ['describe-delay', 1_500], ['freeze-picture', true], ['silent-audio', true],
  ];

  it(`${harmless.map(([name]) => name).join(', ')}: footage from each`, async () => {
    const many = await startSimulator({ cameras: harmless.length, hosts: harmless.map((_quirk, index) => `127.0.62.${index + 2}`), main: SMALL, sub: null, audio: 'pcma', discovery: false, controlPort: false });
    const rig = await Rig.start();
    try {
      for (const [index, one] of many.cameras.entries()) await one.setQuirk(...forceUnwrap('one each', harmless[index]));
      const idOf = (index: number): CameraId => `cam-abcdefghij${String.fromCodePoint(97 + index)}a` as CameraId;
      await rig.record(...many.cameras.map((one, index) => rig.stream({ cameraId: idOf(index), url: one.rtspUrl('main'), username: one.username, password: one.password, sound: harmless[index]?.[0] === 'no-audio' ? 'none' : 'transcode' })));
      for (const [index] of many.cameras.entries()) {
        await rig.until(`footage with ${harmless[index]?.[0]}`, async () => {
          const open = await rig.ingest.openSegment({ cameraId: idOf(index), stream: 'main' });
          return open !== null && open.endMs - open.startMs >= 1_500;
        }, 45_000);
      }
      expect(many.cameras.map((one) => one.wrongLogins)).toEqual(many.cameras.map(() => 0));
    } finally {
      await rig.stop();
      await many.stop();
    }
  }, 120_000);
});

const EVENTS = 'http://www.onvif.org/ver10/events/wsdl';
const NOTIFY = 'http://docs.oasis-open.org/wsn/b-2';

interface Asked {
  readonly status: number;
  readonly text: string;
}

async function ask(url: string, namespace: string, body: string, header = ''): Promise<Asked> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/soap+xml' }, body: `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:q="${namespace}"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`, signal: AbortSignal.timeout(5_000) });
  return { status: answer.status, text: await answer.text() };
}

const create = (header = ''): Promise<Asked> => ask(camera().onvifUrl.replace('device', 'event'), EVENTS, '<q:CreatePullPointSubscription><q:InitialTerminationTime>PT60S</q:InitialTerminationTime></q:CreatePullPointSubscription>', header);
const addressIn = ({ text }: Asked): string => forceUnwrap('the answer names it', /<wsa:Address>([^<]+)/.exec(text)?.[1]);
const pull = (url: string, header = '', timeout = 'PT1S'): Promise<Asked> => ask(url, EVENTS, `<q:PullMessages><q:Timeout>${timeout}</q:Timeout><q:MessageLimit>10</q:MessageLimit></q:PullMessages>`, header);

/** What a subscriber hears of motion that comes and goes. */
async function heard(): Promise<string> {
  const url = addressIn(await create());
  await pull(url);
  camera().setMotion(true);
  const first = (await pull(url)).text;
  camera().setMotion(false);
  const second = (await pull(url)).text;
  await ask(url, NOTIFY, '<q:Unsubscribe/>');
  return `${first}\n${second}`;
}

describe('seen by a subscriber:', () => {
  it('the looks of an event', async () => {
    expect(await heard()).toMatch(/Topic[^>]*>tns1:RuleEngine\/CellMotionDetector\/Motion<[\s\S]*UtcTime="[\d:T-]+Z"[\s\S]*Name="IsMotion" Value="true"[\s\S]*Name="IsMotion" Value="false"/);
    expect(await withQuirk('event-time-offset', true, heard)).toMatch(/UtcTime="[\d:T-]+\+00:00"/);
    expect(await withQuirk('event-time-bare', true, heard)).toMatch(/UtcTime="[\d:T-]+"/);
    expect(await withQuirk('event-value', '1', heard)).toMatch(/Value="1"[\s\S]*Value="0"/);
    expect(await withQuirk('event-value', 'True', heard)).toMatch(/Value="True"[\s\S]*Value="False"/);
    expect(await withQuirk('event-topic', 'tns1:VideoSource/MotionAlarm', heard)).toMatch(/>tns1:VideoSource\/MotionAlarm<[\s\S]*Name="State" Value="true"/);
    expect(await withQuirk('event-extra-items', true, heard)).toMatch(/Name="Channel"[\s\S]*Name="Score"/);
    expect(await withQuirk('event-no-false', true, heard)).not.toContain('Value="false"');
  });

  it('subscriptions that cannot be had', async () => {
    const services = (): Promise<Asked> => ask(camera().onvifUrl, 'http://www.onvif.org/ver10/device/wsdl', '<q:GetServices/>');
    expect((await services()).text).toContain('/onvif/event_service');
    expect((await withQuirk('no-events', true, services)).text).not.toContain('/onvif/event_service');
    expect((await withQuirk('create-refused', true, create)).text).toContain('Too many subscriptions');
    await withQuirk('pull-forgets', true, async () => expect((await pull(addressIn(await create()))).text).toContain('ResourceUnknown'));
    await withQuirk('subscription-dead-port', true, async () => expect(new URL(addressIn(await create())).port).toBe('9'));
    await withQuirk('addressing-required', true, async () => {
      expect((await create()).status).toBe(400);
      const header = ['Action', 'MessageID', 'To', 'ReplyTo'].map((name) => `<a:${name} xmlns:a="http://www.w3.org/2005/08/addressing">x</a:${name}>`).join('');
      expect((await create(header)).status).toBe(200);
    });
  });

  it('subscriptions at odd places', async () => {
    await withQuirk('subscription-other-port', true, async () => {
      const url = addressIn(await create());
      expect(new URL(url).port).not.toBe(new URL(camera().onvifUrl).port);
      expect((await pull(url)).text).toContain('Initialized');
    });
    await withQuirk('subscription-odd-path', true, async () => {
      const url = addressIn(await create());
      expect(url).toContain('%17');
      expect((await pull(url)).text).toContain('Initialized');
    });
    await withQuirk('subscription-id', true, async () => {
      const created = await create();
      const id = forceUnwrap('it is named', /<SubscriptionId[^>]*>([^<]+)/.exec(created.text)?.[0]);
      expect((await pull(addressIn(created))).text).toContain('ResourceUnknown');
      expect((await pull(addressIn(created), `${id}</SubscriptionId>`)).text).toContain('Initialized');
    });
  });

  it('pulls that go wrong', async () => {
    const url = addressIn(await create());
    await pull(url);
    const timed = async (): Promise<number> => {
      const startMs = performance.now();
      await pull(url, '', 'PT2S');
      return performance.now() - startMs;
    };
    expect(await timed()).toBeGreaterThan(1_900);
    expect(await withQuirk('pull-at-once', true, timed)).toBeLessThan(1_900);
    expect(await withQuirk('pull-html-error', true, () => pull(url))).toMatchObject({ status: 500, text: expect.stringContaining('<html>') as string });
    await withQuirk('pull-drop', 200, () => expect(pull(url)).rejects.toThrow('fetch failed'));
    const renew = (): Promise<Asked> => ask(url, NOTIFY, '<q:Renew><q:TerminationTime>PT60S</q:TerminationTime></q:Renew>');
    expect((await renew()).status).toBe(200);
    expect((await withQuirk('renew-unsupported', true, renew)).text).toContain('ActionNotSupported');
  });

  it('hang: an operation that never answers', async () => {
    await withQuirk('hang', 'GetHostname', async () => {
      const device = 'http://www.onvif.org/ver10/device/wsdl';
      expect((await ask(camera().onvifUrl, device, '<q:GetScopes/>')).status).toBe(200);
      await expect(fetch(camera().onvifUrl, { method: 'POST', body: `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetHostname xmlns="${device}"/></s:Body></s:Envelope>`, signal: AbortSignal.timeout(500) })).rejects.toThrow(/timeout/i);
    });
  });
});

it('digest-stale: a nonce is too old once, then good', async () => {
  await camera().setQuirk('rtsp-auth', 'digest');
  await withQuirk('digest-stale', true, () =>
    withClient(async (client) => {
      const first = await client.request('DESCRIBE', camera().rtspUrl());
      const nonce = /nonce="([^"]+)"/.exec(first)?.[1] ?? '';
      const { createHash } = await import('node:crypto');
      const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
      const response = md5(`${md5(`${camera().username}:Lanternworks RTSP:${camera().password}`)}:${nonce}:${md5(`DESCRIBE:${camera().rtspUrl()}`)}`);
      const again = await client.request('DESCRIBE', camera().rtspUrl(), { Authorization: `Digest username="${camera().username}", realm="Lanternworks RTSP", nonce="${nonce}", uri="${camera().rtspUrl()}", response="${response}"` });
      expect(again).toMatch(/401[\s\S]*stale="?true/i);
    }),
  );
  await camera().setQuirk('rtsp-auth', '');
});
