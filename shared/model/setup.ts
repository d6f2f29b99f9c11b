/** A home's set-up on its way to another computer (docs/design/config-export.md). */
import type { EpochMs } from '../time.ts';

/** `keep`: what is here already, or stays as it is, said so that nobody looks for it. */
export interface SetupChange {
  readonly kind: 'add' | 'change' | 'keep';
  readonly sentence: string;
}

/** What an import would do, or did. */
export interface SetupImport {
  /** When and by which version the file was saved. */
  readonly savedMs: EpochMs;
  readonly savedBy: string;
  readonly homeName: string;
  readonly changes: readonly SetupChange[];
  /** False: this is what would be done. */
  readonly applied: boolean;
}

/** Characters a password for a set-up must have at least: it is all that keeps the cameras' passwords from whoever finds the file. */
export const SETUP_PASSWORD_LENGTH = 10;
/** Largest file of a set-up. */
export const MAX_SETUP_BYTES = 4 * 1024 * 1024;
