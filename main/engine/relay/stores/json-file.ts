/** A small file of <data>/config that is kept in memory and replaced whole; many changes at once become one write. */
import { readIfThere, replaceFile } from '../../core/atomic-file.ts';
import type { Logger } from '../../core/logger.ts';

export class JsonFile<Content extends object> {
  readonly #file: string;
  #content: Content;
  #writing: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;
  #noted = false;

  private constructor(file: string, content: Content) {
    this.#file = file;
    this.#content = content;
  }

  /** Reads `file`, or the copy before its last change; `read` gives null for what cannot be read, `first` is used where nothing can. Writes nothing. */
  static async open<Content extends object>(file: string, read: (value: unknown) => Content | null, first: Content, log: Logger): Promise<JsonFile<Content>> {
    for (const name of [file, `${file}.previous`]) {
      const text = await readIfThere(name);
      const content = text === null ? null : parsed(text, read);
      if (content !== null) return new JsonFile(file, content);
      if (text !== null) log.warn(`${name} could not be read`);
    }
    return new JsonFile(file, first);
  }

  get content(): Content {
    return this.#content;
  }

  /** Changes what is in memory at once; durable when it resolves. Where it rejects, memory and the next write have the change all the same. */
  async change(patch: Partial<Content>): Promise<void> {
    this.#content = { ...this.#content, ...patch };
    // A write that has not begun takes this change along.
    this.#waiting ??= this.#writing.then(async () => {
      this.#waiting = null;
      this.#noted = false;
      await replaceFile(this.#file, `${JSON.stringify(this.#content, null, 2)}\n`, 0o600);
    });
    const write = this.#waiting;
    this.#writing = write.catch(() => undefined);
    await write;
  }

  /** Changes what is in memory; written with the next change, or at the end. */
  note(patch: Partial<Content>): void {
    this.#content = { ...this.#content, ...patch };
    this.#noted = true;
  }

  /** Writes what was noted only; resolves when nothing is being written. */
  async close(): Promise<void> {
    if (this.#noted) await this.change({});
    await this.#writing;
  }
}

function parsed<Content>(text: string, read: (value: unknown) => Content | null): Content | null {
  try {
    return read(JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}
