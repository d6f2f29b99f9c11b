/** The supervisor against engines that answer, fall silent, crash and refuse; time is moved by hand. */
import { describe, expect, it } from 'vitest';
import type { EngineInit, EngineMessage, HostMessage } from '../../shared/contract/engine-process.ts';
import type { Clock } from '../engine/core/clock.ts';
import { systemClock } from '../engine/core/clock.ts';
import { silentLogger } from '../engine/core/logger.ts';
import { defaultDataDir, defaultMediaDir } from './default-folders.ts';
import { EngineHost, type EngineState } from './engine-host.ts';
import type { EngineExit, EngineProcess, EngineStarter } from './engine-starter.ts';
import { decideRestart, ENDS_WINDOW_MS, MAX_ENDS } from './restart-policy.ts';

const INIT: EngineInit = {
  version: '1', mode: 'serve', demo: false, dataDir: '/d', mediaDir: '/m', binDir: null, secrets: 'file', cameras: [],
  serve: { address: '127.0.0.1', port: 0, pageDir: '/p', password: null },
};

/** One life of an engine, played by the test. */
class FakeEngine implements EngineProcess {
  readonly pid = 1;
  readonly heard: HostMessage[] = [];
  readonly ports: unknown[] = [];
  killed = false;
  #message: (message: EngineMessage) => void = () => undefined;
  readonly #exits: ((exit: EngineExit) => void)[] = [];

