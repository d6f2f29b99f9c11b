/**
 * The file a home's set-up travels in: sealed under a password the owner chose, with scrypt (RFC 7914) and AES-256-GCM
 * (NIST SP 800-38D). The format and its invariants E1 to E6: docs/design/config-export.md.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { PorchlightError } from '../../../shared/errors.ts';
import { MAX_SETUP_BYTES } from '../../../shared/model/setup.ts';

const MAGIC = Buffer.from('PORCHSET', 'latin1');
const VERSION = 1;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + 4 + SALT_BYTES + NONCE_BYTES;

/** Cost of one guess: 128 MiB and about half a second of one core. */
const COST = { log2N: 17, r: 8, p: 1 } as const;
/** What a file may ask for (E4): a forged header must take no more memory or time than twice our own. */
const LIMITS = { log2N: [14, 18], r: [8, 16], p: [1, 2], memoryBytes: 256 * 1024 * 1024 } as const;

interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** Seals `content` (UTF-8 JSON) under `password`. A lower `cost` than the usual one is for tests of what is not about it. Throws `invalid-input` where the file would be too large. */
export async function sealSetup(content: string, password: string, cost: Cost = COST): Promise<Uint8Array> {
  const header = Buffer.concat([MAGIC, Buffer.from([VERSION, cost.log2N, cost.r, cost.p]), randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)]);
  const { salt, nonce } = readHeader(header);
  const cipher = createCipheriv('aes-256-gcm', await keyFor(password, salt, cost), nonce).setAAD(header);
  const file = Buffer.concat([header, cipher.update(content, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  if (file.length > MAX_SETUP_BYTES) throw new PorchlightError('invalid-input', 'This set-up is too large for one file.');
  return file;
}

/**
 * Opens a sealed file. Throws PorchlightError: `invalid-input` for what is no such file, of a newer version, or damaged in its
 * header; `wrong-password` where the password does not open it (a file damaged behind its header looks the same, and says so).
 */
export async function openSetup(file: Uint8Array, password: string): Promise<string> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const { cost, salt, nonce, header } = readHeader(bytes);
  const sealed = bytes.subarray(HEADER_BYTES, -TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', await keyFor(password, salt, cost), nonce, { authTagLength: TAG_BYTES }).setAAD(header);
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch {
    // No cause: it could say something about the key.
    throw new PorchlightError('wrong-password', 'The password does not open this file. Where you are sure of the password, the file is damaged: take another copy of it.');
  }
}

function readHeader(file: Buffer): { readonly cost: Cost; readonly salt: Buffer; readonly nonce: Buffer; readonly header: Buffer } {
  if (file.length > MAX_SETUP_BYTES || file.length < MAGIC.length || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new PorchlightError('invalid-input', 'This is no Porchlight set-up. Choose the file that "Take your set-up along" saved.');
  }
  const [version = 0, log2N = 0, r = 0, p = 0] = file.subarray(MAGIC.length, MAGIC.length + 4);
  if (version > VERSION) throw new PorchlightError('invalid-input', 'This set-up was saved by a newer Porchlight. Install that version here and try again.');
  const header = file.subarray(0, HEADER_BYTES);
  const isWithin = (value: number, [least, most]: readonly [number, number]): boolean => value >= least && value <= most;
  const isBounded = isWithin(log2N, LIMITS.log2N) && isWithin(r, LIMITS.r) && isWithin(p, LIMITS.p) && memoryBytes({ log2N, r, p }) <= LIMITS.memoryBytes;
  if (version !== VERSION || header.length < HEADER_BYTES || !isBounded) throw new PorchlightError('invalid-input', 'This file is damaged. Take another copy of it.');
  const saltAt = MAGIC.length + 4;
  return { cost: { log2N, r, p }, salt: file.subarray(saltAt, saltAt + SALT_BYTES), nonce: file.subarray(saltAt + SALT_BYTES, HEADER_BYTES), header };
}

/** RFC 7914 section 2: 128 · N · r bytes for the large array. */
function memoryBytes({ log2N, r }: Cost): number {
  return 128 * 2 ** log2N * r;
}

/** The same password typed on another keyboard gives the same key: Unicode NFKC (as RFC 8265 asks of passwords' forms). */
function keyFor(password: string, salt: Uint8Array, cost: Cost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** cost.log2N, r: cost.r, p: cost.p, maxmem: memoryBytes(cost) + 16 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
