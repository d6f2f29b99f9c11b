import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { askNewPassword } from './ask-password.ts';

/** Types an answer whenever something is asked. */
function terminal(answers: readonly string[]) {
  const input = new PassThrough();
  const left = [...answers];
  const said: string[] = [];
  const write = (text: string): void => {
    said.push(text);
    const answer = text.endsWith(': ') ? left.shift() : undefined;
    if (answer !== undefined) setImmediate(() => void input.write(answer));
  };
  return { input, write, said, left };
}

it.each([
  ['the same twice', ['guten abend\r', 'guten abend\r']],
  ['a slip of the finger taken back', ['guten abens\x7fd\r', 'guten abend\r']],
  ['one that is too short first', ['abend\r', 'guten abend\r', 'guten abend\r']],
  ['two that differ first', ['guten abend\r', 'guten Abend\r', 'guten abend\r', 'guten abend\r']],
])('takes %s, and shows nothing of it', async (_, answers) => {
  const typed = terminal(answers);
  expect(await askNewPassword({ ...typed, signal: new AbortController().signal })).toBe('guten abend');
  expect(typed.left).toEqual([]);
  expect(typed.said.join('')).not.toMatch(/guten|abend/);
});

it.each([
  ['Ctrl-C', ['\x03']],
  ['the end of the input', ['\x04']],
  ['three tries', ['kurz\r', 'kurz\r', 'kurz\r']],
])('ends without one at %s', async (_, answers) => {
  await expect(askNewPassword({ ...terminal(answers), signal: new AbortController().signal })).rejects.toMatchObject({ kind: 'cancelled' });
});

it('ends when Porchlight is to end', async () => {
  await expect(askNewPassword({ ...terminal([]), signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'cancelled' });
});
