/**
 * One viewer's session over a Channel: parses what comes, calls the handlers, carries media streams and events
 * (docs/design/contract.md). Closing the channel gives everything back.
 */
import type { Channel } from '../../../shared/contract/channel.ts';
import { type EngineHandlers, isOperationName, OPERATIONS, type OperationName } from '../../../shared/contract/engine-api.ts';
import { CONTRACT_VERSION, type EngineHead, type ParsedViewerHead, viewerHeadSchema } from '../../../shared/contract/envelope.ts';
import { MEDIA_OPEN, type MediaOpenParsed } from '../../../shared/contract/media.ts';
import { PorchlightError, toWire } from '../../../shared/errors.ts';
import { assertNever } from '../../../shared/result.ts';
import type { EventSource } from '../core/event-hub.ts';
import type { Logger } from '../core/logger.ts';
import { type Access, assertMayCall, assertMayWatch, narrowError, narrowEvent, narrowOutput } from './access.ts';
import type { MediaService, MediaStream } from '../ports/media.ts';

/** Bounds of one session; a viewer that exceeds them is told, a peer that ignores being told is cut off. */
export interface SessionLimits {
  /** Requests without an answer yet: the interface has a handful under way, a 4K wall of 16 about forty. */
  readonly openRequests: number;
  /** Media streams: 16 live pictures, 16 playing, and some on their way out. */
  readonly openStreams: number;
  /** Credits a viewer may hold per stream; more would be an unbounded queue by another name. */
  readonly credits: number;
}

const SESSION_LIMITS: SessionLimits = { openRequests: 128, openStreams: 64, credits: 4096 };

export interface SessionParts {
  readonly handlers: EngineHandlers;
  readonly media: MediaService;
  /** Subscribes to every event of the engine. */
  readonly events: EventSource;
  readonly access: Access;
  readonly log: Logger;
  readonly limits?: SessionLimits;
}

export interface Session {
  /** Resolves when the channel is closed and everything the session held is given back. */
  readonly ended: Promise<string>;
}

/** Serves the contract on a channel until it closes. */
export function serveSession(channel: Channel, parts: SessionParts): Session {
  const session = new ViewerSession(channel, parts);
  return { ended: session.ended };
}

class ViewerSession {
  readonly ended: Promise<string>;
  readonly #channel: Channel;
  readonly #parts: SessionParts;
  readonly #limits: SessionLimits;
  readonly #streams = new Map<number, MediaStream>();
  #openRequests = 0;
  #greeted = false;
  #stopEvents: () => void = () => undefined;

  constructor(channel: Channel, parts: SessionParts) {
    this.#channel = channel;
    this.#parts = parts;
    this.#limits = parts.limits ?? SESSION_LIMITS;
    this.ended = new Promise((resolve) => {
      channel.onClose((reason) => {
        this.#stopEvents();
        for (const stream of this.#streams.values()) stream.close();
        this.#streams.clear();
        resolve(reason);
      });
    });
    channel.onMessage((message) => this.#receive(message.head, message.payload));
  }

  #send(head: EngineHead, payload: Uint8Array | null = null): void {
    this.#channel.send({ head, payload });
  }

  #receive(raw: unknown, payload: Uint8Array | null): void {
    const parsed = viewerHeadSchema.safeParse(raw);
    if (!parsed.success) {
      this.#channel.close('a message that could not be read');
      return;
    }
    const head = parsed.data;
    if (head.type === 'hello') this.#hello(head.version);
    else if (!this.#greeted) this.#channel.close('hello comes first');
    else this.#dispatch(head, payload);
  }

  #hello(version: number): void {
    if (this.#greeted) return;
    if (version !== CONTRACT_VERSION) {
      this.#channel.close(`This page belongs to another version of Porchlight (it speaks ${version}, this one ${CONTRACT_VERSION}). Reload it.`);
      return;
    }
    this.#greeted = true;
    this.#send({ type: 'welcome', version: CONTRACT_VERSION });
    this.#stopEvents = this.#parts.events((name, value) => {
      const narrowed = narrowEvent(this.#parts.access, name, value);
      if (narrowed !== null) this.#send({ type: 'event', name, value: narrowed });
    });
  }

