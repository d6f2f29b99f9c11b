/** The lines of the log of views and the chain they make: each names the SHA-256 of the line before it. Pure, but for hashing. */
import { createHash } from 'node:crypto';
import { type ViewLogEntry, VIEW_KINDS } from '../../../../shared/model/remote.ts';
import { isCameraId } from '../../../../shared/model/ids.ts';
import { fromHex } from '../../../../shared/relay/bytes.ts';
import { isRecord, type LogMark } from './remote-file.ts';

/** A line is never longer: 64 cameras, a name and a note. */
export const MAX_LINE_BYTES = 4096;

/** What the first line names: SHA-256 of 32 zero bytes and the home's key (hex), so that no other home's log fits. */
export function firstMark(homeKeyHex: string): LogMark {
  const key = fromHex(homeKeyHex);
  if (key === null) throw new RangeError('a key is hex');
  return { seq: 0, hashHex: hashOf(Buffer.concat([Buffer.alloc(32), key])) };
}

/** SHA-256 in hex of a line without its end. */
export function hashOf(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

/** The line of an entry, without its end, and the mark it leaves. */
export function lineOf(entry: ViewLogEntry, before: LogMark): { readonly line: string; readonly mark: LogMark } {
  const { seq, atMs, deviceId, deviceName, kind, cameraIds, fromMs, toMs, bytes, path, note } = entry;
  const line = JSON.stringify({ seq, atMs, device: deviceId, name: deviceName, kind, cameras: cameraIds, fromMs, toMs, bytes, path, note, previous: before.hashHex });
  return { line, mark: { seq, hashHex: hashOf(Buffer.from(line, 'utf8')) } };
}

export interface ChainedEntry {
  readonly entry: ViewLogEntry;
  readonly previousHex: string;
}

/** Null for bytes that are no line of the log. */
export function readLine(line: Uint8Array): ChainedEntry | null {
  if (line.length > MAX_LINE_BYTES) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
    if (!isRecord(value)) return null;
    const { seq, atMs, device, name, cameras, fromMs, toMs, bytes, path, note, previous } = value;
    const kind = VIEW_KINDS.find((known) => known === value['kind']);
    if (typeof seq !== 'number' || typeof atMs !== 'number' || typeof device !== 'string' || typeof name !== 'string' || kind === undefined || !Array.isArray(cameras)) return null;
    if (typeof bytes !== 'number' || (path !== 'relay' && path !== 'home') || typeof previous !== 'string') return null;
    const entry: ViewLogEntry = {
      seq, atMs, deviceId: device, deviceName: name, kind,
      cameraIds: cameras.filter((id): id is string => typeof id === 'string').filter(isCameraId),
      fromMs: typeof fromMs === 'number' ? fromMs : null,
      toMs: typeof toMs === 'number' ? toMs : null,
      bytes, path,
      note: typeof note === 'string' ? note : null,
    };
    return { entry, previousHex: previous };
  } catch {
    return null;
  }
}

/** What walking along the lines tells. */
export interface ChainWalk {
  /** Where the next line goes on: the last confirmed one, or what was written behind it before a crash. */
  readonly tip: LogMark;
  /** The first line that does not fit; null where all do. */
  readonly brokenAtSeq: number | null;
}

/** Walks along the lines once, first to last. `head`: the last line that was confirmed; null where that is not known. */
export class ChainWalker {
  readonly #head: LogMark | null;
  #at: LogMark;
  #tip: LogMark;
  #brokenAtSeq: number | null;
  #metHead: boolean;

  /** `brokenAtSeq`: of the lines before `start`, which were walked earlier. */
  constructor(start: LogMark, head: LogMark | null, brokenAtSeq: number | null = null) {
    this.#head = head;
    this.#at = start;
    this.#brokenAtSeq = brokenAtSeq;
    this.#tip = head ?? start;
    this.#metHead = head === null || (head.seq === start.seq && head.hashHex === start.hashHex);
  }

  /** `line` without its end. */
  take(line: Uint8Array): void {
    const read = readLine(line);
    const expected = this.#at.seq + 1;
    const seq = read?.entry.seq ?? expected;
    const mark: LogMark = { seq, hashHex: hashOf(line) };
    if (read === null || seq !== expected || read.previousHex !== this.#at.hashHex) this.#break(expected);
    if (this.#head !== null && seq === this.#head.seq) {
      if (mark.hashHex === this.#head.hashHex) this.#metHead = true;
      else this.#break(seq);
    }
    // Behind the remembered head only what follows from it is taken for ours.
    if (this.#head === null ? read !== null : seq === this.#tip.seq + 1 && read?.previousHex === this.#tip.hashHex) this.#tip = mark;
    this.#at = mark;
  }

  /** What follows the last line end: no line, even where only its end is missing. */
  takeRest(): void {
    this.#break(this.#at.seq + 1);
  }

  /** The last line that was taken, whatever it was worth. */
  get at(): LogMark {
    return this.#at;
  }

  get brokenAtSeq(): number | null {
    return this.#brokenAtSeq;
  }

  get tip(): LogMark {
    return this.#tip;
  }

  /** Whether the remembered head came. */
  get metHead(): boolean {
    return this.#metHead;
  }

  /** At the end of the lines. A remembered head that did not come means that lines were cut off. */
  end(): ChainWalk {
    if (!this.#metHead) this.#break(Math.min(this.#at.seq + 1, this.#head?.seq ?? Number.MAX_SAFE_INTEGER));
    return { tip: this.#tip, brokenAtSeq: this.#brokenAtSeq };
  }

  #break(seq: number): void {
    this.#brokenAtSeq ??= seq;
  }
}
