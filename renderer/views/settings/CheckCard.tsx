/** The check of the archive: its button, how far it is, what it found, what a repair would do, and what one did. */
import { CircleAlert, CircleCheck } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { type CheckReport, type CheckState, type FindingGroup, isRepairable, type RepairReport, wrongIn } from '../../../shared/model/check.ts';
import { type EpochMs, MINUTE_MS } from '../../../shared/time.ts';
import { useCommand, useEngineEvent } from '../../api/engine-context.tsx';
import { Button } from '../../components/Button.tsx';
import { ErrorLine } from '../../components/Field.tsx';
import { formatMoment } from '../../components/format.ts';
import { useNow } from '../../state/use-now.ts';
import { fileCount, lengthWords, progressSentence } from './check-words.ts';
import './check.css';

/** `asked`: what was known when the view opened. */
export function CheckCard({ asked }: { readonly asked: CheckState }): ReactNode {
  const [told, setTold] = useState<CheckState | null>(null);
  useEngineEvent('check.changed', setTold);
  const run = useCommand('check.run');
  const repair = useCommand('check.repair');
  const cancel = useCommand('check.cancel');
  const nowMs = useNow(MINUTE_MS);
  const state = told ?? asked;
  const { running, last } = state;
  const error = run.error ?? repair.error ?? cancel.error;
  return (
    <section className="card check" aria-label="Check the archive">
      <h2>Check the archive</h2>
      <p className="muted">Compares every file with the index and looks into it. Recording goes on meanwhile, and nothing is changed.</p>
      {running === null ? (
        <Button disabled={run.busy} onClick={() => void run.run({}).then(setTold)}>
          {last === null ? 'Check now' : 'Check again'}
        </Button>
      ) : (
        <div className="check-progress">
          <div className={`bar ${running.share === null ? 'busy' : ''}`} role="progressbar" aria-label="How far it is" aria-valuemin={0} aria-valuemax={100} {...(running.share === null ? {} : { 'aria-valuenow': Math.floor(running.share * 100) })}>
            <i style={running.share === null ? {} : { width: `${running.share * 100}%` }} />
          </div>
          <p className="muted numbers">{progressSentence(running, nowMs)}</p>
          {running.what === 'check' || running.what === 'repair' ? (
            <Button tone="quiet" disabled={cancel.busy} onClick={() => void cancel.run({})}>
              Stop
            </Button>
          ) : null}
        </div>
      )}
      {error === null ? null : <ErrorLine>{error.message}</ErrorLine>}
      {last === null ? null : <Result report={last} nowMs={nowMs} />}
      {state.repair === null ? null : <Repaired report={state.repair} nowMs={nowMs} />}
      {last === null || running !== null || !isRepairable(last) ? null : <Plan report={last} busy={repair.busy} onRepair={() => void repair.run({}).then(setTold)} />}
      <AtStart state={state} nowMs={nowMs} />
    </section>
  );
}

function Result({ report, nowMs }: { readonly report: CheckReport; readonly nowMs: EpochMs }): ReactNode {
  const when = `${formatMoment(report.startedMs, nowMs)} · ${fileCount(report.files)} in ${lengthWords(report.durationMs)}`;
  if (report.problem !== null) {
    return (
      <div className="check-result">
        <ErrorLine>{report.problem}</ErrorLine>
        <p className="muted numbers">{when}</p>
      </div>
    );
  }
  const wrong = wrongIn(report);
  return (
    <div className="check-result">
      <p className="verdict" data-tone={wrong === 0 ? 'good' : 'wrong'}>
        {wrong === 0 ? <CircleCheck size={18} aria-hidden="true" /> : <CircleAlert size={18} aria-hidden="true" />}
        <strong>{wrong === 0 ? 'Everything is as it should be.' : wrong === 1 ? '1 thing is wrong.' : `${wrong} things are wrong.`}</strong>
      </p>
      <p className="muted numbers">{when}</p>
      <Findings groups={report.groups} />
      <details>
        <summary>What was checked</summary>
        <ul className="plain">
          {report.checked.map(({ invariant, sentence, wrong: broken }) => (
            <li key={invariant} data-tone={broken === 0 ? 'good' : 'wrong'}>
              {broken === 0 ? <CircleCheck size={16} role="img" aria-label="Holds" /> : <CircleAlert size={16} role="img" aria-label="Does not hold" />}
              <span>{sentence}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}

function Findings({ groups }: { readonly groups: readonly FindingGroup[] }): ReactNode {
  return groups.map(({ kind, count, sentence, notice, named }) => (
    <details key={kind} className="finding" data-tone={notice ? 'note' : 'wrong'}>
      <summary>{sentence}</summary>
      <ul>
        {named.map((finding) => (
          <li key={finding.path + finding.sentence}>
            <code>{finding.path}</code> {finding.sentence}
          </li>
        ))}
        {count > named.length ? <li className="muted">{named.length === 0 ? `${count} of them.` : `… and ${count - named.length} more.`}</li> : null}
      </ul>
    </details>
  ));
}

function Plan({ report, busy, onRepair }: { readonly report: CheckReport; readonly busy: boolean; readonly onRepair: () => void }): ReactNode {
  const left = report.groups.filter((group) => !group.notice && group.repair === null);
  return (
    <div className="check-plan">
      <h3>What a repair would do</h3>
      <ul>
        {report.groups.flatMap(({ kind, repair }) => (repair === null ? [] : [<li key={kind}>{repair}</li>]))}
        {left.map(({ kind, sentence }) => (
          <li key={kind} className="muted">
            Nothing about this: {sentence}
          </li>
        ))}
      </ul>
      <Button tone="primary" disabled={busy} onClick={onRepair}>
        Repair
      </Button>
    </div>
  );
}

function Repaired({ report, nowMs }: { readonly report: RepairReport; readonly nowMs: EpochMs }): ReactNode {
  return (
    <div className="check-plan">
      <h3>Repaired</h3>
      <ul>
        {report.done.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
        {report.left.map((sentence) => (
          <li key={sentence} data-tone="wrong">
            Still: {sentence}
          </li>
        ))}
      </ul>
      <p className="muted numbers">
        {formatMoment(report.startedMs, nowMs)} · {lengthWords(report.durationMs)}
      </p>
    </div>
  );
}

function AtStart({ state: { atStart, rebuilt }, nowMs }: { readonly state: CheckState; readonly nowMs: EpochMs }): ReactNode {
  return (
    <>
      {atStart === null ? null : (
        <div className="check-start">
          <p className="muted numbers">
            At the start, {formatMoment(atStart.startedMs, nowMs)}: {fileCount(atStart.files)} compared in {lengthWords(atStart.durationMs)}
            {atStart.groups.length === 0 ? ', all in order.' : '.'}
          </p>
          {atStart.groups.length === 0 ? null : (
            <ul className="muted">
              {atStart.groups.map(({ kind, sentence, repair }) => (
                <li key={kind}>
                  {sentence} {repair}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      {rebuilt === null ? null : (
        <p className="muted numbers">
          The index was built anew from the disks, {formatMoment(rebuilt.atMs, nowMs)}: {fileCount(rebuilt.files)} in {lengthWords(rebuilt.durationMs)}.
        </p>
      )}
    </>
  );
}
