/** Inputs about storage rules and locks (main/engine/rpc/retention-handlers.ts answers them). */
import { z } from 'zod';
import { PLACEMENT_MODES } from '../model/placement.ts';
import { cameraIdSchema, rangeSchema, rootIdSchema } from './schemas.ts';

const daysSchema = z.number().positive().max(36_500).nullable();
const bytesSchema = z.number().min(0).max(1e18);

/** What is not named stays as it is; null takes a rule off. */
const rulesPatch = {
  quotaBytes: z.record(z.string(), z.number().positive().nullable()).optional(),
  keepFreeBytes: bytesSchema.optional(),
  keepFreeBytesOf: z.record(z.string(), bytesSchema.nullable()).optional(),
  maxAgeDays: daysSchema.optional(),
  cameras: z.record(z.string(), z.object({ minAgeDays: daysSchema, maxAgeDays: daysSchema }).nullable()).optional(),
  events: z.object({ keepDays: daysSchema, marginMs: z.number().min(0).max(3_600_000) }).partial().optional(),
};

export const rulesPatchSchema = z.object(rulesPatch);
export type RulesPatch = z.output<typeof rulesPatchSchema>;

/** `confirmed`: the token of the what-if that was shown, where the change deletes much at once. */
export const setRulesSchema = z.object({ ...rulesPatch, confirmed: z.string().max(64).optional() });

/** Rules in force with the patch, and more cameras, each with the bytes a day it would write. */
export const whatIfSchema = z.object({ rules: rulesPatchSchema.default({}), addedBytesPerDay: z.array(bytesSchema).max(64).default([]) });

/** A range ends after it begins and is at most this long: a lock is for what happened, not for an archive. */
const LONGEST_LOCK_MS = 31 * 86_400_000;

export const addLockSchema = z
  .object({ cameraId: cameraIdSchema, ...rangeSchema, note: z.string().trim().max(200).default('') })
  .refine(({ startMs, endMs }) => endMs > startMs, 'the end is not after the start')
  .refine(({ startMs, endMs }) => endMs - startMs <= LONGEST_LOCK_MS, 'longer than 31 days');

/** `order`: all disks in use, the first for new footage first; left out, it stays. */
export const setPlacementSchema = z.object({ mode: z.enum(PLACEMENT_MODES), moveAfterDays: daysSchema, order: z.array(rootIdSchema).max(64).optional() });

export const lockIdSchema = z.object({ id: z.string().min(1).max(64) });
