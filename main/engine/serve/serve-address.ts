/** Which addresses and host names serve mode answers to: a page of another origin must not reach it by DNS rebinding. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** Whether only this computer can reach an address. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address) || address === '::ffff:127.0.0.1';
}

/** Splits a Host header (RFC 9110 section 7.2) into name and port; null when it is none. */
function parseHost(header: string): { readonly name: string; readonly port: number | null } | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::(\d{1,5}))?$/i.exec(header);
  const name = match?.[1] ?? match?.[2];
  if (name === undefined) return null;
  return { name: name.toLowerCase(), port: match?.[3] === undefined ? null : Number(match[3]) };
}

/**
 * Whether a Host header names this server. A name that resolves here can be anybody's, so beyond the loopback names
 * only literal addresses and the computer's own names pass; rebinding needs a name of the attacker's.
 */
export function isOwnHost(header: string | undefined, listen: { readonly address: string; readonly port: number; readonly secure: boolean }): boolean {
  const host = header === undefined ? null : parseHost(header);
  if (host === null || (host.port ?? (listen.secure ? 443 : 80)) !== listen.port) return false;
  if (host.name === 'localhost' || isLoopback(host.name)) return true;
  if (isLoopback(listen.address)) return false;
  if (isIP(host.name) !== 0) return true;
  const own = hostname().toLowerCase();
  return host.name === own || host.name === `${own}.local`;
}

/** Whether an Origin header is the page's own: same scheme and the very Host that was asked (RFC 6454 section 7). */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, secure: boolean): boolean {
  return origin !== undefined && host !== undefined && origin.toLowerCase() === `${secure ? 'https' : 'http'}://${host.toLowerCase()}`;
}

/** `127.0.0.1:8080` or `[::1]:8080`. */
export function hostAndPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Where other devices in the house find a listener: its own address, or each address of this computer where it listens on all of them. */
export function houseAddresses(listen: string, interfaces: NodeJS.Dict<readonly { readonly address: string; readonly family: string; readonly internal: boolean }[]>): readonly string[] {
  if (isLoopback(listen)) return [];
  if (listen !== '0.0.0.0' && listen !== '::') return [listen];
  return Object.values(interfaces).flatMap((entries) => entries ?? []).filter((one) => one.family === 'IPv4' && !one.internal).map((one) => one.address);
}
