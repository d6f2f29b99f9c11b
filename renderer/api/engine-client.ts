/**
 * The viewer's side of the contract over any Channel (docs/design/contract.md): requests, events and media streams, with
 * reconnecting. Free of the DOM, so that tests and benchmarks speak with an engine through the same code as the page.
 */
import type { Channel, ChannelMessage } from '../../shared/contract/channel.ts';
import type { EngineEvents, EventName, InputOf, OperationName, OutputOf } from '../../shared/contract/engine-api.ts';
import { CONTRACT_VERSION, type EngineHead, type ViewerHead } from '../../shared/contract/envelope.ts';
import type { ChunkHead, MediaControl, MediaName, MediaOpenInput } from '../../shared/contract/media.ts';
import { fromWire, PorchlightError } from '../../shared/errors.ts';

export type ConnectionPhase = 'connecting' | 'connected' | 'waiting' | 'closed';

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Why there is no connection, as the other side or the transport said it; null while connected. */
  readonly reason: string | null;
}

export interface MediaHandlers {
  onChunk(chunk: ChunkHead, payload: Uint8Array | null): void;
  /** The stream is over: with an error, or null when the connection went or the engine ended it in order. */
  onClosed(error: PorchlightError | null): void;
}

export interface MediaHandle {
  grant(credits: number): void;
  control(control: MediaControl): void;
  close(): void;
}

export interface EngineClientOptions {
  /** Makes a new channel; called again after each loss. */
  readonly connect: () => Promise<Channel>;
  /** Waits before attempt n (from 1) in milliseconds; null gives up. */
  readonly retryMs?: (attempt: number) => number | null;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type AnyListener = (value: never) => void;

const lost = (reason: string): PorchlightError => new PorchlightError('connection-lost', `The connection to Porchlight was lost (${reason}).`);

/** Full jitter below a growing ceiling, so that many windows do not come back at once. */
const defaultRetryMs = (attempt: number): number => Math.random() * Math.min(5_000, 250 * 2 ** Math.min(attempt, 6));

export class EngineClient {
  readonly #options: Required<EngineClientOptions>;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, MediaHandlers>();
  readonly #listeners = new Map<EventName, Set<AnyListener>>();
  readonly #stateListeners = new Set<(state: ConnectionState) => void>();
  #channel: Channel | null = null;
  #ids = 0;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #state: ConnectionState = { phase: 'connecting', reason: null };
  #waiting: (() => void)[] = [];

  constructor(options: EngineClientOptions) {
    this.#options = { retryMs: defaultRetryMs, ...options };
    void this.#connect();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  on<Name extends EventName>(name: Name, listener: (value: EngineEvents[Name]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener as AnyListener);
    return () => set.delete(listener as AnyListener);
  }

  /** Asks the engine; waits for the connection first. Rejects with a PorchlightError. */
  async ask<Name extends OperationName>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> {
    const channel = await this.#ready();
    return await new Promise<OutputOf<Name>>((resolve, reject) => {
      const id = ++this.#ids;
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // Bytes travel beside the head, as those of an answer do.
      const { bytes, ...rest } = input as { readonly bytes?: unknown };
      if (bytes instanceof Uint8Array) channel.send({ head: { type: 'request', id, name, input: rest } satisfies ViewerHead, payload: bytes });
      else this.#send(channel, { type: 'request', id, name, input });
    });
  }

