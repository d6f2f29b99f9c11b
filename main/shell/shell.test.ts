/** The shell against an Electron that records what it is told: loosening a lock has to fail here. */
import { EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PAGE_ORIGIN } from '../../shared/contract/shell-channels.ts';

/** Electron's pieces as far as the shell uses them, with Electron's names, events and argument orders. */
const electron = vi.hoisted(() => ({
  handlers: new Map<string, (...args: unknown[]) => unknown>(),
  listeners: new Map<string, (...args: unknown[]) => unknown>(),
  windows: [] as { options: Record<string, unknown>; loaded: string[] }[],
  schemes: [] as unknown[],
  protocols: new Map<string, (request: unknown) => Promise<Response>>(),
  opened: [] as string[],
  blockers: new Set<number>(),
  keyring: { available: true, backend: 'gnome_libsecret' },
  exposed: new Map<string, Record<string, (...args: unknown[]) => unknown>>(),
  sent: [] as unknown[][],
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class BrowserWindow extends Emitter {
    readonly webContents = { send: (...args: unknown[]) => electron.sent.push(args) };
    constructor(options: Record<string, unknown>) {
      super();
      electron.windows.push({ options, loaded: [] });
    }
    loadURL(url: string): Promise<void> {
      electron.windows.at(-1)?.loaded.push(url);
      return Promise.resolve();
    }
    show(): void {
      electron.sent.push(['show']);
    }
    getNormalBounds() {
      return { x: 1, y: 2, width: 900, height: 700 };
    }
  }
  return {
    BrowserWindow,
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    ipcMain: {
      handle: (channel: string, handler: (...args: unknown[]) => unknown) => electron.handlers.set(channel, handler),
      on: (channel: string, listener: (...args: unknown[]) => unknown) => electron.listeners.set(channel, listener),
    },
    ipcRenderer: {
      invoke: (...args: unknown[]) => Promise.resolve(electron.sent.push(args)),
      send: (...args: unknown[]) => electron.sent.push(args),
      on: (channel: string, listener: (...args: unknown[]) => unknown) => electron.listeners.set(channel, listener),
    },
    contextBridge: { exposeInMainWorld: (name: string, api: Record<string, (...args: unknown[]) => unknown>) => electron.exposed.set(name, api) },
    protocol: {
      registerSchemesAsPrivileged: (schemes: unknown[]) => electron.schemes.push(...schemes),
      handle: (scheme: string, handler: (request: unknown) => Promise<Response>) => electron.protocols.set(scheme, handler),
    },
    safeStorage: {
      isEncryptionAvailable: () => electron.keyring.available,
      getSelectedStorageBackend: () => electron.keyring.backend,
      encryptString: (text: string) => Buffer.from(text).map((byte) => byte ^ 0x5a),
      decryptString: (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x5a)).toString(),
    },
    powerSaveBlocker: {
      start: () => {
        const id = electron.blockers.size + 1;
        electron.blockers.add(id);
        return id;
      },
      stop: (id: number) => electron.blockers.delete(id),
    },
    powerMonitor: new Emitter(),
    shell: { openPath: (target: string) => Promise.resolve((electron.opened.push(target), '')), openExternal: (url: string) => Promise.resolve(electron.opened.push(url)) },
    dialog: { showOpenDialog: () => Promise.resolve({ canceled: false, filePaths: ['/chosen'] }), showErrorBox: () => undefined },
    app: new Emitter(),
  };
});

const { lockApp, lockContents, lockSession, isTrustedSender, pagePreferences } = await import('./security.ts');
const { openWindow } = await import('./window.ts');
const { listenToPages } = await import('./ipc-main.ts');
const { registerPageScheme, servePages } = await import('./app-protocol.ts');
const { answerSecret, hasKeyring } = await import('./secrets.ts');
const { createAwakeKeeper, watchPower } = await import('./power.ts');
const { openFolder } = await import('./dialogs.ts');
const { readBounds, writeBounds } = await import('./window-bounds.ts');
const { SHELL_CHANNELS } = await import('../../shared/contract/shell-channels.ts');
const { HIDDEN_MESSAGE, PORT_MESSAGE } = await import('../../shared/contract/shell-api.ts');

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const OWN = { url: 'porchlight://app/', parent: null };

function eventOf(url = ''): { url: string; prevented: boolean; preventDefault(): void } {
  return { url, prevented: false, preventDefault() { this.prevented = true; } };
}

