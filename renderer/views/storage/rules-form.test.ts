/** What the form changes is what was typed, and nothing else. */
import { describe, expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { NO_RULES, type StorageRules } from '../../../shared/model/storage-rules.ts';
import { addedOf, fieldsOf, patchOf, type RulesFields } from './rules-form.ts';

const DISK = 'disk-aaaaaaaaaaaa' as RootId;
const CAMERA = 'cam-aaaaaaaaaaaa' as CameraId;
const data = { roots: [{ rootId: DISK }], cameras: [{ cameraId: CAMERA }] } as unknown as Parameters<typeof fieldsOf>[1];
const rules: StorageRules = { ...NO_RULES, quotaBytes: { [DISK]: 123_456_789_012 }, keepFreeBytes: 9_999_999_999, cameras: { [CAMERA]: { minAgeDays: 7, maxAgeDays: null } } };
const before = fieldsOf(rules, data);
const typed = (over: Partial<RulesFields>) => patchOf({ ...before, ...over }, before);

describe('the form of the rules', () => {
  it('shows rules in gigabytes and days, and changes nothing that was not typed', () => {
    expect(before).toMatchObject({ quotas: { [DISK]: '123' }, keepFree: '10', minAges: { [CAMERA]: '7' }, maxAges: { [CAMERA]: '' }, eventSeconds: '10' });
    expect(typed({})).toEqual({});
  });

  it('makes a patch of what was typed; an empty field takes a limit off', () => {
    expect(typed({ quotas: { [DISK]: '' }, maxAge: '30' })).toEqual({ quotaBytes: { [DISK]: null }, maxAgeDays: 30 });
    expect(typed({ keepFreeOf: { [DISK]: '2,5' } })).toEqual({ keepFreeBytesOf: { [DISK]: 2.5e9 } });
    expect(typed({ maxAges: { [CAMERA]: '14' } })).toEqual({ cameras: { [CAMERA]: { minAgeDays: 7, maxAgeDays: 14 } } });
    expect(typed({ minAges: { [CAMERA]: '' } })).toEqual({ cameras: { [CAMERA]: null } });
    expect(typed({ eventDays: '60', eventSeconds: '5' })).toEqual({ events: { keepDays: 60, marginMs: 5_000 } });
  });

  it('refuses what is no number, and leaves a thought-of camera out of the rules', () => {
    expect(typed({ maxAge: 'long' })).toBeNull();
    expect(typed({ keepFree: '-1' })).toBeNull();
    expect(typed({ added: '20' })).toEqual({});
    expect(addedOf({ ...before, added: '20' })).toEqual([2e10]);
    expect(addedOf(before)).toEqual([]);
  });
});
