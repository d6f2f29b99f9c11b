/** A set-up's file: opens with its password and with nothing else, and asks for no more memory than it may. */
import { expect, it } from 'vitest';
import { openSetup, sealSetup } from './sealed-setup.ts';

/** Of the least cost that is opened: 16 MiB. */
const CHEAP = { log2N: 14, r: 8, p: 1 };
const CONTENT = JSON.stringify({ camera: 'Front door', password: 'hunter2-camera', host: '192.168.7.31' });

it('opens with its password, however the letters were typed, and holds nothing of its content in the clear', async () => {
  const file = await sealSetup(CONTENT, 'Müller & Söhne 7');
  expect(await openSetup(file, 'Müller & Söhne 7'.normalize('NFD'))).toBe(CONTENT);
  const text = Buffer.from(file).toString('latin1');
  for (const secret of ['Front', 'hunter2', '192.168', 'camera', 'Müller']) expect(text).not.toContain(secret);
  // Two files of the same content share nothing behind the fixed part of the header.
  const other = await sealSetup(CONTENT, 'Müller & Söhne 7');
  expect(Buffer.from(other).subarray(12, 44).equals(Buffer.from(file).subarray(12, 44))).toBe(false);
}, 30_000);

it('says in one sentence that the password is wrong or the file damaged, whatever byte is another', async () => {
  const file = await sealSetup(CONTENT, 'correct horse', CHEAP);
  await expect(openSetup(file, 'correct horsf')).rejects.toMatchObject({ kind: 'wrong-password' });
  const damaged = (at: number): Uint8Array => Uint8Array.from(file, (byte, index) => (index === at ? byte ^ 1 : byte));
  await expect(openSetup(damaged(0), 'correct horse')).rejects.toMatchObject({ kind: 'invalid-input', message: expect.stringContaining('no Porchlight set-up') });
  for (const at of [13, 30, 45, file.length - 1]) await expect(openSetup(damaged(at), 'correct horse')).rejects.toMatchObject({ kind: 'wrong-password', message: expect.stringContaining('damaged') });
  for (const length of [0, 7, 8, 20, 39]) await expect(openSetup(file.slice(0, length), 'correct horse')).rejects.toMatchObject({ kind: 'invalid-input' });
  await expect(openSetup(file.slice(0, 50), 'correct horse')).rejects.toMatchObject({ kind: 'wrong-password' });
});

it('refuses a header that asks for more than twice the usual cost, before any key is made', async () => {
  const file = await sealSetup(CONTENT, 'correct horse', CHEAP);
  const forged = (version: number, log2N: number, r: number, p: number): Uint8Array => Uint8Array.from(file, (byte, index) => [version, log2N, r, p][index - 8] ?? byte);
  for (const [log2N, r, p] of [[30, 8, 1], [17, 255, 1], [17, 8, 255], [18, 16, 1], [0, 0, 0], [10, 8, 1]] as const) {
    await expect(openSetup(forged(1, log2N, r, p), 'correct horse')).rejects.toMatchObject({ kind: 'invalid-input', message: expect.stringContaining('damaged') });
  }
  await expect(openSetup(forged(2, 17, 8, 1), 'correct horse')).rejects.toMatchObject({ kind: 'invalid-input', message: expect.stringContaining('newer') });
});
