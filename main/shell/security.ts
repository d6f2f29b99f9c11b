/** Electron's security checklist in one place: whom to believe, and what a page may never do (docs/design/processes.md, "The window"). */
import type { App, MediaAccessPermissionRequest, PermissionCheckHandlerHandlerDetails, PermissionRequest, Session, WebContents, WebFrameMain, WebPreferences } from 'electron';
import { isRelayAddress } from '../../shared/contract/page-policy.ts';
import { PAGE_ORIGIN } from '../../shared/contract/shell-channels.ts';

/** Of every window. Written out although most are defaults, so that a changed default or a slip is seen by the test. */
export function pagePreferences(preload: string): WebPreferences {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
    // Live pictures go on in a covered window; the engine's credits slow it down when nobody paints.
    backgroundThrottling: false,
  };
}

/** Whether an address is a page of ours. */
export function isOwnPage(address: string): boolean {
  try {
    const url = new URL(address);
    return `${url.protocol}//${url.host}` === PAGE_ORIGIN;
  } catch {
    return false;
  }
}

/** Whether a message comes from the main frame of our own page: frames inside it, and pages of others, are not believed. */
export function isTrustedSender(frame: WebFrameMain | null): boolean {
  return frame !== null && frame.parent === null && isOwnPage(frame.url);
}

/** No page goes elsewhere, opens a window, or embeds one; outside links open in the person's browser. */
export function lockContents(contents: WebContents, openOutside: (url: string) => void): void {
  contents.on('will-navigate', (event, url) => {
    if (!isOwnPage(url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!isOwnPage(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event, url) => {
    if (!isOwnPage(url)) event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    if (url.startsWith('https://')) openOutside(url);
    return { action: 'deny' };
  });
}

/** What a page of ours may ask of the browser: to fill the screen and to copy text; and, by the rules below, for this computer's camera. */
const ALLOWED_PERMISSIONS: ReadonlySet<string> = new Set(['fullscreen', 'clipboard-sanitized-write']);

/** Pictures of this computer's camera, to read a pairing code with, for the main frame of our own page: a request that names sound as well is refused whole. */
function isOwnCamera(details: PermissionRequest | MediaAccessPermissionRequest): boolean {
  const kinds = 'mediaTypes' in details ? (details.mediaTypes ?? []) : [];
  return kinds.length === 1 && kinds[0] === 'video' && details.isMainFrame && isOwnPage(details.requestingUrl);
}

/** Whether a permission counts as given when Chromium looks it up; turning and zooming a camera comes as `media` of no kind, and is not. */
function isGiven(permission: string, origin: string, details: PermissionCheckHandlerHandlerDetails): boolean {
  const isAllowed = permission === 'media' ? details.mediaType === 'video' && details.isMainFrame : ALLOWED_PERMISSIONS.has(permission);
  return isAllowed && isOwnPage(origin);
}

/** The one thing a page of ours saves: a sealed set-up it made itself. Where to is asked by the system's dialog. */
export function isOwnDownload(url: string, fileName: string): boolean {
  return url.startsWith(`blob:${PAGE_ORIGIN}/`) && /^porchlight-(?:[\d-]+\.setup|relay-[\d-]+\.pcapng)$/.test(fileName);
}

/** Denies permissions, devices and downloads of a session. */
export function lockSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer, details) => answer(permission === 'media' ? isOwnCamera(details) : ALLOWED_PERMISSIONS.has(permission)));
  session.setPermissionCheckHandler((_contents, permission, origin, details) => isGiven(permission, origin, details));
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event, item) => {
    if (!isOwnDownload(item.getURL(), item.getFilename())) event.preventDefault();
  });
  // Of the network the page reaches relays alone, as the page's policy says: its files come by the own scheme, everything else through the engine's port.
  session.webRequest.onBeforeRequest((details, answer) => answer({ cancel: !isAllowedRequest(details.url) }));
}

function isAllowedRequest(url: string): boolean {
  return isOwnPage(url) || url.startsWith('blob:') || url.startsWith('data:') || url.startsWith('devtools:') || isRelayAddress(url);
}

/** Applies the above to everything the app will ever open. */
export function lockApp(app: App, openOutside: (url: string) => void): void {
  app.on('web-contents-created', (_event, contents) => lockContents(contents, openOutside));
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, answer) => {
    event.preventDefault();
    answer(false);
  });
}
