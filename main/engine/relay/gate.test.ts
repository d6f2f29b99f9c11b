/** The gate against an engine whose Access lies, against changing grants, and against itself with each of its looks taken out. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChannelMessage } from '../../../shared/contract/channel.ts';
import { decodeFrame } from '../../../shared/contract/frame.ts';
import type { EngineHead } from '../../../shared/contract/envelope.ts';
import { columnsOf, encodeColumns } from '../../../shared/contract/timeline-columns.ts';
import { type CameraId, cameraIdFrom } from '../../../shared/model/ids.ts';
import { type Grants, type Right, RIGHTS } from '../../../shared/model/remote.ts';
import { cameraNumber } from '../../../shared/relay/derive.ts';
import type { Outgoing } from '../../../shared/relay/session-types.ts';
import { forceUnwrap } from '../../../shared/result.ts';
import * as gateModule from './gate.ts';
import { nodeSuite } from './node-suite.ts';
import { utf8 } from './line-text.ts';
import { randomOf } from './testing/random.ts';

type GateModule = typeof gateModule;

const CAMERAS: readonly CameraId[] = Array.from({ length: 4 }, (_, at) => cameraIdFrom(new Uint8Array(12).fill(at + 1)));
const [A, B] = CAMERAS as readonly [CameraId, CameraId];
const NO_COLUMNS = columnsOf({ spans: [], gaps: [], events: [] });
const NOW_MS = 1_800_000_000_000;

const grantsOf = (rights: Readonly<Record<string, readonly Right[]>>, untilMs: number | null = null): Grants => ({ cameras: Object.entries(rights).map(([cameraId, list]) => ({ cameraId: cameraId as CameraId, rights: list })), untilMs });

interface Rig {
  readonly gate: gateModule.Gate;
  readonly sent: Outgoing[];
  grants: Grants | null;
  nowMs: number;
  tell(head: unknown, payload?: Uint8Array | null): gateModule.Verdict;
}

function rigOf(module: GateModule, grants: Grants | null): Rig {
  const sent: Outgoing[] = [];
  const session = { sendSealed: (outgoing: Outgoing) => sent.push(outgoing) > 0 };
  const rig: Rig = {
    gate: new module.Gate({ session, grants: () => rig.grants, nowMs: () => rig.nowMs }),
    sent,
    grants,
    nowMs: NOW_MS,
    tell(head, payload = null) {
      const verdict = rig.gate.judge({ head, payload });
      const pass = verdict.pass ?? verdict.instead;
      if (pass !== null) module.seal(session, pass);
      return verdict;
    },
  };
  return rig;
}

const ask = (rig: Rig, id: number, name: string, input: unknown): void => {
  const head = { type: 'request', id, name, input } as const;
  rig.gate.watch(head);
  rig.gate.recorded(head);
};
const open = (rig: Rig, stream: number, name: 'live' | 'playback', cameraId: CameraId): void => {
  const head = { type: 'open', stream, name, input: { cameraId, stream: 'best', fromMs: 5, seekId: 1 }, credits: 9 } as const;
  rig.gate.watch(head);
  rig.gate.recorded(head);
};
const gapChunk = { kind: 'gap', seekId: 1, startMs: 1, endMs: 2, cause: null } as const;
const headsOf = (rig: Rig): EngineHead[] => rig.sent.map(({ frame }) => decodeFrame(frame, utf8).head as EngineHead);

/** What may leave, said once more and differently: rights by camera id found in the text of a head, or by what a stream was opened for. */
function leaksIn(rig: Rig, streams: ReadonlyMap<number, { readonly name: Right; readonly cameraId: CameraId }>, questions: ReadonlyMap<number, { readonly need: readonly Right[]; readonly cameraIds: readonly CameraId[] }>): number {
  const may = (cameraId: string, need: readonly Right[]): boolean => {
    if (rig.grants === null || (rig.grants.untilMs !== null && rig.nowMs >= rig.grants.untilMs)) return false;
    const rights = rig.grants.cameras.find((one) => one.cameraId === cameraId)?.rights ?? [];
    return need.length === 0 ? rights.length > 0 : need.some((right) => rights.includes(right));
  };
  let leaks = 0;
  for (const { frame } of rig.sent) {
    const { head, payload } = decodeFrame(frame, utf8) as ChannelMessage & { head: EngineHead };
    const named = CAMERAS.filter((id) => JSON.stringify(head).includes(id));
    if (rig.grants === null || named.some((id) => !may(id, []))) leaks += 1;
    else if (head.type === 'chunk') {
      const stream = streams.get(head.stream);
      if (stream === undefined || !may(stream.cameraId, [stream.name])) leaks += 1;
    } else if (head.type === 'result') {
      const question = questions.get(head.id);
      const about = [...named, ...(question?.cameraIds ?? [])];
      if (question === undefined || about.some((id) => !may(id, question.need))) leaks += 1;
      else if (payload !== null && question.cameraIds.length === 0) leaks += 1;
    }
  }
  return leaks;
}

