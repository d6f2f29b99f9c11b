/**
 * What the interface's page may do, the same in the app and in a browser (docs/design/processes.md). Scripts and workers
 * come from the page's own origin only. Inline styles are allowed because the dialog library writes style elements; an
 * inline style runs nothing. Connections go to the page's own origin and, as WebSockets alone, to relays: another home is
 * opened in the window that paints it (docs/design/relay.md, "The parts"), and a person names its relay at pairing, so no
 * list can be written here. Without TLS a relay may only be on this computer, for trying it out.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self' wss: ws://127.0.0.1:* ws://localhost:*",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Whether an address is one a relay may have, as the policy above says it: TLS, or this computer. */
export function isRelayAddress(address: string): boolean {
  return /^wss:\/\/[^/?#@]+(?:[/?#]|$)|^ws:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?(?:[/?#]|$)/i.test(address);
}

/** Sent with every answer that carries a page or a part of one. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  // Not no-referrer: under that, browsers send `Origin: null` with the password's form (Fetch, section 3.2), which is refused. Other sites are told nothing either way.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  // The camera only for the page itself, which reads pairing codes with it when a person presses for it; the microphone for nobody.
  'permissions-policy': 'camera=(self), microphone=(), geolocation=(), usb=(), serial=(), hid=()',
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
};

/** The content type of a file by its ending; files of no known kind are not served. */
export function contentTypeOf(fileName: string): string | null {
  const ending = fileName.slice(fileName.lastIndexOf('.') + 1).toLowerCase();
  return Object.hasOwn(CONTENT_TYPES, ending) ? (CONTENT_TYPES[ending] ?? null) : null;
}
