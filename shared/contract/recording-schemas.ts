/** Inputs about when a camera is recorded (main/engine/rpc/recording-handlers.ts answers them). */
import { z } from 'zod';
import { isTimeZone } from '../local-days.ts';
import { DAY_MINUTES, MAX_POST_ROLL_MS, MAX_PRE_ROLL_MS, RECORDING_KINDS, tidyRanges, WEEK_DAYS } from '../model/recording-mode.ts';
import { cameraIdSchema } from './schemas.ts';

const minuteSchema = z.number().int().min(0).max(DAY_MINUTES);
const rangesSchema = z.array(z.object({ startMinute: minuteSchema, endMinute: minuteSchema })).max(96).transform(tidyRanges);

export const weekScheduleSchema = z.object({
  timeZone: z.string().max(64).refine(isTimeZone, 'not the name of a time zone'),
  days: z.array(rangesSchema).length(WEEK_DAYS),
});

/** What is not named stays as it is. */
export const setRecordingSchema = z.object({
  cameraId: cameraIdSchema,
  kind: z.enum(RECORDING_KINDS).optional(),
  preRollMs: z.number().int().min(0).max(MAX_PRE_ROLL_MS).optional(),
  postRollMs: z.number().int().min(0).max(MAX_POST_ROLL_MS).optional(),
  /** Null: at all hours. */
  schedule: weekScheduleSchema.nullable().optional(),
});

/** An hour at most: who wants more wants the camera recorded always. */
export const recordNowSchema = z.object({ cameraId: cameraIdSchema, seconds: z.number().int().min(1).max(3_600).default(60) });
