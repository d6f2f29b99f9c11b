/** The least a browser needs for a sought picture: a bare decoder that has the group of pictures in memory, and one drawing. */
import type { Page } from '@playwright/test';
import { concatBytes } from '../../shared/media/boxes.ts';
import { parseFragment } from '../../shared/media/fragment.ts';
import { parseInit, videoTrackOf } from '../../shared/media/init.ts';
import { forceUnwrap } from '../../shared/result.ts';
import type { Minute } from './minute-of-footage.ts';


interface BareDecoderInPage {
  show(pictures: number): Promise<number>;
}

declare global {
  interface Window {
    porchlightBareDecoder?: BareDecoderInPage;
  }
}

export class BareDecoder {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  /** Puts the first group of pictures of a minute into the page, and a decoder of its own. */
  static async open(page: Page, minute: Minute): Promise<BareDecoder> {
    const init = parseInit(minute.init);
    const track = forceUnwrap('the minute is video', videoTrackOf(init));
    const units: Uint8Array[] = [];
    for (const fragment of minute.fragments) {
      const sample = forceUnwrap('a fragment holds a picture', parseFragment(fragment, init)[0]?.samples[0]);
      if (sample.keyframe && units.length > 0) break;
      units.push(fragment.subarray(sample.offsetBytes, sample.offsetBytes + sample.sizeBytes));
    }
    const inPage = { codec: track.codec, description: base64(track.description), bytes: base64(concatBytes(units)), sizes: units.map(({ length }) => length), width: track.width, height: track.height };
    await page.evaluate(({ codec, description, bytes, sizes, width, height }) => {
      const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const whole = bytesOf(bytes);
      let at = 0;
      const group = sizes.map((size) => whole.subarray(at, (at += size)));
      const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false });
      let wanted = { timestamp: -1, done: (): void => undefined };
      const decoder = new VideoDecoder({
        output: (frame) => {
          if (frame.timestamp === wanted.timestamp) {
            context?.drawImage(frame, 0, 0);
            wanted.done();
          }
          frame.close();
        },
        error: () => undefined,
      });
      decoder.configure({ codec, description: bytesOf(description), codedWidth: width, codedHeight: height });
      let round = 0;
      window.porchlightBareDecoder = {
        show: async (pictures) => {
          round += 1;
          const beganMs = performance.now();
          await new Promise<void>((resolve) => {
            wanted = { timestamp: round * 1_000 + pictures - 1, done: resolve };
            for (const [index, data] of group.entries()) if (index < pictures + 2) decoder.decode(new EncodedVideoChunk({ type: index === 0 ? 'key' : 'delta', timestamp: round * 1_000 + index, data }));
            if (pictures + 2 > group.length) void decoder.flush();
          });
          return performance.now() - beganMs;
        },
      };
    }, inPage);
    return new BareDecoder(page);
  }

  /** Milliseconds until picture number `pictures` of the group is drawn, counted from 1. */
  async show(pictures: number): Promise<number> {
    return await this.#page.evaluate(async (count) => (await window.porchlightBareDecoder?.show(count)) ?? Number.NaN, pictures);
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
