/** What every part of the engine stands on: lock, log, settings, cameras, index, disks, and the order in which all of it is given back. */
import path from 'node:path';
import type { AppInfo } from '../../shared/contract/engine-api.ts';
import type { EngineInit, ParentLink, ServingInfo } from '../../shared/contract/engine-process.ts';
import { PorchlightError } from '../../shared/errors.ts';
import type { BrokenRule } from '../../shared/model/storage-rules.ts';
import { type CameraRegistry, openRegistry } from './cameras/registry.ts';
import { openOwnerOnlySecrets } from './cameras/secret-store.ts';
import type { Clock } from './core/clock.ts';
import { EventHub } from './core/event-hub.ts';
import { createLogger, type Logger } from './core/logger.ts';
import { FfmpegState } from './ffmpeg-state.ts';
import type { Ingest } from './ports/ingest.ts';
import { lockDataFolder } from './process/data-lock.ts';
import { DataSpace } from './process/data-space.ts';
import { openLogFile } from './process/log-file.ts';
import { keyringBox } from './process/secret-box.ts';
import { createIngest } from './recorder/ingest-host.ts';
import { firstRules, openRules, type RulesStore } from './settings/rules-store.ts';
import { openSealedSecrets, type SealedSecrets } from './settings/sealed-secrets.ts';
import { mendSetup } from './settings/mend-setup.ts';
import { openSettings, type SettingsStore } from './settings/settings-store.ts';
import { undoCutImport } from './settings/setup-backup.ts';
import { type Archive, openArchive } from './storage/archive.ts';
import { makeFolder } from './storage/root.ts';

export type EndReason = 'owner' | 'computer' | 'orphaned' | 'failed';

/** What was started, to be stopped in the opposite order. */
export class StopStack {
  readonly #stops: ((reason: EndReason) => Promise<unknown> | void)[] = [];
  #running: Promise<void> | null = null;
  log: Logger | null = null;

  push(stop: (reason: EndReason) => Promise<unknown> | void): void {
    this.#stops.push(stop);
  }

  run(reason: EndReason): Promise<void> {
    this.#running ??= (async () => {
      for (const stop of this.#stops.splice(0).toReversed()) {
        try {
          await stop(reason);
        } catch (error) {
          this.log?.error('something did not stop in order', error);
        }
      }
    })();
    return this.#running;
  }
}

export interface Base {
  readonly init: EngineInit;
  readonly clock: Clock;
  readonly log: Logger;
  readonly configDir: string;
  readonly hub: EventHub;
  readonly settings: SettingsStore;
  readonly registry: CameraRegistry;
  readonly archive: Archive;
  readonly rules: RulesStore;
  readonly ffmpeg: FfmpegState;
  readonly ingest: Ingest;
  readonly secrets: AppInfo['secrets'];
  /** Where passwords and keys are sealed. */
  readonly vault: SealedSecrets;
  readonly dataSpace: DataSpace;
  /** Sentences about files of the set-up that could not be read at the start. */
  readonly setupWarnings: readonly string[];
}

