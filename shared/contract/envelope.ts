/** The messages on a Channel. Heads are plain JSON; bytes travel as the message's payload. */
import { z } from 'zod';
import type { WireError } from '../errors.ts';
import { type ChunkHead, mediaControlSchema } from './media.ts';

/** Raised whenever either side could misread the other. */
export const CONTRACT_VERSION = 1;

const id = z.number().int().min(0);

/** From the viewer to the engine; parsed by the engine before anything else looks at it. */
export const viewerHeadSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: z.number().int() }),
  z.object({ type: z.literal('request'), id, name: z.string().max(64), input: z.unknown() }),
  z.object({ type: z.literal('open'), stream: id, name: z.enum(['live', 'playback']), input: z.unknown(), credits: id }),
  z.object({ type: z.literal('control'), stream: id, control: mediaControlSchema }),
  z.object({ type: z.literal('credit'), stream: id, credits: id }),
  z.object({ type: z.literal('close'), stream: id }),
]);
export type ViewerHead = z.input<typeof viewerHeadSchema>;
export type ParsedViewerHead = z.output<typeof viewerHeadSchema>;

/** From the engine to the viewer. */
export type EngineHead =
  | { readonly type: 'welcome'; readonly version: number }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: WireError }
  | { readonly type: 'event'; readonly name: string; readonly value: unknown }
  | { readonly type: 'chunk'; readonly stream: number; readonly chunk: ChunkHead }
  | { readonly type: 'closed'; readonly stream: number; readonly error: WireError | null };
