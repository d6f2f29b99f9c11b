/** What the owner may set for the whole program. */

export interface Settings {
  readonly homeName: string;
  readonly theme: 'system' | 'dark' | 'light';
  readonly startAtLogin: boolean;
  readonly keepAwake: boolean;
  /** Set by hand; null means: packaged ffmpeg, then PATH. */
  readonly ffmpegPath: string | null;
  /** Interfaces to search, by address; empty means all but internal ones. */
  readonly searchInterfaces: readonly string[];
}

export const DEFAULT_SETTINGS: Settings = {
  homeName: 'Home',
  theme: 'system',
  startAtLogin: false,
  keepAwake: true,
  ffmpegPath: null,
  searchInterfaces: [],
};
