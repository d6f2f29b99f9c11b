/** The relay as a program (docs/guide/relay.md): reads its options, starts, prints where it listens, leaves in order. */
import { readFileSync } from 'node:fs';
import { PorchlightError } from '../shared/errors.ts';
import { parseConfig, type RelayConfig, USAGE } from './config.ts';
import { type Certificate, type RunningRelay, startRelay } from './server.ts';

const say = (sentence: string): boolean => process.stdout.write(`${sentence}\n`);
const complain = (sentence: string): boolean => process.stderr.write(`${sentence}\n`);

function sentenceOf(error: unknown): string {
  return error instanceof PorchlightError ? error.message : `The relay has a fault: ${error instanceof Error ? (error.stack ?? error.name) : 'unknown'}`;
}

function readCertificate(tls: NonNullable<RelayConfig['tls']>): Certificate {
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw new PorchlightError('not-found', `${file} cannot be read. Check the path and that this user may read it.`, error);
    }
  };
  return { cert: read(tls.certFile), key: read(tls.keyFile) };
}

async function start(config: RelayConfig): Promise<RunningRelay> {
  const { tls, ...options } = config;
  const relay = await startRelay({ ...options, tls: tls === null ? null : readCertificate(tls) });
  const where = config.address === null ? `on port ${relay.port} of every address of this computer, here as` : 'at';
  say(`The relay listens ${where} ${relay.url}${tls === null ? ' (without TLS: fine on this computer or behind a balancer that ends TLS)' : ''}`);
  if (relay.metricsPort !== null) say(`Counters: http://${options.metricsAddress}:${relay.metricsPort}/metrics`);
  return relay;
}

function obeySignals(relay: RunningRelay, config: RelayConfig): void {
  let isLeaving = false;
  const leave = (): void => {
    // Asked twice: at once.
    if (isLeaving) process.exit(1);
    isLeaving = true;
    say('Leaving: homes are told to come back.');
    relay.stop(config.drainMs).then(
      () => process.exit(0),
      (error: unknown) => {
        complain(sentenceOf(error));
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', leave);
  process.on('SIGINT', leave);
  process.on('SIGHUP', () => {
    const { tls } = config;
    if (tls === null) return;
    try {
      relay.useCertificate(readCertificate(tls));
      say('The certificate was read again.');
    } catch (error) {
      complain(`The old certificate stays in use. ${sentenceOf(error)}`);
    }
  });
}

try {
  const config = parseConfig(process.argv.slice(2));
  if (config === 'help') say(USAGE);
  else obeySignals(await start(config), config);
} catch (error) {
  complain(sentenceOf(error));
  const isUsage = error instanceof PorchlightError && error.kind === 'invalid-input';
  if (isUsage) complain('npm run relay -- --help lists the options.');
  process.exit(isUsage ? 2 : 1);
}
