/** How much may be under way to a viewer: counted by what it says to have opened, never by what a socket took (docs/design/relay.md, "Credits"). */
import type { LaneClass } from './lanes.ts';
import { MAX_RECORD_BYTES } from './protocol.ts';

/** What a line may hold up beyond its own length. */
const QUEUE_MS = 300;
/** A line's own length is believed up to here: a relay that delays cannot have more sent ahead. */
const MOST_ROUND_TRIP_MS = 700;
/** How long a measured rate stands against lower ones: a line that became slower is believed after this. */
const RATE_STANDS_MS = 1_000;
/** Live footage was sent this lately: the rest keeps to its share of the window. */
const LIVE_LINGERS_MS = 1_000;
/** A record this much later than the fastest has waited in the line: what comes out then is all that the line can do. */
const HELD_UP_MS = 100;
/** Shares of the window while both want it. A picture needs most; a preview must come within two seconds all the same. */
const REST_SHARE = 1 / 4;
/** The viewer acknowledges at this many bytes, or this much later than the first of them. */
const CREDIT_BYTES = 16 * 1024;
export const CREDIT_MS = 20;
/** On a fast line not so often: to seal a credit costs as much as a whole record. Half the least window, so that a home never waits for it. */
const FAST_CREDIT_BYTES = 48 * 1024;
const FAST_CREDIT_MS = 2;

/** A record under way, with the moment it is measured from (delivery rate estimation, as in BBR: draft-cheng-iccrg-delivery-rate-estimation, section 3). */
interface UnderWay {
  readonly endBytes: number;
  readonly laneClass: LaneClass;
  readonly sizeBytes: number;
  readonly sentMs: number;
  readonly openedBefore: number;
  readonly openedBeforeMs: number;
  /** Nothing more waited behind it: the rate it shows is that of the footage, not of the line. */
  readonly isAlone: boolean;
}

interface RateSample {
  readonly rateBytesPerS: number;
  readonly atMs: number;
}

export interface FlightLimits {
  readonly leastWindowBytes: number;
  readonly mostWindowBytes: number;
}

/** The bytes between home and viewer. */
export class Flight {
  readonly #limits: FlightLimits;
  #underWay: UnderWay[] = [];
  #sentBytes = 0;
  #openedBytes = 0;
  #openedMs = 0;
  readonly #inFlight: Record<LaneClass, number> = { control: 0, live: 0, rest: 0 };
  #samples: RateSample[] = [];
  #rate = 0;
  #liveSentMs = Number.NEGATIVE_INFINITY;
  /** What the window grew to while it, and not the line, was what held back. */
  #grownBytes = 0;
  /** What was sent when the window last held something back: what is opened of that makes it grow. */
  #heldAtBytes = 0;
  #leastRoundTripMs = Number.POSITIVE_INFINITY;

  constructor(limits: FlightLimits) {
    this.#limits = limits;
  }

  get rateBytesPerS(): number {
    return this.#rate;
  }

  get inFlightBytes(): number {
    return this.#sentBytes - this.#openedBytes;
  }

  inFlightOf(laneClass: LaneClass): number {
    return this.#inFlight[laneClass];
  }