/** Lock, log, settings, cameras, index: what everything else stands on. */
export async function openBase(init: EngineInit, link: ParentLink | null, clock: Clock, stops: StopStack): Promise<Base> {
  // Names that survive a power cut: what is confirmed lies under them.
  const configDir = path.join(init.dataDir, 'config');
  for (const folder of [init.dataDir, configDir]) await makeFolder(path.resolve(folder), 0o700);
  const lock = await lockDataFolder(init.dataDir);
  stops.push(() => lock.release());
  const logFile = await openLogFile(path.join(init.dataDir, 'logs'), clock);
  stops.push(() => logFile.close());
  const log = createLogger(logFile.sink);
  stops.log = log;
  log.info(`Porchlight ${init.version} starts (${init.mode}${init.demo ? ', demo' : ''})`);
  await undoCutImport(configDir, log);
  const setupWarnings = await mendSetup(configDir, log);
  const settings = await openSettings(configDir, log);
  const ffmpeg = new FfmpegState({ dataDir: init.dataDir, binDir: init.binDir, setting: () => settings.get().ffmpegPath, log: log.scoped('ffmpeg') });
  const looking = ffmpeg.recall();
  const inKeyring = init.secrets === 'shell' && link !== null;
  const secrets = inKeyring ? await openSealedSecrets(configDir, keyringBox(link)) : await openOwnerOnlySecrets(configDir);
  const registry = await openRegistry({ clock, log: log.scoped('cameras'), folder: configDir, secrets });
  stops.push(() => registry.close());
  // Its thread loads while the index is opened; it records nothing before it is told to.
  const ingest = createIngest({ clock, logger: log });
  stops.push(() => ingest.stop());
  const archive = await openArchive({ dataDir: init.dataDir, clock, logger: log.scoped('storage') });
  stops.push(() => archive.close());
  await addFirstRoot(archive, init.mediaDir, log);
  const disk = archive.roots.conditions()[0] ?? { diskBytes: 0, freeBytes: 0 };
  const rules = await openRules(configDir, () => firstRules(disk), log);
  // An unknown ffmpeg is checked before it is used; a known one is checked beside recording (engine-upkeep.ts).
  if (!(await looking)) await ffmpeg.refresh();
  return { init, clock, log, configDir, hub: new EventHub(log), settings, registry, archive, rules, ffmpeg, ingest, secrets: inKeyring ? 'keyring' : 'owner-only-file', vault: secrets, dataSpace: new DataSpace(init.dataDir), setupWarnings };
}

/** A new installation records to the given folder; one that cannot be used leaves the engine running, to say so. */
async function addFirstRoot(archive: Archive, mediaDir: string, log: Logger): Promise<void> {
  if (archive.roots.list().length > 0) return;
  try {
    await archive.roots.add(mediaDir);
  } catch (error) {
    if (!(error instanceof PorchlightError)) throw error;
    log.error('there is no place for footage', error);
  }
}

/** `app.info`: what the program is, and what is wrong with the whole of it. */
export function describeApp({ init, clock, archive, ffmpeg, registry, secrets, dataSpace, setupWarnings }: Base, serving: ServingInfo | null, broken: readonly BrokenRule[]): AppInfo {
  const disks = archive.roots.conditions().flatMap((root) => (root.problem === null ? [] : [{ kind: root.state, sentence: root.problem }]));
  const noDisk = archive.roots.list().length > 0 ? [] : [{ kind: 'disk-missing', sentence: `There is no place for footage: the folder ${init.mediaDir} could not be used. Choose another one under Storage.` }];
  const rebuilding = archive.rebuilding ? [{ kind: 'rebuilding', sentence: 'The index of footage is being built anew from the disks. Older footage comes back bit by bit; recording goes on.' }] : [];
  const found = ffmpeg.found;
  return {
    version: init.version,
    mode: init.mode,
    demo: init.demo,
    nowMs: clock.nowMs(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    platform: process.platform,
    dataDir: init.dataDir,
    ffmpeg: found === null ? null : { path: found.ffmpegPath, version: found.version, source: found.from },
    secrets,
    ...(serving?.fingerprint === null || serving?.fingerprint === undefined ? {} : { certificateFingerprint: serving.fingerprint }),
    warnings: [
      ...(ffmpeg.problem === null ? [] : [{ kind: ffmpeg.problem.kind, sentence: ffmpeg.problem.message }]),
      ...noDisk,
      ...disks,
      ...rebuilding,
      ...(dataSpace.problem === null ? [] : [{ kind: 'data-full', sentence: dataSpace.problem }]),
      ...brokenRules(broken),
      ...setupWarnings.map((sentence) => ({ kind: 'set-up', sentence })),
      ...registry.warnings.map((sentence) => ({ kind: 'cameras', sentence })),
    ],
  };
}

/** One rule in its own words; of several, Storage has the words. */
function brokenRules(broken: readonly BrokenRule[]): AppInfo['warnings'] {
  const [first] = broken;
  if (first === undefined) return [];
  return [broken.length === 1 ? { kind: `rule-${first.rule}`, sentence: first.sentence } : { kind: 'rules', sentence: `${broken.length} of your rules about footage cannot be kept. Storage says which, and why.` }];
}
