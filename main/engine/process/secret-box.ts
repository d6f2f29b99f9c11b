/**
 * How a camera's password is sealed before it is written to <data>/config: by the system's keyring, which only the shell
 * reaches, or not at all where an owner-only file has to do. A sealed text says how it was sealed.
 */
import { PorchlightError } from '../../../shared/errors.ts';
import type { ParentLink, SecretRequest } from '../../../shared/contract/engine-process.ts';

export interface SecretBox {
  readonly kind: 'keyring' | 'owner-only-file';
  /** Text that may be written to an owner-only file. */
  seal(secret: string): Promise<string>;
  /** Throws `not-allowed` where the keyring does not give it back. */
  open(sealed: string): Promise<string>;
}

const KEYRING = 'keyring:';
const PLAIN = 'plain:';

function openPlain(sealed: string): string {
  if (sealed.startsWith(PLAIN)) return sealed.slice(PLAIN.length);
  throw new PorchlightError('not-allowed', "This camera's password was kept in the keyring of the desktop app, which is not reachable here. Enter it again.");
}

/** Asks the shell over the parent link; texts sealed before there was a keyring still open. */
export function keyringBox(link: ParentLink): SecretBox {
  const open = new Map<number, (text: string | null) => void>();
  let ids = 0;
  link.onMessage((message) => {
    if (message.type !== 'secret') return;
    open.get(message.id)?.(message.text);
    open.delete(message.id);
  });
  const ask = async (request: SecretRequest): Promise<string> => {
    const id = ++ids;
    const text = await new Promise<string | null>((resolve) => {
      open.set(id, resolve);
      link.post({ type: 'secret', id, request });
    });
    if (text === null) throw new PorchlightError('not-allowed', "The system's keyring did not give the camera's password back. Unlock it, or enter the password again.");
    return text;
  };
  return {
    kind: 'keyring',
    seal: async (secret) => KEYRING + (await ask({ seal: secret })),
    open: async (sealed) => (sealed.startsWith(KEYRING) ? await ask({ open: sealed.slice(KEYRING.length) }) : openPlain(sealed)),
  };
}
