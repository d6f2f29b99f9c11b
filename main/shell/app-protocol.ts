/** Serves the built interface under porchlight://app, a secure origin, so that WebCodecs and WebCrypto work and no port is open. */
import { protocol } from 'electron';
import { PAGE_HEADERS } from '../../shared/contract/page-policy.ts';
import { openStaticFiles } from '../host/essentials.ts';
import { isOwnPage } from './security.ts';
import { PAGE_SCHEME } from '../../shared/contract/shell-channels.ts';

/** Has to run before the app is ready (Electron documentation, protocol.registerSchemesAsPrivileged). */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: PAGE_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
}

/** Answers requests of the page with files of `pageDir`. */
export function servePages(pageDir: string): void {
  const files = openStaticFiles(pageDir);
  protocol.handle(PAGE_SCHEME, async (request) => {
    const plain = (status: number, text: string): Response => new Response(text, { status, headers: { ...PAGE_HEADERS, 'content-type': 'text/plain; charset=utf-8' } });
    if (!isOwnPage(request.url) || request.method !== 'GET') return plain(403, 'Not given out.');
    const file = await files.find(new URL(request.url).pathname);
    if (file === null) return plain(404, 'There is no such page.');
    return new Response(new Uint8Array(await file.read()), { headers: { ...PAGE_HEADERS, 'content-type': file.contentType } });
  });
}