  post(message: HostMessage, ports: readonly unknown[] = []): void {
    this.heard.push(message);
    this.ports.push(...ports);
  }
  onMessage(listener: (message: EngineMessage) => void): void {
    this.#message = listener;
  }
  onExit(listener: (exit: EngineExit) => void): void {
    this.#exits.push(listener);
  }
  kill(): void {
    this.killed = true;
    this.exit(null);
  }
  say(message: EngineMessage): void {
    this.#message(message);
  }
  exit(code: number | null): void {
    for (const listener of this.#exits) listener({ code });
  }
}

function setUp() {
  const lives: FakeEngine[] = [];
  const starter: EngineStarter = {
    start: () => {
      const life = new FakeEngine();
      lives.push(life);
      return life;
    },
  };
  const time = { nowMs: 0 };
  const beats = new Set<() => void>();
  const waits: { readonly atMs: number; readonly action: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => time.nowMs,
    every: (_period, tick) => {
      beats.add(tick);
      return () => beats.delete(tick);
    },
    after: (durationMs, action) => {
      const wait = { atMs: time.nowMs + durationMs, action };
      waits.push(wait);
      return () => void waits.splice(waits.indexOf(wait) >>> 0, 1);
    },
  };
  const host = new EngineHost({ starter, init: INIT, clock, log: silentLogger, secrets: null });
  const states: EngineState['kind'][] = [];
  host.onState((state) => states.push(state.kind));
  const move = (ms: number): void => {
    time.nowMs += ms;
    for (const wait of waits.filter((one) => one.atMs <= time.nowMs)) {
      waits.splice(waits.indexOf(wait), 1);
      wait.action();
    }
  };
  const beat = (): void => beats.forEach((tick) => tick());
  const life = (index: number): FakeEngine => {
    const found = lives[index];
    if (found === undefined) throw new Error(`there is no life ${index}`);
    return found;
  };
  const ready = (index: number): void => {
    life(index).say({ type: 'booted' });
    life(index).say({ type: 'ready', serving: { url: 'http://x', port: 4711, fingerprint: null } });
  };
  return { host, lives, life, states, move, beat, ready, beats };
}

describe('the supervisor', () => {
  it('starts once, initialises and hands early ports over when it is ready', async () => {
    const { host, lives, life, ready } = setUp();
    const first = host.start();
    const second = host.start();
    host.connect('a port');
    expect(life(0).ports).toEqual([]);
    ready(0);
    expect((await first)?.port).toBe(4711);
    await second;
    expect(lives).toHaveLength(1);
    expect(life(0).heard[0]).toEqual({ type: 'init', init: INIT });
    expect(life(0).ports).toEqual(['a port']);
  });

  it('starts a crashed engine again at once, on the port that browsers know', async () => {
    const { host, life, ready, move, states } = setUp();
    const started = host.start();
    ready(0);
    await started;
    life(0).exit(null);
    move(0);
    ready(1);
    expect(life(1).heard[0]).toMatchObject({ type: 'init', init: { serve: { port: 4711 } } });
    expect(states).toEqual(['starting', 'ready', 'restarting', 'starting', 'ready']);
  });

  it('gives up after too many ends, and says so', async () => {
    const { host, lives, life, move, states } = setUp();
    const started = host.start();
    for (let end = 0; end <= MAX_ENDS; end += 1) {
      life(end).exit(1);
      move(30_000);
    }
    await expect(started).rejects.toMatchObject({ kind: 'internal' });
    expect(lives).toHaveLength(MAX_ENDS + 1);
    expect(states.at(-1)).toBe('failed');
  });

  it('does not start an engine again that refused', async () => {
    const { host, life, lives, move } = setUp();
    const started = host.start();
    life(0).say({ type: 'booted' });
    life(0).say({ type: 'refused', error: { kind: 'data-in-use', sentence: 'Already running.' } });
    life(0).exit(2);
    move(60_000);
    await expect(started).rejects.toMatchObject({ kind: 'data-in-use', message: 'Already running.' });
    expect(lives).toHaveLength(1);
    expect(host.state.kind).toBe('failed');
  });

  it('notices silence, ends a dead engine, and is not fooled by one answer', async () => {
    const { host, life, ready, beat, states, move } = setUp();
    const started = host.start();
    ready(0);
    await started;
    for (let count = 0; count < 4; count += 1) beat();
    expect(host.state.kind).toBe('unresponsive');
    life(0).say({ type: 'pong', id: 1 });
    expect(host.state).toMatchObject({ kind: 'ready', serving: { port: 4711 } });
    for (let count = 0; count < 11; count += 1) beat();
    expect(life(0).killed).toBe(true);
    move(0);
    expect(states.slice(-2)).toEqual(['restarting', 'starting']);
  });

  it('stops in order: asks, waits for the exit, ends what does not go, and never restarts it', async () => {
    const { host, lives, life, ready, move, beats } = setUp();
    const started = host.start();
    ready(0);
    await started;
    const stopped = host.stop('computer');
    expect(life(0).heard.at(-1)).toEqual({ type: 'stop', reason: 'computer' });
    expect(beats.size).toBe(0);
    move(20_000);
    expect(life(0).killed).toBe(true);
    await stopped;
    move(60_000);
    expect(lives).toHaveLength(1);
    expect(host.state.kind).toBe('stopped');
  });
});

describe('the restart policy', () => {
  it('grows its waits, forgets old ends, and gives up only on many at once', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((count) => decideRestart(Array.from({ length: count }, () => 1_000), 1_000));
    expect(waits.map((decision) => (decision.kind === 'restart' ? decision.waitMs : -1))).toEqual([0, 250, 1_000, 3_000, 10_000, 30_000, 30_000, 30_000]);
    expect(decideRestart(Array.from({ length: MAX_ENDS + 1 }, () => 1_000), 1_000)).toEqual({ kind: 'give-up' });
    expect(decideRestart([...Array.from({ length: MAX_ENDS }, () => 0), ENDS_WINDOW_MS + 1], ENDS_WINDOW_MS + 1)).toEqual({ kind: 'restart', waitMs: 0 });
  });
});

describe('default folders', () => {
  it('follow each system and keep footage of a chosen folder with it', () => {
    const on = (platform: NodeJS.Platform, env: Record<string, string> = {}) => ({ platform, home: '/home/ann', env });
    expect(defaultDataDir(on('linux'))).toBe('/home/ann/.local/share/porchlight');
    expect(defaultDataDir(on('linux', { XDG_DATA_HOME: '/x' }))).toBe('/x/porchlight');
    expect(defaultDataDir(on('linux', { XDG_DATA_HOME: 'relative' }))).toBe('/home/ann/.local/share/porchlight');
    expect(defaultDataDir(on('darwin'))).toBe('/home/ann/Library/Application Support/Porchlight');
    expect(defaultMediaDir(on('darwin'), null)).toBe('/home/ann/Movies/Porchlight');
    expect(defaultMediaDir(on('linux'), '/data')).toBe('/data/media');
  });
});
