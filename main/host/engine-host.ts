/**
 * Supervises the engine's process: starts it, listens to its heart, starts it again when it ends, and knows a quit from
 * a crash. No Electron here (docs/design/processes.md).
 */
import type { EngineInit, EngineMessage, SecretRequest, ServingInfo } from '../../shared/contract/engine-process.ts';
import type { Clock } from '../engine/core/clock.ts';
import { Emitter } from '../engine/core/emitter.ts';
import type { Logger } from '../engine/core/logger.ts';
import { fromWire, PorchlightError } from '../../shared/errors.ts';
import type { Settings } from '../../shared/model/settings.ts';
import type { DurationMs } from '../../shared/time.ts';
import type { EngineProcess, EngineStarter, HandedPort } from './engine-starter.ts';
import { decideRestart, recentEnds } from './restart-policy.ts';

export type EngineState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready'; readonly serving: ServingInfo | null }
  | { readonly kind: 'unresponsive' }
  | { readonly kind: 'restarting'; readonly waitMs: DurationMs }
  /** It will not be started again by itself. */
  | { readonly kind: 'failed'; readonly error: PorchlightError }
  | { readonly kind: 'stopped' };

export interface EngineHostParts {
  readonly starter: EngineStarter;
  readonly init: EngineInit;
  readonly clock: Clock;
  readonly log: Logger;
  /** Seals and opens secrets for the engine; null when it keeps them itself. */
  readonly secrets: ((request: SecretRequest) => Promise<string>) | null;
  readonly heartbeat?: Heartbeat;
}

export interface Heartbeat {
  readonly periodMs: DurationMs;
  /** Beats without an answer until it counts as unresponsive. Beats are counted, not time: a computer's sleep is no silence. */
  readonly unresponsiveBeats: number;
  /** Beats without an answer until it is ended and started again. */
  readonly deadBeats: number;
}

const HEARTBEAT: Heartbeat = { periodMs: 2_000, unresponsiveBeats: 3, deadBeats: 10 };

/** Longest ordered stop: every ffmpeg asked, every file synced, the index closed. */
const STOP_LIMIT_MS = 20_000;

export class EngineHost {
  readonly #parts: EngineHostParts;
  readonly #states = new Emitter<EngineState>();
  readonly #settings = new Emitter<Settings>();
  #state: EngineState = { kind: 'stopped' };
  #process: EngineProcess | null = null;
  #quitting = false;
  #endsMs: readonly DurationMs[] = [];
  #waitingPorts: HandedPort[] = [];
  #stopBeat: () => void = () => undefined;
  #serving: ServingInfo | null = null;
  /** As given, but with the port that was found free: browsers come back to it after a restart. */
  #init: EngineInit;
  #unanswered = 0;
  #cancelRestart: () => void = () => undefined;

  constructor(parts: EngineHostParts) {
    this.#parts = parts;
    this.#init = parts.init;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** The living process's id, for tools and tests. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  onState(listener: (state: EngineState) => void): () => void {
    return this.#states.on(listener);
  }

  onSettings(listener: (settings: Settings) => void): () => void {
    return this.#settings.on(listener);
  }

  /** Starts the engine unless it runs. Resolves when it is ready; rejects when it refuses or is given up. */
  async start(): Promise<ServingInfo | null> {
    if (this.#process === null && this.#state.kind !== 'restarting') {
      this.#quitting = false;
      this.#endsMs = [];
      this.#launch();
    }
    return await new Promise((resolve, reject) => {
      const settle = (state: EngineState): boolean => {
        if (state.kind === 'ready') resolve(state.serving);
        else if (state.kind === 'failed') reject(state.error);
        else if (state.kind === 'stopped') reject(new PorchlightError('cancelled', 'Porchlight was closed while it started.'));
        else return false;
        return true;
      };
      if (settle(this.#state)) return;
      const off = this.onState((state) => {
        if (settle(state)) off();
      });
    });
  }

  /** Hands a window's port to the engine, now or as soon as it is ready. */
  connect(port: HandedPort): void {
    if (this.#state.kind === 'ready' || this.#state.kind === 'unresponsive') this.#process?.post({ type: 'channel' }, [port]);
    else this.#waitingPorts.push(port);
  }

  /** Tells the engine that the computer goes to sleep or woke up. */
  power(change: 'suspend' | 'resume'): void {
    this.#process?.post({ type: 'power', change });
  }

  /** Asks the engine to end in order, waits, ends it. Resolves when its process is gone. */
  async stop(reason: 'owner' | 'computer' = 'owner'): Promise<void> {
    this.#quitting = true;
    this.#cancelRestart();
    this.#stopBeat();
    const running = this.#process;
    if (running !== null) {
      const gone = new Promise<void>((resolve) => running.onExit(() => resolve()));
      running.post({ type: 'stop', reason });
      const cancelKill = this.#parts.clock.after(STOP_LIMIT_MS, () => {
        this.#parts.log.error('the engine did not end in time and was ended');
        running.kill();
      });
      await gone;
      cancelKill();
    }
    this.#set({ kind: 'stopped' });
  }

  #set(state: EngineState): void {
    this.#state = state;
    this.#states.emit(state);
  }

