import { expect, it } from 'vitest';
import { describeError, fromWire, PorchlightError, toWire } from './errors.ts';

it('crosses a channel as kind and sentence, the cause staying behind', () => {
  const error = new PorchlightError('wrong-password', 'The camera does not accept this password.', new Error('401 from 10.0.0.9'));
  expect(toWire(error)).toEqual({ kind: 'wrong-password', sentence: 'The camera does not accept this password.' });
  expect(fromWire(toWire(error))).toMatchObject({ kind: 'wrong-password', message: 'The camera does not accept this password.' });
});

it('tells nothing of an unexpected error to the other side', () => {
  expect(toWire(new TypeError('x of undefined at /home/anna')).sentence).not.toContain('anna');
});

it('names the whole chain of causes for the log', () => {
  const error = new PorchlightError('disk-full', 'The disk is full.', new Error('write failed', { cause: 'ENOSPC' }));
  expect(describeError(error)).toBe('disk-full: The disk is full. <- Error: write failed <- ENOSPC');
});
