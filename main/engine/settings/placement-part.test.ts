import { expect, it } from 'vitest';
import type { CameraId, RootId } from '../../../shared/model/ids.ts';
import { type PlacementCarrier, placementPart, type PlacementSetup } from './placement-part.ts';

const disk = (name: string) => ({ rootId: `disk-${name.repeat(12)}` as RootId, path: `/mnt/${name}` });
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(disk) as [ReturnType<typeof disk>, ReturnType<typeof disk>, ReturnType<typeof disk>, ReturnType<typeof disk>];
const cameras = ['cam-aaaaaaaaaaaa', 'cam-bbbbbbbbbbbb'] as CameraId[];

function home(setup: PlacementSetup, movingBytes = 0) {
  const taken: unknown[] = [];
  const carrier: PlacementCarrier = { setup: () => setup, movingBytes: () => Promise.resolve(movingBytes), take: (...what) => Promise.resolve(void taken.push(what)) };
  return { part: placementPart(carrier), taken };
}
const tiers = (disks: PlacementSetup['disks'], moveAfterDays: number | null = null): PlacementSetup => ({ placement: { mode: 'tiers', moveAfterDays }, disks, homes: {} });

it('a file of the same disks changes nothing, and one of others names those that are not here', async () => {
  const file = await home(tiers([a, b])).part.collect();
  const same = home(tiers([a, b]));
  const plan = await same.part.plan(file);
  expect(plan.changes).toEqual([]);
  await plan.apply();
  expect(same.taken).toEqual([]);
  const other = home(tiers([c]));
  expect((await other.part.plan(file)).changes.map(({ kind, sentence }) => [kind, sentence.slice(0, 31)])).toEqual([['keep', 'The disk that was at /mnt/a is '], ['keep', 'The disk that was at /mnt/b is ']]);
});

it('disks of the file take its order among themselves, one that is only here keeps its place, and what would move is said', async () => {
  const file = await home(tiers([b, d, a], 30)).part.collect();
  const here = home(tiers([a, c, b]), 250e9);
  const plan = await here.part.plan(file);
  expect(plan.changes.map(({ sentence }) => sentence)).toEqual([
    'Footage moves on to the next disk after 30 days.',
    'The disks are used in the order of the file: /mnt/b, then /mnt/c, then /mnt/a.',
    'Footage that is here then moves between the disks: about 250 GB, the oldest first.',
    'The disk that was at /mnt/d is not in use here. If you have it, add it under Storage, and choose its place there.',
  ]);
  expect(here.taken).toEqual([]);
  await plan.apply();
  await plan.undo();
  expect(here.taken).toEqual([[{ mode: 'tiers', moveAfterDays: 30 }, [b.rootId, c.rootId, a.rootId], {}], [{ mode: 'tiers', moveAfterDays: null }, [a.rootId, c.rootId, b.rootId], {}]]);
});

it('cameras go to the disks they have in the file, where those are here', async () => {
  const homes = { [cameras[0] as CameraId]: a.rootId, [cameras[1] as CameraId]: d.rootId };
  const file = await home({ placement: { mode: 'spread', moveAfterDays: null }, disks: [a, d], homes }).part.collect();
  const here = home({ placement: { mode: 'spread', moveAfterDays: null }, disks: [a, b], homes: { [cameras[0] as CameraId]: b.rootId } });
  const plan = await here.part.plan(file);
  expect(plan.changes[0]?.sentence).toBe('1 camera records to the disk it has in the file.');
  await plan.apply();
  expect(here.taken[0]).toEqual([{ mode: 'spread', moveAfterDays: null }, [a.rootId, b.rootId], { [cameras[0] as CameraId]: a.rootId }]);
});

it('what is not of this part refuses the file', async () => {
  for (const wrong of [null, {}, { mode: 'sideways', moveAfterDays: null, disks: [] }, { mode: 'tiers', moveAfterDays: -1, disks: [] }, { mode: 'tiers', moveAfterDays: null }]) {
    await expect(home(tiers([a])).part.plan(wrong)).rejects.toMatchObject({ kind: 'invalid-input' });
  }
});
