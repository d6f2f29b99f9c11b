/** Inputs about the way in for other devices in the house (main/engine/serve answers them, to the owner only). */
import { z } from 'zod';
import { DOOR_PASSWORD_LENGTH } from '../model/doors.ts';
import { passwordSchema } from './schemas.ts';

export const setOpenSchema = z.object({ open: z.boolean() });
export const doorPasswordSchema = z.object({ password: passwordSchema.min(DOOR_PASSWORD_LENGTH, `use ${DOOR_PASSWORD_LENGTH} characters or more`) });
