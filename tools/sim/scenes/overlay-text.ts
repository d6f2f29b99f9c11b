/** Owns the text that cameras write into their picture: a 5 × 7 dot font with a dark rim. */
import type { YuvPicture } from '../frame-code.ts';

/** Seven rows of five dots each, rows from the top as numbers, most significant dot left. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 15],
  H: [17, 17, 17, 31, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 27, 17],
  Y: [17, 17, 10, 4, 4, 4, 4],
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '2': [14, 17, 1, 6, 8, 16, 31],
  '3': [14, 17, 1, 6, 1, 17, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '5': [31, 16, 30, 1, 1, 17, 14],
  '6': [6, 8, 16, 30, 17, 17, 14],
  '7': [31, 1, 2, 4, 8, 8, 8],
  '8': [14, 17, 17, 14, 17, 17, 14],
  '9': [14, 17, 17, 15, 1, 2, 12],
  ':': [0, 4, 4, 0, 4, 4, 0],
  '-': [0, 0, 0, 14, 0, 0, 0],
};

function fillDots(picture: YuvPicture, text: string, left: number, top: number, dot: number, grow: number, luma: number): void {
  for (let index = 0; index < text.length; index += 1) {
    const rows = GLYPHS[text[index] ?? ''];
    rows?.forEach((bits, row) => {
      for (let column = 0; column < 5; column += 1) {
        if (((bits >> (4 - column)) & 1) === 0) continue;
        const x = left + (index * 6 + column) * dot - grow;
        const y = top + row * dot - grow;
        for (let line = y; line < y + dot + 2 * grow; line += 1) picture.y.fill(luma, line * picture.width + x, line * picture.width + x + dot + 2 * grow);
      }
    });
  }
}

/** Writes capital letters, digits, colon and minus in white with a dark rim; `dot` is the size of a dot in pixels. */
export function writeText(picture: YuvPicture, text: string, left: number, top: number, dot: number): void {
  fillDots(picture, text, left, top, dot, 1, 30);
  fillDots(picture, text, left, top, dot, 0, 225);
}
