/** What the engine's process and whoever started it say to each other (docs/design/processes.md). */
import type { WireError } from '../errors.ts';
import type { Settings } from '../model/settings.ts';

/** A camera to be added at the start, from the demo or a file; goes over the parent port, never into an argument. */
export interface CameraToAdd {
  readonly name: string | null;
  readonly address: string;
  readonly username: string | null;
  readonly password: string | null;
}

export interface ServeInit {
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The built interface. */
  readonly pageDir: string;
  /** A new password of the owner's, to be kept as a hash; null keeps what is set. */
  readonly password: string | null;
}

export interface EngineInit {
  readonly version: string;
  readonly mode: 'app' | 'serve';
  readonly demo: boolean;
  readonly dataDir: string;
  /** Where footage goes when no disk has been chosen yet. */
  readonly mediaDir: string;
  /** Folder with `<platform>-<arch>/ffmpeg`; null when not packaged. */
  readonly binDir: string | null;
  /** `shell`: passwords are sealed by the starter over the parent port; `file`: an owner-only file. */
  readonly secrets: 'shell' | 'file';
  readonly serve: ServeInit | null;
  readonly cameras: readonly CameraToAdd[];
}

/** Sealing of camera passwords by the system's keyring, which only the shell can reach. */
export type SecretRequest = { readonly seal: string } | { readonly open: string };

export type HostMessage =
  | { readonly type: 'init'; readonly init: EngineInit }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'power'; readonly change: 'suspend' | 'resume' }
  /** Comes with a message port: a window's channel. */
  | { readonly type: 'channel' }
  | { readonly type: 'secret'; readonly id: number; readonly text: string | null }
  /** `computer`: the system shuts down or the person logs out. */
  | { readonly type: 'stop'; readonly reason: 'owner' | 'computer' };

export interface ServingInfo {
  readonly url: string;
  readonly port: number;
  /** SHA-256 of the certificate; null without TLS. */
  readonly fingerprint: string | null;
}

export type EngineMessage =
  /** Up, and waiting for `init`. */
  | { readonly type: 'booted' }
  | { readonly type: 'ready'; readonly serving: ServingInfo | null }
  /** It cannot start, and starting it again would not help. The process ends after it. */
  | { readonly type: 'refused'; readonly error: WireError }
  | { readonly type: 'pong'; readonly id: number }
  | { readonly type: 'secret'; readonly id: number; readonly request: SecretRequest }
  | { readonly type: 'settings'; readonly settings: Settings };

/** The engine's line to whoever started it. */
export interface ParentLink {
  post(message: EngineMessage): void;
  onMessage(listener: (message: HostMessage, ports: readonly unknown[]) => void): void;
  /** The starter is gone; nobody will ask us to stop. */
  onGone(listener: () => void): void;
}

/** How the engine's process ends. */
export const ENGINE_EXIT = { orderly: 0, crashed: 1, refused: 2 } as const;
