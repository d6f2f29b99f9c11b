/** The whole conversation of supervisor and engine in one process: init, a window's port, settings, an ordered end. */
import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { DEFAULT_SETTINGS, type Settings } from '../../shared/model/settings.ts';
import type { EngineInit } from '../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../shared/errors.ts';
import { systemClock } from '../engine/core/clock.ts';
import { silentLogger } from '../engine/core/logger.ts';
import { runEngineSession, type StartEngine } from '../engine/process/engine-session.ts';
import { EngineHost } from './engine-host.ts';
import { inProcessStarter } from './in-process-starter.ts';

const INIT: EngineInit = { version: '1', mode: 'app', demo: false, dataDir: '/d', mediaDir: '/m', binDir: null, secrets: 'shell', serve: null, cameras: [] };

function hostOf(start: StartEngine): EngineHost {
  const starter = inProcessStarter((link, exit) => void runEngineSession(link, start, exit));
  return new EngineHost({ starter, init: INIT, clock: systemClock, log: silentLogger, secrets: null });
}

it('hands ports over, tells settings, and stops the engine before it is stopped itself', async () => {
  const seen: string[] = [];
  let tell: (settings: Settings) => void = () => undefined;
  const host = hostOf(async (init) => ({
    serving: null,
    attachPort: (port) => seen.push(`port ${(port as { kind?: string }).constructor.name}`),
    power: (change) => seen.push(change),
    settings: () => DEFAULT_SETTINGS,
    onSettings: (listener) => (tell = listener),
    stop: async (reason) => void seen.push(`stopped by ${reason} in ${init.dataDir}`),
  }));
  const heard: Settings[] = [];
  host.onSettings((settings) => heard.push(settings));
  expect(await host.start()).toBeNull();
  const { port1, port2 } = new MessageChannel();
  host.connect(port1);
  host.power('resume');
  tell({ ...DEFAULT_SETTINGS, keepAwake: false });
  await host.stop('computer');
  port1.close();
  port2.close();
  expect(seen).toEqual(['port MessagePort', 'resume', 'stopped by computer in /d']);
  expect(heard.map((settings) => settings.keepAwake)).toEqual([true, false]);
});

it('waits for a start under way before it stops what was started', async () => {
  let finish: () => void = () => undefined;
  let stopped = false;
  const host = hostOf(async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return { serving: null, attachPort: () => undefined, power: () => undefined, settings: () => DEFAULT_SETTINGS, onSettings: () => undefined, stop: async () => void (stopped = true) };
  });
  const started = host.start();
  await new Promise((resolve) => setImmediate(resolve));
  const end = host.stop();
  finish();
  await end;
  await expect(started).rejects.toMatchObject({ kind: 'cancelled' });
  expect(stopped).toBe(true);
});

it('passes a refusal on as its sentence', async () => {
  const host = hostOf(() => Promise.reject(new PorchlightError('data-in-use', 'Already running.')));
  await expect(host.start()).rejects.toMatchObject({ kind: 'data-in-use', message: 'Already running.' });
});
