import { expect, it } from 'vitest';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Camera } from '../../../shared/model/camera.ts';
import { cameraIdFrom } from '../../../shared/model/ids.ts';
import { HOUR_MS } from '../../../shared/time.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { createClockWatch } from './clock-watch.ts';

const cameraId = cameraIdFrom(new Uint8Array(12));
const camera: Camera = {
  id: cameraId, name: 'Porch', device: { maker: '', model: '', firmware: '', serial: '' }, origin: 'onvif', identity: null, deviceUrl: 'http://192.168.1.23/onvif/device_service',
  username: null, streams: [], recorded: ['main'], recordSound: true, paused: null, addedMs: 0,
};

it('asks a camera each hour, and sooner when it is refused or back', async () => {
  let nowMs = Date.UTC(2026, 10, 21);
  let asked = 0;
  const offsets: (number | null)[] = [];
  const watch = createClockWatch({
    clock: { ...systemClock, nowMs: () => nowMs },
    log: silentLogger,
    cameras: () => [camera],
    readOffset: () => (++asked === 2 ? Promise.reject(new PorchlightError('unreachable', 'gone')) : Promise.resolve(asked)),
    onOffset: (_, offsetMs) => void offsets.push(offsetMs),
  });
  const times = async (): Promise<number> => {
    await watch.runOnce();
    return asked;
  };
  expect(await times()).toBe(1);
  expect(await times()).toBe(1);
  nowMs += HOUR_MS;
  expect(await times()).toBe(2);
  for (const state of ['connecting', 'live', 'live', 'offline', 'connecting'] as const) watch.heard(cameraId, state);
  expect(await times()).toBe(2);
  for (const state of ['offline', 'live'] as const) watch.heard(cameraId, state);
  expect(await times()).toBe(3);
  watch.heard(cameraId, 'refused');
  expect(await times()).toBe(4);
  watch.heard(cameraId, 'refused');
  expect(await times()).toBe(4);
  watch.refresh();
  expect(await times()).toBe(5);
  expect(offsets).toEqual([1, 3, 4, 5]);
});
