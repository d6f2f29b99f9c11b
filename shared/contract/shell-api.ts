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
