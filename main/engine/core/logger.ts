/** The log: one line each, for the engineer who looks for a cause. Secrets are taken out on the way in. */
import { describeError } from '../../../shared/errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  readonly scope: string;
  readonly message: string;
}

export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  /** `cause` is written as its chain of causes. */
  warn(message: string, cause?: unknown): void;
  error(message: string, cause?: unknown): void;
  /** A logger whose lines name a part of the program. */
  scoped(scope: string): Logger;
}

export type LogSink = (entry: LogEntry) => void;

export function createLogger(sink: LogSink, scope = ''): Logger {
  const write = (level: LogLevel, message: string, cause?: unknown): void => {
    const text = cause === undefined ? message : `${message}: ${describeError(cause)}`;
    sink({ level, scope, message: redactSecrets(text) });
  };
  return {
    debug: (message) => write('debug', message),
    info: (message) => write('info', message),
    warn: (message, cause) => write('warn', message, cause),
    error: (message, cause) => write('error', message, cause),
    scoped: (inner) => createLogger(sink, scope === '' ? inner : `${scope}/${inner}`),
  };
}

export const silentLogger: Logger = createLogger(() => undefined);

/** Signs of a text that are written at most: what cameras and ffmpeg say may be of any length. */
const LONGEST = 8_192;
const CUT = ' … (cut)';
/** A URL whose end was cut off: whether an `@` would have followed is not known any more. */
const UNFINISHED_URL = /:\/\/[^\s'"<>]*$/;

/**
 * Takes user information out of URLs (any scheme) and the values of password-like fields out of text, and cuts it to 8 kB.
 * A password may itself hold `@` or `/`, so the last `@` before white space or a quote ends it. The length and the
 * bounded scheme keep hostile text from taking time that grows with its square.
 */
export function redactSecrets(text: string): string {
  const kept = text.length <= LONGEST ? text : text.slice(0, LONGEST - CUT.length).replace(UNFINISHED_URL, '://***');
  const clean = kept
    .replace(/([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s'"<>]*@/gi, '$1***@')
    .replace(/((?:password|passwd|pwd|token|secret)["']?\s*[=:]\s*["']?)[^\s"'&,}]+/gi, '$1***');
  return kept === text ? clean : `${clean}${CUT}`;
}
