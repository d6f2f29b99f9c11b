/** What the viewer asked for, and whether what comes is that: the strict place of invariant R3 at the viewer (docs/design/relay.md, "Failure"). */
import type { ChannelMessage } from '../contract/channel.ts';
import { CONTROL_LANE, isAnswerLane, mediaLane } from './lanes.ts';

type Head = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Head {
  return typeof value === 'object' && value !== null;
}

const isId = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The one camera a viewer's message asks about: `input.cameraId` of a request or an open. Null where it is of none, or of several. */
export function cameraAskedBy(head: unknown): string | null {
  if (!isRecord(head) || (head['type'] !== 'request' && head['type'] !== 'open') || !isRecord(head['input'])) return null;
  const cameraId = head['input']['cameraId'];
  return typeof cameraId === 'string' ? cameraId : null;
}

/** What the viewer closed may still be on its way; so many are remembered. */
const MOST_CLOSED = 1_024;

/** `deliver` it, `ignore` it (it was closed meanwhile), or why the session must end, as a sentence. */
export type Judgement = { readonly verdict: 'deliver' | 'ignore' } | { readonly verdict: 'refuse'; readonly why: string };

const DELIVER: Judgement = { verdict: 'deliver' };
const IGNORE: Judgement = { verdict: 'ignore' };
const refuse = (why: string): Judgement => ({ verdict: 'refuse', why });
const OTHER_CAMERA = refuse('Something of another camera came than was asked for.');
const OTHER_LANE = refuse('Something came by another way than it belongs to.');
const NOT_ASKED = refuse('Something came that was not asked for.');

/** The questions and streams that are open, each with its camera's number. */
export class Asked {
  readonly #questions = new Map<number, number>();
  readonly #streams = new Map<number, number>();
  /** Streams closed by the viewer, oldest first. */
  readonly #closed = new Map<number, number>();

  /** A message goes out; `camera` is the number of `cameraAskedBy`, 0 for none. */
  asks(head: unknown, camera: number): void {
    if (!isRecord(head)) return;
    if (head['type'] === 'request' && isId(head['id'])) this.#questions.set(head['id'], camera);
    if (head['type'] === 'open' && isId(head['stream'])) this.#streams.set(head['stream'], camera);
    if (head['type'] === 'close' && isId(head['stream'])) this.#close(head['stream']);
  }

  /** A message came in on that lane, its records naming that camera. */
  judge({ head, payload }: ChannelMessage, lane: number, camera: number): Judgement {
    if (!isRecord(head)) return refuse('A message came that could not be read.');
    switch (head['type']) {
      case 'welcome':
      case 'event':
        if (lane !== CONTROL_LANE || payload !== null) return OTHER_LANE;
        return camera === 0 ? DELIVER : OTHER_CAMERA;
      case 'result':
        return this.#answer(head['id'], lane, payload, (asked) => camera === asked);
      case 'failure':
        return payload === null ? this.#answer(head['id'], lane, payload, (asked) => camera === asked || camera === 0) : OTHER_LANE;
      case 'chunk':
        return this.#media(head['stream'], lane, (asked) => camera === asked);
      case 'closed':
        return this.#ended(head['stream'], lane, payload, camera);
      default:
        return refuse('A message came that could not be read.');
    }
  }

  #answer(id: unknown, lane: number, payload: Uint8Array | null, isCamera: (asked: number) => boolean): Judgement {
    const asked = isId(id) ? this.#questions.get(id) : undefined;
    if (!isId(id) || asked === undefined) return NOT_ASKED;
    if (payload === null ? lane !== CONTROL_LANE : !isAnswerLane(lane, id)) return OTHER_LANE;
    if (!isCamera(asked)) return OTHER_CAMERA;
    this.#questions.delete(id);
    return DELIVER;
  }

  #media(stream: unknown, lane: number, isCamera: (asked: number) => boolean): Judgement {
    if (!isId(stream)) return NOT_ASKED;
    const open = this.#streams.get(stream);
    const asked = open ?? this.#closed.get(stream);
    if (asked === undefined) return NOT_ASKED;
    if (lane !== mediaLane(stream)) return OTHER_LANE;
    if (!isCamera(asked)) return OTHER_CAMERA;
    return open === undefined ? IGNORE : DELIVER;
  }

  #ended(stream: unknown, lane: number, payload: Uint8Array | null, camera: number): Judgement {
    if (payload !== null) return OTHER_LANE;
    const judged = this.#media(stream, lane, (asked) => camera === asked || camera === 0);
    if (judged.verdict !== 'refuse' && isId(stream)) {
      this.#streams.delete(stream);
      this.#closed.delete(stream);
    }
    return judged;
  }

  #close(stream: number): void {
    const camera = this.#streams.get(stream);
    if (camera === undefined) return;
    this.#streams.delete(stream);
    this.#closed.set(stream, camera);
    const oldest = this.#closed.keys().next();
    if (this.#closed.size > MOST_CLOSED && oldest.done !== true) this.#closed.delete(oldest.value);
  }
}
