/**
 * What a reader remembers of the timeline: for each owner (a camera, a stream) one unbroken range of days with what begins in
 * them, read when first asked for and read again when a day changed (docs/design/storage.md, "Timeline").
 */
import type { TimeRange } from '../../../shared/time.ts';
import { dayNumber } from './coverage.ts';

/** UTC days since 1970. */
export interface DayRange {
  readonly first: number;
  /** Included. */
  readonly last: number;
}

/** The days a window touches. */
export function daysOf(window: TimeRange): DayRange {
  return { first: dayNumber(window.startMs), last: dayNumber(window.endMs) };
}

/** The interface asks for 96 days at its widest; two of those that overlap are one range. */
const MOST_DAYS = 200;
/** Of all owners together, about 150 bytes each; more is forgotten after it has been answered. */
const MOST_ITEMS = 400_000;

interface Remembered<Item> {
  first: number;
  last: number;
  /** Days on which nothing begins are not in it. */
  readonly days: Map<number, readonly Item[]>;
  readonly stale: Set<number>;
}

export class TimelineDays<Owner extends number | string, Item> {
  readonly #owners = new Map<Owner, Remembered<Item>>();
  readonly #load: (owner: Owner, days: DayRange) => Map<number, readonly Item[]>;
  #items = 0;

  /** `load` reads what begins in a range of days, by day. */
  constructor(load: (owner: Owner, days: DayRange) => Map<number, readonly Item[]>) {
    this.#load = load;
  }

  /** Whether so wide a range is remembered at all; a wider one has to be read past this. */
  static holds(days: DayRange): boolean {
    return days.last - days.first < MOST_DAYS;
  }

  /** What begins in these days, a list for each day on which something does, in the order of days. */
  of(owner: Owner, days: DayRange): readonly (readonly Item[])[] {
    if (this.#items > MOST_ITEMS) this.forget();
    const known = this.#reach(owner, days);
    for (const day of known.stale) {
      if (day < days.first || day > days.last) continue;
      known.stale.delete(day);
      this.#drop(known, day);
      this.#read(owner, known, { first: day, last: day });
    }
    const found: (readonly Item[])[] = [];
    for (let day = days.first; day <= days.last; day += 1) {
      const items = known.days.get(day);
      if (items !== undefined) found.push(items);
    }
    return found;
  }

  /** Something that begins on this day was added, changed or removed. */
  changed(owner: Owner, day: number): void {
    const known = this.#owners.get(owner);
    if (known !== undefined && day >= known.first && day <= known.last) known.stale.add(day);
  }

  forget(): void {
    this.#owners.clear();
    this.#items = 0;
  }

  /** Widens the remembered range to these days, or begins a new one with them where they are too far away. */
  #reach(owner: Owner, days: DayRange): Remembered<Item> {
    let known = this.#owners.get(owner);
    if (known !== undefined && !TimelineDays.holds({ first: Math.min(known.first, days.first), last: Math.max(known.last, days.last) })) {
      for (const items of known.days.values()) this.#items -= items.length;
      known = undefined;
    }
    if (known === undefined) {
      known = { first: days.first, last: days.first - 1, days: new Map(), stale: new Set() };
      this.#owners.set(owner, known);
    }
    if (days.first < known.first) {
      this.#read(owner, known, { first: days.first, last: known.first - 1 });
      known.first = days.first;
    }
    if (days.last > known.last) {
      this.#read(owner, known, { first: known.last + 1, last: days.last });
      known.last = days.last;
    }
    return known;
  }

  #read(owner: Owner, known: Remembered<Item>, days: DayRange): void {
    for (const [day, items] of this.#load(owner, days)) {
      known.days.set(day, items);
      this.#items += items.length;
    }
  }

  #drop(known: Remembered<Item>, day: number): void {
    this.#items -= known.days.get(day)?.length ?? 0;
    known.days.delete(day);
  }
}
