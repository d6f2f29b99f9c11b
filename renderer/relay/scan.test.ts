/** When a camera may be asked for, what is looked at of its picture, and that it is let go. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { canScan, openCamera, squareOf } from './scan.ts';

afterEach(() => vi.unstubAllGlobals());

describe('whether a camera may be asked for', () => {
  const devices = { getUserMedia: () => undefined };
  it.each([
    ['a page with a camera to ask for', true, { mediaDevices: devices }, true],
    ['a page without TLS from another computer', false, {}, false],
    ['the same in a browser that names devices all the same', false, { mediaDevices: devices }, false],
    ['a browser without cameras', true, {}, false],
  ])('%s', (_what, isSecureContext, navigator, may) => {
    vi.stubGlobal('window', { isSecureContext });
    vi.stubGlobal('navigator', navigator);
    expect(canScan()).toBe(may);
  });
});

describe('what is looked at', () => {
  it.each([
    [640, 480, { x: 80, y: 0, side: 480, lookedAt: 480 }],
    [1280, 720, { x: 280, y: 0, side: 720, lookedAt: 720 }],
    [1080, 1920, { x: 0, y: 420, side: 1080, lookedAt: 720 }],
    [641, 480, { x: 80, y: 0, side: 480, lookedAt: 480 }],
  ])('of %d × %d is the square in the middle', (width, height, square) => {
    expect(squareOf(width, height)).toEqual(square);
  });
});

describe('the camera', () => {
  const fakeCamera = () => {
    const tracks = [{ stop: vi.fn() }, { stop: vi.fn() }];
    const asked: unknown[] = [];
    let answer = (): void => undefined;
    const getUserMedia = (wanted: unknown): Promise<MediaStream> => {
      asked.push(wanted);
      return new Promise((resolve) => (answer = () => resolve({ getTracks: () => tracks } as never)));
    };
    return { devices: { getUserMedia }, tracks, asked, answer: () => answer(), stops: () => tracks.map(({ stop }) => stop.mock.calls.length) };
  };

  it('is asked for pictures without sound, and let go with the signal', async () => {
    const camera = fakeCamera();
    const ending = new AbortController();
    const opening = openCamera(camera.devices, ending.signal);
    expect(camera.asked).toEqual([expect.objectContaining({ audio: false, video: expect.anything() as unknown })]);
    camera.answer();
    await opening;
    expect(camera.stops()).toEqual([0, 0]);
    ending.abort();
    expect(camera.stops()).toEqual([1, 1]);
  });

  it('is let go at once where the person allowed it after having left', async () => {
    const camera = fakeCamera();
    const ending = new AbortController();
    const opening = openCamera(camera.devices, ending.signal);
    ending.abort();
    camera.answer();
    await opening;
    expect(camera.stops()).toEqual([1, 1]);
  });
});
