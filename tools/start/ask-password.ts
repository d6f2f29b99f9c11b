/** Asks for a new password at the terminal, unseen and twice: for whoever starts with --listen the first time. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { PorchlightError } from '../../shared/errors.ts';
import { SHORTEST_PASSWORD } from '../../main/engine/serve/sign-in.ts';

export interface PasswordTerminal {
  readonly input: NodeJS.ReadableStream;
  /** Writes as it is, without a line's end. */
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
}

const TRIES = 3;

/** The password, the same twice. Throws `cancelled` on Ctrl-C, at the end of the input and after three tries. */
export async function askNewPassword({ input, write, signal }: PasswordTerminal): Promise<string> {
  const ended = new AbortController();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  lines.once('close', () => ended.abort());
  const ask = async (question: string): Promise<string> => {
    write(question);
    try {
      return await lines.question('', { signal: AbortSignal.any([signal, ended.signal]) });
    } catch (error) {
      throw new PorchlightError('cancelled', 'No password was set, so Porchlight was not started.', error);
    } finally {
      write('\n');
    }
  };
  try {
    write('Other devices will be able to open Porchlight, with a password of yours. What you type is not shown.\n');
    for (let tries = 0; tries < TRIES; tries += 1) {
      const password = await ask(`Choose a password (at least ${SHORTEST_PASSWORD} characters): `);
      if (password.length < SHORTEST_PASSWORD) write('That is too short.\n');
      else if ((await ask('The same once more: ')) === password) return password;
      else write('The two are not the same.\n');
    }
    throw new PorchlightError('cancelled', 'No password was set, so Porchlight was not started.');
  } finally {
    lines.close();
  }
}
