/** The homes this computer may look into, <data>/config/homes.json; their keys among the sealed secrets, given to the own window only. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../../shared/errors.ts';
import { EVEN_RATES_MBIT, type EvenRateMbit, type RemoteHome, type RemoteHomeKeys } from '../../../../shared/model/remote.ts';
import { fromBase64url } from '../../../../shared/relay/bytes.ts';
import { deviceIdOf } from '../../../../shared/relay/derive.ts';
import type { CryptoSuite } from '../../../../shared/relay/suite.ts';
import type { EpochMs } from '../../../../shared/time.ts';
import type { Clock } from '../../core/clock.ts';
import { Emitter } from '../../core/emitter.ts';
import type { Logger } from '../../core/logger.ts';
import { JsonFile } from './json-file.ts';
import { normalisedRelays } from './relay-settings.ts';
import { isKeyHex, isRecord, type Secrets } from './remote-file.ts';

const MAX_HOMES = 64;
const KEY_BYTES = 32;
const KEY_NAMES = ['homePublicKey', 'devicePrivateKey', 'psk', 'ringSeed', 'routeSeed'] as const satisfies readonly (keyof RemoteHomeKeys)[];

interface HomeRecord extends RemoteHome {
  /** Of the last session that was begun. */
  readonly stampMs: EpochMs;
}

interface HomesContent {
  readonly format: 1;
  readonly homes: readonly HomeRecord[];
}

export interface HomesStore {
  list(): readonly RemoteHome[];
  /** RemoteHomeKeys as JSON in UTF-8. Rejects with `not-found`, and `not-allowed` where the keyring does not give them back. */
  keys(homeId: string): Promise<Uint8Array>;
  /** Durable when it resolves. A home that was paired before takes the new keys. Rejects with `invalid-input`, `conflict` when there are too many. */
  add(home: { readonly name: string; readonly relays: readonly string[]; readonly bytes: Uint8Array }): Promise<RemoteHome>;
  rename(homeId: string, name: string): Promise<RemoteHome>;
  /** What that home told of where it is reached. Durable when it resolves. Rejects with `invalid-input`; then those of before stay. */
  setRelays(homeId: string, relays: readonly string[]): Promise<RemoteHome>;
  /** Null: the line to it is not filled up. Durable when it resolves. */
  setEvenRate(homeId: string, mbit: EvenRateMbit | null): Promise<RemoteHome>;
  remove(homeId: string): Promise<void>;
  /** max(now, last + 1); durable when it resolves. */
  stamp(homeId: string): Promise<EpochMs>;
  /** The highest log of views that was seen there; a shorter one changes nothing. */
  sawLog(homeId: string, length: number, headHex: string): Promise<void>;
  onChange(listener: (homes: readonly RemoteHome[]) => void): () => void;
  close(): Promise<void>;
}

export interface HomesStoreParts {
  readonly configDir: string;
  readonly secrets: Secrets;
  readonly suite: CryptoSuite;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function openHomesStore(parts: HomesStoreParts): Promise<HomesStore> {
  await mkdir(parts.configDir, { recursive: true, mode: 0o700 });
  const file = await JsonFile.open<HomesContent>(path.join(parts.configDir, 'homes.json'), readHomes, { format: 1, homes: [] }, parts.log);
  return new FileHomes(parts, file);
}

function secretName(homeId: string): string {
  return `away.visit.${homeId}`;
}

class FileHomes implements HomesStore {
  readonly #parts: HomesStoreParts;
  readonly #file: JsonFile<HomesContent>;
  readonly #changes = new Emitter<readonly RemoteHome[]>();

  constructor(parts: HomesStoreParts, file: JsonFile<HomesContent>) {
    this.#parts = parts;
    this.#file = file;
  }

  list(): readonly RemoteHome[] {
    return this.#homes.map(toHome);
  }

