/** The timeline's question in the words of what is drawn; free of the DOM, as the client is. */
import type { InputOf } from '../../shared/contract/engine-api.ts';
import { decodeColumns, drawnFrom } from '../../shared/contract/timeline-columns.ts';
import type { DrawnTimeline } from '../../shared/model/timeline.ts';
import type { EngineClient } from './engine-client.ts';

/** Asks for what is drawn of a timeline. Rejects as EngineClient.ask. */
export async function askTimeline(client: Pick<EngineClient, 'ask'>, query: InputOf<'timeline.drawn'>): Promise<DrawnTimeline> {
  const { cameraIds, bytes, ...answer } = await client.ask('timeline.drawn', query);
  const columns = decodeColumns(bytes);
  return { ...answer, cameras: cameraIds.flatMap((cameraId, index) => (columns[index] === undefined ? [] : drawnFrom(cameraId, columns[index]))) };
}
