/** The words after `npm start --`, parsed and checked before anything is built or started. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { CameraToAdd } from '../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../shared/errors.ts';

export interface StartOptions {
  readonly demo: boolean;
  readonly serve: boolean;
  /** 0 for any free one. */
  readonly port: number;
  readonly listen: string;
  readonly dataDir: string | null;
  readonly mediaDir: string | null;
  readonly camerasFile: string | null;
  readonly passwordFile: string | null;
  readonly openBrowser: boolean;
}

export const USAGE = `Usage: npm start -- [options]
  --demo             four simulated cameras in a throw-away data folder
  --serve            no window: the interface at a printed address
  --port N           port of that address (default 8722; 0 for any free one)
  --listen ADDR      address to listen on; beyond this computer it uses TLS and a password, which it asks for the first time
  --password-file F  sets that password from the first line of a file, where there is no terminal to type it
  --data DIR         where Porchlight keeps settings, index and logs
  --media DIR        where footage goes
  --cameras FILE     JSON list of {"name", "address", "username", "password"} to add
  --no-open          do not open a browser`;

/** Where serve mode listens unless told otherwise; nothing is registered there with IANA. */
const DEFAULT_PORT = 8722;

/** Parses the arguments; throws `invalid-input` with a sentence and the usage. */
export function parseOptions(args: readonly string[], cwd: string): StartOptions {
  const { values } = parse(args);
  const port = Number(values.port ?? (values.demo === true ? 0 : DEFAULT_PORT));
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new PorchlightError('invalid-input', `${String(values.port)} is no port; use a number from 0 to 65535.\n${USAGE}`);
  const folder = (value: string | undefined): string | null => (value === undefined ? null : path.resolve(cwd, value));
  return {
    demo: values.demo ?? false,
    serve: (values.serve ?? false) || values.listen !== undefined || values.port !== undefined,
    port,
    listen: values.listen ?? '127.0.0.1',
    dataDir: folder(values.data),
    mediaDir: folder(values.media),
    camerasFile: folder(values.cameras),
    passwordFile: folder(values['password-file']),
    openBrowser: !(values['no-open'] ?? false),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        demo: { type: 'boolean' },
        serve: { type: 'boolean' },
        port: { type: 'string' },
        listen: { type: 'string' },
        data: { type: 'string' },
        media: { type: 'string' },
        cameras: { type: 'string' },
        'password-file': { type: 'string' },
        'no-open': { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new PorchlightError('invalid-input', `${error instanceof Error ? error.message : String(error)}\n${USAGE}`, error);
  }
}

/** The cameras of `--cameras FILE`. Throws one sentence on a file that is none. */
export async function readCamerasFile(file: string): Promise<readonly CameraToAdd[]> {
  let list: unknown;
  try {
    list = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new PorchlightError('invalid-input', `The list of cameras ${file} could not be read. It has to be a JSON list like [{"name": "Porch", "address": "192.168.1.20", "username": "admin", "password": "…"}].`, error);
  }
  if (!Array.isArray(list)) throw new PorchlightError('invalid-input', `${file} holds no list of cameras.`);
  return list.map((entry: unknown, index) => toCamera(entry, index + 1, file));
}

function toCamera(entry: unknown, position: number, file: string): CameraToAdd {
  const fields = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {};
  const text = (name: string): string | null => {
    const value = fields[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== 'string') throw new PorchlightError('invalid-input', `Camera ${position} in ${file}: "${name}" has to be text.`);
    return value;
  };
  const address = text('address');
  if (address === null || address.trim() === '') throw new PorchlightError('invalid-input', `Camera ${position} in ${file} has no "address".`);
  return { name: text('name'), address, username: text('username'), password: text('password') };
}