  async keys(homeId: string): Promise<Uint8Array> {
    this.#need(homeId);
    const text = await this.#parts.secrets.get(secretName(homeId)).catch((error: unknown) => {
      throw new PorchlightError('not-allowed', "The system's keyring did not give the keys of this home back. Unlock it and try again.", error);
    });
    if (text === null || readKeys(text) === null) throw new PorchlightError('not-found', 'The keys of this home are gone from this computer. Take it off the list and pair again.');
    return new TextEncoder().encode(text);
  }

  async add({ name, relays, bytes }: { readonly name: string; readonly relays: readonly string[]; readonly bytes: Uint8Array }): Promise<RemoteHome> {
    const { secrets, suite, clock } = this.#parts;
    const keys = readKeys(new TextDecoder().decode(bytes));
    const homeKey = keys === null ? null : fromBase64url(keys.homePublicKey);
    if (keys === null || homeKey === null) throw new PorchlightError('invalid-input', 'The pairing left no usable keys. Pair again.');
    const normalised = normalisedRelays(relays);
    const id = await deviceIdOf(suite, homeKey);
    const before = this.#homes.find((one) => one.id === id);
    if (before === undefined && this.#homes.length >= MAX_HOMES) throw new PorchlightError('conflict', `This computer looks into ${MAX_HOMES} homes already. Take one off the list first.`);
    await secrets.set(secretName(id), JSON.stringify(keys));
    const home: HomeRecord = { id, name, relays: normalised, pairedMs: clock.nowMs(), logHead: before?.logHead ?? null, ...evenRate(before?.evenMbit), stampMs: before?.stampMs ?? 0 };
    await this.#save([...this.#homes.filter((one) => one.id !== id), home]);
    return toHome(home);
  }

  async rename(homeId: string, name: string): Promise<RemoteHome> {
    const home = { ...this.#need(homeId), name };
    await this.#replace(home);
    return toHome(home);
  }

  async setRelays(homeId: string, relays: readonly string[]): Promise<RemoteHome> {
    const normalised = normalisedRelays(relays);
    if (normalised.length === 0) throw new PorchlightError('invalid-input', 'A home is reached over one relay at least.');
    const home = { ...this.#need(homeId), relays: normalised };
    await this.#replace(home);
    return toHome(home);
  }

  async setEvenRate(homeId: string, mbit: EvenRateMbit | null): Promise<RemoteHome> {
    const { evenMbit: _before, ...rest } = this.#need(homeId);
    const home = { ...rest, ...evenRate(mbit) };
    await this.#replace(home);
    return toHome(home);
  }

  async remove(homeId: string): Promise<void> {
    this.#need(homeId);
    await this.#save(this.#homes.filter((one) => one.id !== homeId));
    await this.#parts.secrets.delete(secretName(homeId));
  }

  async stamp(homeId: string): Promise<EpochMs> {
    const home = this.#need(homeId);
    const stampMs = Math.max(Math.floor(this.#parts.clock.nowMs()), home.stampMs + 1);
    // Nobody sees a stamp in the list: no event.
    await this.#file.change({ homes: this.#homes.map((one) => (one.id === homeId ? { ...one, stampMs } : one)) });
    return stampMs;
  }

  async sawLog(homeId: string, length: number, headHex: string): Promise<void> {
    const home = this.#need(homeId);
    if (home.logHead !== null && length < home.logHead.length) return;
    if (home.logHead?.length === length && home.logHead.headHex === headHex) return;
    await this.#replace({ ...home, logHead: { length, headHex } });
  }

  onChange(listener: (homes: readonly RemoteHome[]) => void): () => void {
    return this.#changes.on(listener);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  get #homes(): readonly HomeRecord[] {
    return this.#file.content.homes;
  }

  #need(homeId: string): HomeRecord {
    const home = this.#homes.find((one) => one.id === homeId);
    if (home === undefined) throw new PorchlightError('not-found', 'This home is not on the list any more.');
    return home;
  }

  async #replace(home: HomeRecord): Promise<void> {
    await this.#save(this.#homes.map((one) => (one.id === home.id ? home : one)));
  }

  async #save(homes: readonly HomeRecord[]): Promise<void> {
    await this.#file.change({ homes });
    this.#changes.emit(this.list());
  }
}

function toHome({ id, name, relays, pairedMs, logHead, evenMbit }: HomeRecord): RemoteHome {
  return { id, name, relays, pairedMs, logHead, ...evenRate(evenMbit) };
}

/** The field where it is one of the rates; what a newer Porchlight wrote may be another. */
function evenRate(value: unknown): Pick<RemoteHome, 'evenMbit'> {
  const evenMbit = EVEN_RATES_MBIT.find((rate) => rate === value);
  return evenMbit === undefined ? {} : { evenMbit };
}

/** The keys and nothing else; null where one is missing or of another length. */
function readKeys(text: string): RemoteHomeKeys | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return null;
    const keys = KEY_NAMES.map((name) => [name, value[name]] as const);
    if (!keys.every(([, key]) => typeof key === 'string' && fromBase64url(key)?.length === KEY_BYTES)) return null;
    return Object.fromEntries(keys) as Record<(typeof KEY_NAMES)[number], string>;
  } catch {
    return null;
  }
}

function readHomes(value: unknown): HomesContent | null {
  if (!isRecord(value) || value['format'] !== 1 || !Array.isArray(value['homes'])) return null;
  return { format: 1, homes: value['homes'].flatMap((one) => readHome(one) ?? []) };
}

function readHome(value: unknown): HomeRecord | null {
  if (!isRecord(value)) return null;
  const { id, name, relays, pairedMs, logHead, stampMs } = value;
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id) || typeof name !== 'string' || typeof pairedMs !== 'number' || !Array.isArray(relays)) return null;
  const head = isRecord(logHead) && typeof logHead['length'] === 'number' && isKeyHex(logHead['headHex']) ? { length: logHead['length'], headHex: logHead['headHex'] } : null;
  return { id, name, relays: relays.filter((one): one is string => typeof one === 'string'), pairedMs, logHead: head, ...evenRate(value['evenMbit']), stampMs: typeof stampMs === 'number' && stampMs >= 0 ? stampMs : 0 };
}