describe('the window', () => {
  it('is sandboxed, isolated and without Node, and loads our own scheme only', () => {
    openWindow({ preload: '/dist/preload.cjs', icon: '/icon.png', dataDir: folder, onProblem: () => undefined });
    const window = electron.windows.at(-1);
    expect(window?.options['webPreferences']).toMatchObject({
      sandbox: true, contextIsolation: true, nodeIntegration: false, nodeIntegrationInWorker: false, nodeIntegrationInSubFrames: false,
      webSecurity: true, allowRunningInsecureContent: false, experimentalFeatures: false, webviewTag: false,
    });
    expect(Object.keys(pagePreferences('/x'))).not.toContain('enableBlinkFeatures');
    expect(window?.loaded).toEqual(['porchlight://app/']);
  });

  it('tells its page when it is out of sight', () => {
    for (const event of ['minimize', 'hide']) {
      const window = openWindow({ preload: '/dist/preload.cjs', icon: '/icon.png', dataDir: folder, onProblem: () => undefined }) as unknown as EventEmitter;
      electron.sent.length = 0;
      window.emit(event);
      expect(electron.sent).toEqual([[SHELL_CHANNELS.hidden]]);
    }
  });

  it('comes back where it was, if that place is still on a screen', async () => {
    const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }];
    expect(readBounds(folder, screens)).toBeNull();
    await writeBounds(folder, { x: 100, y: 50, width: 900, height: 700 });
    expect(readBounds(folder, screens)).toEqual({ x: 100, y: 50, width: 900, height: 700 });
    expect(readBounds(folder, [{ x: 3000, y: 0, width: 1920, height: 1080 }])).toBeNull();
  });
});

