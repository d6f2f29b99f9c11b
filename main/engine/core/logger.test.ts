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

  it.each([
    ['one long word', 'a'.repeat(1_000_000)],
    ['a word of schemes', 'a://'.repeat(250_000)],
    ['a word of fields', 'password='.repeat(100_000)],
    ['a field and white space', `password${' '.repeat(1_000_000)}`],
  ])('cuts %s', (_, hostile) => {
    const text = redactSecrets(hostile);
    expect(text.length).toBeLessThanOrEqual(8_192);
    expect(text).toMatch(/… \(cut\)$/);
  });

  it('tells nothing of a login that the cut goes through', () => {
    const text = redactSecrets(`${' '.repeat(8_150)}rtsp://anna:geheim${'m'.repeat(100)}@10.0.0.9/`);
    expect(text).toContain('rtsp://***');
    expect(text).not.toContain('geheim');
    expect(text).not.toContain('anna');
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