  #launch(): void {
    this.#set({ kind: 'starting' });
    const started = this.#parts.starter.start();
    this.#process = started;
    started.onMessage((message) => {
      if (this.#process === started) this.#hear(started, message);
    });
    started.onExit((exit) => {
      if (this.#process === started) this.#ended(exit.code);
    });
  }

  #hear(from: EngineProcess, message: EngineMessage): void {
    switch (message.type) {
      case 'booted':
        from.post({ type: 'init', init: this.#init });
        this.#startBeat(from);
        return;
      case 'ready':
        this.#serving = message.serving;
        if (message.serving !== null && this.#init.serve !== null) this.#init = { ...this.#init, serve: { ...this.#init.serve, port: message.serving.port } };
        this.#set({ kind: 'ready', serving: message.serving });
        for (const port of this.#waitingPorts.splice(0)) from.post({ type: 'channel' }, [port]);
        return;
      case 'refused':
        this.#quitting = true;
        this.#set({ kind: 'failed', error: fromWire(message.error) });
        return;
      case 'pong':
        this.#unanswered = 0;
        if (this.#state.kind === 'unresponsive') this.#set({ kind: 'ready', serving: this.#serving });
        return;
      case 'secret':
        void this.#answerSecret(from, message.id, message.request);
        return;
      case 'settings':
        this.#settings.emit(message.settings);
        return;
      default:
        message satisfies never;
    }
  }

  async #answerSecret(to: EngineProcess, id: number, request: SecretRequest): Promise<void> {
    let text: string | null = null;
    try {
      text = (await this.#parts.secrets?.(request)) ?? null;
    } catch (error) {
      this.#parts.log.error('a password could not be sealed or opened', error);
    }
    to.post({ type: 'secret', id, text });
  }

  #startBeat(of: EngineProcess): void {
    const beat = this.#parts.heartbeat ?? HEARTBEAT;
    let id = 0;
    this.#unanswered = 0;
    this.#stopBeat();
    this.#stopBeat = this.#parts.clock.every(beat.periodMs, () => {
      if (this.#unanswered >= beat.deadBeats) {
        this.#parts.log.error('the engine did not answer and was ended');
        of.kill();
        return;
      }
      if (this.#unanswered >= beat.unresponsiveBeats && this.#state.kind === 'ready') this.#set({ kind: 'unresponsive' });
      this.#unanswered += 1;
      of.post({ type: 'ping', id: ++id });
    });
  }

  #ended(code: number | null): void {
    this.#process = null;
    this.#stopBeat();
    // One that ended in order and was not told to by us was told to by somebody else, who meant its process alone.
    if (this.#quitting) {
      if (this.#state.kind !== 'failed') this.#set({ kind: 'stopped' });
      return;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    this.#endsMs = recentEnds([...this.#endsMs, nowMs], nowMs);
    const decision = decideRestart(this.#endsMs, nowMs);
    if (decision.kind === 'give-up') {
      this.#parts.log.error(`the engine ended ${this.#endsMs.length} times and is not started again`);
      this.#set({ kind: 'failed', error: new PorchlightError('internal', 'Porchlight failed several times in a row and has stopped recording. Restart it; the log says why.') });
      return;
    }
    this.#parts.log.warn(`the engine ended (${code === null ? 'by a signal' : `exit code ${code}`}) and is started again in ${decision.waitMs} ms`);
    this.#set({ kind: 'restarting', waitMs: decision.waitMs });
    this.#cancelRestart = this.#parts.clock.after(decision.waitMs, () => this.#launch());
  }
}
