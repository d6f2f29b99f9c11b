/** Starting at login: the system's own list on macOS and Windows, an XDG autostart entry on Linux. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { app } from 'electron';

/** Given when the system starts us: no window, only the tray. */
export const HIDDEN_FLAG = '--hidden';

function desktopEntry(): string {
  const config = process.env['XDG_CONFIG_HOME'];
  const base = config !== undefined && path.isAbsolute(config) ? config : path.join(homedir(), '.config');
  return path.join(base, 'autostart', 'porchlight.desktop');
}

/** An AppImage runs from a mount that is gone after a restart; its own file is named in APPIMAGE. */
function executable(): string {
  return process.env['APPIMAGE'] ?? process.execPath;
}

/** From a clone, Electron has to be told which app it is. */
function startArguments(): string[] {
  return app.isPackaged ? [HIDDEN_FLAG] : [app.getAppPath(), HIDDEN_FLAG];
}

/** Desktop Entry Specification, "The Exec key": quoted, with backslash, quote, dollar and backtick escaped, % doubled. */
function quoteExec(text: string): string {
  return `"${text.replace(/[\\"`$]/g, '\\$&').replaceAll('%', '%%')}"`;
}

export async function getAutostart(): Promise<boolean> {
  if (process.platform !== 'linux') return app.getLoginItemSettings({ args: startArguments() }).openAtLogin;
  return (await stat(desktopEntry()).catch(() => null)) !== null;
}

/** Resolves with what is now set. */
export async function setAutostart(enabled: boolean): Promise<boolean> {
  if (process.platform !== 'linux') {
    app.setLoginItemSettings({ openAtLogin: enabled, args: startArguments() });
    return getAutostart();
  }
  const file = desktopEntry();
  if (!enabled) await rm(file, { force: true });
  else {
    await mkdir(path.dirname(file), { recursive: true });
    const line = [executable(), ...startArguments()].map(quoteExec).join(' ');
    await writeFile(file, `[Desktop Entry]\nType=Application\nName=Porchlight\nComment=Records your cameras\nExec=${line}\nX-GNOME-Autostart-enabled=true\n`);
  }
  return enabled;
}
