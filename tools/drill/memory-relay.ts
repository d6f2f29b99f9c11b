/** A relay in memory, on a clock of its own: every household at once, and hours in seconds. */
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import { HeldWire } from '../../shared/relay/held-wire.ts';
import { SESSION_KEY_BYTES } from '../../shared/relay/protocol.ts';
import { DrillClock } from './drill-clock.ts';
import { type Delivery, type DrillRelay, type EndName, HONEST, type Joined, other, type Rule } from './drill-relay.ts';
import { type Household, isMarked } from './households.ts';

const nameOf = ({ household, side }: EndName): string => `${side} ${household}`;

class MemoryWire extends HeldWire {
  readonly name: EndName;
  readonly #relay: MemoryRelay;

  constructor(name: EndName, relay: MemoryRelay) {
    super();
    this.name = name;
    this.#relay = relay;
  }

  send(bytes: Uint8Array): void {
    if (this.closedReason === null) this.#relay.pass(this.name, bytes);
  }

  protected override hungUp(): void {
    this.#relay.closed(this.name);
  }
}

export class MemoryRelay implements DrillRelay {
  readonly clock = new DrillClock();
  readonly seen = { messages: 0, marked: 0 };
  rule: Rule = HONEST;
  readonly #wires = new Map<string, MemoryWire>();
  #queue: (() => void)[] = [];

  async join(households: readonly Household[]): Promise<readonly Joined[]> {
    await this.hangUp();
    return households.map((household) => {
      const wireOf = (side: EndName['side']): MemoryWire => {
        const wire = new MemoryWire({ household: household.index, side }, this);
        this.#wires.set(nameOf(wire.name), wire);
        return wire;
      };
      return { household, sessionKey: nodeSuite.random(SESSION_KEY_BYTES), home: wireOf('home'), viewer: wireOf('viewer') };
    });
  }

  pass(from: EndName, message: Uint8Array): void {
    this.seen.messages += 1;
    if (isMarked(message)) this.seen.marked += 1;
    for (const delivery of this.rule(from, message)) this.inject(delivery);
  }

  inject({ to, message, delayMs = 0 }: Delivery): void {
    const wire = this.#wires.get(nameOf(to));
    if (delayMs > 0) this.clock.after(delayMs, () => wire?.receive(message));
    else this.#queue.push(() => wire?.receive(message));
  }

  /** One end is gone: its pair is told, behind what is under way. */
  closed({ household, side }: EndName): void {
    const wire = this.#wires.get(nameOf({ household, side: other(side) }));
    this.#queue.push(() => wire?.gone('the other end is gone'));
  }

  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.clock.nowMs() + limitMs;
    await this.#settle();
    while (!condition()) {
      if (!this.clock.step(endMs)) return condition();
      await this.#settle();
    }
    return true;
  }

  async hangUp(): Promise<void> {
    for (const wire of this.#wires.values()) wire.gone('hung up');
    await this.#settle();
    this.#wires.clear();
  }

  stop(): Promise<void> {
    return this.hangUp();
  }

  /** Everything that waits for nothing but its turn: the suite answers at once, so two quiet turns are the end of it. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      while (this.#queue.length > 0) {
        quiet = 0;
        const due = this.#queue;
        this.#queue = [];
        for (const run of due) run();
      }
    }
  }
}