  get windowBytes(): number {
    const { leastWindowBytes, mostWindowBytes } = this.#limits;
    const held = this.#rate === 0 ? 0 : (this.#rate * (QUEUE_MS + Math.min(this.#leastRoundTripMs, MOST_ROUND_TRIP_MS))) / 1000;
    return Math.min(mostWindowBytes, Math.max(leastWindowBytes, this.#grownBytes, Math.round(held)));
  }

  /** A round trip, of a heartbeat or of a record and its credit. The shortest stands for the line without what waits in it. */
  roundTrip(ms: number): void {
    this.#leastRoundTripMs = Math.min(ms, this.#leastRoundTripMs);
  }

  /** What live may have under way and waiting: the whole window, or what the rest leaves of it where that waits too. */
  liveWindowBytes(restWaits: boolean): number {
    return this.windowBytes * (restWaits ? 1 - REST_SHARE : 1);
  }

  /** Whether a record of that class and sealed size may go now. A class with nothing under way always gets one in where the window is free. */
  mayGo(laneClass: LaneClass, sizeBytes: number, nowMs: number, restWaits: boolean): boolean {
    const may = this.#hasRoom(laneClass, sizeBytes, nowMs, restWaits);
    if (!may) this.held();
    return may;
  }

  /** Whether a record of any size may go now. */
  get hasWindow(): boolean {
    return this.inFlightBytes === 0 || this.inFlightBytes + MAX_RECORD_BYTES <= this.windowBytes;
  }

  #hasRoom(laneClass: LaneClass, sizeBytes: number, nowMs: number, restWaits: boolean): boolean {
    // Whatever the size: else small records of a later class would slip past a large one of an earlier.
    if (!this.hasWindow) return false;
    const own = this.#inFlight[laneClass];
    if (laneClass === 'control' || own === 0) return true;
    if (laneClass === 'live') return own + sizeBytes <= this.liveWindowBytes(restWaits);
    const isLive = this.#inFlight.live > 0 || nowMs - this.#liveSentMs < LIVE_LINGERS_MS;
    return !isLive || own + sizeBytes <= this.windowBytes * REST_SHARE;
  }

  /** Something waits, or was dropped, for want of room in the window. */
  held(): void {
    this.#heldAtBytes = this.#sentBytes;
  }

  /** A record goes out; `moreWaits` of any class. */
  sent(laneClass: LaneClass, sizeBytes: number, nowMs: number, moreWaits: boolean): void {
    if (this.inFlightBytes === 0) this.#openedMs = nowMs;
    this.#sentBytes += sizeBytes;
    this.#inFlight[laneClass] += sizeBytes;
    if (laneClass === 'live') this.#liveSentMs = nowMs;
    this.#underWay.push({ endBytes: this.#sentBytes, laneClass, sizeBytes, sentMs: nowMs, openedBefore: this.#openedBytes, openedBeforeMs: this.#openedMs, isAlone: !moreWaits });
  }

  /** The viewer has opened so many bytes in all; false where it cannot have. */
  opened(totalBytes: number, nowMs: number): boolean {
    if (totalBytes > this.#sentBytes || totalBytes < this.#openedBytes) return false;
    let count = 0;
    let newest: UnderWay | null = null;
    for (const record of this.#underWay) {
      if (record.endBytes > totalBytes) break;
      count += 1;
      newest = record;
      this.#inFlight[record.laneClass] -= record.sizeBytes;
    }
    if (newest === null) return totalBytes === this.#openedBytes;
    if (newest.endBytes !== totalBytes) return false;
    this.#underWay.splice(0, count);
    const tripMs = nowMs - newest.sentMs;
    this.roundTrip(tripMs);
    this.#grow(tripMs - this.#leastRoundTripMs, totalBytes);
    this.#openedBytes = totalBytes;
    this.#openedMs = nowMs;
    this.#measure(newest, totalBytes, nowMs);
    return true;
  }

  /** A far line is filled as TCP begins: by what was opened, until records begin to wait in it. */
  #grow(waitedMs: number, totalBytes: number): void {
    if (waitedMs > QUEUE_MS) this.#grownBytes = 0;
    else if (waitedMs <= HELD_UP_MS && totalBytes <= this.#heldAtBytes) this.#grownBytes = this.windowBytes + totalBytes - this.#openedBytes;
  }

  #measure(newest: UnderWay, totalBytes: number, nowMs: number): void {
    const rateBytesPerS = ((totalBytes - newest.openedBefore) * 1000) / Math.max(1, nowMs - newest.openedBeforeMs);
    const isOfLine = !newest.isAlone || nowMs - newest.sentMs > this.#leastRoundTripMs + HELD_UP_MS;
    if (!isOfLine && rateBytesPerS < this.#rate) return;
    this.#samples = this.#samples.filter((sample) => nowMs - sample.atMs < RATE_STANDS_MS && sample.rateBytesPerS > rateBytesPerS);
    this.#samples.push({ rateBytesPerS, atMs: nowMs });
    this.#rate = this.#samples[0]?.rateBytesPerS ?? rateBytesPerS;
  }
}

/** The viewer's count of what it opened, and when to say so. */
export class Opened {
  #totalBytes = 0;
  #saidBytes = 0;
  #saidMs = Number.NEGATIVE_INFINITY;

  /** Bytes opened and not yet said. */
  get unsaidBytes(): number {
    return this.#totalBytes - this.#saidBytes;
  }

  /** Whether to say so now. */
  add(sealedBytes: number, nowMs: number): boolean {
    this.#totalBytes += sealedBytes;
    return this.unsaidBytes >= (nowMs - this.#saidMs < FAST_CREDIT_MS ? FAST_CREDIT_BYTES : CREDIT_BYTES);
  }

  /** What to say. */
  say(nowMs: number): number {
    this.#saidBytes = this.#totalBytes;
    this.#saidMs = nowMs;
    return this.#totalBytes;
  }
}
