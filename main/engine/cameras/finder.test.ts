import { describe, expect, it } from 'vitest';
import type { Camera } from '../../../shared/model/camera.ts';
import type { FoundCamera } from '../../../shared/model/discovery.ts';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { systemClock, type Clock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { createClockWatch } from './clock-watch.ts';
import { candidateAddresses, createFinder, sendingSince } from './finder.ts';
import { createCameraNetwork } from './network.ts';
import { chooseIdentity, isSameCamera, serialIdentity } from './identity.ts';

const device = { maker: 'ACME', model: 'Eye', firmware: '1', serial: 'SN12345' };
const camera = (number: number, identity: string | null, deviceUrl: string): Camera => ({ id: cameraIdFrom(new Uint8Array(12).fill(number)), name: '', device, origin: 'onvif', identity, deviceUrl, username: null, streams: [], recorded: ['main'], recordSound: true, paused: null, addedMs: 0 });
const found = (identity: string, url: string, model = 'Eye'): FoundCamera => ({ key: url, identity, deviceUrls: [url], host: new URL(url).hostname, maker: '', model, cameraId: null });
const urls = (missing: Camera, list: readonly FoundCamera[], configured: readonly Camera[] = [missing]): string[] => candidateAddresses(missing, list, configured).map((one) => one.url.href);

describe('where a missing camera may be', () => {
  it('is where its endpoint answers, but not where it was', () => {
    const missing = camera(1, 'abc', 'http://10.0.0.1/o');
    expect(urls(missing, [found('abc', 'http://10.0.0.1/o'), found('abc', 'http://10.0.0.9/o'), found('other', 'http://10.0.0.8/o')])).toEqual(['http://10.0.0.9/o']);
  });
  it('for one known by its serial, where unknown devices of its model answer', () => {
    const missing = camera(1, 'serial:acme/eye/sn12345', 'http://10.0.0.1/o');
    const other = camera(2, 'x', 'http://10.0.0.7/o');
    expect(urls(missing, [found('a', 'http://10.0.0.9/o'), found('b', 'http://10.0.0.8/o', 'Printer'), found('c', 'http://10.0.0.7/o')], [missing, other])).toEqual(['http://10.0.0.9/o']);
  });
});

describe('a serial', () => {
  it('that firmware has in place of a number is none', () => {
    const serials = ['', '0', '000000000', '1234', '123456', '0123456789', '1234567890', '123456789abcdef', 'xxxxxx', 'Unknown', 'Serial Number'];
    expect(serials.filter((serial) => serialIdentity({ ...device, serial }) !== null)).toEqual([]);
    for (const serial of ['1234567891', '12345678901234567890', 'g3d2211f']) expect(serialIdentity({ ...device, serial }), serial).not.toBeNull();
  });
  it('that several cameras have finds none of them', () => {
    const missing = camera(1, 'serial:acme/eye/sn12345', 'http://10.0.0.1/o');
    expect(urls(missing, [found('a', 'http://10.0.0.9/o')], [missing, camera(2, 'serial:acme/eye/sn12345', 'http://10.0.0.7/o')])).toEqual([]);
  });
});

describe('looking again', () => {
  it('is for offline cameras only, soon at first and rarer as time goes by, and ends at once when asked to', async () => {
    let nowMs = 0;
    let offline = false;
    const stopping = new AbortController();
    const looked: number[] = [];
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => nowMs,
      sleep: (durationMs) => {
        nowMs += durationMs;
        offline = nowMs >= 60_000;
        if (nowMs > 3_600_000) stopping.abort();
        return Promise.resolve();
      },
    };
    const finder = createFinder({
      network: createCameraNetwork(clock, silentLogger),
      search: () => Promise.resolve((looked.push(nowMs), [])),
      // Nothing listens there, so that asking where it was is over at once.
      cameras: () => [camera(1, 'abc', 'http://127.0.0.1:9/o')],
      isOffline: () => offline,
      login: () => Promise.resolve(null),
      relocate: () => Promise.resolve(),
    });
    await finder.run(stopping.signal);
    expect(looked[0]).toBe(60_000);
    expect(looked.filter((atMs) => atMs < 180_000).length).toBeGreaterThanOrEqual(3);
    expect(looked.length).toBeLessThan(20);
  });
});

