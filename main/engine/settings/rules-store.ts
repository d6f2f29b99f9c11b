/** The owner's storage rules in <data>/config/storage.json; first made to fit the disk they are for. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ParsedOf } from '../../../shared/contract/engine-api.ts';
import { isRootId } from '../../../shared/model/ids.ts';
import type { StorageRules } from '../../../shared/model/storage.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';

export interface RulesStore {
  get(): StorageRules;
  change(patch: ParsedOf<'storage.setRules'>): Promise<StorageRules>;
}

/** Most that stays free unless the owner says otherwise: enough for a system to live. */
const KEEP_FREE_BYTES = 10_000_000_000;

/** Free space a disk keeps at first: never so much that a rather full disk would lose footage at once. */
export function firstRules(disk: { readonly diskBytes: number; readonly freeBytes: number }): StorageRules {
  const keepFreeBytes = Math.floor(Math.min(KEEP_FREE_BYTES, disk.diskBytes / 20, disk.freeBytes / 4));
  return { quotaBytes: {}, keepFreeBytes, maxAgeDays: null };
}

/** Reads the rules; `first` is asked when there are none or they cannot be read. */
export async function openRules(configDir: string, first: () => StorageRules, log: Logger): Promise<RulesStore> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const file = path.join(configDir, 'storage.json');
  let rules = parse(await readIfThere(file), file, log) ?? parse(await readIfThere(`${file}.previous`), file, log) ?? first();
  let writing: Promise<void> = Promise.resolve();
  return {
    get: () => rules,
    async change(patch) {
      const quotaBytes = { ...rules.quotaBytes };
      for (const [rootId, bytes] of Object.entries(patch.quotaBytes ?? {})) if (isRootId(rootId)) quotaBytes[rootId] = bytes;
      rules = { quotaBytes, keepFreeBytes: patch.keepFreeBytes ?? rules.keepFreeBytes, maxAgeDays: patch.maxAgeDays === undefined ? rules.maxAgeDays : patch.maxAgeDays };
      const text = `${JSON.stringify(rules, null, 2)}\n`;
      const write = writing.then(() => replaceFile(file, text));
      writing = write.catch(() => undefined);
      await write;
      return rules;
    },
  };
}

function parse(text: string | null, file: string, log: Logger): StorageRules | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Record<keyof StorageRules, unknown>>;
    const { quotaBytes, keepFreeBytes, maxAgeDays } = value;
    if (typeof keepFreeBytes !== 'number' || typeof quotaBytes !== 'object' || quotaBytes === null) return null;
    if (maxAgeDays !== null && (typeof maxAgeDays !== 'number' || maxAgeDays <= 0)) return null;
    const quotas = Object.entries(quotaBytes).filter(([, bytes]) => bytes === null || (typeof bytes === 'number' && bytes > 0));
    return { quotaBytes: Object.fromEntries(quotas) as Record<string, number | null>, keepFreeBytes, maxAgeDays };
  } catch (error) {
    log.warn(`${file} could not be read`, error);
    return null;
  }
}
