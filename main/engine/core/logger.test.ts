import { describe, expect, it } from 'vitest';
import { createLogger, type LogEntry, redactSecrets } from './logger.ts';

describe('redactSecrets', () => {
  it.each([
    ['rtsp://anna:geheim@10.0.0.9/stream1 failed', 'rtsp://***@10.0.0.9/stream1 failed'],
    ['rtsp://anna:p@ss/w:rd@10.0.0.9:554/a?b=c', 'rtsp://***@10.0.0.9:554/a?b=c'],
    ["file 'rtsps://u:pä§@[fe80::1]/x'", "file 'rtsps://***@[fe80::1]/x'"],
    ['{"password":"geheim","name":"x"}', '{"password":"***","name":"x"}'],
    ['GET /snap?user=a&pwd=geheim&x=1', 'GET /snap?user=a&pwd=***&x=1'],
    ['no secrets here: http://10.0.0.9/onvif', 'no secrets here: http://10.0.0.9/onvif'],
  ])('%s', (text, expected) => {
    expect(redactSecrets(text)).toBe(expected);
  });
});

it('writes the chain of causes, without secrets, under the scope', () => {
  const lines: LogEntry[] = [];
  createLogger((entry) => lines.push(entry))
    .scoped('recorder')
    .scoped('main')
    .warn('session ended', new Error('rtsp://u:p@h/ gone', { cause: 'EPIPE' }));
  expect(lines).toEqual([{ level: 'warn', scope: 'recorder/main', message: 'session ended: Error: rtsp://***@h/ gone <- EPIPE' }]);
});
