/**
 * The one place where bytes leave the home for a viewer (docs/design/relay.md, R1, R2 and R7). It watches what a viewer asks, and lets
 * out what answers it only where the device's grants say yes at that moment: a second look, which does not rely on the session's Access.
 */
import { createHash } from 'node:crypto';
import { type EngineHead, type ParsedViewerHead } from '../../../shared/contract/envelope.ts';
import { isOperationName, OPERATIONS } from '../../../shared/contract/engine-api.ts';
import type { ChannelMessage } from '../../../shared/contract/channel.ts';
import { encodeFrame } from '../../../shared/contract/frame.ts';
import { type ChunkHead, MEDIA_OPEN, type MediaName } from '../../../shared/contract/media.ts';
import type { WireError } from '../../../shared/errors.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { Grants, Right } from '../../../shared/model/remote.ts';
import type { HomeSession, Lane, Outgoing } from '../../../shared/relay/session-types.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { ANSWER_RULES, camerasIn, EVENT_RULES, isGranted, isInForce, type LeaveRule, ruleOf } from './gate-rules.ts';
import { SoundWatch } from './line-sound.ts';
import { utf8 } from './line-text.ts';

/** Questions without an answer and streams at once; the contract's server allows 128 and 64. */
const MOST_OPEN = 512;

const REFUSED: WireError = { kind: 'not-allowed', sentence: 'This device is not allowed to do that. The owner can change what it may see.' };

/** What a viewer asked that shows something of a camera. */
export interface Asked {
  readonly kind: 'live' | 'playback' | 'previews' | 'timeline';
  readonly cameraIds: readonly CameraId[];
  /** The footage it is about, where it is of a time. */
  readonly fromMs: EpochMs | null;
  readonly toMs: EpochMs | null;
}

interface Question {
  readonly name: string;
  readonly cameraIds: readonly CameraId[];
  readonly asked: Asked | null;
  recorded: boolean;
}

interface OpenStream {
  readonly name: MediaName;
  /** Null where the question could not be read: nothing is shown then. */
  readonly cameraId: CameraId | null;
  readonly asked: Asked | null;
  recorded: boolean;
  readonly sound: SoundWatch;
}

/**
 * A message that the gate of one session let pass. Nobody else can make one (`#gate`), and it is good for one use: the grants are
 * looked at once more when it is used.
 */
class Pass {
  readonly #gate: Gate;
  readonly #holds: () => boolean;
  #outgoing: Outgoing | null;

  constructor(gate: Gate, outgoing: Outgoing, holds: () => boolean) {
    this.#gate = gate;
    this.#outgoing = outgoing;
    this.#holds = holds;
  }

  /** The message, once, for the session of the gate that made the pass. Throws on anything else. */
  static use(pass: Pass, session: SealedSession): Outgoing | null {
    const outgoing = pass.#outgoing;
    pass.#outgoing = null;
    if (outgoing === null || pass.#gate.session !== session) throw new Error('a pass of another session, or used already');
    return pass.#holds() ? outgoing : null;
  }
}

/** What `seal` takes; only a gate makes it. */
export type Sealable = Pass;
export type SealedSession = Pick<HomeSession, 'sendSealed'>;

/** Hands a message that a gate let pass to its session: the only call of `sendSealed` there is. False where the line had no room, or the right ended meanwhile. */
export function seal(session: SealedSession, message: Sealable): boolean {
  const outgoing = Pass.use(message, session);
  return outgoing !== null && session.sendSealed(outgoing);
}

export type Verdict =
  | { readonly pass: Sealable; readonly refused: null }
  /** `instead`: what the viewer is told in its place; `endStream`: the stream that must not go on. */
  | { readonly pass: null; readonly refused: string; readonly cameraIds: readonly CameraId[]; readonly instead: Sealable | null; readonly endStream: number | null };

export interface GateParts {
  readonly session: SealedSession;
  /** As they are now; null once the device is revoked. */
  readonly grants: () => Grants | null;
  readonly nowMs: () => EpochMs;
}

/** How records name a camera (`cameraNumber` of shared/relay/derive.ts, answered at once). */
export function numberOfCamera(cameraId: CameraId): number {
  return createHash('sha256').update(cameraId, 'ascii').digest().readUInt32BE(0) || 1;
}

export class Gate {
  readonly session: SealedSession;
  readonly #parts: GateParts;
  readonly #questions = new Map<number, Question>();
  readonly #streams = new Map<number, OpenStream>();
  readonly #numbers = new Map<CameraId, number>();

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.session = parts.session;
  }

