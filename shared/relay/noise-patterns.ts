/** The handshake patterns of the Noise Protocol Framework, revision 34: fundamental ones with psk modifiers (sections 7 and 9.4). */

export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk';

interface FundamentalPattern {
  /** Whose static key the other end knows beforehand. */
  readonly known: readonly ('initiator' | 'responder')[];
  /** The initiator writes the first message, then they take turns. */
  readonly messages: readonly (readonly Token[])[];
}

const RESPONDER = ['responder'] as const;
const INITIATOR = ['initiator'] as const;
const BOTH = ['initiator', 'responder'] as const;

/** Noise sections 7.4 (one message, one way) and 7.5 (interactive). */
const FUNDAMENTAL = {
  N: { known: RESPONDER, messages: [['e', 'es']] },
  K: { known: BOTH, messages: [['e', 'es', 'ss']] },
  X: { known: RESPONDER, messages: [['e', 'es', 's', 'ss']] },
  NN: { known: [], messages: [['e'], ['e', 'ee']] },
  NK: { known: RESPONDER, messages: [['e', 'es'], ['e', 'ee']] },
  NX: { known: [], messages: [['e'], ['e', 'ee', 's', 'es']] },
  KN: { known: INITIATOR, messages: [['e'], ['e', 'ee', 'se']] },
  KK: { known: BOTH, messages: [['e', 'es', 'ss'], ['e', 'ee', 'se']] },
  KX: { known: INITIATOR, messages: [['e'], ['e', 'ee', 'se', 's', 'es']] },
  XN: { known: [], messages: [['e'], ['e', 'ee'], ['s', 'se']] },
  XK: { known: RESPONDER, messages: [['e', 'es'], ['e', 'ee'], ['s', 'se']] },
  XX: { known: [], messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
  IN: { known: [], messages: [['e', 's'], ['e', 'ee', 'se']] },
  IK: { known: RESPONDER, messages: [['e', 'es', 's', 'ss'], ['e', 'ee', 'se']] },
  IX: { known: [], messages: [['e', 's'], ['e', 'ee', 'se', 's', 'es']] },
} as const satisfies Readonly<Record<string, FundamentalPattern>>;

type FundamentalName = keyof typeof FUNDAMENTAL;

/** Such as `IKpsk2` or `XXpsk0+psk3`. */
export type NoisePattern = FundamentalName | `${FundamentalName}psk${string}`;

export interface HandshakePattern extends FundamentalPattern {
  readonly pskCount: number;
  /** One message only; the responder never sends (section 7.4). */
  readonly isOneWay: boolean;
}

function isFundamental(name: string): name is FundamentalName {
  return Object.hasOwn(FUNDAMENTAL, name);
}

/** `pskN` puts a token before the first message (N = 0) or behind the Nth (section 9.4). */
function withPsks(messages: FundamentalPattern['messages'], places: readonly number[]): FundamentalPattern['messages'] {
  return messages.map((tokens, at) => [...(at === 0 && places.includes(0) ? (['psk'] as const) : []), ...tokens, ...(places.includes(at + 1) ? (['psk'] as const) : [])]);
}

/** Whether this file knows the pattern: deferred patterns (K1, X1…) and `fallback` are not here. */
export function isNoisePattern(name: string): name is NoisePattern {
  return readPattern(name) !== null;
}

/** The pattern's tokens. Throws on one that is not known. */
export function patternOf(name: NoisePattern): HandshakePattern {
  const pattern = readPattern(name);
  if (pattern === null) throw new RangeError(`no Noise pattern ${name} here`);
  return pattern;
}

function readPattern(name: string): HandshakePattern | null {
  const [, base = '', modifiers = ''] = /^([A-Z]+)((?:psk[0-4](?:\+psk[0-4])*)?)$/.exec(name) ?? [];
  if (!isFundamental(base)) return null;
  const fundamental: FundamentalPattern = FUNDAMENTAL[base];
  const places = modifiers === '' ? [] : modifiers.split('+').map((modifier) => Number(modifier.slice('psk'.length)));
  // The name is hashed: one spelling per protocol, in rising order (section 8.1).
  const isOneSpelling = places.every((place, at) => place <= fundamental.messages.length && place > (places[at - 1] ?? -1));
  if (!isOneSpelling) return null;
  return { known: fundamental.known, messages: withPsks(fundamental.messages, places), pskCount: places.length, isOneWay: base.length === 1 };
}
