/** Which IPv4 interfaces are searched: every one but internal ones, or those the owner named. */
import { networkInterfaces } from 'node:os';

export interface SearchInterface {
  readonly name: string;
  readonly address: string;
  /** Dotted; empty where the system does not know the address. */
  readonly netmask: string;
}

/** The interfaces to search; `wanted` are addresses, empty or missing for "all but internal ones". An unknown address is kept, so that its failure is reported. */
export function searchInterfaces(wanted: readonly string[] | undefined, system = networkInterfaces()): SearchInterface[] {
  const known = Object.entries(system).flatMap(([name, addresses]) =>
    (addresses ?? []).filter((entry) => entry.family === 'IPv4').map((entry) => ({ name, address: entry.address, netmask: entry.netmask, internal: entry.internal })),
  );
  if (wanted === undefined || wanted.length === 0) return known.filter((entry) => !entry.internal).map(({ name, address, netmask }) => ({ name, address, netmask }));
  return wanted.map((address) => {
    const entry = known.find((one) => one.address === address);
    return { name: entry?.name ?? address, address, netmask: entry?.netmask ?? '' };
  });
}

/** An IPv4 address as a number; null for anything else. */
export function ipv4Number(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const parts = match.slice(1).map(Number);
  return parts.some((part) => part > 255) ? null : parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** True when both addresses lie in the same subnet of that interface. */
export function sameSubnet(a: string, b: string, netmask: string): boolean {
  const [left, right, mask] = [ipv4Number(a), ipv4Number(b), ipv4Number(netmask)];
  return left !== null && right !== null && mask !== null && (left & mask) === (right & mask);
}
