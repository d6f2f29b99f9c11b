/** What a person reads of a check: every kind of finding in a sentence that is one, for one and for many. */
import { expect, it } from 'vitest';
import { FINDING_KINDS, NAMED_FINDINGS } from '../../../shared/model/check.ts';
import { checkedInvariants, doneSentence, groupFindings } from './check-summary.ts';
import type { Finding } from './reconcile.ts';

const finding = (kind: Finding['kind'], at: number, notice = false): Finding => ({ kind, invariant: 'I1', path: `file ${at}`, sentence: 'Something.', ...(notice ? { notice: true } : {}) });

it('has a sentence for every kind, and one of what was done for what would be done', () => {
  for (const kind of FINDING_KINDS) {
    for (const count of [1, 2]) {
      const [group] = groupFindings(Array.from({ length: count }, (_, at) => finding(kind, at)));
      expect(group?.sentence, kind).toMatch(/^[A-Z0-9].*\.$/);
      expect(group?.sentence, kind).not.toMatch(/\b1 (?:files|gaps|places|journals)\b|\bfile are\b|\bfiles is\b|undefined/);
      if (group?.repair === null || group === undefined) continue;
      expect(group.repair, kind).toContain(' would be ');
      expect(doneSentence(group.repair), kind).toMatch(/^[A-Z0-9].* (?:was|were) .*\.$/);
      expect(doneSentence(group.repair), kind).not.toContain('would');
    }
  }
});

it('names a hundred of all, what is wrong first, and counts the rest', () => {
  const groups = groupFindings([finding('unknown-name', 0, true), ...Array.from({ length: 90 }, (_, at) => finding('file-gone', at)), ...Array.from({ length: 90 }, (_, at) => finding('not-indexed', at))]);
  expect(groups.map(({ kind, count, named, notice }) => [kind, count, named.length, notice])).toEqual([['file-gone', 90, 90, false], ['not-indexed', 90, 10, false], ['unknown-name', 1, 0, true]]);
  expect(groups.reduce((sum, { named }) => sum + named.length, 0)).toBe(NAMED_FINDINGS);
  expect(groups[2]?.repair).toBeNull();
});

it('counts what is wrong by invariant, and no notes', () => {
  expect(checkedInvariants([finding('file-gone', 0), finding('file-gone', 1, true)]).map(({ wrong }) => wrong)).toEqual([1, 0, 0, 0, 0]);
});
