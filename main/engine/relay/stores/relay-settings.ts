/** Which relays this home is reached over, and whether at all: off until wanted. */
import { PorchlightError } from '../../../../shared/errors.ts';
import { MAX_RELAYS } from '../../../../shared/relay/pairing-code.ts';
import type { Clock } from '../../core/clock.ts';
import { Emitter } from '../../core/emitter.ts';
import { type EarlierRelays, earlierRelays, knownAfterChange } from './reach.ts';
import type { RemoteFile } from './remote-file.ts';

/** Characters, in the spelling below: what the code of a pairing holds. */
const MAX_LENGTH = 255;

export interface RelaySettings {
  readonly enabled: boolean;
  /** Normalised: `wss://relay.example.org` or with a path, no slash at the end. */
  readonly relays: readonly string[];
}

export interface RelaySettingsStore {
  get(): RelaySettings;
  /** Durable when it resolves. Rejects with `invalid-input`, one sentence, where an address is none. */
  set(wanted: RelaySettings): Promise<RelaySettings>;
  /** Lists that were left, and at whose relays devices that were not told may still ring. */
  earlier(): readonly EarlierRelays[];
  /** Forgets those lists: who was not told is lost, and must be paired again. Durable when it resolves. */
  leaveNow(): Promise<void>;
  onChange(listener: (settings: RelaySettings) => void): () => void;
}

export function openRelaySettings(file: RemoteFile, clock: Pick<Clock, 'nowMs'>): RelaySettingsStore {
  const changes = new Emitter<RelaySettings>();
  const get = (): RelaySettings => ({ enabled: file.content.enabled, relays: file.content.relays });
  return {
    get,
    async set({ enabled, relays }) {
      const normalised = normalisedRelays(relays);
      if (enabled && normalised.length === 0) throw new PorchlightError('invalid-input', 'Name the address of a relay first, as in wss://relay.example.org.');
      const before = file.content.relays;
      const devices = file.content.devices.map((device) => ({ ...device, reach: knownAfterChange(device.reach, before, normalised, clock.nowMs()) }));
      await file.change({ enabled, relays: normalised, devices });
      changes.emit(get());
      return get();
    },
    earlier: () => earlierRelays(file.content.devices, file.content.relays, clock.nowMs()),
    async leaveNow() {
      const { relays } = file.content;
      // A device that is known by no list is taken to know the one of now.
      await file.change({ devices: file.content.devices.map((device) => ({ ...device, reach: relays.length === 0 ? [] : [{ relays, leftMs: null }] })) });
      changes.emit(get());
    },
    onChange: (listener) => changes.on(listener),
  };
}

/** Each address once, in the order given. Throws as `normalisedRelay`, and with more than five. */
export function normalisedRelays(relays: readonly string[]): readonly string[] {
  const normalised = [...new Set(relays.map(normalisedRelay))];
  if (normalised.length > MAX_RELAYS) throw new PorchlightError('invalid-input', `At most ${MAX_RELAYS} relays can be used. Take one away.`);
  return normalised;
}

/**
 * The one spelling of a relay's address: lower-case host, no usual port, no slash at the end; a missing `wss://` is added.
 * Throws `invalid-input`. `ws://` is for this computer only: beyond it the network would read the hello.
 */
export function normalisedRelay(text: string): string {
  const trimmed = text.trim();
  const spelled = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `wss://${trimmed}`;
  const refuse = (sentence: string): PorchlightError => new PorchlightError('invalid-input', sentence);
  if (!URL.canParse(spelled)) throw refuse('This is no address of a relay. It looks like wss://relay.example.org.');
  const url = new URL(spelled);
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') throw refuse(`A relay's address begins with wss://, not with ${url.protocol}//.`);
  if (url.hostname === '') throw refuse('This is no address of a relay. It looks like wss://relay.example.org.');
  if (url.username !== '' || url.password !== '') throw refuse("A relay's address holds no user name and no password. Take them out.");
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(spelled)) throw refuse("A relay's address ends before the first ? or #. Take away what follows.");
  if (url.protocol === 'ws:' && !isThisComputer(url.hostname)) throw refuse('Without encryption (ws://) only a relay on this computer can be used. Begin the address with wss://.');
  const normalised = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
  if (normalised.length > MAX_LENGTH) throw refuse(`The address of a relay has at most ${MAX_LENGTH} characters.`);
  return normalised;
}

/** As URL.hostname spells them. */
function isThisComputer(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
