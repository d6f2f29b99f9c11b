/** The owner's settings for the whole program, in <data>/config/settings.json; what cannot be read falls back to the previous copy, then to the defaults. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { COMMANDS, type ParsedOf } from '../../../shared/contract/engine-api.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../../shared/model/settings.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Logger } from '../core/logger.ts';

export interface SettingsStore {
  get(): Settings;
  /** Resolves with the whole settings once they are on disk. */
  change(patch: ParsedOf<'settings.set'>): Promise<Settings>;
  onChange(listener: (settings: Settings) => void): () => void;
}

/** Opens the store; settings of a later version that are unknown here are kept in the file. */
export async function openSettings(configDir: string, log: Logger): Promise<SettingsStore> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const file = path.join(configDir, 'settings.json');
  const stored = (await read(file, log)) ?? (await read(`${file}.previous`, log)) ?? {};
  const unknown = unknownOf(stored);
  let settings: Settings = { ...DEFAULT_SETTINGS, ...knownOf(stored) };
  let writing: Promise<void> = Promise.resolve();
  const listeners = new Set<(settings: Settings) => void>();
  return {
    get: () => settings,
    async change(patch) {
      const next: Settings = { ...settings, ...withoutUndefined(patch) };
      // One write at a time, in the order of the changes.
      const write = writing.then(() => replaceFile(file, `${JSON.stringify({ ...unknown, ...next }, null, 2)}\n`));
      writing = write.catch(() => undefined);
      settings = next;
      await write;
      for (const listener of listeners) listener(next);
      return next;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function read(file: string, log: Logger): Promise<Record<string, unknown> | null> {
  const text = await readIfThere(file);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    log.warn(`${file} holds no settings`);
  } catch (error) {
    log.warn(`${file} could not be read`, error);
  }
  return null;
}

/** Each setting is taken for itself, so that one bad value costs one setting. */
function knownOf(stored: Record<string, unknown>): Partial<Settings> {
  const known: Record<string, unknown> = {};
  for (const name of Object.keys(DEFAULT_SETTINGS)) {
    const parsed = COMMANDS['settings.set'].input.safeParse({ [name]: stored[name] });
    if (name in stored && parsed.success) Object.assign(known, parsed.data);
  }
  return withoutUndefined(known);
}

function unknownOf(stored: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(stored).filter(([name]) => !(name in DEFAULT_SETTINGS)));
}

function withoutUndefined<T extends object>(value: T): Partial<Settings> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined));
}