describe('a camera that goes missing', () => {
  it('is looked for at once, also while another one has been gone for hours', async () => {
    let nowMs = 0;
    const stopping = new AbortController();
    const looked: number[] = [];
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => nowMs,
      sleep: (durationMs) => {
        nowMs += durationMs;
        if (nowMs > 7_300_000) stopping.abort();
        return Promise.resolve();
      },
    };
    const [first, second] = [camera(1, 'abc', 'http://127.0.0.1:9/o'), camera(2, 'def', 'http://127.0.0.1:9/p')];
    const finder = createFinder({
      network: createCameraNetwork(clock, silentLogger),
      search: () => Promise.resolve((looked.push(nowMs), [])),
      cameras: () => [first, second],
      isOffline: (id) => id === first.id || nowMs >= 7_210_000,
      login: () => Promise.resolve(null),
      relocate: () => Promise.resolve(),
    });
    await finder.run(stopping.signal);
    expect(looked).toContain(7_210_000);
  });
});

describe('what another camera may have sent', () => {
  it('begins where the camera fell silent, a few seconds before it was noticed at most', () => {
    expect(sendingSince(null, 97_000, 100_000)).toBe(97_000);
    expect(sendingSince(null, 20_000, 100_000)).toBe(90_000);
  });
  it('begins with the first of two beginnings that nobody answered for, and not with one long ago', () => {
    expect(sendingSince(92_000, 97_000, 100_000)).toBe(92_000);
    expect(sendingSince(60_000, 97_000, 100_000)).toBe(97_000);
  });
});

describe('the same camera', () => {
  const told = (endpoint: string | null, serial: string): Parameters<typeof isSameCamera>[1] => ({ endpoint, device: { ...device, serial } });
  it('is told by serial first, endpoint else', () => {
    expect(isSameCamera({ identity: 'abc', device }, told('abc', 'SN12345'))).toBe(true);
    expect(isSameCamera({ identity: 'abc', device }, told('abc', 'SN99999'))).toBe(false);
    expect(isSameCamera({ identity: 'urn:uuid:ABC', device: { ...device, serial: '' } }, told('abc', 'SN12345'))).toBe(true);
    expect(isSameCamera({ identity: null, device: { ...device, serial: '0000' } }, told(null, '0000'))).toBe(false);
  });
  it('is remembered by endpoint, else by a serial worth the name', () => {
    expect(chooseIdentity('e', 'f', device)).toBe('e');
    expect(chooseIdentity(null, 'f', device)).toBe('f');
    expect(chooseIdentity(null, '', device)).toBe('serial:acme/eye/sn12345');
    expect(serialIdentity({ ...device, serial: '000000' })).toBeNull();
  });
});

describe('the clocks of cameras', () => {
  it('are read hourly, at once after a refresh, and not of paused cameras', async () => {
    let nowMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => nowMs };
    const asked: string[] = [];
    const cameras = [camera(1, 'a', 'http://10.0.0.1/o'), { ...camera(2, 'b', 'http://10.0.0.2/o'), paused: { sinceMs: 0, untilMs: null } }];
    const told: (number | null)[] = [];
    const watch = createClockWatch({ clock, log: silentLogger, cameras: () => cameras, readOffset: (one) => Promise.resolve(asked.push(one.id)), onOffset: (_id, offsetMs) => told.push(offsetMs) });
    await watch.runOnce();
    nowMs = 3_599_000;
    await watch.runOnce();
    expect(told).toEqual([1]);
    nowMs = 3_600_000;
    await watch.runOnce();
    watch.refresh(cameras[0]?.id);
    await watch.runOnce();
    expect(told).toEqual([1, 2, 3]);
    expect(new Set(asked).size).toBe(1);
  });
});
