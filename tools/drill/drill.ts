/** The whole drill: all rows over all households in memory, or in batches over sockets, added up into one report. */
import { nodeSuite } from '../../main/engine/relay/node-suite.ts';
import type { CryptoSuite } from '../../shared/relay/suite.ts';
import { chanceOf } from './chance.ts';
import type { DrillRelay } from './drill-relay.ts';
import { makeHousehold } from './households.ts';
import { Ledger } from './ledger.ts';
import { MemoryRelay } from './memory-relay.ts';
import type { Figures, Row, RowContext, RowResult } from './row.ts';
import { control } from './rows/control.ts';
import { delay } from './rows/delay.ts';
import { grants } from './rows/grants.ts';
import { wrongHome, wrongViewer } from './rows/handshakes.ts';
import { broadcast, deranged, honest } from './rows/mixed-up.ts';
import { otherCamera, tampering } from './rows/tampering.ts';
import { SocketRelay } from './socket-relay.ts';

const ROWS: readonly Row[] = [honest, deranged, broadcast, wrongHome, wrongViewer, tampering, control, grants, otherCamera, delay];
/** Three sockets each at both ends of one process, far from every limit of open files, and few enough to begin all at once. */
const SOCKETS_BATCH = 125;

export interface DrillOptions {
  readonly households: number;
  readonly isOverSockets: boolean;
  readonly seed: number;
  /** Only these rows; all where it is left out. */
  readonly rows?: readonly string[];
  /** The viewers' cryptography in place of the real one: a mutant, in a test. */
  readonly viewerSuite?: CryptoSuite;
}

export interface RowReport {
  readonly title: string;
  readonly opened: number;
  readonly figures: Figures;
}

export interface DrillReport {
  readonly households: number;
  readonly isOverSockets: boolean;
  readonly seed: number;
  /** Pictures of their own that viewers got while the relay was honest. */
  readonly ownFrames: number;
  /** Records that went to a wrong household. */
  readonly misrouted: number;
  /** Of all rows: what was opened or shown and must not have been. */
  readonly opened: number;
  /** Viewers that noticed the broken table. */
  readonly noticed: number;
  /** Strangers' pictures shown by the control without encryption. */
  readonly controlOpened: number;
  /** Messages that passed the relay sealed, and those in which something of a picture could be read. */
  readonly relayed: number;
  readonly marked: number;
  readonly rows: Readonly<Record<string, RowReport>>;
  /** What did not come out as it must. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** Runs the drill; rejects only where the drill itself fails. */
export async function runDrill(options: DrillOptions, say: (line: string) => void = () => undefined, signal?: AbortSignal): Promise<DrillReport> {
  const startMs = performance.now();
  const relay: DrillRelay = options.isOverSockets ? await SocketRelay.start() : new MemoryRelay();
  const chance = chanceOf(options.seed);
  const ledger = new Ledger();
  const batch = options.isOverSockets ? SOCKETS_BATCH : options.households;
  const totals = new Map<string, RowResult>();
  const sealed = { messages: 0, marked: 0 };
  try {
    for (const size of batchSizes(options.households, batch)) {
      signal?.throwIfAborted();
      const households = await Promise.all(Array.from({ length: size }, (_, index) => makeHousehold(index, nodeSuite)));
      const context: RowContext = { relay, ledger, households, chance, isOverSockets: options.isOverSockets, watching: null, ...(options.viewerSuite === undefined ? {} : { viewerSuite: options.viewerSuite }) };
      for (const row of chosenRows(options)) {
        signal?.throwIfAborted();
        const before = { ...relay.seen };
        const rowMs = performance.now();
        const result = await row.run(context);
        totals.set(row.name, added(totals.get(row.name), result));
        if (row !== control) {
          sealed.messages += relay.seen.messages - before.messages;
          sealed.marked += relay.seen.marked - before.marked;
        }
        // Signs of life of sessions that go on may still be under way.
        if (context.watching === null) ledger.turnPage();
        if (batch === options.households) say(`${row.name.padEnd(2)} ${row.title}: ${result.opened} opened, ${figuresText(result.figures)} (${((performance.now() - rowMs) / 1000).toFixed(1)} s)`);
      }
      if (batch !== options.households) say(`${size} households over sockets: ${[...totals.values()].reduce((all, { opened }) => all + opened, 0)} opened so far`);
    }
  } finally {
    await relay.stop();
  }
  return reportOf(options, totals, sealed, (performance.now() - startMs) / 1000);
}

function chosenRows({ isOverSockets, rows }: DrillOptions): readonly Row[] {
  return ROWS.filter((row) => !(isOverSockets && row.inMemoryOnly === true) && (rows === undefined || rows.includes(row.name)));
}

/** Batches of at least two, since one household cannot be mixed up with another. */
function batchSizes(households: number, most: number): readonly number[] {
  const count = Math.ceil(households / most);
  return Array.from({ length: count }, (_, at) => Math.floor(((at + 1) * households) / count) - Math.floor((at * households) / count));
}

function added(total: RowResult | undefined, { figures, opened, faults }: RowResult): RowResult {
  if (total === undefined) return { figures, opened, faults };
  const names = new Set([...Object.keys(total.figures), ...Object.keys(figures)]);
  return {
    figures: Object.fromEntries([...names].map((name) => [name, (total.figures[name] ?? 0) + (figures[name] ?? 0)])),
    opened: total.opened + opened,
    faults: [...total.faults, ...faults],
  };
}

function figuresText(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function reportOf(options: DrillOptions, totals: ReadonlyMap<string, RowResult>, { messages, marked }: { messages: number; marked: number }, seconds: number): DrillReport {
  const figure = (row: string, name: string): number => totals.get(row)?.figures[name] ?? 0;
  const opened = [...totals.values()].reduce((all, result) => all + result.opened, 0);
  const faults = [...totals].flatMap(([name, result]) => [...(result.opened > 0 ? [`${name}: ${result.opened} opened or shown that must not be`] : []), ...result.faults.map((fault) => `${name}: ${fault}`)]);
  if (figure('A', 'ownFrames') < options.households) faults.push('there were not as many own pictures as households');
  if (figure('F', 'shown') === 0) faults.push('the control without encryption showed nothing, so nothing is proven');
  if (marked > 0) faults.push(`the relay could read something in ${marked} sealed messages`);
  return {
    households: options.households,
    isOverSockets: options.isOverSockets,
    seed: options.seed,
    ownFrames: figure('A', 'ownFrames'),
    misrouted: figure('B', 'misrouted'),
    opened,
    noticed: figure('B', 'noticed'),
    controlOpened: figure('F', 'shown'),
    relayed: messages,
    marked,
    rows: Object.fromEntries([...totals].map(([name, result]) => [name, { title: ROWS.find((row) => row.name === name)?.title ?? '', opened: result.opened, figures: result.figures }])),
    faults,
    seconds: Math.round(seconds * 10) / 10,
  };
}
