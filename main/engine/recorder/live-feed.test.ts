/** A viewer that does not keep up is given nothing more until a keyframe, and the feed's memory is one group of pictures. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { LiveMessage } from '../ports/ingest.ts';
import { LiveFeed } from './live-feed.ts';
import type { SessionFragment, SessionInit } from './media.ts';

const INIT = { initId: 1, bytes: Uint8Array.of(1, 2, 3), audio: null } as unknown as SessionInit;
const open: MessagePort[] = [];

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** A fragment whose bytes are all `value`, in a buffer that is filled anew for the next one. */
const lent = new Uint8Array(100);
function fragment(value: number, keyframe: boolean): SessionFragment {
  lent.fill(value);
  return { init: INIT, bytes: lent, head: {} as SessionFragment['head'], video: true, keyframe, startMediaMs: value * 40, endMediaMs: value * 40 + 40, wallMs: 1_000 + value * 40 };
}

function watch(feed: LiveFeed, keyframesOnly = false): () => (number | string)[] {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  feed.add(port2, keyframesOnly);
  return () => {
    const seen: (number | string)[] = [];
    for (let next = receiveMessageOnPort(port1); next !== undefined; next = receiveMessageOnPort(port1)) {
      const message = next.message as LiveMessage;
      if (message.type === 'fragment') expect(new Set(message.bytes).size).toBe(1);
      seen.push(message.type === 'fragment' ? (message.bytes[0] ?? -1) : message.type);
    }
    return seen;
  };
}

describe('a live feed', () => {
  it('sends the current group first, with the bytes it had, though the buffer was filled anew since', () => {
    const feed = new LiveFeed(0);
    for (const [value, keyframe] of [[1, true], [2, false], [3, true], [4, false]] as const) feed.take(fragment(value, keyframe), true);
    const viewer = watch(feed);
    const previews = watch(feed, true);
    feed.take(fragment(5, false), true);
    feed.take(fragment(6, true), true);
    expect(viewer()).toEqual(['init', 3, 4, 5, 6]);
    expect(previews()).toEqual(['init', 3, 6]);
  });

  it('gives nothing to those who are behind until a keyframe after they have caught up', () => {
    const feed = new LiveFeed(0);
    feed.take(fragment(1, true), true);
    const viewer = watch(feed);
    for (let value = 2; value < 60; value += 1) feed.take(fragment(value, value % 10 === 0), false);
    expect(viewer()).toEqual(['init', 1]);
    feed.take(fragment(61, false), true);
    feed.take(fragment(62, true), true);
    feed.take(fragment(63, false), true);
    expect(viewer()).toEqual([62, 63]);
  });

  it('gives who makes previews nothing of what is not kept, and who watches everything', () => {
    const feed = new LiveFeed(0);
    feed.take(fragment(1, true), true, false);
    const previews = watch(feed, true);
    const viewer = watch(feed);
    feed.take(fragment(2, true), true, false);
    feed.take(fragment(3, true), true, true);
    feed.take(fragment(4, true), true, false);
    expect(previews()).toEqual(['init', 3]);
    expect(viewer()).toEqual(['init', 1, 2, 3, 4]);
  });

  it('says since when there is nothing, and begins again at a keyframe', () => {
    const feed = new LiveFeed(7);
    const viewer = watch(feed);
    expect(viewer()).toEqual(['wait']);
    feed.take(fragment(1, true), true);
    feed.wait(50);
    feed.wait(60);
    feed.take(fragment(2, false), true);
    feed.take(fragment(3, true), true);
    expect(viewer()).toEqual(['init', 1, 'wait', 3]);
  });
});
