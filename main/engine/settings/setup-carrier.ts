/** Takes a home's set-up along: all its parts as one sealed file, and back from such a file, first as a list of what would change (docs/design/config-export.md). */
import { PorchlightError } from '../../../shared/errors.ts';
import type { SetupChange, SetupImport } from '../../../shared/model/setup.ts';
import type { EpochMs } from '../../../shared/time.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { openSetup, sealSetup } from './sealed-setup.ts';
import { beginImport, endImport } from './setup-backup.ts';
import type { PartPlan, SetupPart } from './setup-parts.ts';

export interface SetupCarrierParts {
  readonly configDir: string;
  /** In the order in which they are applied; one whose failure cannot be undone comes last. */
  readonly parts: readonly SetupPart[];
  readonly version: string;
  readonly homeName: () => string;
  /** A set-up is in force now. */
  readonly onTaken: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

interface SetupFile {
  readonly format: 1;
  readonly savedMs: EpochMs;
  readonly savedBy: string;
  readonly homeName: string;
  readonly parts: Readonly<Record<string, unknown>>;
}

export class SetupCarrier {
  readonly #parts: SetupCarrierParts;
  #busy = false;

  constructor(parts: SetupCarrierParts) {
    this.#parts = parts;
  }

  /** The whole set-up, sealed under `password`. Throws `conflict` while another one is being sealed or opened. */
  async save(password: string): Promise<Uint8Array> {
    return await this.#alone(async () => {
      const { parts, version, homeName, clock } = this.#parts;
      const collected = await Promise.all(parts.map(async (part) => [part.name, await part.collect()] as const));
      const file: SetupFile = { format: 1, savedMs: clock.nowMs(), savedBy: version, homeName: homeName(), parts: Object.fromEntries(collected) };
      return await sealSetup(JSON.stringify(file), password);
    });
  }

  /**
   * What the file would change, and with `apply` changes it: all of it or nothing, with the set-up before it kept beside.
   * Throws as `openSetup`; further `invalid-input` for a part that cannot be read, `disk-failing` where it could not be written.
   */
  async take(bytes: Uint8Array, password: string, apply: boolean): Promise<SetupImport> {
    return await this.#alone(async () => {
      const file = readFile(await openSetup(bytes, password));
      const plans: PartPlan[] = [];
      for (const part of this.#parts.parts) if (Object.hasOwn(file.parts, part.name)) plans.push(await part.plan(file.parts[part.name]));
      const unknown = Object.keys(file.parts).filter((name) => !this.#parts.parts.some((part) => part.name === name));
      const left: readonly SetupChange[] = unknown.length === 0 ? [] : [{ kind: 'keep', sentence: 'The file holds more than this Porchlight knows; a newer one takes it over.' }];
      if (apply) {
        await this.#apply(plans);
        await this.#parts.onTaken();
      }
      return { savedMs: file.savedMs, savedBy: file.savedBy, homeName: file.homeName, changes: [...plans.flatMap((plan) => plan.changes), ...left], applied: apply };
    });
  }

  async #apply(plans: readonly PartPlan[]): Promise<void> {
    const { configDir, log } = this.#parts;
    const done: PartPlan[] = [];
    try {
      await beginImport(configDir);
      for (const plan of plans) {
        // Also the one that fails half way.
        done.push(plan);
        await plan.apply();
      }
      await endImport(configDir);
      log.info('a set-up was taken over');
    } catch (error) {
      // Where even this fails, the next start puts the copy back.
      for (const plan of done.toReversed()) await plan.undo();
      await endImport(configDir);
      throw new PorchlightError('disk-failing', 'The set-up could not be written, and everything is as it was. Check the disk of the data folder.', error);
    }
  }

  /** Making a key takes a good part of the memory of a small computer. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new PorchlightError('conflict', 'A set-up is being saved or opened already. Wait a moment and try again.');
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

function readFile(text: string): SetupFile {
  try {
    const value = JSON.parse(text) as Partial<SetupFile>;
    if (value.format === 1 && typeof value.savedMs === 'number' && typeof value.savedBy === 'string' && typeof value.homeName === 'string' && typeof value.parts === 'object' && value.parts !== null) return value as SetupFile;
  } catch {
    // Said below.
  }
  throw new PorchlightError('invalid-input', 'This set-up cannot be read by this Porchlight. Install the version that saved it, and try again.');
}
