/** The roots the owner chose, in <data>/config/disks.json, and how each of them is at the moment. */
import path from 'node:path';
import { type ErrorKind, PorchlightError } from '../../../shared/errors.ts';
import { isRootId, type RootId } from '../../../shared/model/ids.ts';
import type { RootState } from '../../../shared/model/storage.ts';
import type { Clock } from '../core/clock.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
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
}

/** A disk with less than this counts as full: a minute of eight 4 Mbit/s streams, while retention makes room. */
const FULL_BELOW_BYTES = 256 * 1024 * 1024;

export class RootList {
  readonly #file: string;
  readonly #clock: Clock;
  #places: readonly RootPlace[] = [];
  #conditions: readonly RootCondition[] = [];

  private constructor(file: string, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Reads the list and looks at every root. */
  static async load(dataDir: string, clock: Clock): Promise<RootList> {
    const folder = path.join(dataDir, 'config');
    await makeFolder(folder);
    const list = new RootList(path.join(folder, 'disks.json'), clock);
    list.#places = parsePlaces(await readIfThere(list.#file));
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

  /** Where new footage goes: the first root that can take it; one that is full only when no other is there. Null where none can. */
  forRecording(): RootPlace | null {
    return this.#conditions.find((root) => root.state === 'ready') ?? this.#conditions.find((root) => root.state === 'full') ?? null;
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

  /** Looks at every root again. */
  async refresh(): Promise<readonly RootCondition[]> {
    this.#conditions = await Promise.all(this.#places.map(examine));
    return this.#conditions;
  }

  /** Makes `folder` a root, or takes it on where it is one; durable when it resolves. Throws as `createRoot`. */
  async add(folder: string): Promise<RootPlace> {
    const root = await createRoot(folder, this.#clock.nowMs());
    // The same disk at a new place: it has moved.
    await this.#save([...this.#places.filter((place) => place.rootId !== root.rootId && place.path !== root.path), root]);
    await this.refresh();
    return root;
  }

  /** Takes a root off the list; its files stay. Throws `not-found`. */
  async remove(rootId: RootId): Promise<void> {
    if (!this.#places.some((place) => place.rootId === rootId)) throw new PorchlightError('not-found', 'This disk is not on the list any more.');
    await this.#save(this.#places.filter((place) => place.rootId !== rootId));
    await this.refresh();
  }

  async #save(places: readonly RootPlace[]): Promise<void> {
    await replaceFile(this.#file, `${JSON.stringify({ format: 1, roots: places }, null, 2)}\n`);
    this.#places = places;
  }
}

function parsePlaces(text: string | null): readonly RootPlace[] {
  if (text === null) return [];
  const value = JSON.parse(text) as { readonly roots?: readonly { readonly rootId?: unknown; readonly path?: unknown }[] };
  return (value.roots ?? []).flatMap(({ rootId, path: folder }) => (typeof rootId === 'string' && isRootId(rootId) && typeof folder === 'string' ? [{ rootId, path: folder }] : []));
}

/** How one root is: never throws. */
async function examine(place: RootPlace): Promise<RootCondition> {
  try {
    await openRoot(place.path, place.rootId);
    const space = await diskSpace(place.path);
    if (space.freeBytes >= FULL_BELOW_BYTES) return { ...place, ...space, state: 'ready', problem: null };
    return { ...place, ...space, state: 'full', problem: `The disk at ${place.path} is full. Porchlight makes room by deleting the oldest footage.` };
  } catch (error) {
    const state = stateOf(error);
    const space = state === 'read-only' ? await diskSpace(place.path).catch(() => NO_SPACE) : NO_SPACE;
    const problem = error instanceof PorchlightError ? error.message : `The disk at ${place.path} reports errors. Back up what matters and replace it.`;
    return { ...place, ...space, state, problem };
  }
}

const NO_SPACE = { diskBytes: 0, freeBytes: 0 };

const STATE_OF: Partial<Record<ErrorKind, RootState>> = { 'disk-missing': 'missing', 'disk-wrong': 'wrong-disk', 'disk-read-only': 'read-only', 'disk-full': 'full' };

function stateOf(error: unknown): RootState {
  return (error instanceof PorchlightError ? STATE_OF[error.kind] : undefined) ?? 'failing';
}