describe('a page', () => {
  it.each(['https://evil.example/', 'file:///etc/passwd', 'porchlight://app.evil/', 'javascript:alert(1)'])('does not go to %s', (url) => {
    const contents = Object.assign(new EventEmitter(), { setWindowOpenHandler: vi.fn() });
    lockContents(contents as never, () => undefined);
    for (const [name, args] of [['will-navigate', [url]], ['will-redirect', [url]], ['will-frame-navigate', []]] as const) {
      const event = eventOf(url);
      contents.emit(name, event, ...args);
      expect(event.prevented).toBe(true);
    }
  });

  it('moves within itself, embeds nothing and opens no window; https links go outside', () => {
    const outside: string[] = [];
    let opener: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
    const contents = Object.assign(new EventEmitter(), { setWindowOpenHandler: (handler: typeof opener) => (opener = handler) });
    lockContents(contents as never, (url) => outside.push(url));
    const own = eventOf('porchlight://app/settings');
    contents.emit('will-navigate', own, own.url);
    expect(own.prevented).toBe(false);
    const webview = eventOf();
    contents.emit('will-attach-webview', webview);
    expect(webview.prevented).toBe(true);
    expect(['https://porchlight.example/', 'file:///bin/sh', 'http://x/'].map((url) => opener({ url }).action)).toEqual(['deny', 'deny', 'deny']);
    expect(outside).toEqual(['https://porchlight.example/']);
  });

  it('is locked however it came to be', () => {
    const app = new EventEmitter();
    lockApp(app as never, () => undefined);
    const contents = Object.assign(new EventEmitter(), { setWindowOpenHandler: vi.fn() });
    app.emit('web-contents-created', {}, contents);
    expect(contents.listenerCount('will-navigate')).toBe(1);
    const event = eventOf();
    const answer = vi.fn();
    app.emit('certificate-error', event, contents, '', '', {}, answer);
    expect(answer).toHaveBeenCalledWith(false);
  });

  it('gets no permission but full screen, copying and its camera, no device, no download but its own, of the network only relays', () => {
    const session = Object.assign(new EventEmitter(), {
      setPermissionRequestHandler: vi.fn(), setPermissionCheckHandler: vi.fn(), setDevicePermissionHandler: vi.fn(), webRequest: { onBeforeRequest: vi.fn() },
    });
    lockSession(session as never);
    const ask = session.setPermissionRequestHandler.mock.calls[0]?.[0] as (contents: unknown, name: string, answer: (granted: boolean) => void, details: object) => void;
    const granted = (name: string): boolean => {
      let result = false;
      ask({}, name, (value) => (result = value), { requestingUrl: 'porchlight://app/', isMainFrame: true });
      return result;
    };
    expect(['media', 'geolocation', 'notifications', 'midi', 'hid', 'usb', 'serial', 'openExternal', 'clipboard-read', 'display-capture'].filter(granted)).toEqual([]);
    expect(granted('fullscreen')).toBe(true);
    const check = session.setPermissionCheckHandler.mock.calls[0]?.[0] as (contents: unknown, name: string, origin: string, details: object) => boolean;
    expect(check({}, 'fullscreen', 'https://evil.example', { isMainFrame: true })).toBe(false);
    expect(check({}, 'fullscreen', PAGE_ORIGIN, { isMainFrame: true })).toBe(true);
    const device = session.setDevicePermissionHandler.mock.calls[0]?.[0] as () => boolean;
    expect(device()).toBe(false);
    const isPrevented = (url: string, fileName: string): boolean => {
      const download = eventOf();
      session.emit('will-download', download, { getURL: () => url, getFilename: () => fileName });
      return download.prevented;
    };
    // A page's own sealed set-up, and nothing else.
    expect(isPrevented(`blob:${PAGE_ORIGIN}/6c5e`, 'porchlight-2026-11-22.setup')).toBe(false);
    expect(isPrevented(`blob:${PAGE_ORIGIN}/6c5e`, 'porchlight-relay-2026-11-22-07-30-00.pcapng')).toBe(false);
    expect(isPrevented(`blob:${PAGE_ORIGIN}/6c5e`, 'porchlight-relay-2026-11-22.pcapng.exe')).toBe(true);
    expect(isPrevented(`blob:${PAGE_ORIGIN}/6c5e`, 'porchlight-2026-11-22.exe')).toBe(true);
    expect(isPrevented('blob:https://evil.example/6c5e', 'porchlight-2026-11-22.setup')).toBe(true);
    expect(isPrevented('https://evil.example/porchlight-2026-11-22.setup', 'porchlight-2026-11-22.setup')).toBe(true);
    const before = session.webRequest.onBeforeRequest.mock.calls[0]?.[0] as (details: { url: string }, answer: (result: { cancel: boolean }) => void) => void;
    const cancelled = (url: string): boolean => {
      let result = false;
      before({ url }, ({ cancel }) => (result = cancel));
      return result;
    };
    for (const url of ['https://evil.example/x', 'http://127.0.0.1:80/', 'ws://x/', 'ws://127.0.0.1.evil.example/', 'ws://localhost@evil.example/', 'ws://127.0.0.1:80@evil.example/', 'wss://a@evil.example/', 'file:///etc/passwd']) expect(cancelled(url), url).toBe(true);
    for (const url of ['porchlight://app/assets/a.js', 'wss://relay.example/v1/x', 'ws://127.0.0.1:8443/v1/x', 'ws://localhost:8443/v1/x']) expect(cancelled(url), url).toBe(false);
  });

  it('gets the pictures of a camera for itself, and nothing else of any microphone or camera', () => {
    const session = Object.assign(new EventEmitter(), {
      setPermissionRequestHandler: vi.fn(), setPermissionCheckHandler: vi.fn(), setDevicePermissionHandler: vi.fn(), webRequest: { onBeforeRequest: vi.fn() },
    });
    lockSession(session as never);
    const ask = session.setPermissionRequestHandler.mock.calls[0]?.[0] as (contents: unknown, name: string, answer: (granted: boolean) => void, details: object) => void;
    const granted = (change: object, name = 'media'): boolean => {
      const answer = vi.fn();
      ask({}, name, answer, { requestingUrl: 'porchlight://app/', isMainFrame: true, mediaTypes: ['video'], ...change });
      return answer.mock.calls[0]?.[0] as boolean;
    };
    expect(granted({})).toBe(true);
    for (const mediaTypes of [['audio'], ['video', 'audio'], ['audio', 'video'], ['video', 'video'], [], undefined]) expect(granted({ mediaTypes }), String(mediaTypes)).toBe(false);
    for (const change of [{ requestingUrl: 'https://evil.example/' }, { requestingUrl: 'porchlight://app.evil/' }, { isMainFrame: false }]) expect(granted(change)).toBe(false);
    expect(granted({}, 'display-capture')).toBe(false);
    const check = session.setPermissionCheckHandler.mock.calls[0]?.[0] as (contents: unknown, name: string, origin: string, details: object) => boolean;
    const isGiven = (details: object, origin = 'porchlight://app/'): boolean => check({}, 'media', origin, { isMainFrame: true, ...details });
    expect(isGiven({ mediaType: 'video' })).toBe(true);
    expect([{ mediaType: 'audio' }, { mediaType: 'unknown' }, {}, { mediaType: 'video', isMainFrame: false }].map((details) => isGiven(details))).toEqual([false, false, false, false]);
    expect(isGiven({ mediaType: 'video' }, 'https://evil.example')).toBe(false);
  });

  it('comes with the strict policy, from the build folder only', async () => {
    await writeFile(path.join(folder, 'index.html'), 'the page');
    registerPageScheme();
    expect(electron.schemes).toEqual([{ scheme: 'porchlight', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }]);
    servePages(folder);
    const answer = electron.protocols.get('porchlight');
    const page = await answer?.({ url: 'porchlight://app/', method: 'GET' });
    expect(await page?.text()).toBe('the page');
    expect(page?.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect((await answer?.({ url: 'porchlight://app/..%2f..%2fetc/passwd', method: 'GET' }))?.status).toBe(404);
    expect((await answer?.({ url: 'porchlight://other/', method: 'GET' }))?.status).toBe(403);
  });
});

describe('the door for the page', () => {
  it('believes the main frame of our page only', () => {
    expect(isTrustedSender(OWN as never)).toBe(true);
    for (const frame of [null, { url: 'https://evil.example', parent: null }, { url: 'porchlight://app/', parent: OWN }, { url: 'about:blank', parent: null }]) {
      expect(isTrustedSender(frame as never)).toBe(false);
    }
  });

  it('refuses strangers, unknown names and arguments that do not parse, before any handler', async () => {
    const called: unknown[] = [];
    const note = (...args: unknown[]) => Promise.resolve(called.push(args)) as Promise<never>;
    const connected = vi.fn();
    listenToPages({ handlers: { openFolder: note, chooseFolder: note, setAutostart: note, getAutostart: note }, windowOf: () => null, onConnect: connected });
    const request = electron.handlers.get(SHELL_CHANNELS.request);
    const ask = (frame: unknown, name: unknown, args: unknown): unknown => request?.({ senderFrame: frame }, name, args);
    await expect(ask({ url: 'https://evil.example', parent: null }, 'openFolder', ['/x'])).rejects.toThrow('refused');
    for (const [name, args] of [['constructor', []], ['openFolder', [7]], ['openFolder', ['/x', '/y']], ['setAutostart', ['yes']], ['getAutostart', 'x'], [{}, []]] as const) {
      await expect(ask(OWN, name, args)).rejects.toThrow('The app');
    }
    expect(called).toEqual([]);
    await ask(OWN, 'openFolder', ['/footage']);
    expect(called).toEqual([[null, '/footage']]);
    electron.listeners.get(SHELL_CHANNELS.connect)?.({ senderFrame: { url: 'https://evil.example', parent: null } });
    expect(connected).not.toHaveBeenCalled();
    electron.listeners.get(SHELL_CHANNELS.connect)?.({ senderFrame: OWN });
    expect(connected).toHaveBeenCalledOnce();
  });

  it('opens folders, never files, which would run them', async () => {
    const file = path.join(folder, 'program.sh');
    await writeFile(file, '#!/bin/sh');
    await expect(openFolder(file)).rejects.toMatchObject({ kind: 'not-found' });
    expect(electron.opened).not.toContain(file);
    await openFolder(folder);
    expect(electron.opened).toContain(folder);
  });
});

describe('the preload script', () => {
  it('exposes the bridge and nothing else, and hands ports to our page only', async () => {
    const posted: unknown[][] = [];
    vi.stubGlobal('window', { postMessage: (...args: unknown[]) => posted.push(args) });
    await import('../preload.ts');
    expect([...electron.exposed.keys()]).toEqual(['porchlight']);
    const bridge = electron.exposed.get('porchlight') ?? {};
    expect(Object.keys(bridge).sort()).toEqual(['chooseFolder', 'connect', 'getAutostart', 'openFolder', 'setAutostart']);
    await bridge['openFolder']?.('/x');
    expect(electron.sent.at(-1)).toEqual([SHELL_CHANNELS.request, 'openFolder', ['/x']]);
    electron.listeners.get(SHELL_CHANNELS.port)?.({ ports: ['port'] });
    electron.listeners.get(SHELL_CHANNELS.hidden)?.({});
    expect(posted).toEqual([[PORT_MESSAGE, 'porchlight://app', ['port']], [HIDDEN_MESSAGE, 'porchlight://app', []]]);
    vi.unstubAllGlobals();
  });
});

describe('the system', () => {
  it('has a keyring only where it hides something', () => {
    expect(hasKeyring('linux')).toBe(true);
    electron.keyring.backend = 'basic_text';
    expect(hasKeyring('linux')).toBe(false);
    expect(hasKeyring('darwin')).toBe(true);
    electron.keyring.available = false;
    expect(hasKeyring('darwin')).toBe(false);
  });

  it('seals and opens', async () => {
    const sealed = await answerSecret({ seal: 'hunter2' });
    expect(sealed).not.toContain('hunter2');
    expect(await answerSecret({ open: sealed })).toBe('hunter2');
  });

  it('stays awake while wanted, once, and tells of sleep until told not to', async () => {
    const keeper = createAwakeKeeper();
    keeper.keepAwake(true);
    keeper.keepAwake(true);
    expect(electron.blockers.size).toBe(1);
    keeper.keepAwake(false);
    expect(electron.blockers.size).toBe(0);
    const { powerMonitor } = await import('electron');
    const told: string[] = [];
    const stop = watchPower((change) => told.push(change));
    powerMonitor.emit('suspend');
    powerMonitor.emit('resume');
    stop();
    powerMonitor.emit('suspend');
    expect(told).toEqual(['suspend', 'resume']);
  });
});
