/** The one window: opened where it was, closed without stopping anything. */
import { BrowserWindow, screen } from 'electron';
import { PAGE_ORIGIN, SHELL_CHANNELS } from '../../shared/contract/shell-channels.ts';
import { pagePreferences } from './security.ts';
import { FIRST_SIZE, readBounds, writeBounds } from './window-bounds.ts';

export interface WindowParts {
  readonly preload: string;
  readonly icon: string;
  readonly dataDir: string;
  readonly onProblem: (what: string, error: unknown) => void;
}

/** Opens the window and loads the interface into it. */
export function openWindow({ preload, icon, dataDir, onProblem }: WindowParts): BrowserWindow {
  const screens = screen.getAllDisplays().map((display) => display.workArea);
  const window = new BrowserWindow({
    ...(readBounds(dataDir, screens) ?? FIRST_SIZE),
    minWidth: 390,
    minHeight: 500,
    show: false,
    title: 'Porchlight',
    icon,
    backgroundColor: '#0c0e11',
    autoHideMenuBar: true,
    webPreferences: pagePreferences(preload),
  });
  window.once('ready-to-show', () => window.show());
  // Without throttling the page counts as visible for ever; what has to end out of sight (this computer's camera) is told so.
  const tellHidden = (): void => window.webContents.send(SHELL_CHANNELS.hidden);
  window.on('minimize', tellHidden);
  window.on('hide', tellHidden);
  window.on('close', () => {
    writeBounds(dataDir, window.getNormalBounds()).catch((error: unknown) => onProblem("the window's place could not be kept", error));
  });
  window.loadURL(`${PAGE_ORIGIN}/`).catch((error: unknown) => onProblem('the interface could not be loaded', error));
  return window;
}
