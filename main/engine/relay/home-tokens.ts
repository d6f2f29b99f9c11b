/** The ring tokens a home answers to, and whose they are: three days of each device that may look in (docs/design/relay.md, "Ring token"). */
import { toHex } from '../../../shared/relay/bytes.ts';
import { ringToken } from '../../../shared/relay/derive.ts';
import { MAX_TOKENS } from '../../../shared/relay/protocol.ts';
import type { CryptoSuite } from '../../../shared/relay/suite.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { tokenDays } from './dial.ts';
import { isInForce } from './gate-rules.ts';
import type { PairedDevice } from './home-parts.ts';

export class HomeTokens {
  #owners: ReadonlyMap<string, string> = new Map();

  /** The device a token belongs to, as of the last `find`. */
  deviceOf(token: Uint8Array): string | null {
    return this.#owners.get(toHex(token)) ?? null;
  }

  /** Tokens as of the last `find`. */
  get count(): number {
    return this.#owners.size;
  }

  /** Tokens of yesterday, today and tomorrow; of devices whose time is over, none. */
  async find(suite: CryptoSuite, devices: readonly PairedDevice[], nowMs: EpochMs): Promise<readonly Uint8Array[]> {
    const days = tokenDays(nowMs);
    const mine = devices.filter(({ grants }) => isInForce(grants, nowMs));
    const tokens = await Promise.all(mine.flatMap((device) => days.map(async (day) => ({ deviceId: device.id, token: await ringToken(suite, device.ringSeed, day) }))));
    const kept = tokens.slice(0, MAX_TOKENS);
    this.#owners = new Map(kept.map(({ deviceId, token }) => [toHex(token), deviceId]));
    return kept.map(({ token }) => token);
  }
}
