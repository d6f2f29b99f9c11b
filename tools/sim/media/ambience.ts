/** Owns the sound of the simulated cameras: wind in leaves, a bird now and then. */

const RATE_HZ = 16_000;

/** A small generator of repeatable noise, so that the same scene sounds and looks the same on every machine. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** Signed 16-bit little-endian mono samples at 16 kHz. */
export function synthesizeAmbience(seconds: number): Buffer {
  const samples = seconds * RATE_HZ;
  const out = Buffer.alloc(samples * 2);
  const random = createRandom(77);
  let slow = 0;
  let low = 0;
  for (let i = 0; i < samples; i += 1) {
    const t = i / RATE_HZ;
    // Whole cycles over the clip, so that the loop has no seam.
    const gust = 0.5 + 0.3 * Math.sin((2 * Math.PI * 2 * t) / seconds) + 0.2 * Math.sin((2 * Math.PI * 5 * t) / seconds);
    low += 0.08 * (random() * 2 - 1 - low);
    slow += 0.02 * (low - slow);
    let value = (low * 0.35 + slow * 1.2) * gust;
    const song = t % 6;
    if (song < 0.9) {
      const note = song % 0.3;
      const rise = note < 0.15 ? Math.sin((Math.PI * note) / 0.15) : 0;
      value += 0.18 * rise * Math.sin(2 * Math.PI * (2600 * note + 900 * Math.sin(40 * note)) + 6 * note);
    }
    out.writeInt16LE(Math.max(-32_768, Math.min(32_767, Math.round(value * 16_000))), i * 2);
  }
  return out;
}
