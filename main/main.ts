/** The shell's composition root: one copy, locked down before anything opens, ended in order (docs/design/processes.md). */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { app } from 'electron';
import { createLogger } from './host/essentials.ts';
import { registerPageScheme } from './shell/app-protocol.ts';
import { showFatal } from './shell/dialogs.ts';
import { appPaths } from './shell/paths.ts';
import { openOutside, type PorchlightApp, startApp } from './shell/porchlight-app.ts';
import { lockApp } from './shell/security.ts';

const log = createLogger((entry) => {
  if (entry.level !== 'debug') process.stderr.write(`${entry.scope === '' ? '' : `${entry.scope}: `}${entry.message}\n`);
});

function run(): void {
  let porchlight: PorchlightApp | null = null;
  registerPageScheme();
  app.enableSandbox();
  lockApp(app, openOutside);
  app.on('second-instance', () => porchlight?.show());
  app.on('activate', () => porchlight?.show());
  // Closing the window keeps recording: without this listener Electron would quit.
  app.on('window-all-closed', () => undefined);
  app.on('before-quit', (event) => {
    if (porchlight === null) return;
    event.preventDefault();
    void porchlight.quit();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => app.quit());
  app.whenReady().then(
    () => {
      porchlight = startApp(appPaths(path.dirname(fileURLToPath(import.meta.url))), log);
    },
    (error: unknown) => {
      log.error('the app could not start', error);
      showFatal('Porchlight could not start.');
      app.exit(1);
    },
  );
}

// A demo runs beside the installed app: it has a folder of its own, which the engine locks.
if (process.env['PORCHLIGHT_START_FILE'] !== undefined || app.requestSingleInstanceLock()) run();
else app.exit(0);
