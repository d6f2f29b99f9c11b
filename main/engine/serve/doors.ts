/** The ways into a running engine besides the parent's ports: serve mode's listener and the terminal's socket. */
import path from 'node:path';
import type { Channel } from '../../../shared/contract/channel.ts';
import type { ServeInit, ServingInfo } from '../../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { openStaticFiles } from '../core/static-files.ts';
import { createAttempts } from './attempts.ts';
import { openCertificate } from './certificate.ts';
import { startServing } from './http-server.ts';
import { openLocalDoor } from './local-socket.ts';
import { isLoopback } from './serve-address.ts';
import { openSignIn } from './sign-in.ts';

export interface DoorParts {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChannel: (channel: Channel) => void;
}

export interface Doors {
  readonly serving: ServingInfo | null;
  stop(): Promise<void>;
}

/** Opens the terminal's socket, and serve mode's port where it is wanted. Throws `port-in-use`, or `not-allowed` where a password is missing. */
export async function openDoors(parts: DoorParts, serve: ServeInit | null): Promise<Doors> {
  const serving = serve === null ? null : await openServe(parts, serve);
  try {
    const local = await openLocalDoor(parts.dataDir, parts.onChannel);
    return {
      serving: serving?.info ?? null,
      stop: async () => {
        await Promise.all([serving?.stop(), local.stop()]);
      },
    };
  } catch (error) {
    await serving?.stop();
    throw error;
  }
}

async function openServe({ dataDir, clock, log, onChannel }: DoorParts, serve: ServeInit): Promise<{ readonly info: ServingInfo; stop(): Promise<void> }> {
  const configDir = path.join(dataDir, 'config');
  const signIn = await openSignIn(configDir, clock);
  // Setting it anew ends every session, and the supervisor says the same again after each restart.
  if (serve.password !== null && !(await signIn.isPassword(serve.password))) await signIn.setPassword(serve.password);
  const beyond = !isLoopback(serve.address);
  if (beyond && !signIn.hasPassword) {
    throw new PorchlightError('not-allowed', 'To be reached from other devices Porchlight needs a password. Start it once at a terminal, where it asks for one, or with --password-file FILE.');
  }
  const certificate = beyond ? await openCertificate(configDir, clock) : null;
  const serving = await startServing({
    address: serve.address,
    port: serve.port,
    tls: certificate,
    files: openStaticFiles(serve.pageDir),
    signIn,
    attempts: createAttempts(clock),
    log: log.scoped('serve'),
    onChannel,
  });
  return { info: { url: serving.url, port: serving.port, fingerprint: certificate?.fingerprint ?? null }, stop: () => serving.stop() };
}
