/** The way in for other devices in the house: a phone or any browser, by a password, over TLS. */

export interface DoorsState {
  /** `app`: the desktop app listens nowhere. `switch`: serve mode on this computer, where the owner opens and closes it. `listen`: started with --listen; open as long as it runs so. */
  readonly kind: 'app' | 'switch' | 'listen';
  /** Somebody in the house can reach it now. */
  readonly open: boolean;
  readonly hasPassword: boolean;
  /** Where other devices find it while it is open: `https://192.168.1.20:8723/`. */
  readonly urls: readonly string[];
  /** SHA-256 of the certificate, as browsers show it; null where none was made yet. */
  readonly fingerprint: string | null;
  /** Why it is not open although it should be, or cannot be; null while all is as wanted. */
  readonly sentence: string | null;
}

/** Characters of the password for other devices. */
export const DOOR_PASSWORD_LENGTH = 8;
