import { describe, expect, it } from 'vitest';
import type { CameraId } from '../../../shared/model/ids.ts';
import { dayText, draftOf, extentOf, grantsOf, problemOf, toggleCamera, toggleRight, toggleRightOf, USUAL_RIGHTS, usualDraft } from './grants-form.ts';

const DOOR = 'cam-aaaaaaaaaaaa' as CameraId;
const DRIVE = 'cam-bbbbbbbbbbbb' as CameraId;
const NOW = new Date(2026, 10, 22, 12).getTime();

describe('the form of what a device may see', () => {
  it('offers all cameras to see and hear, without moving or saving', () => {
    expect(grantsOf(usualDraft([DOOR, DRIVE]))).toEqual({
      cameras: [DOOR, DRIVE].map((cameraId) => ({ cameraId, rights: ['live', 'playback', 'previews', 'sound'] })),
      untilMs: null,
    });
  });

  it('gives what is left out of the form to nobody', () => {
    const draft = toggleCamera(usualDraft([DOOR, DRIVE]), DRIVE);
    expect(grantsOf(draft).cameras).toEqual([{ cameraId: DOOR, rights: USUAL_RIGHTS }]);
    expect(problemOf(draft, NOW)).toBeNull();
    const nobody = USUAL_RIGHTS.reduce(toggleRight, draft);
    expect(grantsOf(nobody).cameras).toEqual([]);
    expect(problemOf(nobody, NOW)).toContain('at least one camera');
  });

  it('changes a right for all cameras or for one, and a camera that comes back has the rights of the others', () => {
    let draft = toggleRightOf(usualDraft([DOOR, DRIVE]), DRIVE, 'sound');
    expect(extentOf(draft, 'sound')).toBe('some');
    draft = toggleRight(draft, 'sound');
    expect(extentOf(draft, 'sound')).toBe('all');
    draft = toggleCamera(toggleRight(toggleCamera(draft, DRIVE), 'sound'), DRIVE);
    expect(draft.byCamera[DRIVE]).toEqual(['live', 'playback', 'previews']);
  });

  it('counts the last day to its end, and shows it again as it was typed', () => {
    const draft = { ...usualDraft([DOOR]), lastDay: '2026-12-03' };
    const grants = grantsOf(draft);
    expect(grants.untilMs).toBe(new Date(2026, 11, 4).getTime());
    expect(draftOf(grants)).toEqual(draft);
    expect(problemOf({ ...draft, lastDay: dayText(NOW) }, NOW)).toBeNull();
    expect(problemOf({ ...draft, lastDay: '2026-11-21' }, NOW)).toContain('over already');
  });

  it('keeps a removed camera and rights that differ, unless they are changed', () => {
    const grants = { cameras: [{ cameraId: DOOR, rights: ['live'] as const }, { cameraId: DRIVE, rights: ['previews', 'live'] as const }], untilMs: null };
    expect(grantsOf(draftOf(grants)).cameras).toEqual([{ cameraId: DOOR, rights: ['live'] }, { cameraId: DRIVE, rights: ['live', 'previews'] }]);
  });
});
