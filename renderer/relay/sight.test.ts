/** When pictures of another home lose their colour, when they go, and what is said then. */
import { describe, expect, it } from 'vitest';
import type { Freshness } from '../../shared/relay/freshness.ts';
import { HomeLine, type LineClock } from './home-line.ts';
import { sightOf } from './sight.ts';

/** A line whose time and signs of life the test moves. */
class Rig implements LineClock, Freshness {
  ms = 0;
  /** When the newest sign that came back was sent. */
  freshMs = 0;
  looks: (() => void)[] = [];
  beats: (() => void)[] = [];
  readonly line = new HomeLine(this);
  readonly told: string[] = [];

  constructor() {
    this.line.onChange(() => this.told.push(this.line.sight.kind));
  }
  nowMs(): number {
    return this.ms;
  }
  every(_ms: number, run: () => void): () => void {
    this.looks.push(run);
    return () => (this.looks = this.looks.filter((each) => each !== run));
  }
  ageMs(): number {
    return this.ms - this.freshMs;
  }
  onBeat(listener: () => void): () => void {
    this.beats.push(listener);
    return () => (this.beats = this.beats.filter((each) => each !== listener));
  }
  /** Time goes by, and the line looks. */
  pass(ms: number): void {
    this.ms += ms;
    for (const look of this.looks) look();
  }
  /** A sign comes back that was sent so long ago. */
  beat(ageMs: number): void {
    this.freshMs = this.ms - ageMs;
    for (const listener of this.beats) listener();
  }
}

describe('sight', () => {
  it.each([
    [0, 'clear'],
    [1_500, 'clear'],
    [1_501, 'grey'],
    [3_000, 'grey'],
    [3_001, 'blank'],
  ] as const)('at an age of %i ms is %s', (ageMs, kind) => {
    expect(sightOf({ ended: null, ageMs, silentMs: ageMs }).kind).toBe(kind);
  });

  it('tells a line that stands still from one that delays everything evenly', () => {
    expect(sightOf({ ended: null, ageMs: 4_200, silentMs: 4_200 })).toEqual({ kind: 'blank', reason: expect.stringMatching(/^No sign of life from there for 4 s/) as string });
    expect(sightOf({ ended: null, ageMs: 10_300, silentMs: 300 })).toEqual({ kind: 'blank', reason: expect.stringMatching(/^Everything from there comes 10 s late/) as string });
  });
});

describe('a line', () => {
  it('shows nothing before the first session', () => {
    const { line } = new Rig();
    expect(line.sight.kind).toBe('blank');
    expect(line.maySee()).toBe(false);
  });

  it('greys, goes blank and comes back with the age of what is echoed', () => {
    const rig = new Rig();
    rig.line.open(rig);
    rig.beat(40);
    rig.pass(1_600);
    expect(rig.line.sight).toEqual({ kind: 'grey', ageMs: 1_600 });
    rig.pass(1_400);
    expect(rig.line.sight.kind).toBe('blank');
    rig.beat(60);
    expect(rig.line.sight.kind).toBe('clear');
    expect(rig.told).toEqual(['clear', 'grey', 'blank', 'clear']);
  });

  it('is blank while everything comes 10 s late, however regularly it comes', () => {
    const rig = new Rig();
    rig.line.open(rig);
    rig.ms = 10_000;
    for (let beat = 0; beat < 8; beat += 1) {
      rig.beat(10_000);
      rig.pass(500);
      expect(rig.line.sight).toMatchObject({ kind: 'blank', reason: expect.stringContaining('10 s late') as string });
      expect(rig.line.maySee()).toBe(false);
    }
  });

  it('answers a painter by the clock, also before it has looked', () => {
    const rig = new Rig();
    rig.line.open(rig);
    expect(rig.line.maySee()).toBe(true);
    rig.ms += 3_001;
    expect(rig.line.sight.kind).toBe('clear');
    expect(rig.line.maySee()).toBe(false);
  });

  it('goes blank at once when its session is over, says why, and looks at the clock no more', () => {
    const rig = new Rig();
    rig.line.open(rig);
    rig.line.end('The home ended it.');
    expect(rig.line.sight).toEqual({ kind: 'blank', reason: 'The home ended it.' });
    expect([rig.looks.length, rig.beats.length]).toEqual([0, 0]);
  });
});
