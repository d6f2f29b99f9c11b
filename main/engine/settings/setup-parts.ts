/** What a set-up consists of: each part says what it takes along, what an import of it would do, and does it. Further parts join by name. */
import { COMMANDS } from '../../../shared/contract/engine-api.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Settings } from '../../../shared/model/settings.ts';
import type { SetupChange } from '../../../shared/model/setup.ts';
import type { RulesStore } from './rules-store.ts';
import type { SettingsStore } from './settings-store.ts';

/** What an import of a part would do. */
export interface PartPlan {
  readonly changes: readonly SetupChange[];
  /** Durable when it resolves. */
  apply(): Promise<void>;
  /** As before `apply`, where a later part failed. */
  undo(): Promise<void>;
}

export interface SetupPart {
  /** In the file; never another meaning under the same name. */
  readonly name: string;
  /** What goes into the file, as JSON. */
  collect(): Promise<unknown>;
  /** Changes nothing. Throws `invalid-input` where the value is not of this part. */
  plan(value: unknown): Promise<PartPlan>;
}

export function notOfThisPart(what: string): PorchlightError {
  return new PorchlightError('invalid-input', `The ${what} in this file cannot be read. It may be from a newer Porchlight.`);
}

/** Settings that are about the home; those about a computer (where ffmpeg lies, start at login, networks to search) stay with it. */
const TAKEN = ['homeName', 'theme', 'keepAwake'] as const satisfies readonly (keyof Settings)[];
const WORDS: Readonly<Record<(typeof TAKEN)[number], string>> = { homeName: 'The name of this home', theme: 'The look', keepAwake: 'Keeping this computer awake' };

export function settingsPart(settings: SettingsStore): SetupPart {
  const picked = (from: Settings): Pick<Settings, (typeof TAKEN)[number]> => ({ homeName: from.homeName, theme: from.theme, keepAwake: from.keepAwake });
  const shown = (value: string | boolean): string => (typeof value === 'string' ? `“${value}”` : value ? 'on' : 'off');
  return {
    name: 'settings',
    collect: async () => picked(settings.get()),
    plan: async (value) => {
      const parsed = COMMANDS['settings.set'].input.safeParse(value);
      if (!parsed.success) throw notOfThisPart('settings');
      const before = picked(settings.get());
      const after = { ...before, ...picked({ ...settings.get(), ...withoutUndefined(parsed.data) }) };
      const other = TAKEN.filter((name) => before[name] !== after[name]);
      return {
        changes: other.map((name) => ({ kind: 'change', sentence: `${WORDS[name]}: ${shown(before[name])} becomes ${shown(after[name])}.` })),
        apply: async () => void (other.length > 0 && (await settings.change(after))),
        undo: async () => void (other.length > 0 && (await settings.change(before))),
      };
    },
  };
}

/** `mayApply`: false where these rules would delete so much footage at once that the owner has to be asked. */
export function rulesPart(rules: RulesStore, mayApply: (patch: Parameters<RulesStore['change']>[0]) => Promise<boolean>): SetupPart {
  return {
    name: 'rules',
    collect: async () => rules.get(),
    plan: async (value) => {
      const parsed = COMMANDS['storage.setRules'].input.safeParse(value);
      if (!parsed.success) throw notOfThisPart('rules for storage');
      const before = rules.get();
      const { data } = parsed;
      if (isSame(before, { ...before, ...withoutUndefined(data) })) return { changes: [], apply: async () => undefined, undo: async () => undefined };
      if (!(await mayApply(data))) {
        const sentence = 'The rules of how long footage is kept stay as they are: those of the file would delete much of the footage here at once. Set them under Storage.';
        return { changes: [{ kind: 'keep', sentence }], apply: async () => undefined, undo: async () => undefined };
      }
      return {
        changes: [{ kind: 'change', sentence: 'The rules of how long footage is kept are taken from the file.' }],
        apply: async () => void (await rules.change(data)),
        undo: async () => void (await rules.change(before)),
      };
    },
  };
}

function withoutUndefined<T extends object>(value: T): Partial<{ [Name in keyof T]: Exclude<T[Name], undefined> }> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<{ [Name in keyof T]: Exclude<T[Name], undefined> }>;
}

/** Equal as JSON, whatever the order of their fields. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, entry]) => [name, sorted(entry)]));
}
