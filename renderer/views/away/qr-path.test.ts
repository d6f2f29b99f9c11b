/** What is drawn is read back by a decoder, as a phone would. */
import { decodeQR } from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { parseRoute } from '../../state/route.ts';
import { doorCode, qrPath } from './qr-path.ts';

const SCALE = 4;

/** Paints the path's rectangles as a browser would, dark on white. */
function paint({ size, path }: ReturnType<typeof qrPath>): { readonly width: number; readonly height: number; readonly data: Uint8Array } {
  const side = size * SCALE;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = Number(y) * SCALE; row < (Number(y) + 1) * SCALE; row++) {
      const start = (row * side + Number(x) * SCALE) * 4;
      for (let at = start; at < start + Number(length) * SCALE * 4; at += 4) data.fill(0, at, at + 3);
    }
  }
  return { width: side, height: side, data };
}

describe('the QR code', () => {
  it('is read back as what was put in, at the length of a pairing and of an address', () => {
    const pairing = `porchlight-pair:1.${'aB3_-9zQ'.repeat(28)}`;
    for (const text of [pairing, 'https://192.168.1.20:8443/']) expect(decodeQR(paint(qrPath(text)))).toBe(text);
  });

  it('opens the first view with a fingerprint behind the address', () => {
    const code = doorCode('https://192.168.1.20:8443/', 'AB:CD:EF');
    expect(new URL(code)).toMatchObject({ origin: 'https://192.168.1.20:8443', pathname: '/', hash: '#sha256=ABCDEF' });
    expect(parseRoute(new URL(code).hash)).toEqual(parseRoute(''));
    expect(doorCode('https://192.168.1.20:8443/', null)).toBe('https://192.168.1.20:8443/');
  });

  it('keeps four white modules around it', () => {
    const { size, path } = qrPath('porchlight');
    for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
      expect(Math.min(Number(x), Number(y))).toBeGreaterThanOrEqual(4);
      expect(Math.max(Number(x) + Number(length), Number(y) + 1)).toBeLessThanOrEqual(size - 4);
    }
  });
});
