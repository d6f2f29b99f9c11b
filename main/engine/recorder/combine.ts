/** One file out of ffmpeg's two outputs: the inits of picture and sound become one with two tracks. */
import { childOf, concatBytes, makeBox, MalformedMediaError, topBox, writeU32, type Box } from '../../../shared/media/boxes.ts';

export const VIDEO_TRACK_ID = 1;
export const AUDIO_TRACK_ID = 2;

/** ftyp + moov with the video's track as 1 and the sound's as 2. Both come from a muxer with one track. Throws MalformedMediaError. */
export function combineInits(video: Uint8Array, audio: Uint8Array): Uint8Array {
  const ftyp = topBox(video, 'ftyp');
  const videoMoov = topBox(video, 'moov');
  const audioMoov = topBox(audio, 'moov');
  if (ftyp === null || videoMoov === null || audioMoov === null) throw new MalformedMediaError('an init without ftyp or moov');
  const mvhd = copyOf(video, childOf(video, videoMoov, 'mvhd'));
  writeU32(mvhd, mvhd.length - 4, AUDIO_TRACK_ID + 1);
  const audioTrak = copyOf(audio, childOf(audio, audioMoov, 'trak'));
  renumberTrak(audioTrak);
  const mvex = makeBox('mvex', trexOf(video, videoMoov, VIDEO_TRACK_ID), trexOf(audio, audioMoov, AUDIO_TRACK_ID));
  const moov = makeBox('moov', mvhd, copyOf(video, childOf(video, videoMoov, 'trak')), audioTrak, mvex);
  return concatBytes([copyOf(video, ftyp), moov]);
}

function copyOf(bytes: Uint8Array, box: Box | null): Uint8Array {
  if (box === null) throw new MalformedMediaError('an init with a box missing');
  return bytes.slice(box.start, box.start + box.sizeBytes);
}

function renumberTrak(trak: Uint8Array): void {
  const box = topBox(trak, 'trak');
  const tkhd = box === null ? null : childOf(trak, box, 'tkhd');
  if (tkhd === null) throw new MalformedMediaError('a track without tkhd');
  const at = tkhd.start + tkhd.headerBytes;
  writeU32(trak, at + (trak[at] === 1 ? 20 : 12), AUDIO_TRACK_ID);
}

function trexOf(bytes: Uint8Array, moov: Box, trackId: number): Uint8Array {
  const mvex = childOf(bytes, moov, 'mvex');
  const trex = copyOf(bytes, mvex === null ? null : childOf(bytes, mvex, 'trex'));
  writeU32(trex, 12, trackId);
  return trex;
}
