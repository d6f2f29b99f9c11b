/** What is known of a camera at the moment, from what the ingest thread tells: a pure reducer with sentences for people. */
import type { Camera, CameraStatus } from '../../../shared/model/camera.ts';
import type { GapCause } from '../../../shared/model/gap.ts';
import type { DurationMs, EpochMs } from '../../../shared/time.ts';
import type { IngestNotice } from '../ports/ingest.ts';

export type HealthEvent =
  /** Notices of other cameras and other kinds change nothing. */
  | { readonly type: 'notice'; readonly notice: IngestNotice }
  /** The configuration changed: paused, resumed, streams, address. */
  | { readonly type: 'configured' }
  | { readonly type: 'clock'; readonly offsetMs: DurationMs | null };

/** A camera nothing has been heard of yet. */
export function initialHealth(camera: Camera, nowMs: EpochMs): CameraStatus {
  const paused = camera.paused !== null;
  return { cameraId: camera.id, state: paused ? 'paused' : 'connecting', sinceMs: camera.paused?.sinceMs ?? nowMs, recording: false, problem: paused ? pausedProblem(camera) : null, streams: [], clockOffsetMs: null };
}

/** The status after an event; the same object when nothing changed, so that listeners are told on change only. */
export function reduceHealth(status: CameraStatus, event: HealthEvent, camera: Camera, nowMs: EpochMs): CameraStatus {
  switch (event.type) {
    case 'clock':
      return status.clockOffsetMs === event.offsetMs ? status : { ...status, clockOffsetMs: event.offsetMs };
    case 'configured':
      return reconfigured(status, camera, nowMs);
    case 'notice':
      return event.notice.type === 'status' && event.notice.cameraId === camera.id && camera.paused === null ? heard(status, event.notice, camera) : status;
  }
}

function reconfigured(status: CameraStatus, camera: Camera, nowMs: EpochMs): CameraStatus {
  if (camera.paused !== null) {
    const problem = pausedProblem(camera);
    if (status.state === 'paused' && status.problem?.sentence === problem.sentence) return status;
    return { ...status, state: 'paused', sinceMs: camera.paused.sinceMs, recording: false, problem, streams: status.streams.map((stream) => ({ ...stream, state: 'paused', recording: false, bitsPerSecond: 0 })) };
  }
  const streams = status.streams.filter((stream) => camera.streams.some((one) => one.kind === stream.kind));
  if (status.state === 'paused') return { ...status, state: 'connecting', sinceMs: nowMs, recording: false, problem: null, streams: [] };
  return streams.length === status.streams.length ? status : { ...status, streams };
}

function heard(status: CameraStatus, notice: Extract<IngestNotice, { type: 'status' }>, camera: Camera): CameraStatus {
  const kinds = camera.streams.map((stream) => stream.kind);
  const others = status.streams.filter((stream) => stream.kind !== notice.stream && kinds.includes(stream.kind));
  const streams = [...others, notice.status].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  const recording = streams.some((stream) => stream.recording);
  // The main stream is the camera; a sub stream that fails costs the grid its lighter picture, not the footage.
  if (notice.stream !== 'main') return { ...status, streams, recording };
  const { state } = notice.status;
  const problem = notice.problem === null || state === 'live' ? recordingProblem(notice) : { cause: notice.problem.cause, sentence: problemSentence(notice.problem.cause, notice.problem.detail, camera) };
  return { ...status, state, sinceMs: state === status.state ? status.sinceMs : notice.sinceMs, recording, problem, streams };
}

/** What asking the camera brought to light, where the recorder alone cannot know it. */
export type Diagnosis = 'no-such-stream' | 'no-video' | 'codec' | 'other-camera';

/** The status with what is known of the camera's own trouble; the same object where that is nothing new. */
export function withDiagnosis(status: CameraStatus, diagnosis: Diagnosis | null, camera: Camera): CameraStatus {
  const applies = diagnosis === 'other-camera' ? status.state === 'live' : status.state === 'offline' || status.state === 'connecting';
  if (diagnosis === null || !applies) return status;
  const sentence = diagnosisSentence(diagnosis, hostOf(camera));
  return status.problem?.sentence === sentence ? status : { ...status, problem: { cause: 'camera-refused', sentence } };
}

function diagnosisSentence(diagnosis: Diagnosis, host: string): string {
  switch (diagnosis) {
    case 'no-such-stream':
      return refusedSentence('404', host);
    case 'no-video':
      return refusedSentence('no video', host);
    case 'codec':
      return refusedSentence('codec', host);
    case 'other-camera':
      return `Another camera answers at ${host}, and its pictures are what you see here. Porchlight looks for this one; check whether it has power.`;
  }
}

/** Live but not written down: the picture is there, the disk is not. */
function recordingProblem(notice: Extract<IngestNotice, { type: 'status' }>): CameraStatus['problem'] {
  if (notice.problem === null) return null;
  return { cause: notice.problem.cause, sentence: diskSentence(notice.problem.cause) ?? 'The picture is live, but it is not being recorded.' };
}

