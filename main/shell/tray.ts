/** The icon that stays when the window is closed: recording goes on, and here is the way back and the way out. */
import { Menu, nativeImage, Tray } from 'electron';

export interface TrayParts {
  readonly icon: string;
  readonly onOpen: () => void;
  readonly onQuit: () => void;
}

export interface TrayIcon {
  /** One short line, shown under the pointer and at the head of the menu. */
  setState(line: string): void;
  destroy(): void;
}

export function createTray({ icon, onOpen, onQuit }: TrayParts): TrayIcon {
  // Tray throws on a path it cannot read; an image that is empty costs the icon and not the recorder.
  const tray = new Tray(nativeImage.createFromPath(icon));
  tray.on('click', onOpen);
  const setState = (line: string): void => {
    tray.setToolTip(`Porchlight: ${line}`);
    tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: line, enabled: false },
        { type: 'separator' },
        { label: 'Open Porchlight', click: onOpen },
        { label: 'Stop recording and quit', click: onQuit },
      ]),
    );
  };
  setState('starting…');
  return { setState, destroy: () => tray.destroy() };
}
