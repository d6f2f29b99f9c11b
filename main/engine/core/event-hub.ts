/** Where the engine's modules tell what changed, and every session hears it. */
import type { EngineEvents, EventName } from '../../../shared/contract/engine-api.ts';
import type { Logger } from './logger.ts';

export type EventListener = <Name extends EventName>(name: Name, value: EngineEvents[Name]) => void;

/** Subscribes to every event; returns a function that ends it. */
export type EventSource = (listener: EventListener) => () => void;

export class EventHub {
  readonly #listeners = new Set<EventListener>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  readonly subscribe: EventSource = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  tell<Name extends EventName>(name: Name, value: EngineEvents[Name]): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(name, value);
      } catch (error) {
        this.#log.error(`a listener to ${name} failed`, error);
      }
    }
  }
}
