/**
 * The log of views, <data>/config/views-<year>-<month>.jsonl: who watched what and when, each line naming the one before it
 * (docs/design/relay.md, "The log of views"). A line is synced, and its place remembered in remote.json, before it is confirmed.
 */
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { ViewLog, ViewLogEntry } from '../../../../shared/model/remote.ts';
import { fromHex } from '../../../../shared/relay/bytes.ts';
import type { LogHead } from '../../../../shared/relay/session-types.ts';
import type { EpochMs } from '../../../../shared/time.ts';
import { syncFolder } from '../../core/atomic-file.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { linesBackward, linesForward, monthFile, monthFiles } from './line-files.ts';
import type { LogMark, RemoteFile } from './remote-file.ts';
import { ChainWalker, type ChainWalk, firstMark, lineOf, readLine } from './view-chain.ts';

/** What is told of a view; number, time and chain are the log's. */
export type NewView = Omit<ViewLogEntry, 'seq' | 'atMs'>;

export interface ViewQuery {
  /** Entries at most. */
  readonly limit: number;
  /** Older than this one only. */
  readonly beforeSeq?: number | undefined;
  readonly deviceId?: string | undefined;
}

export interface ViewLogStore {
  /** Durable when it resolves; before that nothing is to be shown. Rejects where the disk does not take it. */
  append(view: NewView): Promise<ViewLogEntry>;
  /** How many lines there are, and SHA-256 of the newest confirmed one, 32 bytes. */
  head(): LogHead;
  /** Newest first, and whether the whole log fits together now. */
  read(query: ViewQuery): Promise<ViewLog>;
  verify(): Promise<ViewLog['chain']>;
  /** A line was confirmed. */
  onAppended(listener: (entry: ViewLogEntry) => void): () => void;
  /** Resolves when nothing is being written. */
  close(): Promise<void>;
}

export interface ViewLogParts {
  /** <data>/config. */
  readonly folder: string;
  readonly file: RemoteFile;
  /** X25519, hex: the first line of the log names it. */
  readonly homeKeyHex: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Signs of a note that are kept. */
const MAX_NOTE = 300;
/** Lines in one write. */
const MAX_BATCH = 256;

/** Verifies the log, and cuts off what a crash left behind its last confirmed line. */
export async function openViewLog(parts: ViewLogParts): Promise<ViewLogStore> {
  const { file, homeKeyHex, log } = parts;
  const logStart = file.content.logStart ?? firstMark(homeKeyHex);
  if (file.content.logStart === null) await file.change({ logStart });
  const start: Walkable = { files: '', at: logStart, brokenAtSeq: null };
  const head = file.content.logHead;
  let walked = await walk(await sizedFiles(parts.folder), start, head);
  // One cut for each file at most: what is cut off is not there the next time.
  while (walked.beyond !== null) {
    await cutOff(walked.beyond, log);
    walked = await walk(await sizedFiles(parts.folder), start, head);
  }
  if (walked.brokenAtSeq !== null) log.warn(`the log of views does not fit together at line ${walked.brokenAtSeq}: it was changed by somebody else, or its disk is damaged`);
  if (walked.tip.hashHex !== head?.hashHex) await file.change({ logHead: walked.tip });
  return new FileViewLog(parts, start, walked);
}

interface Waiting {
  readonly view: NewView;
  readonly atMs: EpochMs;
  readonly resolve: (entry: ViewLogEntry) => void;
  readonly reject: (error: unknown) => void;
}

class FileViewLog implements ViewLogStore {
  readonly #parts: ViewLogParts;
  readonly #start: Walkable;
  readonly #listeners = new Set<(entry: ViewLogEntry) => void>();
  #tip: LogMark;
  #waiting: Waiting[] = [];
  #isPumping = false;
  /** One writes, or looks how far the files go. */
  #alone: Promise<unknown> = Promise.resolve();

  /** The months before the last one, which do not change any more: walked anew only where the system says that one was touched. */
  #past: Walkable;

  constructor(parts: ViewLogParts, start: Walkable, { tip, past }: Walked) {
    this.#parts = parts;
    this.#start = start;
    this.#past = past;
    this.#tip = tip;
  }

