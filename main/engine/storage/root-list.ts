/** The roots the owner chose, in <data>/config/disks.json, and how each of them is at the moment. */
import path from 'node:path';
import { type ErrorKind, PorchlightError } from '../../../shared/errors.ts';
import { isRootId, type RootId } from '../../../shared/model/ids.ts';
import type { RootState } from '../../../shared/model/storage.ts';
import { type DurationMs, type EpochMs, SECOND_MS } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import { rootForRecording } from './placement.ts';
import { createRoot, diskSpace, makeFolder, openRoot } from './root.ts';

/** A root and the folder where it is expected. */
export interface RootPlace {
  readonly rootId: RootId;
  /** Absolute. */
  readonly path: string;
}

export interface RootCondition extends RootPlace {
  readonly state: RootState;
  /** One sentence when `state` is not ready. */
  readonly problem: string | null;
  /** 0 where the disk is not there. */
  readonly diskBytes: number;
  readonly freeBytes: number;
  /** It reported trouble a moment ago: new footage goes elsewhere while there is another disk. */
  readonly suspect: boolean;
}

/** A disk that has footage and cannot be read: since when, and where it was. */
export interface AwayRoot extends RootPlace {
  readonly sinceMs: EpochMs;
  /** The owner took it out of use. */
  readonly removed: boolean;
}

/** A disk with less than this counts as full: a minute of eight 4 Mbit/s streams, while retention makes room. */
const FULL_BELOW_BYTES = 256 * 1024 * 1024;
/** A disk that does not answer for so long is passed over; whoever asked it goes on waiting alone. */
const ANSWER_LIMIT_MS: DurationMs = 3 * SECOND_MS;