/** The status of a camera whose picture is live while its footage goes nowhere, with the sentence about the disk. `cause`: of the open outage; null for none. */
export function withDiskProblem(status: CameraStatus, cause: GapCause | null): CameraStatus {
  const sentence = cause === null ? null : diskSentence(cause);
  if (cause === null || sentence === null || status.state !== 'live' || status.recording || status.problem?.sentence === sentence) return status;
  return { ...status, problem: { cause, sentence } };
}

function pausedProblem(camera: Camera): { readonly cause: GapCause; readonly sentence: string } {
  const until = camera.paused?.untilMs ?? null;
  return { cause: 'paused-by-you', sentence: until === null ? 'You paused this camera. Nothing is recorded until you resume it.' : 'You paused this camera. It resumes by itself at the time you chose.' };
}

/** What happened and what happens next. */
export function problemSentence(cause: GapCause, detail: string, camera: Camera): string {
  const host = hostOf(camera);
  const again = camera.identity === null && (camera.mac ?? null) === null ? 'It will be picked up again by itself.' : 'It will be picked up again by itself, also at a new address.';
  switch (cause) {
    case 'camera-unreachable':
      return `No answer from ${host}. ${again}`;
    case 'camera-refused':
      return refusedSentence(detail, host);
    case 'stream-stalled':
      return `The camera at ${host} is there but stopped sending pictures. Porchlight connects to it anew by itself.`;
    case 'porchlight-failed':
      return failedSentence(detail);
    case 'stopped-by-you':
      return 'Porchlight is closing.';
    case 'paused-by-you':
      return pausedProblem(camera).sentence;
    case 'computer-asleep':
    case 'computer-off':
    case 'power-lost':
    case 'clock-changed':
    case 'not-scheduled':
      return `Not recording at the moment. ${again}`;
    case 'disk-full':
    case 'disk-missing':
    case 'disk-too-slow':
    case 'disk-failing':
      return diskSentence(cause) ?? '';
  }
}

function failedSentence(detail: string): string {
  if (/^ffmpeg crashed/.test(detail)) return 'Not recording: ffmpeg, which Porchlight records with, crashes on this stream. Porchlight starts it again by itself; a newer ffmpeg may help.';
  if (/^ffmpeg (?:could not be started|failed)/.test(detail)) return 'Not recording: ffmpeg, which Porchlight records with, does not start. Install it again, or name its place under Settings.';
  // A whole sentence about ffmpeg, as the settings show it.
  return /ffmpeg.*\.$/.test(detail) ? `Not recording: ${detail}` : 'Porchlight had a problem with this stream and starts it again by itself.';
}

/** Whether a detail the recorder gave says that the login was refused. */
export function isLoginRefusal(detail: string): boolean {
  return /401|password|unauthori[sz]ed/i.test(detail);
}

function refusedSentence(detail: string, host: string): string {
  if (isLoginRefusal(detail)) return `The camera at ${host} does not accept the password any more. Enter the new one; until then it is left alone, so that it does not lock us out.`;
  if (/404|not found/i.test(detail)) return `The camera at ${host} has no such stream any more. Check its video settings, or remove it and add it again; Porchlight keeps asking.`;
  if (/453|503|too many|bandwidth/i.test(detail)) return `The camera at ${host} has too many viewers. Close other apps that watch it; Porchlight keeps trying.`;
  if (/403|forbidden/i.test(detail)) return `The camera at ${host} does not let this user watch video. Give the user that right in the camera's own settings.`;
  if (/codec/i.test(detail)) return `The camera at ${host} sends a kind of video that Porchlight cannot keep. Set it to H.264 or H.265 in its own settings; it is then recorded by itself.`;
  if (/no video/i.test(detail)) return `The camera at ${host} sends no video any more. Check its settings; Porchlight keeps asking.`;
  return `The camera at ${host} refuses the connection. Check its settings, then try again.`;
}

function diskSentence(cause: GapCause): string | null {
  switch (cause) {
    case 'disk-full':
      return 'Not recording: the disk is full. Make room, or let Porchlight use less of it.';
    case 'disk-missing':
      return 'Not recording: the disk for footage is not there. Connect it again.';
    case 'disk-too-slow':
      return 'Some footage is missing: the disk is too slow to take all of it.';
    case 'disk-failing':
      return 'Not recording: the disk does not take footage. It reports errors, or it is write-protected; check it soon.';
    case 'camera-unreachable':
    case 'camera-refused':
    case 'stream-stalled':
    case 'porchlight-failed':
    case 'stopped-by-you':
    case 'paused-by-you':
    case 'computer-asleep':
    case 'computer-off':
    case 'power-lost':
    case 'clock-changed':
    case 'not-scheduled':
      return null;
  }
}

function hostOf(camera: Camera): string {
  const address = camera.streams[0]?.url ?? camera.deviceUrl ?? '';
  return URL.canParse(address) ? new URL(address).hostname : 'its address';
}
