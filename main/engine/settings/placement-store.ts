/** The owner's choice of placement in <data>/config/placement.json, with the disk each camera belongs to. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type CameraId, isCameraId, isRootId, type RootId } from '../../../shared/model/ids.ts';
import { DEFAULT_PLACEMENT, type Placement, PLACEMENT_MODES } from '../../../shared/model/placement.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';
import type { Homes } from '../storage/placement.ts';

const FORMAT = 1;

export interface PlacementStore {
  get(): Placement;
  homes(): Homes;
  /** Durable when it resolves. A choice of how cameras are spread begins anew: nobody has a disk yet. */
  choose(placement: Placement): Promise<void>;
  /** Choice and disks as another set-up has them; durable when it resolves. */
  take(placement: Placement, homes: Homes): Promise<void>;
  /** Durable when it resolves. */
  setHomes(homes: Homes): Promise<void>;
}

interface Stored {
  readonly placement: Placement;
  readonly homes: Homes;
}

/** Reads the choice; where there is none or it cannot be read, the previous copy, else the default. */
export async function openPlacement(configDir: string, log: Logger): Promise<PlacementStore> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const file = path.join(configDir, 'placement.json');
  let stored: Stored = parse(await readIfThere(file), file, log) ?? parse(await readIfThere(`${file}.previous`), file, log) ?? { placement: DEFAULT_PLACEMENT, homes: {} };
  let writing: Promise<void> = Promise.resolve();
  const save = async (next: Stored): Promise<void> => {
    stored = next;
    const write = writing.then(() => replaceFile(file, `${JSON.stringify({ format: FORMAT, ...next.placement, homes: next.homes }, null, 2)}\n`));
    writing = write.catch(() => undefined);
    await write;
  };
  return {
    get: () => stored.placement,
    homes: () => stored.homes,
    choose: (placement) => save({ placement, homes: placement.mode === stored.placement.mode ? stored.homes : {} }),
    take: (placement, homes) => save({ placement, homes }),
    setHomes: (homes) => save({ ...stored, homes }),
  };
}

function parse(text: string | null, file: string, log: Logger): Stored | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as { readonly mode?: unknown; readonly moveAfterDays?: unknown; readonly homes?: unknown };
    const mode = PLACEMENT_MODES.find((known) => known === value.mode);
    if (mode === undefined) return null;
    const { moveAfterDays } = value;
    const homes = typeof value.homes === 'object' && value.homes !== null ? Object.entries(value.homes) : [];
    return {
      placement: { mode, moveAfterDays: typeof moveAfterDays === 'number' && moveAfterDays > 0 ? moveAfterDays : null },
      homes: Object.fromEntries(homes.filter((entry): entry is [CameraId, RootId] => isCameraId(entry[0]) && typeof entry[1] === 'string' && isRootId(entry[1]))) as Homes,
    };
  } catch (error) {
    log.warn(`${file} could not be read`, error);
    return null;
  }
}
