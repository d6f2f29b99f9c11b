/** The shell's door for the page: every message's sender is checked, every argument parsed, unknown names refused. */
import { type BrowserWindow, ipcMain, type IpcMainEvent, type IpcMainInvokeEvent } from 'electron';
import type { ShellApi, ShellRequestName } from '../../shared/contract/shell-api.ts';
import { PorchlightError, toWire } from '../../shared/errors.ts';
import { SHELL_CHANNELS } from '../../shared/contract/shell-channels.ts';
import { isTrustedSender } from './security.ts';

/** ShellApi with the window that asks. */
export type ShellHandlers = { readonly [Name in ShellRequestName]: (window: BrowserWindow | null, ...args: Parameters<ShellApi[Name]>) => ReturnType<ShellApi[Name]> };

const MAX_PATH = 4096;

/** One parser per request: what does not parse is refused before a handler sees it. */
const PARSERS: { readonly [Name in ShellRequestName]: (args: readonly unknown[]) => Parameters<ShellApi[Name]> | null } = {
  openFolder: ([path, ...more]) => (typeof path === 'string' && path.length > 0 && path.length <= MAX_PATH && more.length === 0 ? [path] : null),
  chooseFolder: (args) => (args.length === 0 ? [] : null),
  setAutostart: ([enabled, ...more]) => (typeof enabled === 'boolean' && more.length === 0 ? [enabled] : null),
  getAutostart: (args) => (args.length === 0 ? [] : null),
};

export interface IpcParts {
  readonly handlers: ShellHandlers;
  readonly windowOf: (event: IpcMainInvokeEvent | IpcMainEvent) => BrowserWindow | null;
  /** A page of ours wants a line to the engine. */
  readonly onConnect: (event: IpcMainEvent) => void;
}

/** Listens; call once. */
export function listenToPages({ handlers, windowOf, onConnect }: IpcParts): void {
  ipcMain.handle(SHELL_CHANNELS.request, async (event, name: unknown, args: unknown) => {
    if (!isTrustedSender(event.senderFrame)) throw new Error('refused');
    try {
      return await call(handlers, windowOf(event), name, args);
    } catch (error) {
      // Only the sentence crosses: Electron would hand over the whole error.
      throw new Error(toWire(error).sentence, { cause: undefined });
    }
  });
  ipcMain.on(SHELL_CHANNELS.connect, (event) => {
    if (isTrustedSender(event.senderFrame)) onConnect(event);
  });
}

async function call(handlers: ShellHandlers, window: BrowserWindow | null, name: unknown, args: unknown): Promise<unknown> {
  if (typeof name !== 'string' || !isRequest(name)) throw new PorchlightError('not-found', 'The app knows no such request.');
  const parsed = Array.isArray(args) ? PARSERS[name](args) : null;
  if (parsed === null) throw new PorchlightError('invalid-input', 'The app could not understand that request.');
  const handler = handlers[name] as (window: BrowserWindow | null, ...args: readonly unknown[]) => Promise<unknown>;
  return await handler(window, ...parsed);
}

function isRequest(name: string): name is ShellRequestName {
  return Object.hasOwn(PARSERS, name);
}
