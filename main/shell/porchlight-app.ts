/** The app as a person meets it: one window that comes and goes, a tray icon, and an engine that outlives the window. */
import { app, BrowserWindow, type IpcMainEvent, MessageChannelMain, session, shell } from 'electron';
import { EngineHost, type EngineState } from '../host/engine-host.ts';
import { type Logger, systemClock } from '../host/essentials.ts';
import { servePages } from './app-protocol.ts';
import { getAutostart, HIDDEN_FLAG, setAutostart } from './autostart.ts';
import { SHELL_CHANNELS } from '../../shared/contract/shell-channels.ts';
import { chooseFolder, openFolder, showFatal } from './dialogs.ts';
import { electronStarter } from './electron-starter.ts';
import { listenToPages } from './ipc-main.ts';
import { setMenu } from './menu.ts';
import { type AppPaths, engineInit } from './paths.ts';
import { createAwakeKeeper, watchPower, watchShutdown } from './power.ts';
import { answerSecret, hasKeyring } from './secrets.ts';
import { lockSession } from './security.ts';
import { createTray } from './tray.ts';
import { openWindow } from './window.ts';

const TRAY_LINE: Readonly<Record<EngineState['kind'], string>> = {
  starting: 'starting…',
  ready: 'recording your cameras',
  unresponsive: 'not answering',
  restarting: 'starting again…',
  failed: 'not recording',
  stopped: 'not recording',
};

export interface PorchlightApp {
  /** Shows the window, opening it if it was closed. */
  show(): void;
  /** Ends the engine in order, then the app. */
  quit(): Promise<void>;
}

/** Starts everything; call when Electron is ready. */
export function startApp(paths: AppPaths, log: Logger): PorchlightApp {
  const keyring = hasKeyring();
  const init = engineInit(paths, keyring);
  const host = new EngineHost({ starter: electronStarter(paths.engine), init, clock: systemClock, log, secrets: keyring ? answerSecret : null });
  let window: BrowserWindow | null = null;
  let quitting: Promise<void> | null = null;

  const show = (): void => {
    if (window === null) {
      const opened = openWindow({ preload: paths.preload, icon: paths.icon, dataDir: init.dataDir, onProblem: (what, error) => log.error(what, error) });
      opened.on('closed', () => {
        window = null;
      });
      window = opened;
    } else {
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    }
  };
  const connect = (event: IpcMainEvent): void => {
    const { port1, port2 } = new MessageChannelMain();
    host.connect(port1);
    event.senderFrame?.postMessage(SHELL_CHANNELS.port, null, [port2]);
  };

  lockSession(session.defaultSession);
  servePages(paths.pageDir);
  setMenu();
  listenToPages({
    handlers: { openFolder: (_window, folder) => openFolder(folder), chooseFolder, setAutostart: (_window, enabled) => setAutostart(enabled), getAutostart: () => getAutostart() },
    windowOf: (event) => BrowserWindow.fromWebContents(event.sender),
    onConnect: connect,
  });
  const awake = createAwakeKeeper();
  const stopPower = watchPower((change) => host.power(change));
  host.onSettings((settings) => {
    awake.keepAwake(settings.keepAwake);
    setAutostart(settings.startAtLogin && !init.demo).catch((error: unknown) => log.error('starting at login could not be set', error));
  });

  const quit = (reason: 'owner' | 'computer' = 'owner'): Promise<void> => {
    quitting ??= (async () => {
      stopPower();
      await host.stop(reason);
      tray.destroy();
      app.exit(0);
    })();
    return quitting;
  };
  watchShutdown(() => void quit('computer'));
  const tray = createTray({ icon: paths.trayIcon, onOpen: show, onQuit: () => void quit() });
  host.onState((state) => {
    tray.setState(TRAY_LINE[state.kind]);
    if (state.kind === 'failed') showFatal(state.error.message);
  });
  // The state listener tells of a failure.
  host.start().catch(() => undefined);
  if (!process.argv.includes(HIDDEN_FLAG)) show();
  return { show, quit };
}

/** Outside links: only https, in the person's own browser. */
export function openOutside(url: string): void {
  void shell.openExternal(url);
}
