/** Row F, the control: the same broken table over wires without a session. It must show strangers' pictures, or the drill shows nothing. */
import { utf8 } from '../../../main/engine/rpc/channels/text-codec.ts';
import { decodeFrame } from '../../../shared/contract/frame.ts';
import { mixedUp } from '../drill-relay.ts';
import { readPicture } from '../households.ts';
import { pictureFrame } from '../parties.ts';
import { brokenTable, Expectations, type Row, type RowContext, type RowResult } from '../row.ts';

const PICTURES = 3;
const LIMIT_MS = 10_000;

async function runControl(context: RowContext): Promise<RowResult> {
  const { relay, households } = context;
  const joined = await relay.join(households);
  const { viewerOf, homeOf } = brokenTable(context);
  relay.rule = mixedUp(viewerOf, homeOf);
  const markedBefore = relay.seen.marked;
  let shown = 0;
  for (const { household, viewer } of joined) {
    viewer.onMessage((frame) => {
      const { payload } = decodeFrame(frame, utf8);
      const picture = payload === null ? null : readPicture(payload);
      if (picture !== null && picture.household !== household.index) shown += 1;
    });
    // So that the real relay has seen both ends of every pair.
    viewer.send(new Uint8Array(1));
  }
  for (let number = 0; number < PICTURES; number += 1) for (const { household, home } of joined) home.send(pictureFrame(household, household.cameras[0], number));
  await relay.until(() => shown >= households.length * PICTURES, LIMIT_MS);
  const expect = new Expectations();
  const marked = relay.seen.marked - markedBefore;
  expect.equal("strangers' pictures shown without a session", shown, households.length * PICTURES);
  expect.equal('messages in which the relay can read something', marked, households.length * PICTURES);
  // Shown by design: not counted as opened.
  return { figures: { shown, marked }, opened: 0, faults: expect.faults };
}

export const control: Row = { name: 'F', title: 'control: the same table without encryption', run: runControl };
