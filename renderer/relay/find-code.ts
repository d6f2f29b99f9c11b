/** Finds a QR code in pixels, of a picture or of a frame of this computer's camera. */

/** The text of the code in these pixels; null where none is found within `limitMs` (optional retries end then, not a first look). */
export type FindCode = (pixels: ImageData, limitMs: number) => string | null;

/** The decoder is fetched by those who show it something. */
export async function loadFinder(): Promise<FindCode> {
  const { default: decodeQr } = await import('qr/decode.js');
  return ({ width, height, data }, timeLimit) => {
    try {
      return decodeQr({ width, height, data }, { timeLimit });
    } catch {
      return null;
    }
  };
}
