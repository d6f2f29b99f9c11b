/** A QR code as one SVG path, with the quiet zone that scanners need (ISO/IEC 18004 section 6.3.8: four modules). Pure. */
import { encodeQR } from 'qr';

export interface QrPath {
  /** Modules along one side, quiet zone included. */
  readonly size: number;
  /** The dark modules; one module is one unit. */
  readonly path: string;
}

const QUIET_MODULES = 4;

/** Throws where `text` is longer than a QR code holds (2,331 bytes at this level). */
export function qrPath(text: string): QrPath {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_MODULES });
  const path = rows.map((row, y) => runs(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`).join('')).join('');
  return { size: rows.length, path };
}

/** Start and length of each run of dark modules. */
function runs(row: readonly boolean[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  row.forEach((dark, x) => {
    const last = found.at(-1);
    if (!dark) return;
    if (last !== undefined && last[0] + last[1] === x) last[1] += 1;
    else found.push([x, 1]);
  });
  return found;
}

/** What a phone scans to open this home: the address, and behind it, where no server sees it, the certificate's fingerprint to compare with. */
export function doorCode(url: string, fingerprint: string | null): string {
  return fingerprint === null ? url : `${url}#sha256=${fingerprint.replaceAll(':', '')}`;
}
