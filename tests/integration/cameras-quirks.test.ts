/** Every discovery and SOAP switch of the simulator: what must still work does, and what cannot ends in one plain error. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../main/engine/core/clock.ts';
import { silentLogger } from '../../main/engine/core/logger.ts';
import { createCameraNetwork } from '../../main/engine/cameras/network.ts';
import { createProber } from '../../main/engine/cameras/prober.ts';
import { createSearcher } from '../../main/engine/discovery/searcher.ts';
import { PorchlightError } from '../../shared/errors.ts';
import type { FoundCamera, ProbedCamera } from '../../shared/model/discovery.ts';
import { forceUnwrap } from '../../shared/result.ts';
import { QUIRKS, type QuirkName, type QuirkValue } from '../../tools/sim/quirks.ts';
import { startSimulator, type Simulator } from '../../tools/sim/simulator.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ cameras: 1, main: { seconds: 2, gopFrames: 10 } });
}, 120_000);
afterAll(async () => {
  await simulator.stop();
});

const camera = (): Simulator['cameras'][number] => forceUnwrap('the simulator has one camera', simulator.cameras[0]);
const login = (): { username: string; password: string } => ({ username: camera().username, password: camera().password });

async function withQuirk<T>(name: QuirkName, value: QuirkValue, use: () => Promise<T>): Promise<T> {
  await camera().setQuirk(name, value);
  try {
    return await use();
  } finally {
    await camera().setQuirk(name, QUIRKS[name].value === 'flag' ? false : QUIRKS[name].value === 'number' ? 0 : '');
  }
}

/** Searches until `until` is satisfied, three times at most; what can never be found is searched for once. */
async function search(until: (found: readonly FoundCamera[]) => boolean, times: number): Promise<readonly FoundCamera[]> {
  const searcher = createSearcher({ clock: systemClock, log: silentLogger, options: () => ({ interfaces: ['127.0.0.1'], port: simulator.discoveryPort, timeoutMs: 400 }), configuredAs: () => null });
  let found: readonly FoundCamera[] = [];
  for (let time = 0; time < times && !until(found); time += 1) ({ found } = await searcher.search());
  await searcher.stop();
  return found;
}

async function probe(): Promise<ProbedCamera> {
  const prober = createProber({ network: createCameraNetwork(systemClock, silentLogger), grabFrame: () => Promise.resolve(new Uint8Array()) });
  return (await prober.probe({ kind: 'address', address: camera().onvifUrl }, login())).probed;
}

const names = (group: string, value: string): QuirkName[] => (Object.keys(QUIRKS) as QuirkName[]).filter((name) => QUIRKS[name].group === group && QUIRKS[name].value === value);

const ownOf = (found: readonly FoundCamera[]): readonly FoundCamera[] => found.filter((one) => one.identity === camera().uuid.toLowerCase().replace(/^urn:uuid:/, '') || one.host === camera().host);

/** These leave nothing that could be believed. */
const NOT_FOUND: readonly string[] = ['truncated-reply', 'hello-instead', 'printer-types', 'wrong-relates-to', 'empty-matches', 'silent'];

describe('discovery with', () => {
  for (const name of [...names('discovery', 'flag'), ...names('discovery', 'number')]) {
    it(name, async () => {
      const found = await withQuirk(name, QUIRKS[name].value === 'flag' ? true : name === 'reply-burst' ? 60 : 3, () => search((list) => ownOf(list).length > 0, NOT_FOUND.includes(name) ? 1 : 5));
      expect(ownOf(found).length > 0).toBe(!NOT_FOUND.includes(name));
      if (name === 'many-matches') expect(found.length).toBeGreaterThanOrEqual(3);
    });
  }
});

describe('a probe works with', () => {
  const flags = names('soap', 'flag').filter((name) => name !== 'single-service').map((name) => [name, true] as const);
  const harmless = (['empty-answer', 'html-answer', 'html-error', 'truncated-xml', 'empty-body', 'not-supported', 'redirect', 'huge-answer'] as const).flatMap((name) => ['GetDeviceInformation', 'GetScopes', 'GetHostname', 'GetEndpointReference', 'GetServices'].map((operation) => [name, operation] as const));
  for (const [name, value] of [...flags, ...harmless, ['undefined-entity', '*'] as const]) {
    it(`${name} ${value === true ? '' : value}`, async () => {
      const probed = await withQuirk(name, value, probe);
      expect(probed.streams.map((stream) => stream.kind)).toEqual(['main', 'sub']);
      expect(probed.streams.every((stream) => new URL(stream.url).hostname === camera().host)).toBe(true);
      if (name === 'numeric-tokens') expect(probed.device.firmware).toBe('5.10');
    });
  }
});

describe('a login works with', () => {
  const ways: readonly (readonly [QuirkName, QuirkValue][])[] = [
    ...(['attempts-left', 'digest-qop-space', 'digest-lower-case', 'digest-odd-parameters', 'auth-for-services', 'auth-for-time'] as const).map((name) => [[name, true] as [QuirkName, QuirkValue]]),
    [['onvif-auth', 'wsse'], ['created-window', 5], ['clock-skew', 90_000]],
    [['onvif-auth', 'wsse'], ['created-window', 5], ['local-as-utc', 120]],
    [['onvif-auth', 'wsse'], ['created-window', 5], ['no-date-time', true]],
    [['onvif-auth', 'wsse'], ['replay-protection', true]],
    [['onvif-auth', 'wsse'], ['auth-for-time', true]],
    [['onvif-auth', 'none'], ['must-understand', true]],
    [['onvif-auth', 'basic'], ['rtsp-auth', 'basic']],
    [['rtsp-auth', 'both']],
  ];
  for (const quirks of ways) {
    it(quirks.map(([name, value]) => `${name} ${value === true ? '' : value}`).join(', '), async () => {
      // Two wrong logins in a row and the camera would lock us out.
      const probed = await [...quirks, ['lockout', 3] as [QuirkName, QuirkValue]].reduceRight<() => Promise<ProbedCamera>>((use, [name, value]) => () => withQuirk(name, value, use), probe)();
      expect(probed.streams.map((stream) => stream.kind)).toEqual(['main', 'sub']);
    });
  }
});

describe('a probe ends in one plain error with', () => {
  it('connection-limit', async () => {
    await expect(withQuirk('connection-limit', true, probe)).rejects.toMatchObject({ kind: 'wrong-password' });
  });

  it('rtsp-auth sha256: ffmpeg does not know it', async () => {
    await expect(withQuirk('rtsp-auth', 'sha256', probe)).rejects.toThrow(/Set the RTSP authentication to digest with MD5/);
  });

  it('single-service: a device that names no media service anywhere', async () => {
    await expect(withQuirk('single-service', true, probe)).rejects.toMatchObject({ kind: 'no-video' });
  });

  for (const name of ['empty-answer', 'html-answer', 'html-error', 'truncated-xml', 'empty-body', 'not-supported', 'redirect', 'huge-answer'] as const) {
    for (const operation of ['GetProfiles', 'GetStreamUri', '*']) {
      it(`${name} of ${operation}`, async () => {
        const error: unknown = await withQuirk(name, operation, () => probe().then(() => null, (failure: unknown) => failure));
        expect(error).toBeInstanceOf(PorchlightError);
        expect(error).toMatchObject({ kind: 'bad-answer' });
      });
    }
  }
});
