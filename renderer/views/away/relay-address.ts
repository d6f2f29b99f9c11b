/** A relay's address as a person types it, and as it is kept. Pure. */

export type RelayAddress = { readonly url: string } | { readonly problem: string };

const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

/** "relay.example.org" becomes "wss://relay.example.org"; what is no relay's address is refused with a sentence for a person. */
export function relayAddressOf(text: string): RelayAddress {
  const typed = text.trim();
  if (typed === '') return { problem: 'Type the relay’s address, such as relay.example.org.' };
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed.replace(/^https:/i, 'wss:').replace(/^http:/i, 'ws:') : `wss://${typed}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    return { problem: 'This is no address. It looks like relay.example.org or wss://relay.example.org:8443.' };
  }
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') return { problem: 'A relay’s address begins with wss://' };
  if (url.protocol === 'ws:' && !LOCAL.has(url.hostname)) return { problem: 'Without TLS (ws://) only a relay on this computer may be used. Use wss://' };
  if (url.username !== '' || url.password !== '') return { problem: 'A relay needs no user and no password. Leave them out of the address.' };
  if (url.search !== '' || url.hash !== '') return { problem: 'The address must not hold ? or #.' };
  return { url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}` };
}

/** What of it a person knows and types: "relay.example.org"; one without TLS is named with its scheme. */
export function relayName(url: string): string {
  return url.replace(/^wss:\/\//, '').replace(/\/$/, '');
}
