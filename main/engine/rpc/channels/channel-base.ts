/** What every Channel has in common: one listener with messages kept until it comes, and a close that is told once. */
import type { Channel, ChannelMessage } from '../../../../shared/contract/channel.ts';

/** Messages kept for a listener that has not come yet; a transport that sends more before it is closed. */
const EARLY_MESSAGES = 256;

export interface ChannelTransport {
  send(message: ChannelMessage): void;
  close(reason: string): void;
}

export interface ChannelEnds {
  readonly channel: Channel;
  /** The transport received a message. */
  deliver(message: ChannelMessage): void;
  /** The transport is gone. */
  closed(reason: string): void;
}

/** A Channel over a transport; nothing is sent or delivered after it closed. */
export function createChannel(transport: ChannelTransport): ChannelEnds {
  let listener: ((message: ChannelMessage) => void) | null = null;
  let early: ChannelMessage[] = [];
  let closeReason: string | null = null;
  const closeListeners: ((reason: string) => void)[] = [];

  const closed = (reason: string): void => {
    if (closeReason !== null) return;
    closeReason = reason;
    early = [];
    for (const tell of closeListeners.splice(0)) tell(reason);
  };

  const channel: Channel = {
    send(message) {
      if (closeReason === null) transport.send(message);
    },
    onMessage(next) {
      if (listener !== null) throw new Error('a channel has one listener');
      listener = next;
      for (const message of early.splice(0)) if (closeReason === null) next(message);
    },
    onClose(tell) {
      if (closeReason === null) closeListeners.push(tell);
      else tell(closeReason);
    },
    close(reason) {
      if (closeReason !== null) return;
      transport.close(reason);
      closed(reason);
    },
  };

  return {
    channel,
    deliver(message) {
      if (closeReason !== null) return;
      if (listener !== null) listener(message);
      else if (early.length < EARLY_MESSAGES) early.push(message);
      else channel.close('too many messages before anybody listened');
    },
    closed,
  };
}
