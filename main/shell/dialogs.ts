/** The system's own dialogs and file manager. */
import { stat } from 'node:fs/promises';
import { type BrowserWindow, dialog, shell } from 'electron';
import { PorchlightError } from '../../shared/errors.ts';

/** Asks for a folder; null when the person changed their mind. */
export async function chooseFolder(window: BrowserWindow | null): Promise<string | null> {
  const options = { title: 'Choose a folder for footage', properties: ['openDirectory', 'createDirectory'] as ('openDirectory' | 'createDirectory')[] };
  const chosen = window === null ? await dialog.showOpenDialog(options) : await dialog.showOpenDialog(window, options);
  return chosen.canceled ? null : (chosen.filePaths[0] ?? null);
}

/** Opens a folder in the file manager. Only folders: opening a file would run it. */
export async function openFolder(folder: string): Promise<void> {
  const entry = await stat(folder).catch(() => null);
  if (entry === null || !entry.isDirectory()) throw new PorchlightError('not-found', 'That folder is not there. Perhaps its disk is not connected.');
  const problem = await shell.openPath(folder);
  if (problem !== '') throw new PorchlightError('internal', 'The file manager could not be opened.', problem);
}

/** For a failure before there is a window. */
export function showFatal(sentence: string): void {
  dialog.showErrorBox('Porchlight', sentence);
}
