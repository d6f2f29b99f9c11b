import { expect, it } from 'vitest';
import { gridShape } from './grid-layout.ts';

it.each([
  [1, 1200, 620, { columns: 1, rows: 1 }],
  [2, 1200, 620, { columns: 2, rows: 1 }],
  [4, 1200, 620, { columns: 2, rows: 2 }],
  [6, 1800, 800, { columns: 3, rows: 2 }],
  [16, 3700, 1900, { columns: 4, rows: 4 }],
  [4, 390, 600, { columns: 1, rows: 4 }],
  [3, 390, 900, { columns: 1, rows: 3 }],
])('%d pictures in %d×%d', (count, width, height, shape) => {
  expect(gridShape(count, width, height, 16 / 9, 10)).toEqual(shape);
});

it('has room for every picture', () => {
  for (let count = 1; count <= 16; count += 1) {
    const { columns, rows } = gridShape(count, 1500, 700, 16 / 9, 10);
    expect(columns * rows).toBeGreaterThanOrEqual(count);
    expect(columns * (rows - 1)).toBeLessThan(count);
  }
});
