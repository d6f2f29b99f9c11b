/** Parsers for what crosses the contract inwards; the receiving side runs them, whoever sent. zod lives in this folder only. */
import { z } from 'zod';
import { STREAM_KINDS } from '../model/camera.ts';
import { MAX_SETUP_BYTES, SETUP_PASSWORD_LENGTH } from '../model/setup.ts';
import { type CameraId, isCameraId, isRootId, type RootId } from '../model/ids.ts';

/** Latest moment a Date can hold. */
const MAX_EPOCH_MS = 8.64e15;

export const cameraIdSchema = z.string().refine(isCameraId, 'not a camera id').transform((text): CameraId => text as CameraId);
export const rootIdSchema = z.string().refine(isRootId, 'not a disk id').transform((text): RootId => text as RootId);
export const epochMsSchema = z.number().min(0).max(MAX_EPOCH_MS);
export const streamKindSchema = z.enum(STREAM_KINDS);
export const passwordSchema = z.string().max(256);
/** Seals a file that others may get hold of. */
export const setupPasswordSchema = passwordSchema.min(SETUP_PASSWORD_LENGTH, `use ${SETUP_PASSWORD_LENGTH} characters or more`);
export const setupBytesSchema = z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= MAX_SETUP_BYTES, 'no file, or one that is too large');
export const usernameSchema = z.string().max(128);
export const nameSchema = z.string().trim().min(1).max(60);
export const addressSchema = z.string().trim().min(1).max(2048);
export const nothing = z.object({}).strict();
export const rangeSchema = { startMs: epochMsSchema, endMs: epochMsSchema };
