/** The second listener of serve mode, for other devices in the house: TLS at every address of this computer, open while the owner wants it (<data>/config/doors.json). */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { PorchlightError } from '../../../shared/errors.ts';
import { MINUTE_MS } from '../../../shared/time.ts';
import { readIfThere, replaceFile } from '../core/atomic-file.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ServeCertificate } from './certificate.ts';
import type { Serving } from './http-server.ts';

/** A port that is taken is tried again so often. */
const TRY_AGAIN_MS = MINUTE_MS;

export interface HouseDoorParts {
  readonly configDir: string;
  /** The port that is tried first where none is remembered; 0 for any free one. */
  readonly firstPort: number;
  readonly certificate: () => Promise<ServeCertificate>;
  readonly listen: (port: number, certificate: ServeCertificate) => Promise<Serving>;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Remembered {
  readonly open: boolean;
  /** The same one each time, so that an address that was noted goes on working. */
  readonly port: number | null;
}

export class HouseDoor {
  readonly #parts: HouseDoorParts;
  readonly #file: string;
  #remembered: Remembered;
  #serving: Serving | null = null;
  #trouble: string | null = null;
  #fingerprint: string | null = null;
  #changing: Promise<unknown> = Promise.resolve();
  #cancelTrying: () => void = () => undefined;

  private constructor(parts: HouseDoorParts, file: string, remembered: Remembered) {
    this.#parts = parts;
    this.#file = file;
    this.#remembered = remembered;
  }

  /** Reads what the owner chose; opens nothing. */
  static async make(parts: HouseDoorParts): Promise<HouseDoor> {
    await mkdir(parts.configDir, { recursive: true, mode: 0o700 });
    const file = path.join(parts.configDir, 'doors.json');
    const remembered = parse(await readIfThere(file)) ?? parse(await readIfThere(`${file}.previous`)) ?? { open: false, port: null };
    return new HouseDoor(parts, file, remembered);
  }

  /** The open listener; null while it is closed. */
  get serving(): Serving | null {
    return this.#serving;
  }

  /** Why it is closed although the owner wants it open. */
  get trouble(): string | null {
    return this.#trouble;
  }

  get fingerprint(): string | null {
    return this.#fingerprint;
  }

  /** As the owner left it. What keeps it closed is remembered and tried again; it never rejects. */
  async start(): Promise<void> {
    await this.#alone(async () => {
      if (!this.#remembered.open) return;
      try {
        await this.#open();
      } catch (error) {
        this.#parts.log.warn('the way in for other devices could not be opened', error);
        this.#trouble = error instanceof PorchlightError ? error.message : 'The way in for other devices could not be opened. The log has the details.';
        this.#cancelTrying = this.#parts.clock.after(TRY_AGAIN_MS, () => void this.start());
      }
      this.#parts.onChange();
    });
  }

  /** Open or closed, and remembered, when it resolves. Rejects with `port-in-use` and the like, and is closed as before then. */
  async setOpen(open: boolean): Promise<void> {
    await this.#alone(async () => {
      this.#cancelTrying();
      if (open) {
        await this.#open();
        await this.#remember({ open: true, port: this.#serving?.port ?? null });
      } else {
        this.#trouble = null;
        await this.#close();
        await this.#remember({ ...this.#remembered, open: false });
      }
      this.#parts.onChange();
    });
  }

  /** Closes the listener; what was chosen stays. */
  async stop(): Promise<void> {
    await this.#alone(async () => {
      this.#cancelTrying();
      await this.#close();
    });
  }

  async #open(): Promise<void> {
    if (this.#serving !== null) return;
    const { certificate, firstPort, listen } = this.#parts;
    const shown = await certificate();
    this.#fingerprint = shown.fingerprint;
    const { port } = this.#remembered;
    if (port !== null) this.#serving = await listen(port, shown);
    else {
      this.#serving = await listen(firstPort, shown).catch((error: unknown) => {
        // Nobody knows the number yet: any other will do.
        if (firstPort !== 0 && error instanceof PorchlightError && error.kind === 'port-in-use') return listen(0, shown);
        throw error;
      });
    }
    this.#trouble = null;
  }

  async #close(): Promise<void> {
    const serving = this.#serving;
    this.#serving = null;
    await serving?.stop();
  }

  async #remember(remembered: Remembered): Promise<void> {
    this.#remembered = remembered;
    await replaceFile(this.#file, `${JSON.stringify({ format: 1, ...remembered }, null, 2)}\n`);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#changing.then(work);
    this.#changing = mine.catch(() => undefined);
    return await mine;
  }
}

function parse(text: string | null): Remembered | null {
  if (text === null) return null;
  try {
    const { open, port } = JSON.parse(text) as { readonly open?: unknown; readonly port?: unknown };
    return { open: open === true, port: typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null };
  } catch {
    return null;
  }
}
