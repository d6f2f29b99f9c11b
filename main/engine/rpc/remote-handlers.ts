/** Watching from away, from both ends: who may look in here, and the homes this computer may look into. The owner's words only (remote-access.ts). */
import type { EngineHandlers, ParsedOf } from '../../../shared/contract/engine-api.ts';
import type { EvenRateMbit, Grants, PairingKind, PairingOffer, Proof, Reach, RelayCapture, RemoteHome, RemoteState, ViewLog } from '../../../shared/model/remote.ts';
import type { EpochMs } from '../../../shared/time.ts';

/** What the handlers need of watching from away; engine-remote.ts makes it. */
export interface RemoteParts {
  readonly remote: {
    state(): RemoteState;
    log(query: ParsedOf<'remote.log'>): Promise<ViewLog>;
    capture(): RelayCapture;
    captureFile(): Promise<{ readonly fileName: string; readonly bytes: Uint8Array }>;
    /** Durable when it resolves; relays are dialled or left after that. Rejects with `invalid-input` for an address that is none. */
    setRelays(input: ParsedOf<'remote.setRelays'>): Promise<void>;
    beginPairing(kind: PairingKind): Promise<PairingOffer>;
    cancelPairing(): Promise<void>;
    /** Resolves when the device has kept its keys and is stored here. */
    allowPairing(input: ParsedOf<'remote.allowPairing'>): Promise<void>;
    refusePairing(): Promise<void>;
    setGrants(deviceId: string, grants: Grants, name: string | null): Promise<void>;
    revoke(deviceId: string): Promise<void>;
    prove(check: Proof['check']): Promise<Proof>;
    /** Null: the owner asks. */
    reach(deviceId: string | null, known: readonly string[]): Promise<Reach>;
  };
  readonly homes: {
    list(): readonly RemoteHome[];
    /** JSON of RemoteHomeKeys in UTF-8. Rejects with `not-found`. */
    keys(homeId: string): Promise<Uint8Array>;
    add(input: ParsedOf<'homes.add'>): Promise<RemoteHome>;
    rename(homeId: string, name: string): Promise<RemoteHome>;
    setRelays(homeId: string, relays: readonly string[]): Promise<RemoteHome>;
    setEvenRate(homeId: string, mbit: EvenRateMbit | null): Promise<RemoteHome>;
    remove(homeId: string): Promise<void>;
    stamp(homeId: string): Promise<EpochMs>;
    sawLog(homeId: string, length: number, headHex: string): Promise<void>;
  };
}

type RemoteHandlers = Pick<EngineHandlers, Extract<keyof EngineHandlers, `remote.${string}` | `homes.${string}`>>;

export function remoteHandlers({ remote, homes }: RemoteParts): RemoteHandlers {
  /** Does it, and answers how things are then. */
  const thenState = async (work: Promise<void>): Promise<RemoteState> => {
    await work;
    return remote.state();
  };
  const thenNull = async (work: Promise<void>): Promise<null> => {
    await work;
    return null;
  };
  return {
    'remote.state': () => remote.state(),
    'remote.log': (query) => remote.log(query),
    'remote.capture': () => remote.capture(),
    'remote.captureFile': () => remote.captureFile(),
    'remote.setRelays': (input) => thenState(remote.setRelays(input)),
    'remote.beginPairing': ({ kind }) => remote.beginPairing(kind),
    'remote.cancelPairing': () => thenNull(remote.cancelPairing()),
    'remote.allowPairing': (input) => thenState(remote.allowPairing(input)),
    'remote.refusePairing': () => thenNull(remote.refusePairing()),
    'remote.setGrants': ({ deviceId, name, grants }) => thenState(remote.setGrants(deviceId, grants, name ?? null)),
    'remote.revoke': ({ deviceId }) => thenState(remote.revoke(deviceId)),
    'remote.prove': ({ check }) => remote.prove(check),
    'remote.reach': ({ known }) => remote.reach(null, known),
    'homes.list': () => homes.list(),
    'homes.keys': async ({ homeId }) => ({ bytes: await homes.keys(homeId) }),
    'homes.add': (input) => homes.add(input),
    'homes.rename': ({ homeId, name }) => homes.rename(homeId, name),
    'homes.setRelays': ({ homeId, relays }) => homes.setRelays(homeId, relays),
    'homes.setEvenRate': ({ homeId, mbit }) => homes.setEvenRate(homeId, mbit),
    'homes.remove': ({ homeId }) => thenNull(homes.remove(homeId)),
    'homes.stamp': async ({ homeId }) => ({ stampMs: await homes.stamp(homeId) }),
    'homes.sawLog': ({ homeId, length, headHex }) => thenNull(homes.sawLog(homeId, length, headHex)),
  };
}
