/** Live and playback for one session from away: the engine's own, narrowed to what the line takes and without sound where it is not granted. */
import type { MediaName, MediaOpenParsed } from '../../../shared/contract/media.ts';
import type { CameraId } from '../../../shared/model/ids.ts';
import type { LineState } from '../../../shared/relay/session-types.ts';
import type { Clock } from '../core/clock.ts';
import type { MediaService, MediaSink, MediaStream } from '../ports/media.ts';
import { openLineLive } from './line-live.ts';
import { openLinePlayback } from './line-playback.ts';
import { PlaybackTurns } from './line-turns.ts';

export interface LineMediaParts {
  readonly media: MediaService;
  readonly line: LineState;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  readonly random: () => number;
  readonly hasSubStream: (cameraId: CameraId) => boolean;
  readonly recordsSub: (cameraId: CameraId) => boolean;
  readonly maySound: (cameraId: CameraId) => boolean;
}

/** `end` gives back what the session's pictures share. */
export function lineMedia({ media, line, clock, random, hasSubStream, recordsSub, maySound }: LineMediaParts): MediaService & { end(): void } {
  const turns = new PlaybackTurns({ line, clock });
  return {
    open<Name extends MediaName>(_name: Name, input: MediaOpenParsed<Name>, credits: number, sink: MediaSink): MediaStream {
      const withSound = maySound(input.cameraId);
      return 'fromMs' in input
        ? openLinePlayback({ media, turns, line, clock, random, withSound, recordsSub: recordsSub(input.cameraId) }, input, credits, sink)
        : openLineLive({ media, line, clock, random, withSound, hasSubStream: hasSubStream(input.cameraId) }, input, credits, sink);
    },
    end: () => turns.end(),
  };
}
