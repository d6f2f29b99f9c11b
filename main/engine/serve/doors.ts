/** The ways into a running engine besides the parent's ports: serve mode's listener, the one for other devices in the house, the terminal's socket. */
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import type { Channel } from '../../../shared/contract/channel.ts';
import type { ServeInit, ServingInfo } from '../../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../../shared/errors.ts';
import type { DoorsState } from '../../../shared/model/doors.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { openStaticFiles } from '../core/static-files.ts';
import { createAttempts } from './attempts.ts';
import { openCertificate, type ServeCertificate } from './certificate.ts';
import { HouseDoor } from './house-door.ts';
import { type Serving, startServing } from './http-server.ts';
import { openLocalDoor } from './local-socket.ts';
import { hostAndPort, houseAddresses, isLoopback } from './serve-address.ts';
import { openSignIn, type SignIn } from './sign-in.ts';

/** Time for the answer to reach whoever changed the password, before that session is over too. */
const SIGN_OUT_MS = 100;
/** IPv4 only: an address of the home's network, where IPv6 ones are reached from everywhere. */
const HOUSE_ADDRESS = '0.0.0.0';

export interface DoorParts {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChannel: (channel: Channel) => void;
  readonly onChange: (state: DoorsState) => void;
}

export interface Doors {
  readonly serving: ServingInfo | null;
  state(): DoorsState;
  /** Opens or closes the way in for other devices in the house. Rejects with `not-allowed` in the app, `conflict` without a password or where --listen decides, `port-in-use`. */
  setOpen(open: boolean): Promise<void>;
  /** Durable when it resolves; sessions that began with the old password end. Rejects with `not-allowed` in the app. */
  setPassword(password: string): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the terminal's socket, and serve mode's ports where they are wanted. Throws `port-in-use`, or `not-allowed` where a password is missing. */
export async function openDoors(parts: DoorParts, serve: ServeInit | null): Promise<Doors> {
  const ways = serve === null ? IN_THE_APP : await ServeDoors.open(parts, serve);
  try {
    const local = await openLocalDoor(parts.dataDir, parts.onChannel);
    return {
      serving: ways.serving,
      state: () => ways.state(),
      setOpen: (open) => ways.setOpen(open),
      setPassword: (password) => ways.setPassword(password),
      stop: async () => {
        await Promise.all([ways.stop(), local.stop()]);
      },
    };
  } catch (error) {
    await ways.stop();
    throw error;
  }
}

const APP_SENTENCE = 'The app is reached by nobody but this computer. Start Porchlight with --serve to open it in other browsers of the house.';

function refusedInApp(): Promise<never> {
  return Promise.reject(new PorchlightError('not-allowed', APP_SENTENCE));
}

/** The app listens on no network port. */
const IN_THE_APP: Doors = {
  serving: null,
  state: () => ({ kind: 'app', open: false, hasPassword: false, urls: [], fingerprint: null, sentence: APP_SENTENCE }),
  setOpen: (open) => (open ? refusedInApp() : Promise.resolve()),
  setPassword: refusedInApp,
  stop: () => Promise.resolve(),
};

/** Serve mode: the listener it was started with and, where that is for this computer only, the one for the house. */
class ServeDoors implements Doors {
  readonly serving: ServingInfo;
  readonly #parts: DoorParts;
  readonly #address: string;
  readonly #signIn: SignIn;
  readonly #main: Serving;
  /** Null where --listen lets other devices in already. */
  readonly #house: HouseDoor | null;
  #cancelSigningOut: () => void = () => undefined;

  private constructor(parts: DoorParts, address: string, signIn: SignIn, main: Serving, certificate: ServeCertificate | null, house: HouseDoor | null) {
    this.#parts = parts;
    this.#address = address;
    this.#signIn = signIn;
    this.#main = main;
    this.#house = house;
    this.serving = { url: main.url, port: main.port, fingerprint: certificate?.fingerprint ?? null };
  }

  static async open(parts: DoorParts, serve: ServeInit): Promise<ServeDoors> {
    const { dataDir, clock, log, onChannel, onChange } = parts;
    const configDir = path.join(dataDir, 'config');
    const signIn = await openSignIn(configDir, clock);
    // Setting it anew ends every session, and the supervisor says the same again after each restart.
    if (serve.password !== null && !(await signIn.isPassword(serve.password))) await signIn.setPassword(serve.password);
    const beyond = !isLoopback(serve.address);
    if (beyond && !signIn.hasPassword) {
      throw new PorchlightError('not-allowed', 'To be reached from other devices Porchlight needs a password. Start it once at a terminal, where it asks for one, or with --password-file FILE.');
    }
    const files = openStaticFiles(serve.pageDir);
    const listen = (address: string, port: number, tls: ServeCertificate | null): Promise<Serving> =>
      startServing({ address, port, tls, files, signIn, attempts: createAttempts(clock), log: log.scoped('serve'), onChannel });
    const certificate = beyond ? await openCertificate(configDir, clock) : null;
    const main = await listen(serve.address, serve.port, certificate);
    try {
      const house = beyond
        ? null
        : await HouseDoor.make({
            configDir,
            firstPort: serve.port === 0 ? 0 : serve.port + 1,
            certificate: () => openCertificate(configDir, clock),
            listen: async (port, shown) => {
              if (!signIn.hasPassword) throw new PorchlightError('conflict', 'Choose a password for other devices first.');
              return await listen(HOUSE_ADDRESS, port, shown);
            },
            onChange: () => onChange(doors.state()),
            clock,
            log,
          });
      const doors = new ServeDoors(parts, serve.address, signIn, main, certificate, house);
      await house?.start();
      return doors;
    } catch (error) {
      await main.stop();
      throw error;
    }
  }

  state(): DoorsState {
    const { hasPassword } = this.#signIn;
    const urlsAt = (address: string, { port }: Serving): readonly string[] => houseAddresses(address, networkInterfaces()).map((own) => `https://${hostAndPort(own, port)}/`);
    if (this.#house === null) {
      return { kind: 'listen', open: true, hasPassword, urls: urlsAt(this.#address, this.#main), fingerprint: this.serving.fingerprint, sentence: null };
    }
    const { serving, fingerprint, trouble } = this.#house;
    return { kind: 'switch', open: serving !== null, hasPassword, urls: serving === null ? [] : urlsAt(HOUSE_ADDRESS, serving), fingerprint, sentence: trouble };
  }

  async setOpen(open: boolean): Promise<void> {
    if (this.#house === null) {
      if (open) return;
      throw new PorchlightError('conflict', 'Porchlight was started with --listen, which lets other devices in. Start it without to close this.');
    }
    await this.#house.setOpen(open);
  }

  async setPassword(password: string): Promise<void> {
    await this.#signIn.setPassword(password);
    this.#cancelSigningOut();
    this.#cancelSigningOut = this.#parts.clock.after(SIGN_OUT_MS, () => this.#signOut());
    this.#parts.onChange(this.state());
  }

  async stop(): Promise<void> {
    this.#cancelSigningOut();
    await Promise.all([this.#house?.stop(), this.#main.stop()]);
  }

  #signOut(): void {
    this.#main.endStaleSessions();
    this.#house?.serving?.endStaleSessions();
  }
}