const QUESTIONS = ['cameras.list', 'timeline.get', 'timeline.drawn', 'events.list', 'previews.at', 'previews.latest', 'storage.summary', 'footage.locate', 'remote.log', 'homes.keys', 'cameras.snapshot', 'constructor'] as const;
const NEEDS: Readonly<Record<string, readonly Right[] | undefined>> = {
  'cameras.list': [], 'timeline.get': ['playback', 'previews'], 'timeline.drawn': ['playback', 'previews'], 'events.list': ['playback', 'previews'], 'previews.at': ['previews'], 'previews.latest': ['previews', 'live'],
};

/** Random sessions with an engine that answers anything about any camera, while the owner changes the grants. How many messages leaked. */
function trial(module: GateModule, seed: number): number {
  const random = randomOf(seed);
  const one = <T>(list: readonly T[]): T => forceUnwrap('it is not empty', list[Math.floor(random() * list.length)]);
  const some = <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.5);
  const anyGrants = (): Grants | null => (random() < 0.1 ? null : { cameras: some(CAMERAS).map((cameraId) => ({ cameraId, rights: some(RIGHTS) })), untilMs: random() < 0.3 ? NOW_MS + Math.floor(random() * 20) : null });
  const rig = rigOf(module, anyGrants());
  const streams = new Map<number, { name: Right; cameraId: CameraId }>();
  const questions = new Map<number, { need: readonly Right[]; cameraIds: readonly CameraId[] }>();
  let leaks = 0;
  for (let step = 1; step <= 40; step += 1) {
    rig.sent.length = 0;
    const [cameraId, other] = [one(CAMERAS), one(CAMERAS)];
    const what = random();
    if (what < 0.1) rig.grants = anyGrants();
    else if (what < 0.15) rig.nowMs += Math.floor(random() * 10);
    else if (what < 0.3) {
      const name = random() < 0.5 ? 'live' : 'playback';
      open(rig, step, name, cameraId);
      streams.set(step, { name, cameraId });
    } else if (what < 0.6) {
      const stream = random() < 0.1 ? 999 : one([...streams.keys(), 1]);
      rig.tell({ type: 'chunk', stream, chunk: random() < 0.2 ? { ...gapChunk, note: other } : gapChunk });
    } else if (what < 0.7) {
      rig.tell({ type: 'event', name: one(['camera.status', 'timeline.changed', 'storage.changed', 'remote.changed', 'toString']), value: { cameraId, cameraIds: some(CAMERAS) } });
    } else {
      const name = one(QUESTIONS);
      const cameraIds = name === 'cameras.list' ? [] : name.startsWith('previews') ? [cameraId] : some(CAMERAS);
      ask(rig, step, name, name.startsWith('previews') ? { cameraId, atMs: 1 } : name === 'cameras.list' ? {} : { cameraIds, startMs: 1, endMs: 2 });
      const need = Object.hasOwn(NEEDS, name) ? NEEDS[name] : undefined;
      if (need !== undefined) questions.set(step, { need, cameraIds });
      const answer = one([{ cameraIds }, { cameras: CAMERAS.map((id) => ({ camera: { id } })) }, { cameraIds: [other] }, [{ deep: [{ id: other }] }], {}]);
      rig.tell({ type: random() < 0.1 ? 'failure' : 'result', id: step, value: answer, error: { kind: 'internal', sentence: `about ${other}` } }, name.startsWith('previews') ? Uint8Array.of(1) : null);
    }
    leaks += leaksIn(rig, streams, questions);
  }
  return leaks;
}