  append(view: NewView): Promise<ViewLogEntry> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ view, atMs: this.#parts.clock.nowMs(), resolve, reject });
      void this.#pump();
    });
  }

  head(): LogHead {
    return { length: this.#tip.seq, head: fromHex(this.#tip.hashHex) ?? new Uint8Array(32) };
  }

  async read({ limit, beforeSeq, deviceId }: ViewQuery): Promise<ViewLog> {
    const { files } = await this.#now();
    const entries: ViewLogEntry[] = [];
    for (const { name, sizeBytes } of files.toReversed()) {
      if (entries.length >= limit) break;
      for await (const line of linesBackward(name, sizeBytes)) {
        const entry = readLine(line)?.entry;
        if (entry === undefined || entry.seq >= (beforeSeq ?? Number.POSITIVE_INFINITY) || (deviceId !== undefined && entry.deviceId !== deviceId)) continue;
        entries.push(entry);
        if (entries.length >= limit) break;
      }
    }
    return { entries, chain: await this.verify() };
  }

  async verify(): Promise<ViewLog['chain']> {
    const { files, head } = await this.#now();
    const isPast = files.slice(0, -1).map(({ signature }) => signature).join('\n') === this.#past.files && this.#past.at.seq < head.seq;
    const { brokenAtSeq, tip, past } = await walk(isPast ? files.slice(-1) : files, isPast ? this.#past : this.#start, head);
    if (!isPast) this.#past = past;
    // Nobody else writes: lines behind ours are not ours.
    const broken = brokenAtSeq ?? (tip.seq > head.seq ? head.seq + 1 : null);
    return { intact: broken === null, brokenAtSeq: broken, length: head.seq };
  }

  onAppended(listener: (entry: ViewLogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#exclusively(async () => undefined);
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#alone.then(work);
    this.#alone = mine.catch(() => undefined);
    return await mine;
  }

  /** How far the files go, between two writes. */
  #now(): Promise<{ readonly files: readonly SizedFile[]; readonly head: LogMark }> {
    return this.#exclusively(async () => ({ files: await sizedFiles(this.#parts.folder), head: this.#tip }));
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#waiting.length > 0) {
      const { taken, written } = await this.#exclusively(async () => {
        const batch = this.#waiting.splice(0, MAX_BATCH);
        return { taken: batch, written: await this.#write(batch).catch((error: unknown) => new WriteFailure(error)) };
      });
      taken.forEach(({ resolve, reject }, at) => {
        const entry = written instanceof WriteFailure ? undefined : written[at];
        if (entry === undefined) reject(written instanceof WriteFailure ? written.cause : new Error('a view was not written'));
        else {
          resolve(entry);
          for (const listener of this.#listeners) listener(entry);
        }
      });
    }
    this.#isPumping = false;
  }

  /** Lines first, then how far they go: a crash between the two leaves lines that follow from the remembered one. */
  async #write(batch: readonly Waiting[]): Promise<readonly ViewLogEntry[]> {
    const { clock, file, folder } = this.#parts;
    const lines: string[] = [];
    const entries: ViewLogEntry[] = [];
    let mark = this.#tip;
    for (const { view, atMs } of batch) {
      const entry: ViewLogEntry = { ...view, seq: mark.seq + 1, atMs, note: view.note?.slice(0, MAX_NOTE) ?? null };
      const { line, mark: next } = lineOf(entry, mark);
      lines.push(line);
      entries.push(entry);
      mark = next;
    }
    // A clock that was set back begins no file before the last one: lines lie in the order of their numbers.
    const wanted = monthFile(folder, clock.nowMs());
    const last = (await monthFiles(folder)).at(-1);
    await appendDurably(last !== undefined && last > wanted ? last : wanted, `${lines.join('\n')}\n`);
    // From here on these lines are in the file, whether they are confirmed or not.
    this.#tip = mark;
    await file.change({ logHead: mark });
    return entries;
  }
}

interface SizedFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Another one after any change of the file: its inode's change time cannot be set by a program. */
  readonly signature: string;
}

/** Where a walk can begin. */
interface Walkable {
  /** Signatures of the files before it. */
  readonly files: string;
  readonly at: LogMark;
  readonly brokenAtSeq: number | null;
}

class WriteFailure {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

interface Walked extends ChainWalk {
  /** Up to the last file. */
  readonly past: Walkable;
  /** What lies behind the last line of ours: never confirmed. Null where there is nothing, or a confirmed line is missing. */
  readonly beyond: { readonly name: string; readonly offset: number } | null;
}

async function walk(files: readonly SizedFile[], start: Walkable, head: LogMark | null): Promise<Walked> {
  const walker = new ChainWalker(start.at, head, start.brokenAtSeq);
  let beyond: Walked['beyond'] = null;
  let past = start;
  for (const [index, { name, sizeBytes }] of files.entries()) {
    if (index > 0 && index === files.length - 1) past = { files: files.slice(0, index).map(({ signature }) => signature).join('\n'), at: walker.at, brokenAtSeq: walker.brokenAtSeq };
    let lineOffset = 0;
    for await (const { line, endOffset, isEnded } of linesForward(name, sizeBytes)) {
      const wasMet = walker.metHead;
      const before = walker.tip;
      if (isEnded) walker.take(line);
      else walker.takeRest();
      const isOurs = isEnded && (head === null || !wasMet || walker.tip !== before);
      beyond ??= isOurs ? null : { name, offset: lineOffset };
      lineOffset = endOffset;
    }
  }
  return { ...walker.end(), beyond: walker.metHead ? beyond : null, past };
}

/** Keeps what is cut off beside the file. */
async function cutOff({ name, offset }: { readonly name: string; readonly offset: number }, log: Logger): Promise<void> {
  log.warn(`${path.basename(name)} went on behind its last confirmed line; the rest was set aside`);
  await copyFile(name, `${name}.cut-off`);
  await truncate(name, offset);
  await syncFolder(path.dirname(name));
}

/** Appends whole lines and syncs them; where that fails, the file is as before as far as the disk allows. */
async function appendDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const lastByte = Buffer.alloc(1);
    if (size > 0) await handle.read(lastByte, 0, 1, size - 1);
    // Behind something that somebody cut in a line, ours begins on one of its own.
    const content = size > 0 && lastByte[0] !== 0x0a ? `\n${text}` : text;
    try {
      await handle.appendFile(content);
      await handle.sync();
    } catch (error) {
      await handle.truncate(size).catch(() => undefined);
      throw error;
    }
    if (size === 0) await syncFolder(path.dirname(file));
  } finally {
    await handle.close();
  }
}

async function sizedFiles(folder: string): Promise<readonly SizedFile[]> {
  return await Promise.all(
    (await monthFiles(folder)).map(async (name) => {
      const { size, mtimeNs, ctimeNs, ino } = await stat(name, { bigint: true });
      return { name, sizeBytes: Number(size), signature: `${name} ${size} ${mtimeNs} ${ctimeNs} ${ino}` };
    }),
  );
}
