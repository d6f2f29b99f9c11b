/** The recorder against an RTSP server nobody here wrote: pictures bit for bit, sound kept playable, TLS, digest, odd passwords. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scanSegment } from '../../shared/media/scan.ts';
import { parseSegmentTail, SEGMENT_TAIL_READ_BYTES } from '../../shared/media/segment-tail.ts';
import type { Segment } from '../../shared/model/segment.ts';
import { decodeErrors, type ForeignServer, Rig, sliceSums, startForeignServer, streamFacts } from './recorder-rig.ts';

const PASSWORD = "it's @ 100%: a/b?c#d & é\\";
let folder: string;
let rig: Rig;
let open: ForeignServer;
let guarded: ForeignServer;

function make(name: string, ...options: readonly string[]): string {
  const file = path.join(folder, name);
  const run = spawnSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=15', '-f', 'lavfi', '-i', 'sine=sample_rate=16000', '-t', '8', '-pix_fmt', 'yuv420p', ...options, file]);
  if (run.status !== 0) throw new Error(String(run.stderr));
  return file;
}

const demux = (file: string, video: string, audio: string): string => `filesrc location=${file} ! matroskademux name=d d. ! queue ! ${video} name=pay0 pt=96 d. ! queue ! ${audio} name=pay1`;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'porchlight-foreign-'));
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-x264-params', 'sliced-threads=0', '-g', '15', '-bf', '0'];
  make('h264.mkv', ...h264, '-c:a', 'aac');
  make('bframes.mkv', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '15', '-bf', '2', '-x264-params', 'b-adapt=0', '-c:a', 'aac');
  make('h265.mkv', '-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=15', '-c:a', 'pcm_alaw', '-ar', '8000', '-ac', '1');
  make('opus.mkv', ...h264, '-c:a', 'libopus', '-ar', '48000');
  const at = (name: string): string => path.join(folder, name);
  open = await startForeignServer({
    h264: demux(at('h264.mkv'), 'h264parse ! rtph264pay config-interval=-1', 'rtpmp4gpay pt=97'),
    bframes: demux(at('bframes.mkv'), 'h264parse ! rtph264pay', 'rtpmp4gpay pt=97'),
    g726: demux(at('h264.mkv'), 'h264parse ! rtph264pay config-interval=-1', 'aacparse ! avdec_aac ! audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! avenc_g726 bitrate=32000 ! rtpg726pay'),
    opus: demux(at('opus.mkv'), 'h264parse ! rtph264pay config-interval=-1', 'opusparse ! rtpopuspay pt=97'),
    h265: demux(at('h265.mkv'), 'h265parse ! rtph265pay config-interval=-1', 'rtppcmapay pt=8'),
  });
  const key = at('key.pem');
  const certificate = at('cert.pem');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=camera', '-days', '2', '-keyout', key, '-out', certificate]);
  guarded = await startForeignServer({ h264: demux(at('h264.mkv'), 'h264parse ! rtph264pay', 'rtpmp4gpay pt=97') }, ['--tls', certificate, key, '--user', 'o neil', '--password', PASSWORD]);
});
afterAll(async () => {
  await open.stop();
  await guarded.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  await rig.stop();
});

/** Times of a track's packets in milliseconds, in the file's order, and what is in each. */
function packets(file: string, track: 'v:0' | 'a:0'): { readonly mediaMs: number; readonly sum: string }[] {
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', '-select_streams', track, '-show_data_hash', 'md5', '-show_entries', 'packet=pts_time,data_hash', '-of', 'csv=p=0', file], { maxBuffer: 64 * 1024 * 1024 });
  return String(stdout).split('\n').filter((line) => /^\d/.test(line)).map((line) => ({ mediaMs: Number.parseFloat(line) * 1_000, sum: line.split(',').at(-1) ?? '' }));
}

