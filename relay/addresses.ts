/** How many connections one address opens and holds; kept in memory only while it matters, and never printed. */
import { isIPv6 } from 'node:net';
import { Bucket, type RelayLimits } from './limits.ts';

/** What one party cannot change at will: an IPv4 address, or the /64 of an IPv6 one. Text that is neither counts as itself. */
export function addressKey(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  // An IPv4 address at the end stands for two groups; where it is, the first four are still the front's or zeros.
  const missing = Math.max(0, 8 - front.length - back.length - (plain.includes('.') ? 1 : 0));
  const all = tail === undefined ? front : [...front, ...Array.from({ length: missing }, () => '0'), ...back];
  return `${all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')}/64`;
}

/** The address a connection came from, as the balancer directly before the relay appended it; null where the header holds none. */
export function forwardedAddress(header: string | readonly string[] | undefined): string | null {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  const last = text.split(',').at(-1)?.trim() ?? '';
  return last === '' || last.length > 64 ? null : last;
}

interface Visitor {
  readonly bucket: Bucket;
  open: number;
}

export type Refused = 'address-rate' | 'address-open';

/** The connections of each address. */
export class Addresses {
  readonly #limits: RelayLimits;
  readonly #visitors = new Map<string, Visitor>();

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  /** Counts a new connection of `key`; the reason where it is one too many, and then nothing is held. */
  enter(key: string, nowMs: number): Refused | null {
    let visitor = this.#visitors.get(key);
    if (visitor === undefined) {
      // Twice the rate at once: a viewer that opens its cameras' sessions together stays below it.
      visitor = { bucket: new Bucket(this.#limits.connectsPerAddressPerS, this.#limits.connectsPerAddressPerS * 2, nowMs), open: 0 };
      this.#visitors.set(key, visitor);
    }
    if (!visitor.bucket.take(nowMs)) return 'address-rate';
    if (visitor.open >= this.#limits.connectionsPerAddress) return 'address-open';
    visitor.open += 1;
    return null;
  }

  leave(key: string): void {
    const visitor = this.#visitors.get(key);
    if (visitor !== undefined) visitor.open = Math.max(0, visitor.open - 1);
  }

  /** Forgets whoever has nothing open and has not come lately. */
  forget(nowMs: number): void {
    for (const [key, visitor] of this.#visitors) if (visitor.open === 0 && visitor.bucket.isFull(nowMs)) this.#visitors.delete(key);
  }

  get size(): number {
    return this.#visitors.size;
  }
}
