/** What must never be readable on the way, as bytes, and the search for it. */

/** Five bytes and more: in four megabytes of noise, one of these turns up by chance once in ten thousand searches. */
const LEAST_BYTES = 5;

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** How pictures and films begin. JPEG: ITU-T T.81 annex B; start codes: ITU-T H.264 annex B, H.265 annex B; boxes: ISO/IEC 14496-12. */
const PICTURE_MARKS: readonly Buffer[] = [
  // JPEG, by what follows its start: JFIF, a comment, tables, Exif.
  hex('ffd8ffe000104a46'), hex('ffd8fffe00'), hex('ffd8ffdb00'), hex('ffd8ffe100'),
  // H.264: sequence parameters, picture parameters, a keyframe; H.265: video parameters, sequence parameters.
  hex('0000000167'), hex('0000000168'), hex('0000000165'), hex('000000014001'), hex('000000014201'),
  // MP4: file type, movie header, fragment header, track header of a fragment.
  Buffer.from('ftypiso', 'latin1'), Buffer.from('\u0000\u0000\u0000\u006cmvhd', 'latin1'), Buffer.from('\u0000\u0000\u0000\u0010mfhd', 'latin1'), Buffer.from('\u0000\u0000\u0000\u0010tfhd', 'latin1'),
];

/** The marks of pictures, and each name as a message would hold it. */
export function needlesOf(names: readonly string[]): readonly Buffer[] {
  // A short name is looked for in its quotes: two letters are in any noise.
  const spelled = names.map((name) => Buffer.from(Buffer.byteLength(name) >= LEAST_BYTES ? name : JSON.stringify(name)));
  return [...PICTURE_MARKS, ...spelled].filter(({ length }) => length >= LEAST_BYTES);
}

/** How many of the messages hold one of the needles. */
export function countMarked(messages: readonly Uint8Array[], needles: readonly Buffer[]): number {
  return messages.filter((message) => {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    return needles.some((needle) => bytes.includes(needle));
  }).length;
}
