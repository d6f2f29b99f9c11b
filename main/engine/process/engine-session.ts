/** One life of the engine's process, whoever started it: init, ready, windows' ports, orders from the parent, ordered end. */
import { ENGINE_EXIT, type EngineInit, type HostMessage, type ParentLink, type ServingInfo } from '../../../shared/contract/engine-process.ts';
import { describeError, PorchlightError, toWire } from '../../../shared/errors.ts';
import type { Settings } from '../../../shared/model/settings.ts';

/** What this file needs of an engine. */
export interface RunningEngine {
  readonly serving: ServingInfo | null;
  /** Serves a window behind a message port that was handed over. */
  attachPort(port: unknown): void;
  power(change: 'suspend' | 'resume'): void;
  settings(): Settings;
  onSettings(listener: (settings: Settings) => void): void;
  /** Ends everything in order; resolves when files are closed and children are gone. */
  stop(reason: SessionEnd): Promise<void>;
}

/** `orphaned`: whoever started the engine is gone or did not ask for its end, and nobody knows why. */
export type SessionEnd = 'owner' | 'computer' | 'orphaned';

export type StartEngine = (init: EngineInit, link: ParentLink) => Promise<RunningEngine>;

/** Errors after which starting again would meet the same. */
const REFUSALS: ReadonlySet<string> = new Set(['data-in-use', 'port-in-use', 'database-from-future', 'invalid-input', 'not-allowed', 'disk-read-only', 'disk-full']);

/** Runs until told to stop or the parent is gone, then calls `exit` once. */
export function runEngineSession(link: ParentLink, start: StartEngine, exit: (code: number) => void): { stop(reason?: SessionEnd): void } {
  const session = new EngineSession(link, start, exit);
  return { stop: (reason) => session.stop(reason) };
}

class EngineSession {
  readonly #link: ParentLink;
  readonly #start: StartEngine;
  readonly #exit: (code: number) => void;
  #starting: Promise<RunningEngine | null> | null = null;
  #engine: RunningEngine | null = null;
  #stopping = false;

  constructor(link: ParentLink, start: StartEngine, exit: (code: number) => void) {
    this.#link = link;
    this.#start = start;
    this.#exit = exit;
    link.onMessage((message, ports) => this.#hear(message, ports));
    link.onGone(() => this.stop('orphaned'));
    link.post({ type: 'booted' });
  }

  stop(reason: SessionEnd = 'owner'): void {
    if (this.#stopping) return;
    this.#stopping = true;
    void this.#end(reason);
  }

  #hear(message: HostMessage, ports: readonly unknown[]): void {
    switch (message.type) {
      case 'init':
        this.#starting ??= this.#begin(message.init);
        return;
      case 'ping':
        this.#link.post({ type: 'pong', id: message.id });
        return;
      case 'power':
        this.#engine?.power(message.change);
        return;
      case 'channel':
        // The host hands ports over only once the engine is ready.
        if (ports[0] !== undefined) this.#engine?.attachPort(ports[0]);
        return;
      case 'secret':
        // Heard by the keyring's own listener.
        return;
      case 'stop':
        this.stop(message.reason);
        return;
      default:
        message satisfies never;
    }
  }

  async #begin(init: EngineInit): Promise<RunningEngine | null> {
    try {
      const engine = await this.#start(init, this.#link);
      this.#engine = engine;
      engine.onSettings((settings) => this.#link.post({ type: 'settings', settings }));
      this.#link.post({ type: 'settings', settings: engine.settings() });
      if (!this.#stopping) this.#link.post({ type: 'ready', serving: engine.serving });
      return engine;
    } catch (error) {
      if (this.#stopping) return null;
      this.#stopping = true;
      const refused = error instanceof PorchlightError && REFUSALS.has(error.kind);
      if (!refused) process.stderr.write(`The engine could not start: ${describeError(error)}\n`);
      else this.#link.post({ type: 'refused', error: toWire(error) });
      this.#exit(refused ? ENGINE_EXIT.refused : ENGINE_EXIT.crashed);
      return null;
    }
  }

  async #end(reason: SessionEnd): Promise<void> {
    try {
      const engine = await this.#starting;
      await engine?.stop(reason);
      this.#exit(ENGINE_EXIT.orderly);
    } catch (error) {
      process.stderr.write(`The engine did not end in order: ${describeError(error)}\n`);
      this.#exit(ENGINE_EXIT.crashed);
    }
  }
}
