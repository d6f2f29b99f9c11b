import { expect, it } from 'vitest';
import { PictureQueue } from './picture-queue.ts';

function picture(wallMs: number): { frame: { closed: boolean; close(): void }; wallMs: number; durationMs: number } {
  const frame = { closed: false, close: () => void (frame.closed = true) };
  return { frame, wallMs, durationMs: 40 };
}

it('gives the latest picture that is due and closes those that were passed over', () => {
  const queue = new PictureQueue<ReturnType<typeof picture>>();
  const pictures = [0, 40, 80, 120].map(picture);
  for (const each of pictures) queue.push(each);
  expect(queue.takeDue(95)?.wallMs).toBe(80);
  expect(pictures.map(({ frame }) => frame.closed)).toEqual([true, true, false, false]);
  expect(queue.takeDue(95)).toBeNull();
  expect(queue.size).toBe(1);
});

it('on the way to a moment keeps one picture, until it is known which one covers it', () => {
  const queue = new PictureQueue<ReturnType<typeof picture>>();
  const before = [0, 40].map(picture);
  for (const each of before) queue.push(each);
  expect(queue.takeCovering(100, false)).toBeNull();
  expect(before.map(({ frame }) => frame.closed)).toEqual([true, false]);
  // Nothing says yet that no other picture comes between this one and the moment.
  queue.push(picture(120));
  expect(queue.takeCovering(100, false)?.wallMs).toBe(40);
});

it('a picture that lasts beyond the moment covers it at once', () => {
  const queue = new PictureQueue<ReturnType<typeof picture>>();
  queue.push(picture(80));
  expect(queue.takeCovering(100, false)?.wallMs).toBe(80);
});

it('a moment that is a picture’s own, but for rounding, is that picture’s', () => {
  const queue = new PictureQueue<ReturnType<typeof picture>>();
  queue.push(picture(40));
  expect(queue.takeCovering(80 - 0.001, false)).toBeNull();
  queue.push(picture(80));
  expect(queue.takeCovering(80 - 0.001, false)?.wallMs).toBe(80);
});

it('where footage begins later the first picture is taken, where it ends earlier the last', () => {
  const queue = new PictureQueue<ReturnType<typeof picture>>();
  queue.push(picture(200));
  expect(queue.takeCovering(100, false)?.wallMs).toBe(200);
  queue.push(picture(0));
  expect(queue.takeCovering(100, true)?.wallMs).toBe(0);
});

it('closes everything when it is cleared', () => {
  const queue = new PictureQueue<ReturnType<typeof picture>>();
  const pictures = [0, 40].map(picture);
  for (const each of pictures) queue.push(each);
  queue.clear();
  expect(pictures.every(({ frame }) => frame.closed)).toBe(true);
  expect(queue.size).toBe(0);
});
