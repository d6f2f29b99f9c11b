/** What the window may ask of the Electron shell; absent in a browser. */

export interface ShellApi {
  /** Opens a folder in the system's file manager. */
  openFolder(path: string): Promise<void>;
  /** Asks for a folder; null when the person changed their mind. */
  chooseFolder(): Promise<string | null>;
  setAutostart(enabled: boolean): Promise<boolean>;
  getAutostart(): Promise<boolean>;
}

export type ShellRequestName = keyof ShellApi;

/** `window.porchlight` in the app's window: the shell's words and the line to the engine. */
export interface PorchlightBridge extends ShellApi {
  /** Asks for a new line to the engine; it arrives as a `message` event of the window with `data === PORT_MESSAGE` and one port. */
  connect(): void;
}

export const PORT_MESSAGE = 'porchlight-port';
/** The `data` of a `message` event of the window when it was minimised or hidden. */
export const HIDDEN_MESSAGE = 'porchlight-hidden';
