/** Owns the ways a power cut can treat what was not synced: the two ends, and seeded chances in between. Pure. */
import type { DataOperation, NameOperation, WorldChoice } from './disk-model.ts';

/** Numbers in [0, 1), the same for the same seed; seeds side by side have nothing in common (SplitMix32: a counter, mixed by MurmurHash3's finaliser). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
  };
}

export const WORLD_KINDS = [
  /** Nothing that was not synced. */
  'nothing',
  /** Everything, in order: what a process that dies leaves. */
  'everything',
  /** Everything up to some moment. */
  'prefix',
  /** Only what came last. */
  'suffix',
  /** Each sector of 512 bytes by itself. */
  'sectors',
  /** Each page of 4096 bytes by itself. */
  'pages',
  /** Names and sizes, and zeros for bytes. */
  'zeros',
  /** All bytes, and no name. */
  'unnamed',
  /** All names, and no byte. */
  'names',
  /** Each file and each name by another of these ways. */
  'mixed',
] as const;
export type WorldKind = (typeof WORLD_KINDS)[number];

const SECTOR_BYTES = 512;
const PAGE_BYTES = 4096;
/** Of one file's fate. */
const MIXABLE = ['nothing', 'everything', 'suffix', 'sectors', 'pages', 'zeros'] as const satisfies readonly WorldKind[];
type PlainKind = Exclude<WorldKind, 'mixed'>;

/** The choice that a kind of world makes at this cut; `cutAt` is the place in the trace. */
export function chooseWorld(kind: WorldKind, cutAt: number, random: () => number): WorldChoice {
  return kind === 'mixed' ? mixed(cutAt, random) : plain(kind, cutAt, random);
}

function plain(kind: PlainKind, cutAt: number, random: () => number): WorldChoice {
  const upTo = cutAt - Math.floor(random() ** 2 * 4_000);
  const likely = [0.15, 0.5, 0.85][Math.floor(random() * 3)] ?? 0.5;
  const data = (_inode: number, pending: readonly DataOperation[]): ReturnType<WorldChoice['data']> => {
    const full = fullSizeOf(pending);
    switch (kind) {
      case 'everything': case 'unnamed': return { kept: pending, leastBytes: 0 };
      case 'prefix': return { kept: pending.filter((one) => one.exit <= upTo), leastBytes: 0 };
      case 'suffix': return { kept: pending.slice(Math.floor(random() * (pending.length + 1))), leastBytes: 0 };
      case 'sectors': return { kept: torn(pending, SECTOR_BYTES, likely, random), leastBytes: random() < 0.5 ? full : 0 };
      case 'pages': return { kept: torn(pending, PAGE_BYTES, likely, random), leastBytes: random() < 0.5 ? full : 0 };
      case 'zeros': return { kept: [], leastBytes: full };
      case 'nothing': case 'names': return { kept: [], leastBytes: 0 };
    }
  };
  const name = (pending: readonly NameOperation[]): number => {
    switch (kind) {
      case 'everything': case 'zeros': case 'names': return pending.length;
      case 'prefix': return pending.filter((one) => one.exit <= upTo).length;
      case 'suffix': case 'sectors': case 'pages': return Math.floor(random() * (pending.length + 1));
      case 'nothing': case 'unnamed': return 0;
    }
  };
  return { data, name };
}

function mixed(cutAt: number, random: () => number): WorldChoice {
  const one = (): WorldChoice => plain(MIXABLE[Math.floor(random() * MIXABLE.length)] ?? 'nothing', cutAt, random);
  return { data: (inode, pending) => one().data(inode, pending), name: (pending) => Math.floor(random() * (pending.length + 1)) };
}

/** How large the file would be with all of it. */
function fullSizeOf(pending: readonly DataOperation[]): number {
  return pending.reduce((sizeBytes, one) => (one.kind === 'resize' ? one.sizeBytes : Math.max(sizeBytes, one.at + one.bytes.length)), 0);
}

/** Each block of each write by itself, cut at multiples of the block from the file's start; a resize as a whole. */
function torn(pending: readonly DataOperation[], blockBytes: number, likely: number, random: () => number): DataOperation[] {
  return pending.flatMap((one): DataOperation[] => {
    if (one.kind === 'resize') return random() < likely ? [one] : [];
    const pieces: DataOperation[] = [];
    for (let from = 0; from < one.bytes.length; ) {
      const until = Math.min(one.bytes.length, from + blockBytes - ((one.at + from) % blockBytes));
      if (random() < likely) pieces.push({ ...one, at: one.at + from, bytes: one.bytes.subarray(from, until) });
      from = until;
    }
    return pieces;
  });
}