const TRIALS = 200;
const leaksOf = (module: GateModule): number => Array.from({ length: TRIALS }, (_, seed) => trial(module, seed)).reduce((sum, leaks) => sum + leaks, 0);

describe('whatever an engine answers', () => {
  test('nothing leaves of a camera without its right, while grants change and end', () => {
    expect(leaksOf(gateModule)).toBe(0);
  });

  describe('the same trials find the leak of a gate', () => {
    let folder = '';
    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'porchlight-gate-'));
    });
    afterAll(async () => await rm(folder, { recursive: true, force: true }));

    test.each([
      ['that looks at no rights of an answer', '.filter((id) => !this.#granted(id, rule.anyOf));\n    const why = hidden.length > 0 ? \'cameras without the right\' : (rule.refuse?.(head.value', '.filter(() => false);\n    const why = hidden.length > 0 ? \'cameras without the right\' : (rule.refuse?.(head.value'],
      ['that takes any answer for asked', 'if (rule === null) return refuse(`an answer', 'if (rule === null) return this.#letOut(message, { kind: \'control\' }, 0, [], []);\n    if (rule === null) return refuse(`an answer'],
      ['that looks at no rights of a picture', 'if (!this.#granted(cameraId, [name])) return stop(', 'if (false) return stop('],
      ['that looks at no rights of an event', 'const hidden = named.filter((id) => !this.#granted(id, rule.anyOf));', 'const hidden = named.filter(() => false);'],
      ['that lets a failure name anybody', 'const hidden = [...named].filter((id) => !this.#granted(id, []));', 'const hidden = [...named].filter(() => false);'],
      ['that lets a picture name another camera', 'if (foreign.length > 0) return stop(`${name} that names another camera`);', ''],
    ])('%s', async (_, from, to) => {
      const source = await readFile(path.join(import.meta.dirname, 'gate.ts'), 'utf8');
      expect(source.split(from)).toHaveLength(2);
      const base = pathToFileURL(`${import.meta.dirname}/`);
      const mutant = source
        .replace(from, to)
        // The second look, when the pass is used, would hide that the first is gone.
        .replace('return pass.#holds() ? outgoing : null;', 'return outgoing;')
        .replace('if (!holds()) return refuse(', 'if (!this.#inForce()) return refuse(')
        .replaceAll(/from '(\.[^']+)'/g, (_match, target: string) => `from '${new URL(target, base).pathname}'`);
      const file = path.join(folder, `gate-${from.length}-${to.length}.ts`);
      await writeFile(file, mutant);
      expect(leaksOf((await import(/* @vite-ignore */ file)) as GateModule)).toBeGreaterThan(0);
    });
  });
});

