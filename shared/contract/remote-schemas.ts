/** Inputs about watching from away (main/engine/relay answers them, to the owner only). */
import { z } from 'zod';
import { EVEN_RATES_MBIT, RIGHTS } from '../model/remote.ts';
import { cameraIdSchema, epochMsSchema, nameSchema } from './schemas.ts';

export const grantsSchema = z.object({
  cameras: z.array(z.object({ cameraId: cameraIdSchema, rights: z.array(z.enum(RIGHTS)).max(RIGHTS.length) })).max(64),
  untilMs: epochMsSchema.nullable(),
});

/** `wss://host[:port][/path]`; `ws://` to this computer only, for trying it out. */
const relayUrlSchema = z.string().trim().min(1).max(512);
export const deviceIdSchema = z.string().regex(/^[0-9a-f]{16}$/);
export const homeIdSchema = z.string().regex(/^[0-9a-f]{16}$/);

/** `leaveNow`: nobody is waited for at relays that were left. */
export const setRelaysSchema = z.object({ enabled: z.boolean(), relays: z.array(relayUrlSchema).max(5), leaveNow: z.boolean().optional() });
/** The relays that whoever asks keeps of this home. */
export const reachSchema = z.object({ known: z.array(relayUrlSchema).max(5) });
export const beginPairingSchema = z.object({ kind: z.enum(['code', 'words']) });
export const allowPairingSchema = z.object({ digits: z.string().regex(/^\d{6}$/), name: nameSchema, grants: grantsSchema });
export const setGrantsSchema = z.object({ deviceId: deviceIdSchema, name: nameSchema.optional(), grants: grantsSchema });
export const viewLogSchema = z.object({ limit: z.number().int().min(1).max(1000).default(200), beforeSeq: z.number().int().min(0).optional(), deviceId: deviceIdSchema.optional() });
export const proveSchema = z.object({ check: z.enum(['search', 'keys', 'misroute']) });
export const addHomeSchema = z.object({ name: nameSchema, relays: z.array(relayUrlSchema).min(1).max(5), bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= 4096, 'no keys') });
export const setHomeRelaysSchema = z.object({ homeId: homeIdSchema, relays: z.array(relayUrlSchema).min(1).max(5) });
/** Null: not evenly. */
export const setHomeEvenRateSchema = z.object({ homeId: homeIdSchema, mbit: z.literal([...EVEN_RATES_MBIT]).nullable() });
export const homeLogHeadSchema = z.object({ homeId: homeIdSchema, length: z.number().int().min(0), headHex: z.string().regex(/^[0-9a-f]{64}$/) });
