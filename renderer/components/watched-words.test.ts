import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../shared/model/ids.ts';
import { watchedWords } from './watched-words.ts';

const DOOR = 'cam-aaaaaaaaaaaa' as CameraId;
const session = (deviceId: string, deviceName: string, cameraIds: readonly CameraId[]) => ({ deviceId, deviceName, cameraIds });

describe('the words of the badge', () => {
  it('names the one device, also with two sessions, and counts several', () => {
    expect(watchedWords([session('a', 'Anna’s phone', [DOOR])])).toBe('Anna’s phone is watching from away');
    expect(watchedWords([session('a', 'Anna’s phone', [DOOR]), session('a', 'Anna’s phone', [])])).toBe('Anna’s phone is watching from away');
    expect(watchedWords([session('a', 'Anna’s phone', [DOOR]), session('b', 'Laptop', [])])).toBe('2 devices are watching from away');
  });

  it('does not say watching where no picture is open', () => {
    expect(watchedWords([session('a', 'Anna’s phone', [])])).toBe('Anna’s phone is connected from away');
    expect(watchedWords([])).toBe('Nobody is watching from away');
  });
});