/** I1 and I5: the row, the file's tail and a scan of its fragments say the same. */
async function expectIndexed(file: string, segment: Segment | undefined): Promise<void> {
  const bytes = await readFile(file);
  expect(segment?.sizeBytes).toBe(bytes.length);
  const finding = parseSegmentTail(bytes.subarray(-SEGMENT_TAIL_READ_BYTES));
  const { rootId: _root, sizeBytes: _size, nameMs: _name, ...row } = segment ?? { rootId: null, sizeBytes: 0, nameMs: 0 };
  expect(finding).toMatchObject({ kind: 'tail', tail: row });
  const scan = await scanSegment(async (start, end) => await Promise.resolve(bytes.subarray(start, end)), bytes.length);
  expect(scan?.keyframes).toEqual(segment?.keyframes);
  expect(scan?.videoFrames).toBe(segment?.videoFrames);
  expect((segment?.startMs ?? 0) + (scan?.videoEndMs ?? 0)).toBeCloseTo(segment?.endMs ?? 0, 2);
  expect(finding.kind === 'tail' && finding.tailBytes + (scan?.wholeBytes ?? 0)).toBe(bytes.length);
}

describe('pictures', () => {
  it.each([
    ['h264', 'h264', 'copy', 'avc1'],
    ['bframes', 'h264', 'copy', 'avc1'],
    ['h265', 'h265', 'transcode', 'hvc1'],
  ] as const)('of %s are those of the source, bit for bit, with sound beside them', async (mount, codec, sound, tag) => {
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${open.port}/${mount}`, sound, videoCodec: codec }));
    await rig.footage(4);
    await rig.ingest.stop();
    const files = await rig.files();
    expect(files.length).toBe(1);
    const [file = ''] = files;
    expect(streamFacts(file).map((stream) => [stream.codec_tag_string, stream.codec_name])).toEqual([[tag, codec === 'h265' ? 'hevc' : 'h264'], ['mp4a', 'aac']]);
    expect(decodeErrors(file)).toBe('');
    const source = sliceSums(path.join(folder, `${mount}.mkv`), codec);
    const recorded = sliceSums(file, codec);
    const from = source.indexOf(recorded[0] ?? '');
    expect(from).toBeGreaterThanOrEqual(0);
    expect(recorded.length).toBeGreaterThan(45);
    expect(recorded).toEqual(source.slice(from, from + recorded.length));
    expect(rig.segments[0]?.videoFrames).toBe(recorded.length);
    const shiftsOf = (recordedMs: readonly number[], sourceMs: readonly number[]): number[] => recordedMs.map((ms, index) => ms - (sourceMs[index] ?? Number.NaN));
    const [sourceVideo, recordedVideo] = [packets(path.join(folder, `${mount}.mkv`), 'v:0'), packets(file, 'v:0')];
    const pictureShifts = shiftsOf(recordedVideo.map((packet) => packet.mediaMs), sourceVideo.slice(from).map((packet) => packet.mediaMs));
    // Matroska keeps whole milliseconds. With B-frames this server itself sends its first two pictures with other times than the file has.
    const settled = pictureShifts.slice(mount === 'bframes' ? 2 : 0);
    expect(Math.max(...settled) - Math.min(...settled)).toBeLessThan(1.1);
    if (sound === 'copy') {
      const [sourceSound, recordedSound] = [packets(path.join(folder, `${mount}.mkv`), 'a:0'), packets(file, 'a:0')];
      const at = sourceSound.findIndex((packet) => packet.sum === recordedSound[0]?.sum);
      const soundShifts = shiftsOf(recordedSound.map((packet) => packet.mediaMs), sourceSound.slice(at).map((packet) => packet.mediaMs));
      // Lip sync: what was together is together, from the first picture on.
      expect(Math.max(...soundShifts.map((shift) => Math.abs(shift - (settled[0] ?? 0))))).toBeLessThan(20);
    }
    await expectIndexed(file, rig.segments[0]);
  });
});

/** Loudness of a file's sound in each tenth of a second, and how many samples a second it has. */
function loudness(file: string): { readonly tenths: number[]; readonly sampleRate: number } {
  const probe = spawnSync('ffprobe', ['-v', 'error', '-select_streams', 'a:0', '-show_entries', 'stream=sample_rate', '-of', 'csv=p=0', file]);
  const { stdout } = spawnSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', file, '-map', '0:a:0', '-ac', '1', '-ar', '8000', '-f', 's16le', '-'], { maxBuffer: 64 * 1024 * 1024 });
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, Math.floor(stdout.length / 2));
  const tenths = Array.from({ length: Math.floor(samples.length / 800) }, (_unused, index) => Math.max(...samples.subarray(index * 800, index * 800 + 800)));
  return { tenths, sampleRate: Number(String(probe.stdout)) };
}

describe('sound', () => {
  it.each([['g726', 8_000], ['opus', 48_000]] as const)('of %s becomes what any player plays, as long and as loud as it was, beside the same pictures', async (mount, sampleRate) => {
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${open.port}/${mount}`, sound: 'transcode' }));
    await rig.footage(4);
    const status = rig.all('status').findLast((notice) => notice.status.state === 'live');
    expect(status?.status.sound).toBe('transcoded');
    await rig.ingest.stop();
    const [file = '', ...more] = await rig.files();
    expect(more).toEqual([]);
    expect(streamFacts(file).map((stream) => stream.codec_name)).toEqual(['h264', 'aac']);
    expect(decodeErrors(file)).toBe('');
    const { tenths, sampleRate: recordedRate } = loudness(file);
    expect(recordedRate).toBe(sampleRate);
    // A tone of an eighth of full scale, all the time; the first tenth is the encoder's way in.
    expect(tenths.length).toBeGreaterThan(30);
    expect(Math.min(...tenths.slice(2, -2))).toBeGreaterThan(2_500);
    const pictures = sliceSums(file, 'h264');
    const source = sliceSums(path.join(folder, mount === 'opus' ? 'opus.mkv' : 'h264.mkv'), 'h264');
    const from = source.indexOf(pictures[0] ?? '');
    expect(pictures).toEqual(source.slice(from, from + pictures.length));
  });
});

