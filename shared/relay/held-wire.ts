/** What every wire does alike: holds what comes until somebody listens, and tells its end once. How bytes leave is each wire's own. */
import type { Wire } from './wire.ts';

export abstract class HeldWire implements Wire {
  #listener: ((bytes: Uint8Array) => void) | null = null;
  #early: Uint8Array[] = [];
  #closeListeners: ((reason: string) => void)[] = [];
  #closedReason: string | null = null;

  /** Null while it is open. */
  get closedReason(): string | null {
    return this.#closedReason;
  }

  abstract send(bytes: Uint8Array): void;

  /** For whoever brings what came; dropped once closed. */
  receive(bytes: Uint8Array): void {
    if (this.#closedReason !== null) return;
    if (this.#listener === null) this.#early.push(bytes);
    else this.#listener(bytes);
  }

  onMessage(listener: (bytes: Uint8Array) => void): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener(bytes);
  }

  onClose(listener: (reason: string) => void): void {
    if (this.#closedReason === null) this.#closeListeners.push(listener);
    else listener(this.#closedReason);
  }

  close(reason: string): void {
    if (this.#closedReason !== null) return;
    this.gone(reason);
    this.hungUp();
  }

  /** Its other end is gone: as `close`, but nobody has to be told there. */
  gone(reason: string): void {
    if (this.#closedReason !== null) return;
    this.#closedReason = reason;
    this.#early = [];
    for (const tell of this.#closeListeners.splice(0)) tell(reason);
  }

  /** This end closed it; the other end may be told. */
  protected hungUp(): void {}
}