describe('a right that is taken away', () => {
  test('stops the next chunk, and says so in place of it', () => {
    const rig = rigOf(gateModule, grantsOf({ [A]: ['live'] }));
    open(rig, 7, 'live', A);
    expect(rig.tell({ type: 'chunk', stream: 7, chunk: { kind: 'wait', sinceMs: 1 } }).refused).toBeNull();
    rig.grants = grantsOf({ [A]: ['previews'] });
    expect(rig.tell({ type: 'chunk', stream: 7, chunk: { kind: 'wait', sinceMs: 1 } })).toMatchObject({ refused: expect.stringContaining('live'), endStream: 7, cameraIds: [A] });
    expect(headsOf(rig)).toMatchObject([{ type: 'chunk' }, { type: 'closed', stream: 7, error: { kind: 'not-allowed' } }]);
  });

  test('ends with its date to the millisecond, also between the look and the seal', () => {
    const rig = rigOf(gateModule, grantsOf({ [A]: ['live'] }, NOW_MS + 1));
    open(rig, 7, 'live', A);
    const { pass } = rig.gate.judge({ head: { type: 'chunk', stream: 7, chunk: { kind: 'wait', sinceMs: 1 } }, payload: null });
    rig.nowMs += 1;
    expect(gateModule.seal(rig.gate.session, forceUnwrap('it passed', pass))).toBe(false);
    expect(rig.tell({ type: 'welcome', version: 1 }).pass).toBeNull();
    expect(rig.sent).toHaveLength(0);
  });
});

describe('a pass', () => {
  test('is good for one message of one session', () => {
    const [rig, other] = [rigOf(gateModule, grantsOf({})), rigOf(gateModule, grantsOf({}))];
    const pass = forceUnwrap('a welcome passes', rig.gate.judge({ head: { type: 'welcome', version: 1 }, payload: null }).pass);
    expect(() => gateModule.seal(other.gate.session, pass)).toThrow('another session');
    expect(() => gateModule.seal(rig.gate.session, pass)).toThrow('used already');
    expect([...rig.sent, ...other.sent]).toHaveLength(0);
  });

  test('is asked for by nobody but seal: no other source sends sealed', async () => {
    const files = (await readdir(path.resolve(import.meta.dirname, '..'), { recursive: true })).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing/'));
    const senders: string[] = [];
    for (const file of files) if ((await readFile(path.resolve(import.meta.dirname, '..', file), 'utf8')).includes('.sendSealed(')) senders.push(file);
    expect(senders).toEqual([path.join('relay', 'gate.ts')]);
  });
});

