/** The application menu: what each system expects, and no reload or developer tools in the packaged app. */
import { app, Menu, type MenuItemConstructorOptions } from 'electron';

export function setMenu(): void {
  const mac: MenuItemConstructorOptions[] = [{ role: 'appMenu' }];
  const view: MenuItemConstructorOptions = {
    label: 'View',
    submenu: [{ role: 'togglefullscreen' }, { role: 'zoomIn' }, { role: 'zoomOut' }, { role: 'resetZoom' }, ...(app.isPackaged ? [] : ([{ role: 'reload' }, { role: 'toggleDevTools' }] as MenuItemConstructorOptions[]))],
  };
  Menu.setApplicationMenu(Menu.buildFromTemplate([...(process.platform === 'darwin' ? mac : []), { role: 'fileMenu' }, { role: 'editMenu' }, view, { role: 'windowMenu' }]));
}
