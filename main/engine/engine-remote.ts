/** Watching from away, connected: what is kept, the live part of the relay, and the homes this computer looks into (docs/design/relay.md). */
import type { Channel } from '../../shared/contract/channel.ts';
import type { CameraId } from '../../shared/model/ids.ts';
import type { Grants } from '../../shared/model/remote.ts';
import type { Base, StopStack } from './engine-base.ts';
import type { Recording } from './engine-recording.ts';
import type { MediaService } from './ports/media.ts';
import type { RemoteHomeParts, RemoteHomeService } from './relay/home-parts.ts';
import { nodeSuite } from './relay/node-suite.ts';
import { openDeviceStore } from './relay/stores/device-store.ts';
import { openHomeIdentity } from './relay/stores/home-identity.ts';
import { type HomesStore, openHomesStore } from './relay/stores/homes-store.ts';
import { openRelaySettings } from './relay/stores/relay-settings.ts';
import { openRemoteFile } from './relay/stores/remote-file.ts';
import { type RemotePart, remotePart } from './relay/stores/remote-part.ts';
import { RemoteDesk } from './remote-desk.ts';

export interface Remote {
  readonly remote: RemoteDesk;
  readonly homes: HomesStore;
  /** What a set-up takes along of it. */
  readonly remotePart: RemotePart;
}

export interface RemoteWiring {
  readonly create: (parts: RemoteHomeParts) => RemoteHomeService;
  /** Serves the contract until the channel closes, at each moment as far as the grants go then; null: the device was revoked. */
  readonly serve: (channel: Channel, device: { readonly id: string; readonly grants: () => Grants | null }, media: MediaService) => void;
}

/** Opens what is kept; `remote.start()` begins to dial. */
export async function openRemote(base: Base, { footage, previewStore }: Recording, { create, serve }: RemoteWiring, stops: StopStack): Promise<Remote> {
  const { clock, configDir, hub, registry, settings, vault: secrets } = base;
  const log = base.log.scoped('away');
  const file = await openRemoteFile(configDir, log);
  const devices = openDeviceStore({ file, secrets, suite: nodeSuite, clock });
  const homes = await openHomesStore({ configDir, secrets, suite: nodeSuite, clock, log });
  const samplePicture = async (): Promise<{ readonly cameraId: CameraId; readonly jpeg: Uint8Array } | null> => {
    for (const { id } of registry.list()) {
      const { item, bytes } = await previewStore.latest({ cameraId: id });
      if (item !== null) return { cameraId: id, jpeg: bytes };
    }
    return null;
  };
  const remote = new RemoteDesk({
    configDir, file, devices, clock, log,
    settings: openRelaySettings(file, clock),
    identity: openHomeIdentity({ file, secrets, suite: nodeSuite }),
    create: (parts) =>
      create({
        ...parts, clock, log,
        media: footage,
        hasSubStream: (cameraId) => registry.list().some((camera) => camera.id === cameraId && camera.streams.some(({ kind }) => kind === 'sub')),
        recordsSub: (cameraId) => registry.list().some((camera) => camera.id === cameraId && camera.recorded.includes('sub')),
        serve: (channel, { id }, media) => serve(channel, { id, grants: () => devices.get(id)?.grants ?? null }, media),
        homeName: () => settings.get().homeName,
        names: () => [settings.get().homeName, ...registry.list().map(({ name }) => name)],
        samplePicture,
      }),
    onChange: (state) => hub.tell('remote.changed', state),
    onReach: (reach) => hub.tell('reach.changed', reach),
  });
  const stopHearing = homes.onChange((list) => hub.tell('homes.changed', list));
  stops.push(async () => {
    stopHearing();
    await Promise.all([remote.stop(), homes.close()]);
  });
  return { remote, homes, remotePart: remotePart({ collect: () => remote.collect(), put: (setup) => remote.put(setup) }) };
}