  /** Opens a media stream; without a connection it closes at once with `connection-lost`. */
  openMedia<Name extends MediaName>(name: Name, input: MediaOpenInput<Name>, credits: number, handlers: MediaHandlers): MediaHandle {
    const channel = this.#channel;
    if (channel === null || this.#state.phase !== 'connected') {
      queueMicrotask(() => handlers.onClosed(lost('not connected')));
      return { grant: () => undefined, control: () => undefined, close: () => undefined };
    }
    const stream = ++this.#ids;
    this.#streams.set(stream, handlers);
    this.#send(channel, { type: 'open', stream, name, input, credits });
    const whileOpen = (head: ViewerHead): void => {
      if (this.#streams.has(stream)) this.#send(channel, head);
    };
    return {
      grant: (more) => whileOpen({ type: 'credit', stream, credits: more }),
      control: (control) => whileOpen({ type: 'control', stream, control }),
      close: () => {
        whileOpen({ type: 'close', stream });
        this.#streams.delete(stream);
      },
    };
  }

  /** Ends the connection for good. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#setState({ phase: 'closed', reason: 'closed by this side' });
    this.#channel?.close('closed by the viewer');
    this.#channel = null;
    this.#dropAll(lost('closed'));
    this.#wake();
  }

  async #connect(): Promise<void> {
    this.#timer = null;
    this.#setState({ phase: 'connecting', reason: this.#state.reason });
    let channel: Channel;
    try {
      channel = await this.#options.connect();
    } catch (error) {
      this.#retry(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#state.phase === 'closed') {
      channel.close('closed by the viewer');
      return;
    }
    this.#channel = channel;
    channel.onClose((reason) => this.#lost(channel, reason));
    channel.onMessage((message) => this.#receive(channel, message));
    this.#send(channel, { type: 'hello', version: CONTRACT_VERSION });
  }

  #receive(channel: Channel, { head, payload }: ChannelMessage): void {
    if (channel !== this.#channel) return;
    // Our own engine speaks here; heads are typed by the contract and checked where they steer memory.
    const message = head as EngineHead;
    switch (message.type) {
      case 'welcome':
        if (message.version !== CONTRACT_VERSION) {
          channel.close('another version of the contract');
          return;
        }
        this.#attempts = 0;
        this.#setState({ phase: 'connected', reason: null });
        this.#wake();
        return;
      case 'result':
        this.#settle(message.id)?.resolve(payload === null && !isEmptyBytes(message.value) ? message.value : { ...(message.value as object), bytes: payload ?? new Uint8Array() });
        return;
      case 'failure':
        this.#settle(message.id)?.reject(fromWire(message.error));
        return;
      case 'event':
        for (const listener of this.#listeners.get(message.name as EventName) ?? []) listener(message.value as never);
        return;
      case 'chunk':
        this.#streams.get(message.stream)?.onChunk(message.chunk, payload);
        return;
      case 'closed': {
        const handlers = this.#streams.get(message.stream);
        this.#streams.delete(message.stream);
        handlers?.onClosed(message.error === null ? null : fromWire(message.error));
        return;
      }
      default:
        channel.close('a message that is none');
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #lost(channel: Channel, reason: string): void {
    if (channel !== this.#channel || this.#state.phase === 'closed') return;
    this.#channel = null;
    this.#dropAll(lost(reason));
    this.#retry(reason);
  }

  #retry(reason: string): void {
    if (this.#state.phase === 'closed') return;
    this.#attempts += 1;
    const waitMs = this.#options.retryMs(this.#attempts);
    if (waitMs === null) {
      this.#setState({ phase: 'closed', reason });
      this.#wake();
      return;
    }
    this.#setState({ phase: 'waiting', reason });
    this.#timer = setTimeout(() => void this.#connect(), waitMs);
  }

  #dropAll(error: PorchlightError): void {
    const pending = [...this.#pending.values()];
    const streams = [...this.#streams.values()];
    this.#pending.clear();
    this.#streams.clear();
    for (const each of pending) each.reject(error);
    for (const each of streams) each.onClosed(error);
  }

  async #ready(): Promise<Channel> {
    while (this.#state.phase !== 'connected' && this.#state.phase !== 'closed') {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#channel === null) throw lost(this.#state.reason ?? 'closed');
    return this.#channel;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #send(channel: Channel, head: ViewerHead): void {
    channel.send({ head, payload: null });
  }

  #setState(state: ConnectionState): void {
    if (state.phase === this.#state.phase && state.reason === this.#state.reason) return;
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
  }
}

/** A picture answer without pictures arrives without payload; its items or item say so (shared/contract/frame.ts). */
function isEmptyBytes(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (('items' in value && Array.isArray(value.items) && value.items.length === 0) || ('item' in value && value.item === null));
}