export class RootList {
  readonly #file: string;
  readonly #clock: Clock;
  #places: readonly RootPlace[] = [];
  #conditions: readonly RootCondition[] = [];
  #away: readonly AwayRoot[] = [];
  /** Until when a disk's trouble counts, by the monotonic clock. */
  readonly #suspects = new Map<RootId, DurationMs>();
  /** Disks that were asked how they are and have not answered. */
  readonly #asked = new Map<string, Promise<RootCondition>>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Reads the list and looks at every root. */
  static async load(dataDir: string, clock: Clock): Promise<RootList> {
    const folder = path.join(dataDir, 'config');
    await makeFolder(folder);
    const list = new RootList(path.join(folder, 'disks.json'), clock);
    const text = await readIfThere(list.#file);
    list.#places = parsePlaces(text);
    list.#away = parseAway(text);
    await list.refresh();
    return list;
  }

  list(): readonly RootPlace[] {
    return this.#places;
  }

  /** As last looked at. */
  conditions(): readonly RootCondition[] {
    return this.#conditions;
  }

  /** Disks that have footage and cannot be read, or are not in use any more. */
  away(): readonly AwayRoot[] {
    return this.#away;
  }

  /** Where new footage goes: `preferred` where it can take it, else the first root that can; one that is full only when no other is there. Null where none can. */
  forRecording(preferred: RootId | null = null): RootPlace | null {
    return rootForRecording(this.#conditions, preferred);
  }

  /** Passes a disk over for `forMs`, because it reported trouble: what it says of itself may be older. */
  suspect(rootId: RootId, forMs: DurationMs): void {
    this.#suspects.set(rootId, this.#clock.monotonicMs() + forMs);
    this.#conditions = this.#conditions.map((root) => this.#judged(root));
  }

  /** Roots whose files can be read. */
  readable(): readonly RootPlace[] {
    return this.#conditions.filter((root) => root.state === 'ready' || root.state === 'full' || root.state === 'read-only');
  }

  /** Roots whose files can be changed. */
  writable(): readonly RootPlace[] {
    return this.#conditions.filter((root) => root.state === 'ready' || root.state === 'full');
  }

  /** The folder of a root whose files can be read, or null while its disk is not here. */
  pathOf(rootId: RootId): string | null {
    return this.readable().find((root) => root.rootId === rootId)?.path ?? null;
  }

  /** Looks at every root again; a disk that does not answer within seconds counts as failing. */
  async refresh(): Promise<readonly RootCondition[]> {
    const places = this.#places;
    const found = await Promise.all(places.map((place) => this.#ask(place)));
    if (places !== this.#places) return await this.refresh();
    this.#conditions = found.map((root) => this.#judged(root));
    await this.#noteAway();
    return this.#conditions;
  }

  /** Makes `folder` a root, or takes it on where it is one; durable when it resolves. Throws as `createRoot`. */
  async add(folder: string): Promise<RootPlace> {
    const root = await createRoot(folder, this.#clock.nowMs());
    // The same disk at a new place has moved, and keeps its place in the order.
    const known = this.#places.some((place) => place.rootId === root.rootId);
    const others = this.#places.filter((place) => place.rootId === root.rootId || place.path !== root.path);
    const replaced = this.#places.filter((place) => !others.includes(place)).map((place): AwayRoot => ({ ...place, sinceMs: this.#clock.nowMs(), removed: false }));
    const away = [...this.#away.filter((one) => one.rootId !== root.rootId && !replaced.some((place) => place.rootId === one.rootId)), ...replaced];
    await this.#save(known ? others.map((place) => (place.rootId === root.rootId ? root : place)) : [...others, root], away);
    await this.refresh();
    return root;
  }

  /** Takes a root off the list; its files stay. Throws `not-found`. */
  async remove(rootId: RootId): Promise<void> {
    const place = this.#places.find((known) => known.rootId === rootId);
    if (place === undefined) throw new PorchlightError('not-found', 'This disk is not on the list any more.');
    const away: AwayRoot = { rootId, path: place.path, sinceMs: this.#clock.nowMs(), removed: true };
    await this.#save(this.#places.filter((known) => known.rootId !== rootId), [...this.#away.filter((known) => known.rootId !== rootId), away]);
    await this.refresh();
  }

  /** Puts the roots into this order; those that are not named come last, as they were. Durable when it resolves. */
  async reorder(rootIds: readonly RootId[]): Promise<void> {
    const rank = (place: RootPlace): number => (rootIds.includes(place.rootId) ? rootIds.indexOf(place.rootId) : rootIds.length);
    await this.#save(this.#places.toSorted((a, b) => rank(a) - rank(b)), this.#away);
    await this.refresh();
  }

  #judged(root: RootCondition): RootCondition {
    return { ...root, suspect: (this.#suspects.get(root.rootId) ?? Number.NEGATIVE_INFINITY) > this.#clock.monotonicMs() };
  }

  /** A disk that hangs is asked once, however often it is looked at: each question holds a thread. */
  async #ask(place: RootPlace): Promise<RootCondition> {
    const key = `${place.rootId} ${place.path}`;
    const asked = this.#asked.get(key) ?? examine(place).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    // The only disk is waited for, as recording waits for it: there is nowhere else to go, and its recorders say that it is too slow.
    if (this.#places.length < 2) return await asked;
    const answered = new AbortController();
    const late = this.#clock.sleep(ANSWER_LIMIT_MS, answered.signal).then((): RootCondition => ({ ...place, ...NO_SPACE, state: 'failing', suspect: false, problem: `The disk at ${place.path} does not answer. Check its cable and power.` }));
    const condition = await Promise.race([asked, late]);
    answered.abort();
    return condition;
  }

  /** Keeps since when a disk is not here, over restarts too. */
  async #noteAway(): Promise<void> {
    const here = new Set(this.readable().map((root) => root.rootId));
    const gone = this.#conditions.filter((root) => !here.has(root.rootId) && !this.#away.some((away) => away.rootId === root.rootId));
    const back = this.#away.filter((away) => here.has(away.rootId));
    if (gone.length === 0 && back.length === 0) return;
    const sinceMs = this.#clock.nowMs();
    const away = [...this.#away.filter((known) => !back.includes(known)), ...gone.map((root): AwayRoot => ({ rootId: root.rootId, path: root.path, sinceMs, removed: false }))];
    // Where the data folder takes nothing, it is known until the next start.
    await this.#save(this.#places, away).catch(() => undefined);
  }

  async #save(places: readonly RootPlace[], away: readonly AwayRoot[]): Promise<void> {
    if (places !== this.#places) this.#places = places.map(({ rootId, path: folder }) => ({ rootId, path: folder }));
    this.#away = away;
    const text = `${JSON.stringify({ format: 1, roots: this.#places, away }, null, 2)}\n`;
    const write = this.#writing.then(() => replaceFile(this.#file, text));
    this.#writing = write.catch(() => undefined);
    await write;
  }
}

function parsePlaces(text: string | null): readonly RootPlace[] {
  if (text === null) return [];
  const value = JSON.parse(text) as { readonly roots?: readonly { readonly rootId?: unknown; readonly path?: unknown }[] };
  return (value.roots ?? []).flatMap(({ rootId, path: folder }) => (typeof rootId === 'string' && isRootId(rootId) && typeof folder === 'string' ? [{ rootId, path: folder }] : []));
}

function parseAway(text: string | null): readonly AwayRoot[] {
  if (text === null) return [];
  const value = JSON.parse(text) as { readonly away?: readonly { readonly rootId?: unknown; readonly path?: unknown; readonly sinceMs?: unknown; readonly removed?: unknown }[] };
  return (value.away ?? []).flatMap(({ rootId, path: folder, sinceMs, removed }): readonly AwayRoot[] =>
    typeof rootId === 'string' && isRootId(rootId) && typeof folder === 'string' && typeof sinceMs === 'number' ? [{ rootId, path: folder, sinceMs, removed: removed === true }] : [],
  );
}

/** How one root is: never throws. */
async function examine(place: RootPlace): Promise<RootCondition> {
  try {
    await openRoot(place.path, place.rootId);
    const space = await diskSpace(place.path);
    if (space.freeBytes >= FULL_BELOW_BYTES) return { ...place, ...space, state: 'ready', problem: null, suspect: false };
    return { ...place, ...space, state: 'full', problem: `The disk at ${place.path} is full. Porchlight makes room by deleting the oldest footage.`, suspect: false };
  } catch (error) {
    const state = stateOf(error);
    const space = state === 'read-only' ? await diskSpace(place.path).catch(() => NO_SPACE) : NO_SPACE;
    const problem = error instanceof PorchlightError ? error.message : `The disk at ${place.path} reports errors. Back up what matters and replace it.`;
    return { ...place, ...space, state, problem, suspect: false };
  }
}

const NO_SPACE = { diskBytes: 0, freeBytes: 0 };

const STATE_OF: Partial<Record<ErrorKind, RootState>> = { 'disk-missing': 'missing', 'disk-wrong': 'wrong-disk', 'disk-read-only': 'read-only', 'disk-full': 'full' };

function stateOf(error: unknown): RootState {
  return (error instanceof PorchlightError ? STATE_OF[error.kind] : undefined) ?? 'failing';
}