  #dispatch(head: Exclude<ParsedViewerHead, { type: 'hello' }>, payload: Uint8Array | null): void {
    switch (head.type) {
      case 'request':
        void this.#request(head.id, head.name, withBytes(head.input, payload));
        return;
      case 'open':
        this.#open(head.stream, head.name, head.input, head.credits);
        return;
      case 'control':
        this.#streams.get(head.stream)?.control(head.control);
        return;
      case 'credit':
        this.#streams.get(head.stream)?.addCredits(Math.min(head.credits, this.#limits.credits));
        return;
      case 'close':
        this.#streams.get(head.stream)?.close();
        this.#streams.delete(head.stream);
        return;
      default:
        assertNever(head);
    }
  }

  async #request(id: number, name: string, input: unknown): Promise<void> {
    if (this.#openRequests >= this.#limits.openRequests) {
      this.#send({ type: 'failure', id, error: toWire(new PorchlightError('conflict', 'Too many questions at once. Wait for an answer and ask again.')) });
      return;
    }
    this.#openRequests += 1;
    try {
      if (!isOperationName(name)) throw new PorchlightError('invalid-input', `Porchlight knows no request named "${name.slice(0, 64)}".`);
      const { value, bytes } = takeBytes(await this.#call(name, input));
      this.#send({ type: 'result', id, value }, bytes);
    } catch (error) {
      this.#report(`${name} failed`, error);
      this.#send({ type: 'failure', id, error: narrowError(this.#parts.access, error) });
    } finally {
      this.#openRequests -= 1;
    }
  }

  async #call(name: OperationName, input: unknown): Promise<unknown> {
    const parsed = OPERATIONS[name].input.safeParse(input ?? {});
    if (!parsed.success) throw new PorchlightError('invalid-input', `That could not be understood: ${shortIssue(parsed.error)}`);
    assertMayCall(this.#parts.access, name, parsed.data);
    // The map pairs every name with the schema its handler's input comes from; TypeScript cannot follow that through a variable name.
    const handler = this.#parts.handlers[name] as (value: unknown) => unknown;
    return narrowOutput(this.#parts.access, name, await handler(parsed.data), parsed.data);
  }

  #open(stream: number, name: 'live' | 'playback', input: unknown, credits: number): void {
    const refuse = (error: unknown): void => this.#send({ type: 'closed', stream, error: narrowError(this.#parts.access, error) });
    if (this.#streams.has(stream)) {
      this.#channel.close('a stream id was used twice');
      return;
    }
    if (this.#streams.size >= this.#limits.openStreams) {
      refuse(new PorchlightError('conflict', 'Too many pictures at once. Close some and try again.'));
      return;
    }
    try {
      const opened = name === 'live' ? this.#openAs('live', stream, input, credits) : this.#openAs('playback', stream, input, credits);
      if (opened !== null) this.#streams.set(stream, opened);
    } catch (error) {
      this.#report(`${name} could not be opened`, error);
      refuse(error);
    }
  }

  /** Null when the stream ended while it was being opened. */
  #openAs<Name extends 'live' | 'playback'>(name: Name, stream: number, input: unknown, credits: number): MediaStream | null {
    const parsed = MEDIA_OPEN[name].safeParse(input);
    if (!parsed.success) throw new PorchlightError('invalid-input', `That could not be understood: ${shortIssue(parsed.error)}`);
    assertMayWatch(this.#parts.access, name, parsed.data.cameraId);
    let ended = false;
    const opened = this.#parts.media.open(name, parsed.data as MediaOpenParsed<Name>, Math.min(credits, this.#limits.credits), {
      chunk: (chunk, payload) => this.#send({ type: 'chunk', stream, chunk }, payload),
      closed: (error) => {
        ended = true;
        this.#streams.delete(stream);
        if (error !== null) this.#report(`${name} ended`, error);
        this.#send({ type: 'closed', stream, error: error === null ? null : narrowError(this.#parts.access, error) });
      },
    });
    return ended ? null : opened;
  }

  #report(what: string, error: unknown): void {
    if (error instanceof PorchlightError && error.kind !== 'internal') this.#parts.log.debug(`${what}: ${error.message}`);
    else this.#parts.log.error(what, error);
  }
}

/** A request's binary part is its input's `bytes`. */
function withBytes(input: unknown, payload: Uint8Array | null): unknown {
  return payload === null || typeof input !== 'object' || input === null ? input : { ...input, bytes: payload };
}

/** Splits an output into what goes into the head and what travels as bytes. */
function takeBytes(output: unknown): { readonly value: unknown; readonly bytes: Uint8Array | null } {
  if (typeof output !== 'object' || output === null || !('bytes' in output) || !(output.bytes instanceof Uint8Array)) {
    return { value: output ?? null, bytes: null };
  }
  const { bytes, ...value } = output;
  return { value, bytes };
}

function shortIssue(error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }): string {
  const issue = error.issues[0];
  return issue === undefined ? 'no reason given' : `${issue.path.join('.') || 'input'}: ${issue.message}`;
}
