/** The only code between the page and Electron: the shell's words and the hand-over of the engine's port, nothing more. */
import { contextBridge, ipcRenderer } from 'electron';
import type { PorchlightBridge, ShellApi, ShellRequestName } from '../shared/contract/shell-api.ts';
import { HIDDEN_MESSAGE, PORT_MESSAGE } from '../shared/contract/shell-api.ts';
import { PAGE_ORIGIN, SHELL_CHANNELS } from '../shared/contract/shell-channels.ts';

/** The part of the page's window used here; the shell is compiled without a browser's types. */
declare const window: { postMessage(message: unknown, targetOrigin: string, transfer: readonly unknown[]): void };

function ask<Name extends ShellRequestName>(name: Name): ShellApi[Name] {
  return ((...args: unknown[]) => ipcRenderer.invoke(SHELL_CHANNELS.request, name, args)) as ShellApi[Name];
}

const bridge: PorchlightBridge = {
  openFolder: ask('openFolder'),
  chooseFolder: ask('chooseFolder'),
  setAutostart: ask('setAutostart'),
  getAutostart: ask('getAutostart'),
  connect: () => ipcRenderer.send(SHELL_CHANNELS.connect),
};

ipcRenderer.on(SHELL_CHANNELS.port, (event) => window.postMessage(PORT_MESSAGE, PAGE_ORIGIN, [...event.ports]));
ipcRenderer.on(SHELL_CHANNELS.hidden, () => window.postMessage(HIDDEN_MESSAGE, PAGE_ORIGIN, []));

contextBridge.exposeInMainWorld('porchlight', bridge);
