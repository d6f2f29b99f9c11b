/** Row G: every set of rights, end date and camera against the home's own two looks at them, with names that are none. */
import { Gate, seal } from '../../../main/engine/relay/gate.ts';
import { accessOf } from '../../../main/engine/rpc/remote-access.ts';
import type { EngineHead, ParsedViewerHead } from '../../../shared/contract/envelope.ts';
import { type CameraId, cameraIdFrom } from '../../../shared/model/ids.ts';
import { type Grants, RIGHTS, type Right } from '../../../shared/model/remote.ts';
import type { Outgoing } from '../../../shared/relay/session-types.ts';
import { Expectations, type Row, type RowContext, type RowResult } from '../row.ts';

const NOW_MS = 1_800_000_000_000;
const ENDS = { never: null, later: NOW_MS + 1, now: NOW_MS, past: NOW_MS - 1 } as const;
/** No camera has such a name; a careless table would know them all the same. */
const NO_CAMERAS = ['__proto__', 'constructor', 'toString', '', 'hasOwnProperty', '*', 'cam-'] as readonly string[] as readonly CameraId[];
const ASKS = ['live', 'playback', 'previews'] as const;

interface Tally {
  asked: number;
  allowed: number;
  leaks: number;
  /** What should have been let out and was not. */
  withheld: number;
}

/** One ask at both looks, against what the rights say. */
function ask(tally: Tally, grants: Grants | null, cameraId: CameraId, right: (typeof ASKS)[number], shouldPass: boolean): void {
  const access = accessOf(() => grants, () => NOW_MS);
  const byAccess = right === 'previews' ? access.mayCall('previews.at', cameraId) : access.mayWatch(right, cameraId);
  const sent: Outgoing[] = [];
  const session = { sendSealed: (outgoing: Outgoing) => sent.push(outgoing) > 0 };
  const gate = new Gate({ session, grants: () => grants, nowMs: () => NOW_MS });
  const head: ParsedViewerHead = right === 'previews'
    ? { type: 'request', id: 1, name: 'previews.at', input: { cameraId, atMs: 5 } }
    : { type: 'open', stream: 1, name: right, input: right === 'live' ? { cameraId, stream: 'main' } : { cameraId, stream: 'main', fromMs: 5, seekId: 1 }, credits: 8 };
  gate.watch(head);
  gate.recorded(head);
  const answer: EngineHead = right === 'previews' ? { type: 'result', id: 1, value: { cameraId } } : { type: 'chunk', stream: 1, chunk: { kind: 'gap', seekId: 1, startMs: 1, endMs: 2, cause: null } };
  const { pass } = gate.judge({ head: answer, payload: right === 'previews' ? Uint8Array.of(1, 2, 3) : null });
  const byGate = pass !== null && seal(session, pass) && sent.length > 0;
  tally.asked += 2;
  for (const passed of [byAccess, byGate]) {
    if (passed) tally.allowed += 1;
    if (passed && !shouldPass) tally.leaks += 1;
    if (!passed && shouldPass) tally.withheld += 1;
  }
}

function rightsOf(mask: number): readonly Right[] {
  return RIGHTS.filter((_, at) => (mask & (1 << at)) !== 0);
}

function runGrants({ chance }: RowContext): Promise<RowResult> {
  const tally: Tally = { asked: 0, allowed: 0, leaks: 0, withheld: 0 };
  const [granted, second, stranger] = [0, 1, 2].map((at) => cameraIdFrom(Uint8Array.from({ length: 12 }, () => Math.floor(chance() * 256) + at))) as [CameraId, CameraId, CameraId];
  for (let mask = 0; mask < 2 ** RIGHTS.length; mask += 1) {
    for (const untilMs of Object.values(ENDS)) {
      const inForce = untilMs === null || untilMs > NOW_MS;
      // The second camera has the rights the first has not.
      const rights = { [granted]: rightsOf(mask), [second]: rightsOf(~mask) };
      const grants: Grants = { untilMs, cameras: [granted, second].map((cameraId) => ({ cameraId, rights: rights[cameraId] ?? [] })) };
      for (const right of ASKS) {
        for (const cameraId of [granted, second]) ask(tally, grants, cameraId, right, inForce && (rights[cameraId] ?? []).includes(right));
        for (const cameraId of [stranger, ...NO_CAMERAS]) ask(tally, grants, cameraId, right, false);
        ask(tally, null, granted, right, false);
      }
    }
  }
  const expect = new Expectations();
  expect.equal('withheld although granted', tally.withheld, 0);
  expect.atLeast('let out because granted', tally.allowed, 1);
  return Promise.resolve({ figures: { asked: tally.asked, allowed: tally.allowed, leaks: tally.leaks }, opened: tally.leaks, faults: expect.faults });
}

export const grants: Row = { name: 'G', title: 'every set of rights, end date and camera', inMemoryOnly: true, run: runGrants };
