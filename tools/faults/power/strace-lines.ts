/** Owns the reading of strace's text: one record per system call, from its first line to its last, however the lines of threads are interleaved. */

/** A finished call. `enter` and `exit` are places in the trace: what happened before `enter` was over when the call began. */
export interface SystemCall {
  readonly tid: number;
  readonly name: string;
  /** As printed; strings and paths still hexadecimal (`callString`, `callFd`). */
  readonly args: readonly string[];
  readonly result: number;
  /** As printed after the result: an open file's path, `ENOENT`, … */
  readonly resultText: string;
  readonly enter: number;
  readonly exit: number;
  /** Wall clock at the call's end, milliseconds since 1970. */
  readonly timeMs: number;
}

interface Unfinished {
  readonly text: string;
  readonly enter: number;
}

const LINE = /^(\d+)\s+(\d+\.\d+)\s+(.*)$/s;
const CALL = /^(\w+)\((.*)\)\s+=\s+(-?\d+|\?)(.*)$/s;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/s;
const UNFINISHED = ' <unfinished ...>';

/**
 * Puts the lines of `strace -f -ttt -y -xx` together. `next` takes a line and gives the call that it finishes, or null;
 * `left` are calls that never came back: their thread was killed in them.
 */
export class StraceLines {
  readonly #unfinished = new Map<number, Unfinished>();
  #at: number;
  /** Lines that are no call and no known remark: a trace of another format. */
  readonly strange: string[] = [];

  /** `from`: the place of the first line, after those of an earlier trace. */
  constructor(from: number) {
    this.#at = from;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#unfinished.size;
  }

  next(line: string): SystemCall | null {
    const match = LINE.exec(line);
    if (match === null) {
      if (line !== '') this.strange.push(line.slice(0, 200));
      return null;
    }
    this.#at += 1;
    const [, tidText = '', seconds = '', body = ''] = match;
    const tid = Number(tidText);
    if (body.startsWith('+++') || body.startsWith('---')) return null;
    if (body.endsWith(UNFINISHED)) {
      this.#unfinished.set(tid, { text: body.slice(0, -UNFINISHED.length), enter: this.#at });
      return null;
    }
    const resumed = RESUMED.exec(body);
    const begun = resumed === null ? null : this.#unfinished.get(tid);
    if (begun === undefined) {
      this.strange.push(line.slice(0, 200));
      return null;
    }
    if (begun !== null) this.#unfinished.delete(tid);
    const text = begun === null ? body : begun.text + (resumed?.[2] ?? '');
    return this.#call(tid, Number(seconds) * 1_000, text, begun?.enter ?? this.#at);
  }

  #call(tid: number, timeMs: number, text: string, enter: number): SystemCall | null {
    const match = CALL.exec(text);
    if (match === null) {
      this.strange.push(text.slice(0, 200));
      return null;
    }
    const [, name = '', args = '', result = '', resultText = ''] = match;
    return { tid, name, args: splitArguments(args), result: result === '?' ? Number.NaN : Number(result), resultText: resultText.trim(), enter, exit: this.#at, timeMs };
  }
}

/** Splits at commas outside of brackets; strings are hexadecimal and hold none. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 0x5b || char === 0x7b || char === 0x28) depth += 1;
    else if (char === 0x5d || char === 0x7d || char === 0x29) depth -= 1;
    else if (char === 0x22) at = text.indexOf('"', at + 1);
    else if (char === 0x2c && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  if (text.length > 0) parts.push(text.slice(from).trim());
  return parts;
}

/** The bytes of a printed string. Throws where strace cut it short: what is missing there is missing from every world. */
export function callBytes(argument: string): Buffer {
  if (!argument.startsWith('"') || !argument.endsWith('"')) throw new Error(`no whole string: ${argument.slice(0, 40)}…${argument.slice(-10)}`);
  return Buffer.from(argument.slice(1, -1).replaceAll('\\x', ''), 'hex');
}

/** The text of a printed path. */
export function callString(argument: string): string {
  return callBytes(argument).toString('utf8');
}

/** The bytes of a printed iovec array, joined. */
export function callVector(argument: string): Buffer {
  return Buffer.concat([...argument.matchAll(/iov_base=("[^"]*"(?:\.\.\.)?)/g)].map(([, text = '']) => callBytes(text)));
}

/** A printed descriptor: its number, and the path it was open at by then. */
export function callFd(argument: string): { readonly fd: number; readonly path: string | null } {
  const match = /^(-?\d+|AT_FDCWD)(?:<([^>]*)>)?/.exec(argument);
  if (match === null) return { fd: -1, path: null };
  const [, number = '', hex] = match;
  return { fd: number === 'AT_FDCWD' ? -100 : Number(number), path: hex === undefined ? null : Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString('utf8') };
}
