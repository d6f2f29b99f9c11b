/** A session from away as a Channel: what the viewer asks is watched and written down first, what answers it passes the gate. */
import type { Channel, ChannelMessage } from '../../../shared/contract/channel.ts';
import { type EngineHead, type ParsedViewerHead, viewerHeadSchema } from '../../../shared/contract/envelope.ts';
import { decodeFrame } from '../../../shared/contract/frame.ts';
import type { MediaName } from '../../../shared/contract/media.ts';
import type { WireError } from '../../../shared/errors.ts';
import type { HomeSession } from '../../../shared/relay/session-types.ts';
import type { Logger } from '../core/logger.ts';
import { type Asked, type Gate, seal, type Verdict } from './gate.ts';
import type { SessionViews } from './home-views.ts';
import { utf8 } from './line-text.ts';

/** Questions that wait for the log of views; whoever asks faster than a disk writes is cut off. */
const MOST_WAITING = 1_024;

const NOT_WRITTEN: WireError = { kind: 'disk-failing', sentence: 'The home cannot write down who watches, so it shows nothing. At home, Porchlight says why.' };

export interface LineChannelParts {
  readonly session: HomeSession;
  readonly gate: Gate;
  readonly views: SessionViews;
  readonly log: Logger;
  /** Pictures were opened or closed. */
  readonly onWatched: () => void;
}

export function lineChannel(parts: LineChannelParts): Channel {
  return new LineChannel(parts);
}

class LineChannel implements Channel {
  readonly #parts: LineChannelParts;
  #listener: ((message: ChannelMessage) => void) | null = null;
  /** Questions are taken in their order, each after what it shows is written down. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isOver = false;
  /** What is asked and not answered: whose bytes an answer's are. */
  readonly #asked = new Map<number, Asked>();
  readonly #kinds = new Map<number, MediaName>();

  constructor(parts: LineChannelParts) {
    this.#parts = parts;
    parts.session.onClose(() => (this.#isOver = true));
  }

  send(message: ChannelMessage): void {
    const { gate, session, views } = this.#parts;
    if (this.#isOver) return;
    const verdict = gate.judge(message);
    const head = message.head as EngineHead;
    if (verdict.pass === null) this.#refused(verdict, head);
    else if (seal(session, verdict.pass)) this.#count(head, message.payload?.length ?? 0);
    if (head.type === 'result' || head.type === 'failure') this.#asked.delete(head.id);
    if ((head.type === 'failure' || head.type === 'closed') && head.error?.kind === 'not-allowed') views.refused('a question it may not ask', []);
    if (head.type === 'closed') this.#streamEnded(head.stream);
  }

  onMessage(listener: (message: ChannelMessage) => void): void {
    if (this.#listener !== null) throw new Error('a channel has one listener');
    this.#listener = listener;
    this.#parts.session.onMessage((frame) => this.#receive(frame));
  }

  onClose(listener: (reason: string) => void): void {
    this.#parts.session.onClose(listener);
  }

  close(reason: string): void {
    this.#parts.session.close(reason);
  }

  #receive(frame: Uint8Array): void {
    if (this.#isOver) return;
    const read = readHead(frame);
    if (read === null) return this.close('A message came that could not be read.');
    if (this.#waiting >= MOST_WAITING) return this.close('The device asked more than the home can write down.');
    this.#waiting += 1;
    this.#turn = this.#turn.then(() => this.#take(read)).catch((error: unknown) => {
      this.#parts.log.error('a question from away could not be taken', error);
      this.close('The home could not take a question.');
    }).finally(() => (this.#waiting -= 1));
  }

  async #take({ head, payload }: { readonly head: ParsedViewerHead; readonly payload: Uint8Array | null }): Promise<void> {
    if (this.#isOver) return;
    const { gate, views } = this.#parts;
    if (head.type === 'close') this.#drop(head.stream);
    const asked = gate.watch(head);
    if (typeof asked === 'string') return this.close(`The device asked something that is not Porchlight: ${asked}.`);
    try {
      if (asked !== null) await views.record(asked, head.type === 'open' ? head.stream : null);
      else if (head.type === 'control' && head.control.kind === 'seek') await views.sought(head.stream, head.control.toMs);
    } catch (error) {
      this.#parts.log.error('the log of views cannot be written: nothing is shown', error);
      this.#notWritten(head);
      return;
    }
    if (this.#isOver) return;
    gate.recorded(head);
    if (head.type === 'open') this.#kinds.set(head.stream, head.name);
    if (head.type === 'request' && asked !== null) this.#asked.set(head.id, asked);
    this.#listener?.({ head, payload });
    if (head.type === 'open') this.#parts.onWatched();
    if (head.type === 'close') this.#streamEnded(head.stream);
  }

  #notWritten(head: ParsedViewerHead): void {
    if (head.type === 'request') this.send({ head: { type: 'failure', id: head.id, error: NOT_WRITTEN } satisfies EngineHead, payload: null });
    else if (head.type === 'open' || head.type === 'control') {
      if (head.type === 'control') this.#listener?.({ head: { type: 'close', stream: head.stream }, payload: null });
      this.send({ head: { type: 'closed', stream: head.stream, error: NOT_WRITTEN } satisfies EngineHead, payload: null });
    }
  }

  #refused(verdict: Extract<Verdict, { pass: null }>, head: EngineHead): void {
    const { session, views, log } = this.#parts;
    // An event a device may not hear is no question of its own.
    if (head.type !== 'event') views.refused(verdict.refused, verdict.cameraIds);
    log.warn(`kept at home: ${verdict.refused}`);
    const { endStream } = verdict;
    if (endStream !== null) this.#drop(endStream);
    if (verdict.instead !== null) seal(session, verdict.instead);
    if (endStream === null) return;
    this.#streamEnded(endStream);
    // After whoever sends has come back from sending.
    queueMicrotask(() => {
      if (!this.#isOver) this.#listener?.({ head: { type: 'close', stream: endStream }, payload: null });
    });
  }

  /** What waits of a picture that is not wanted any more, or not allowed. */
  #drop(stream: number): void {
    const kind = this.#kinds.get(stream);
    if (kind !== undefined) this.#parts.session.dropLane({ kind, stream });
  }

  #streamEnded(stream: number): void {
    this.#kinds.delete(stream);
    this.#parts.views.streamEnded(stream);
    this.#parts.onWatched();
  }

  #count(head: EngineHead, bytes: number): void {
    const { views } = this.#parts;
    if (head.type === 'chunk') views.sent(head.stream, bytes, head.chunk.kind === 'media' ? head.chunk.endMs : null);
    else if (head.type === 'result') views.answered(this.#asked.get(head.id) ?? null, bytes);
  }
}

function readHead(frame: Uint8Array): { readonly head: ParsedViewerHead; readonly payload: Uint8Array | null } | null {
  try {
    const { head, payload } = decodeFrame(frame, utf8);
    const parsed = viewerHeadSchema.safeParse(head);
    return parsed.success ? { head: parsed.data, payload } : null;
  } catch {
    return null;
  }
}