describe('sound that changed', () => {
  it('since the camera was added (G.711 where AAC was) costs no pictures, and is made playable', async () => {
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${open.port}/h265`, sound: 'copy', videoCodec: 'h265' }));
    await rig.footage(2);
    expect(rig.all('status').findLast((notice) => notice.status.state === 'live')?.status.sound).toBe('transcoded');
    await rig.ingest.stop();
    const [file = ''] = await rig.files();
    expect(streamFacts(file).map((stream) => stream.codec_name)).toEqual(['hevc', 'aac']);
    expect(decodeErrors(file)).toBe('');
  });
});

describe('the way in', () => {
  it('is found over TLS, by digest, with a password of every kind of character, and over UDP', async () => {
    const url = `rtsps://127.0.0.1:${guarded.port}/h264`;
    await rig.record(rig.stream({ url, username: 'o neil', password: PASSWORD, sound: 'copy' }));
    await rig.footage(1);
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${open.port}/h264`, transport: 'udp', sound: 'copy' }));
    await rig.footage(1);
  });

  it('is closed to a wrong password, said once', async () => {
    await rig.record(rig.stream({ url: `rtsps://127.0.0.1:${guarded.port}/h264`, username: 'o neil', password: 'wrong' }));
    const status = await rig.until('refusal', () => rig.all('status').find((notice) => notice.status.state === 'refused'));
    expect(status.problem?.cause).toBe('camera-refused');
  });

  it('that has no sound, though sound was expected, is recorded without', async () => {
    await rig.record(rig.stream({ url: `rtsp://127.0.0.1:${open.port}/nothing`, sound: 'copy' }));
    const status = await rig.until('not found', () => rig.all('outage-began')[0]);
    expect(status.detail).toBe('camera answered 404');
  });
});
