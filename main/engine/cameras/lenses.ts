/** The lenses of a device and what to call them: profiles grouped by video source, named by what the device says of them. Pure. */
import type { MediaProfile } from './onvif-profiles.ts';

export interface Lens {
  /** Video source token; empty where the device names none. */
  readonly token: string;
  readonly profiles: readonly MediaProfile[];
}

/** More channels than any home recorder has. */
const MAX_LENSES = 128;

/**
 * One lens per video source, in the device's order. Profiles that name no source belong to the only one there is; beside
 * several they belong to nobody and are left out.
 */
export function lensesOf(profiles: readonly MediaProfile[]): Lens[] {
  const byToken = new Map<string, MediaProfile[]>();
  for (const profile of profiles) byToken.set(profile.sourceToken, [...(byToken.get(profile.sourceToken) ?? []), profile]);
  const named = [...byToken].filter(([token]) => token !== '');
  const [only] = named;
  if (only === undefined) return profiles.length === 0 ? [] : [{ token: '', profiles }];
  if (named.length === 1) return [{ token: only[0], profiles }];
  return named.slice(0, MAX_LENSES).map(([token, own]) => ({ token, profiles: own }));
}

/** What makers write where a name belongs: kinds of things, and their numbers. */
const DULL_LABEL = /^(?:(?:video|vid|v)?[ _-]*(?:source|src|s|input|in|encoder)?[ _-]*(?:config(?:uration)?|conf|cfg)?|vsc|channel|chn?|ipc|ip[ _-]?camera|camera|cam|(?:media)?[ _-]*profile|token|default|unnamed)[ _-]*\d*$/i;
/** Words that tell profiles of one lens apart, not lenses. */
const STREAM_WORDS = /^(?:main|sub|minor|second(?:ary)?|third|fourth|primary|extra|ext|mobile|stream\d*|(?:main|sub|third)[_-]?stream|profile\d*|media(?:profile)?\d*|h\.?26[45]|hevc|avc|hd|sd|fhd|uhd|high|low|quality|\d+p|#?\d+)$/i;

/** A name per lens where the device has good ones that differ, else their numbers from 1. */
export function lensLabels(lenses: readonly Lens[]): string[] {
  // A name that is the token over again was written for programs.
  const fromSource = lenses.map((lens) => cleaned(lens.profiles.map((profile) => profile.sourceName).find((name) => name !== '' && name !== lens.token) ?? ''));
  const fromProfiles = lenses.map((lens) => commonWords(lens.profiles.map((profile) => profile.name)));
  for (const names of [fromSource, fromProfiles]) {
    const good = names.every((name) => name !== '' && !DULL_LABEL.test(name)) && new Set(names.map((name) => name.toLowerCase())).size === names.length;
    if (good) return names;
  }
  return lenses.map((_lens, index) => String(index + 1));
}

/** The words all names of a lens's profiles begin with, without those that name a stream. */
function commonWords(names: readonly string[]): string {
  const [first = [], ...rest] = names.map((name) => cleaned(name).split(/[\s_]+/));
  const common: string[] = [];
  for (const [index, word] of first.entries()) {
    if (STREAM_WORDS.test(word) || rest.some((other) => other[index]?.toLowerCase() !== word.toLowerCase())) break;
    common.push(word);
  }
  return common.join(' ').replace(/[\s:,–-]+$/, '');
}

function cleaned(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').replace(/\s+/g, ' ').trim().slice(0, 48);
}