  /** Notes what the viewer asks. What it would show, to be written down before `recorded` is called: null where that is nothing, or nothing it may see; a text where the viewer broke the contract. */
  watch(head: ParsedViewerHead): Asked | null | string {
    if (head.type === 'request') return this.#watchRequest(head.id, head.name, head.input);
    if (head.type === 'open') return this.#watchOpen(head.stream, head.name, head.input);
    if (head.type === 'close') this.#streams.delete(head.stream);
    return null;
  }

  /** What was asked with this head is in the log of views: its pictures may leave (R7). */
  recorded(head: ParsedViewerHead): void {
    if (head.type === 'request') {
      const question = this.#questions.get(head.id);
      if (question !== undefined && question.asked !== null) question.recorded = true;
    } else if (head.type === 'open') {
      const stream = this.#streams.get(head.stream);
      if (stream !== undefined && stream.asked !== null) stream.recorded = true;
    }
  }

  /** The camera an open stream shows. */
  cameraOf(stream: number): { readonly name: MediaName; readonly cameraId: CameraId } | null {
    const open = this.#streams.get(stream);
    return open === undefined || open.cameraId === null ? null : { name: open.name, cameraId: open.cameraId };
  }

  /** Cameras with an open picture. */
  watched(): readonly CameraId[] {
    return [...new Set([...this.#streams.values()].flatMap(({ cameraId, recorded }) => (cameraId === null || !recorded ? [] : [cameraId])))];
  }

  /** Whether a message may leave now. */
  judge(message: ChannelMessage): Verdict {
    const head = message.head as EngineHead;
    switch (head.type) {
      case 'welcome':
        return this.#letOut(message, { kind: 'control' }, 0, [], []);
      case 'result':
      case 'failure':
        return this.#judgeAnswer(message, head);
      case 'event':
        return this.#judgeEvent(message, head.name, head.value);
      case 'chunk':
        return this.#judgeChunk(message, head.stream, head.chunk);
      case 'closed':
        return this.#judgeClosed(message, head.stream);
      default:
        return refuse('a message of no known kind');
    }
  }

  #watchRequest(id: number, name: string, input: unknown): Asked | null | string {
    if (this.#questions.has(id)) return 'a request id was used twice';
    if (this.#questions.size >= MOST_OPEN) return 'too many questions at once';
    const parsed = isOperationName(name) ? OPERATIONS[name].input.safeParse(input ?? {}) : null;
    const cameraIds = parsed?.success === true ? namedIn(parsed.data) : [];
    const about = parsed?.success === true ? askedBy(name, parsed.data, cameraIds) : null;
    const asked = this.#ifMay(about, ruleOf(ANSWER_RULES, name)?.anyOf ?? []);
    this.#questions.set(id, { name, cameraIds, asked, recorded: about === null });
    return asked;
  }

  #watchOpen(stream: number, name: MediaName, input: unknown): Asked | null | string {
    if (this.#streams.has(stream)) return 'a stream id was used twice';
    if (this.#streams.size >= MOST_OPEN) return 'too many pictures at once';
    const parsed = MEDIA_OPEN[name].safeParse(input);
    const cameraId = parsed.success ? parsed.data.cameraId : null;
    const fromMs = parsed.success && 'fromMs' in parsed.data ? (parsed.data.fromMs as EpochMs) : this.#parts.nowMs();
    const asked = this.#ifMay(cameraId === null ? null : { kind: name, cameraIds: [cameraId], fromMs, toMs: null }, [name]);
    this.#streams.set(stream, { name, cameraId, asked, recorded: false, sound: new SoundWatch() });
    return asked;
  }

  /** What is refused is no view: it is not written down as one, and nothing of it leaves whatever comes of it. */
  #ifMay(asked: Asked | null, anyOf: readonly Right[]): Asked | null {
    return asked !== null && asked.cameraIds.length > 0 && asked.cameraIds.every((id) => this.#granted(id, anyOf)) ? asked : null;
  }

  #judgeAnswer(message: ChannelMessage, head: Extract<EngineHead, { type: 'result' | 'failure' }>): Verdict {
    const question = this.#questions.get(head.id);
    this.#questions.delete(head.id);
    if (question === undefined) return refuse('an answer to no question');
    const named = camerasIn(JSON.stringify(head));
    const failure = this.#told({ type: 'failure', id: head.id, error: REFUSED }, { kind: 'control' }, 0);
    const foreign = question.cameraIds.length === 0 ? [] : [...named].filter((id) => !question.cameraIds.includes(id));
    if (foreign.length > 0) return refuse(`an answer to ${question.name} about cameras that were not asked for`, foreign, failure);
    if (head.type === 'failure') {
      // What went wrong is told to whoever asked; a sentence that names a camera, only to those who may know it.
      const hidden = [...named].filter((id) => !this.#granted(id, []));
      return hidden.length > 0 ? refuse('a failure that names a camera', hidden, failure) : this.#letOut(message, { kind: 'control' }, 0, [], []);
    }
    const rule = ruleOf(ANSWER_RULES, question.name);
    if (rule === null) return refuse(`an answer to ${question.name}`, question.cameraIds, failure);
    if (!question.recorded) return refuse(`an answer to ${question.name} that the log of views does not hold`, question.cameraIds, failure);
    const hidden = [...new Set([...question.cameraIds, ...named])].filter((id) => !this.#granted(id, rule.anyOf));
    const why = hidden.length > 0 ? 'cameras without the right' : (rule.refuse?.(head.value, message.payload) ?? null);
    if (why !== null) return refuse(`an answer to ${question.name}: ${why}`, hidden, failure);
    const [shown] = question.cameraIds;
    if (rule.shows !== undefined && shown === undefined) return refuse('pictures of no camera', [], failure);
    // A frame cannot tell no bytes from none (shared/contract/frame.ts): they are control.
    const hasBytes = message.payload !== null && message.payload.length > 0;
    const lane: Lane = hasBytes ? { kind: rule.shows ?? 'bulk', id: head.id } : { kind: 'control' };
    return this.#letOut(message, lane, rule.shows === undefined || shown === undefined ? 0 : this.#number(shown), [...named, ...question.cameraIds], rule.anyOf);
  }

  #judgeEvent(message: ChannelMessage, name: string, value: unknown): Verdict {
    const rule: LeaveRule | null = ruleOf(EVENT_RULES, name);
    if (rule === null || message.payload !== null) return refuse(`the event ${name}`);
    const named = [...camerasIn(JSON.stringify(message.head))];
    const hidden = named.filter((id) => !this.#granted(id, rule.anyOf));
    const why = hidden.length > 0 ? 'cameras without the right' : (rule.refuse?.(value, null) ?? null);
    return why === null ? this.#letOut(message, { kind: 'control' }, 0, named, rule.anyOf) : refuse(`the event ${name}: ${why}`, hidden);
  }

  #judgeChunk(message: ChannelMessage, stream: number, chunk: ChunkHead): Verdict {
    const open = this.#streams.get(stream);
    if (open === undefined || open.cameraId === null) return refuse('a picture nobody asked for', [], null, stream);
    const { cameraId, name } = open;
    const ending = this.#told({ type: 'closed', stream, error: REFUSED }, { kind: name, stream }, this.#number(cameraId));
    const stop = (why: string): Verdict => {
      this.#streams.delete(stream);
      return refuse(why, [cameraId], ending, stream);
    };
    if (!open.recorded) return stop(`${name} that the log of views does not hold`);
    if (!this.#granted(cameraId, [name])) return stop(`${name} without the right`);
    const foreign = [...camerasIn(JSON.stringify(message.head))].filter((id) => id !== cameraId);
    if (foreign.length > 0) return stop(`${name} that names another camera`);
    if (message.payload !== null && !this.#granted(cameraId, ['sound']) && open.sound.hears(chunk, message.payload)) return stop(`${name} with sound without the right`);
    const ptsMs = chunk.kind === 'media' ? Math.max(0, Math.round(chunk.endMs)) : 0;
    return this.#letOut(message, { kind: name, stream }, this.#number(cameraId), [cameraId], [name], { ptsMs, essential: chunk.kind !== 'media' });
  }

  #judgeClosed(message: ChannelMessage, stream: number): Verdict {
    const open = this.#streams.get(stream);
    this.#streams.delete(stream);
    if (open === undefined) return refuse('the end of a picture nobody asked for');
    const foreign = [...camerasIn(JSON.stringify(message.head))].filter((id) => id !== open.cameraId);
    const lane: Lane = { kind: open.name, stream };
    const camera = open.cameraId === null ? 0 : this.#number(open.cameraId);
    if (foreign.length > 0) return refuse('an end that names another camera', foreign, this.#told({ type: 'closed', stream, error: REFUSED }, lane, camera));
    return this.#letOut(message, lane, camera, [], [], { ptsMs: 0, essential: true });
  }

  /** `anyOf` of every camera must still be granted when the pass is used. */
  #letOut(message: ChannelMessage, lane: Lane, camera: number, cameraIds: readonly CameraId[], anyOf: readonly Right[], more: Pick<Outgoing, 'ptsMs' | 'essential'> = { ptsMs: 0 }): Verdict {
    const holds = (): boolean => this.#inForce() && cameraIds.every((id) => this.#granted(id, anyOf));
    if (!holds()) return refuse('the device may not look in any more');
    return { pass: new Pass(this, { lane, camera, ...more, frame: encodeFrame(message, utf8) }, holds), refused: null };
  }

  /** What the viewer is told where something was refused; null where the device may not even hear that. */
  #told(head: EngineHead, lane: Lane, camera: number): Sealable | null {
    return this.#letOut({ head, payload: null }, lane, camera, [], [], { ptsMs: 0, essential: true }).pass;
  }

  #inForce(): boolean {
    const grants = this.#parts.grants();
    return grants !== null && isInForce(grants, this.#parts.nowMs());
  }

  #granted(cameraId: CameraId, anyOf: readonly Right[]): boolean {
    return isGranted(this.#parts.grants(), cameraId, anyOf, this.#parts.nowMs());
  }

  #number(cameraId: CameraId): number {
    const known = this.#numbers.get(cameraId) ?? numberOfCamera(cameraId);
    this.#numbers.set(cameraId, known);
    return known;
  }
}

function refuse(refused: string, cameraIds: readonly CameraId[] = [], instead: Sealable | null = null, endStream: number | null = null): Verdict {
  return { pass: null, refused, cameraIds, instead, endStream };
}

function namedIn(input: unknown): readonly CameraId[] {
  return [...camerasIn(JSON.stringify(input) ?? '')];
}

/** Questions whose answers are written down as a view. */
function askedBy(name: string, input: object, cameraIds: readonly CameraId[]): Asked | null {
  const at = (key: string): EpochMs | null => (key in input ? Number((input as Record<string, unknown>)[key]) : null);
  if (ruleOf(ANSWER_RULES, name)?.shows === 'previews') return { kind: 'previews', cameraIds, fromMs: at('startMs') ?? at('atMs'), toMs: at('endMs') ?? at('atMs') };
  if (name === 'timeline.get' || name === 'timeline.drawn' || name === 'events.list') return { kind: 'timeline', cameraIds, fromMs: at('startMs'), toMs: at('endMs') };
  return null;
}
