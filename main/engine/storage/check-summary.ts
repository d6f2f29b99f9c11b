/** Findings as a person reads them: counted by kind, each kind in a sentence, with what a repair does about it. Pure. */
import { type CheckedInvariant, type FindingGroup, type FindingKind, type Invariant, INVARIANTS, NAMED_FINDINGS } from '../../../shared/model/check.ts';
import type { Finding } from './reconcile.ts';

/** What each invariant means to somebody who has never heard of it. */
const CHECKED: Readonly<Record<Invariant, string>> = {
  I1: 'Every piece of footage in the index is on the disk, has the right size, and its pictures are where the index says.',
  I2: 'Every file on the disk is in the index, or is about to be deleted, or is being recorded.',
  I3: 'Nothing was left open when Porchlight was last closed.',
  I4: 'No file was cut short.',
  I5: 'The index can be deleted: files and journals hold everything that is in it.',
};

interface Words {
  /** `n` is at least 1. */
  readonly sentence: (n: number) => string;
  readonly repair: ((n: number) => string) | null;
}

const files = (n: number): string => (n === 1 ? '1 file' : `${n} files`);
const be = (n: number, one: string, many: string): string => (n === 1 ? one : many);

const WORDS: Readonly<Record<FindingKind, Words>> = {
  'size-differs': {
    sentence: (n) => `${files(n)} ${be(n, 'is', 'are')} longer or shorter than the index says.`,
    repair: (n) => `${files(n)} would be read again; one that was cut short is trimmed to its last whole picture and kept.`,
  },
  'file-gone': {
    sentence: (n) => `${files(n)} in the index ${be(n, 'is', 'are')} not on the disk any more.`,
    repair: (n) => `${be(n, 'Its entry', `${n} entries`)} would be taken out of the index. The footage itself is gone.`,
  },
  'not-indexed': { sentence: (n) => `${files(n)} ${be(n, 'is', 'are')} on the disk and not in the index.`, repair: (n) => `${files(n)} would be taken into the index, and ${be(n, 'its', 'their')} footage shown again.` },
  'unknown-after-stop': {
    sentence: (n) => `${files(n)} ${be(n, 'is', 'are')} unknown to the index although Porchlight was closed in order.`,
    repair: (n) => `${files(n)} would be taken into the index.`,
  },
  'newer-than-index': { sentence: (n) => `${files(n)} ${be(n, 'is', 'are')} newer than the index; the next start takes ${be(n, 'it', 'them')} in.`, repair: null },
  'cut-short': { sentence: (n) => `${files(n)} ${be(n, 'was', 'were')} cut short.`, repair: (n) => `${files(n)} would be trimmed to ${be(n, 'its', 'their')} last whole picture and kept.` },
  'no-whole-picture': { sentence: (n) => `${files(n)} ${be(n, 'holds', 'hold')} no whole picture.`, repair: (n) => `${files(n)} would be deleted: there is nothing in ${be(n, 'it', 'them')} to see.` },
  'not-this-stream': { sentence: (n) => `${files(n)} ${be(n, 'lies', 'lie')} where another one belongs, or cannot be read.`, repair: null },
  'unknown-name': { sentence: (n) => be(n, '1 file or folder is not Porchlight’s. It is left alone.', `${n} files or folders are not Porchlight’s. They are left alone.`), repair: null },
  'picture-missing': { sentence: (n) => `At ${be(n, '1 place', `${n} places`)} no picture begins where the index says one does: the file is damaged there.`, repair: null },
  'tail-missing': { sentence: (n) => `${files(n)} ${be(n, 'has', 'have')} lost the table at ${be(n, 'its', 'their')} end.`, repair: (n) => `${files(n)} would be read through and given the table again.` },
  'tail-differs': { sentence: (n) => `${files(n)} ${be(n, 'says', 'say')} something else of ${be(n, 'itself', 'themselves')} than the index does.`, repair: (n) => `${be(n, 'Its entry', `${n} entries`)} in the index would be made anew from ${be(n, 'the file', 'the files')}.` },
  'half-deleted': { sentence: () => 'Files that were being deleted are still there; the next start finishes that.', repair: null },
  'torn-journal-line': { sentence: (n) => `${be(n, '1 journal', `${n} journals`)} of gaps and events ${be(n, 'has', 'have')} a line that was cut short. It is passed over.`, repair: null },
  'not-in-index': { sentence: (n) => `${be(n, '1 gap, event or lock', `${n} gaps, events or locks`)} on the disk ${be(n, 'is', 'are')} not in the index.`, repair: (n) => `${n} would be taken into the index.` },
  'not-in-journal': {
    sentence: (n) => `${be(n, '1 gap, event or lock', `${n} gaps, events or locks`)} ${be(n, 'is', 'are')} in the index alone and would be lost with it.`,
    repair: (n) => `${n} would be written to the journal on the disk.`,
  },
  'journal-away': { sentence: () => 'A disk is away, so that its journal of gaps and events could not be compared.', repair: null },
  'derived-differs': { sentence: () => 'The timeline’s sums do not fit the files.', repair: () => 'The summary of the timeline would be computed anew from the files.' },
  'gap-over-footage': { sentence: (n) => `${be(n, '1 gap lies', `${n} gaps lie`)} over footage that came back after ${be(n, 'it was', 'they were')} written down. The footage is there and plays.`, repair: null },
  'no-index': { sentence: () => 'There is no index; the next start builds it from the files.', repair: null },
};

/** Groups findings by kind, what is wrong first; the first NAMED_FINDINGS of all are named. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = [...Map.groupBy(findings, (finding) => finding.kind)].map(([kind, group]) => ({ kind, group, notice: group.every((finding) => finding.notice === true) }));
  groups.sort((a, b) => Number(a.notice) - Number(b.notice));
  let left = NAMED_FINDINGS;
  return groups.map(({ kind, group, notice }) => {
    const named = group.slice(0, left).map(({ path, sentence }) => ({ path, sentence }));
    left -= named.length;
    const words = WORDS[kind];
    return { kind, invariant: group[0]?.invariant ?? 'I2', notice, count: group.length, sentence: words.sentence(group.length), repair: notice ? null : (words.repair?.(group.length) ?? null), named };
  });
}

/** Each invariant in words, and how often it is broken. */
export function checkedInvariants(findings: readonly Finding[]): readonly CheckedInvariant[] {
  return INVARIANTS.map((invariant) => ({ invariant, sentence: CHECKED[invariant], wrong: findings.filter((finding) => finding.invariant === invariant && finding.notice !== true).length }));
}

/** A repair's sentence once it is done. */
export function doneSentence(repair: string): string {
  return repair.replace(' would be ', /^(?:1 |Its |The )/.test(repair) ? ' was ' : ' were ');
}
