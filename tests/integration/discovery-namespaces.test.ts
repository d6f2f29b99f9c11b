/** The search on a computer with two networks, in network namespaces of its own: real interfaces, the real port, no default route. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { DiscoveryState } from '../../shared/model/discovery.ts';

const CHILD = fileURLToPath(new URL('discovery-child.ts', import.meta.url));
const TAG = `pl${process.pid.toString(36)}`;
const NVR = `${TAG}n`;
const CAMERAS = [
  { name: `${TAG}a`, net: '10.201.1' },
  { name: `${TAG}b`, net: '10.201.2' },
] as const;
const children: ChildProcess[] = [];
const made: string[] = [];

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Null when the lab stands, else why it cannot be built here. */
function buildLab(): string | null {
  try {
    for (const name of [NVR, ...CAMERAS.map((camera) => camera.name)]) {
      ip('netns', 'add', name);
      made.push(name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    for (const [index, { name, net }] of CAMERAS.entries()) {
      ip('link', 'add', 'eth0', 'netns', name, 'type', 'veth', 'peer', 'name', `lan${index}`, 'netns', NVR);
      for (const [space, device, host] of [[name, 'eth0', 9], [NVR, `lan${index}`, 2]] as const) {
        ip('-n', space, 'addr', 'add', `${net}.${host}/24`, 'dev', device);
        ip('-n', space, 'link', 'set', device, 'up');
      }
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error);
  }
}

afterAll(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  for (const name of made) ip('netns', 'del', name);
});

describe('a computer on two networks', () => {
  it('finds the camera of each, without a route for multicast', async (context) => {
    const problem = buildLab();
    if (problem !== null && process.env.CI_REQUIRE_NETNS === '1') throw new Error(problem);
    if (problem !== null) context.skip(`network namespaces cannot be made here: ${problem}`);
    for (const { name, net } of CAMERAS) {
      const child = spawn('ip', ['netns', 'exec', name, process.execPath, CHILD, 'camera', `${net}.9`, name], { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
    }
    // The kernel raises a new link a moment after it was asked to.
    await expect.poll(() => execFileSync('ip', ['-n', NVR, '-br', 'link'], { encoding: 'utf8' }).match(/^lan\d\S*\s+UP\b/gm)?.length, { timeout: 5000 }).toBe(2);
    const output = execFileSync('ip', ['netns', 'exec', NVR, process.execPath, CHILD, 'search'], { encoding: 'utf8', timeout: 20_000 });
    const state = JSON.parse(output) as DiscoveryState;
    expect(state.found.map((found) => [found.identity, found.deviceUrls[0]])).toEqual(CAMERAS.map(({ name, net }) => [name, `http://${net}.9/onvif/device_service`]));
    expect(state.interfaces.map((one) => [one.name, one.problem])).toEqual([['lan0', null], ['lan1', null]]);
  });

  it('names the one that is down, and still searches the other', (context) => {
    if (made.length === 0) context.skip('network namespaces cannot be made here');
    ip('-n', NVR, 'link', 'set', 'lan0', 'down');
    const state = JSON.parse(execFileSync('ip', ['netns', 'exec', NVR, process.execPath, CHILD, 'search'], { encoding: 'utf8', timeout: 20_000 })) as DiscoveryState;
    expect(state.found.map((found) => found.identity)).toEqual([CAMERAS[1].name]);
    // A network that is down has no address to search from, or says that it cannot be reached.
    expect(state.interfaces.filter((one) => one.name === 'lan0').every((one) => one.problem !== null)).toBe(true);
  });
});