describe('what passes', () => {
  test('goes to its lane with the number of its camera', async () => {
    const rig = rigOf(gateModule, grantsOf({ [A]: ['live', 'playback', 'previews', 'sound'] }));
    open(rig, 3, 'live', A);
    rig.tell({ type: 'chunk', stream: 3, chunk: { kind: 'media', initId: 1, seekId: 0, baseWallMs: 1, baseMediaMs: 0, keyframe: true, endMs: 1_234.4 } }, Uint8Array.of(1));
    ask(rig, 4, 'previews.latest', { cameraId: A });
    rig.tell({ type: 'result', id: 4, value: { item: null } }, Uint8Array.of(0xff));
    ask(rig, 5, 'timeline.drawn', { cameraIds: [A], startMs: 0, endMs: 1 });
    rig.tell({ type: 'result', id: 5, value: { cameraIds: [A] } }, encodeColumns([NO_COLUMNS]));
    const number = await cameraNumber(nodeSuite, A);
    expect(rig.sent).toMatchObject([
      { lane: { kind: 'live', stream: 3 }, camera: number, ptsMs: 1_234 },
      { lane: { kind: 'previews', id: 4 }, camera: number },
      { lane: { kind: 'bulk', id: 5 }, camera: 0 },
    ]);
  });

  test('is no column of a camera that is not named', () => {
    const rig = rigOf(gateModule, grantsOf({ [A]: ['playback'] }));
    ask(rig, 5, 'timeline.drawn', { cameraIds: [A], startMs: 0, endMs: 1 });
    expect(rig.tell({ type: 'result', id: 5, value: { cameraIds: [A] } }, encodeColumns([NO_COLUMNS, NO_COLUMNS])).refused).toContain('columns');
    expect(headsOf(rig)).toMatchObject([{ type: 'failure', id: 5, error: { kind: 'not-allowed' } }]);
  });

  test('is in the log of views before', () => {
    const rig = rigOf(gateModule, grantsOf({ [A]: ['live', 'previews'] }));
    rig.gate.watch({ type: 'open', stream: 1, name: 'live', input: { cameraId: A, stream: 'best' }, credits: 1 });
    rig.gate.watch({ type: 'request', id: 2, name: 'previews.latest', input: { cameraId: A } });
    expect(rig.tell({ type: 'chunk', stream: 1, chunk: { kind: 'wait', sinceMs: 1 } }).refused).toContain('log of views');
    expect(rig.tell({ type: 'result', id: 2, value: { item: null } }).refused).toContain('log of views');
    expect(rig.gate.watched()).toEqual([]);
  });

  test('is nothing that was asked for without the right: that is no view, and no answer to it leaves', () => {
    const rig = rigOf(gateModule, grantsOf({ [A]: ['live'], [B]: ['timeline' as Right] }));
    const timeline = { startMs: 0, endMs: 1 };
    const watch = (id: number, name: string, input: unknown) => {
      const head = { type: 'request', id, name, input } as const;
      const asked = rig.gate.watch(head);
      rig.gate.recorded(head);
      return asked;
    };
    expect([watch(1, 'previews.latest', { cameraId: B }), watch(2, 'previews.at', { cameraId: A, atMs: 1 }), watch(3, 'timeline.get', { cameraIds: [A, B], ...timeline }), watch(4, 'timeline.drawn', { cameraIds: [A], ...timeline })]).toEqual([null, null, null, null]);
    expect(watch(5, 'previews.latest', { cameraId: A })).toMatchObject({ kind: 'previews', cameraIds: [A] });
    const heads = ([['live', B], ['playback', A]] as const).map(([name, cameraId], at) => ({ type: 'open', stream: 6 + at, name, input: { cameraId, stream: 'best', fromMs: 5, seekId: 1 }, credits: 9 }) as const);
    for (const head of heads) {
      expect(rig.gate.watch(head)).toBeNull();
      rig.gate.recorded(head);
    }
    expect(rig.gate.watched()).toEqual([]);
    // Also where the right is given before the answer comes.
    rig.grants = grantsOf({ [A]: RIGHTS, [B]: RIGHTS });
    for (const id of [1, 2, 3, 4]) expect(rig.tell({ type: 'result', id, value: {} }).refused).toContain('log of views');
    for (const stream of [6, 7]) expect(rig.tell({ type: 'chunk', stream, chunk: gapChunk }).refused).toContain('log of views');
    expect(rig.tell({ type: 'result', id: 5, value: { item: null } }).refused).toBeNull();
  });

  test('names no folder, program or network of the home', () => {
    const rig = rigOf(gateModule, grantsOf({ [B]: ['live'] }));
    ask(rig, 1, 'app.info', {});
    ask(rig, 2, 'app.info', {});
    expect(rig.tell({ type: 'result', id: 1, value: { dataDir: '/home/me', ffmpeg: null } }).refused).toContain('folder');
    expect(rig.tell({ type: 'result', id: 2, value: { dataDir: '', ffmpeg: null } }).refused).toBeNull();
    for (const [id, camera] of [[3, { id: B, streams: [{ url: 'rtsp://10.0.0.3/live' }] }], [4, { id: B, username: 'admin' }], [5, { id: B, mac: '00:11:22:33:44:55' }]] as const) {
      ask(rig, id, 'cameras.list', {});
      expect(rig.tell({ type: 'result', id, value: [{ camera }] }).refused).toContain('reached');
    }
    ask(rig, 6, 'cameras.list', {});
    expect(rig.tell({ type: 'result', id: 6, value: [{ camera: { id: B, username: null, streams: [{ url: '' }] } }] }).refused).toBeNull();
  });
});
