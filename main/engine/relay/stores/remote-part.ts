/** Watching from away in a set-up that is taken along: the home's key, relays, and every device with its grants (docs/design/config-export.md). */
import { PorchlightError } from '../../../../shared/errors.ts';
import type { SetupChange } from '../../../../shared/model/setup.ts';
import { normalisedRelays } from './relay-settings.ts';
import { type DeviceText, MAX_DEVICES, readKeys } from './device-store.ts';
import { type IdentityText, readIdentity } from './home-identity.ts';
import { isRecord, type LogMark, readDevice, readMark } from './remote-file.ts';

/** All that is kept about watching from away, to be taken along or put in place. */
export interface RemoteSetup {
  readonly enabled: boolean;
  readonly relays: readonly string[];
  /** Null where no key was drawn yet. */
  readonly identity: IdentityText | null;
  readonly devices: readonly DeviceText[];
  /** The newest line of the log of views: the log of the other computer goes on behind it. */
  readonly logHead: LogMark | null;
}

export interface RemotePartParts {
  collect(): Promise<RemoteSetup>;
  /** Puts it in force; durable when it resolves. */
  put(setup: RemoteSetup): Promise<void>;
}

/** As settings/setup-parts.ts `SetupPart`, among which engine-care.ts puts it. */
export interface RemotePart {
  readonly name: 'remote';
  collect(): Promise<unknown>;
  plan(value: unknown): Promise<{ readonly changes: readonly SetupChange[]; apply(): Promise<void>; undo(): Promise<void> }>;
}

export function remotePart(parts: RemotePartParts): RemotePart {
  return {
    name: 'remote',
    collect: async () => ({ format: 1, ...(await parts.collect()) }),
    plan: async (value) => {
      const file = readSetup(value);
      const before = await parts.collect();
      const { changes, after } = merged(before, file);
      return {
        changes,
        apply: async () => void (after !== null && (await parts.put(after))),
        undo: async () => void (after !== null && (await parts.put(before))),
      };
    },
  };
}

function readSetup(value: unknown): RemoteSetup {
  const refusal = new PorchlightError('invalid-input', 'What this file says of watching from away cannot be read. It may be from a newer Porchlight.');
  if (!isRecord(value) || value['format'] !== 1 || !Array.isArray(value['devices']) || !Array.isArray(value['relays'])) throw refusal;
  const identity = value['identity'] === null ? null : readIdentity(value['identity']);
  if (identity === null && value['identity'] !== null) throw refusal;
  const devices = value['devices'].slice(0, MAX_DEVICES).map((one): DeviceText => {
    const record = isRecord(one) ? readDevice(one['record']) : null;
    const keys = isRecord(one) && typeof one['keys'] === 'string' ? one['keys'] : null;
    if (record === null || (keys !== null && readKeys(record.publicKeyHex, keys) === null)) throw refusal;
    return { record, keys };
  });
  const relays = normalisedRelays(value['relays'].filter((one): one is string => typeof one === 'string'));
  return { enabled: value['enabled'] === true && relays.length > 0, relays, identity, devices, logHead: readMark(value['logHead']) };
}

/** What the file would change; `after` is null where nothing. Pure. */
function merged(here: RemoteSetup, file: RemoteSetup): { readonly changes: readonly SetupChange[]; readonly after: RemoteSetup | null } {
  if (file.identity === null && file.devices.length === 0 && file.relays.length === 0) return { changes: [], after: null };
  const isSameHome = here.identity?.privateKey === file.identity?.privateKey;
  if (here.devices.length > 0 && !isSameHome) {
    return { changes: [{ kind: 'keep', sentence: 'Devices are paired with this computer already, under a key of its own. They stay, and those of the file have to be paired again.' }], after: null };
  }
  const changes: SetupChange[] = [];
  const devices = [...here.devices];
  for (const theirs of file.devices) {
    const at = devices.findIndex(({ record }) => record.id === theirs.record.id);
    const mine = devices[at];
    const { name } = theirs.record;
    if (mine === undefined) {
      changes.push({ kind: 'add', sentence: `${name} may look in from away again, as the file says.` });
      devices.push(theirs);
    } else if (JSON.stringify([mine.record.name, mine.record.grants]) !== JSON.stringify([name, theirs.record.grants])) {
      changes.push({ kind: 'change', sentence: `${mine.record.name}: what it may see from away is taken from the file.` });
      // A stamp never goes back.
      devices[at] = { record: { ...theirs.record, stampMs: Math.max(mine.record.stampMs, theirs.record.stampMs) }, keys: theirs.keys ?? mine.keys };
    }
  }
  if (devices.length > MAX_DEVICES) throw new PorchlightError('invalid-input', `With the devices of this file more than ${MAX_DEVICES} would be paired. Take some off the list first.`);
  const isOtherWay = here.enabled !== file.enabled || here.relays.join('\n') !== file.relays.join('\n');
  if (isOtherWay && file.enabled) changes.push({ kind: 'change', sentence: `Watching from away is switched on, over ${file.relays.join(' and ')}.` });
  else if (isOtherWay) changes.push({ kind: 'change', sentence: here.enabled ? 'Watching from away is switched off.' : 'The relays for watching from away are taken from the file; it stays off.' });
  if (!isSameHome && changes.length === 0) changes.push({ kind: 'change', sentence: 'The key of this home for watching from away is taken from the file.' });
  if (changes.length === 0) return { changes, after: null };
  return { changes, after: { enabled: file.enabled, relays: file.relays, identity: file.identity ?? here.identity, devices, logHead: file.logHead } };
}
